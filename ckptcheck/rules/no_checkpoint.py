"""Estimator would load no checkpoint.

Without a readable state file named ``checkpoint`` Estimator treats a model_dir as new, even if it
holds the files of a checkpoint. PREDICT and EVAL log ``Could not find trained model in model_dir``
at INFO and continue with random weights; TRAIN starts again at step 0; an export raises ``Couldn't
find trained model``. A state file that names no checkpoint, such as an empty one, raises ``Invalid
checkpoint state`` in every mode. One that is not UTF-8, such as those that PowerShell writes by
default, raises ``UnicodeDecodeError``. If a directory has the state file's name, TRAIN raises at
its first save, which comes before its first step.

What to do: write the state file again (``model_checkpoint_path: "model.ckpt-1000"``), or name the
checkpoint itself instead of the directory. ckptcheck does not check an empty model_dir (exit code
3).
"""

import os
import shlex
from typing import Iterator, Mapping

from ..model_dir import Unnamed
from ..protocol import EXPORT, TRAIN
from ..results import Finding, Outcome
from .base import (
    FAILS_AT_RESTORE,
    FAILS_BEFORE_MODEL_FN,
    FILES,
    SILENTLY_WRONG,
    Facts,
    Rule,
    some_names,
)
from .examples import UNNAMED, nothing_to_restore
from .state_file_wording import most_likely, name_alone


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a model_dir whose state file names no checkpoint."""
    located = facts.located
    if not isinstance(located, Unnamed):
        return
    yield RULE.finding(
        facts,
        _message(located),
        outcomes=_outcomes(facts, located) if located.candidates else {},
        subject="model_dir",
        hint=_hint(located),
        data={
            "model_dir": located.model_dir,
            "candidates": list(located.candidates),
            "state_file": located.state is not None,
            "state_file_problem": located.state.problem if located.state else "",
            "saved_model": located.saved_model,
            "directories_with_checkpoints": list(located.below),
            "data_without_index": list(located.data_alone),
        },
    )


def _outcomes(facts: Facts, located: Unnamed) -> Mapping[str, Outcome]:
    """The outcomes of the modes.

    An export needs a checkpoint, and raises without one. All modes but TRAIN look for the
    checkpoint before they call model_fn.
    """
    if located.refused:
        special, others = {TRAIN: FAILS_AT_RESTORE}, FAILS_BEFORE_MODEL_FN
    elif _cannot_save(located):
        special = {TRAIN: FAILS_AT_RESTORE, EXPORT: FAILS_BEFORE_MODEL_FN}
        others = SILENTLY_WRONG
    else:
        special, others = {EXPORT: FAILS_BEFORE_MODEL_FN}, SILENTLY_WRONG
    return {mode: special.get(mode, others) for mode in facts.modes}


def _cannot_save(located: Unnamed) -> bool:
    """Whether the first save of TRAIN, which comes before its first step, raises."""
    return located.state is not None and located.state.directory


def _message(located: Unnamed) -> str:
    names = ", ".join(os.path.basename(prefix) for prefix in located.candidates[-3:])
    state = located.state
    if not names:
        return f"{located.model_dir} holds no checkpoint{_instead(located)}"
    if state is None:
        why = "there is no state file"
    elif state.not_text:
        return f"the state file is not UTF-8: UnicodeDecodeError: {state.problem}"
    elif state.problem:
        why = f"TensorFlow cannot use the state file ({state.problem})"
    else:
        return "the state file names no checkpoint: TensorFlow raises Invalid checkpoint state"
    raises = ", and TRAIN raises when it saves them" if _cannot_save(located) else ""
    return f"{why}, so Estimator does not see {names}: it starts with random weights{raises}"


def _instead(located: Unnamed) -> str:
    """What a directory without a checkpoint holds."""
    if located.saved_model:
        return ": it is a SavedModel"
    if located.below:
        return f"; these directories do: {some_names(located.below)}"
    if located.data_alone:
        return f", but data files without an index: {some_names(located.data_alone)}"
    return ""


def _hint(located: Unnamed) -> str:
    if located.saved_model:
        return f"give the variables of the SavedModel: {located.saved_model}"
    if located.below:
        return f"give {'one of ' * (len(located.below) > 1)}{some_names(located.below)}"
    if located.data_alone:
        return "copy the index and the other files of the checkpoint from where it was written"
    if not located.candidates:
        return "give the directory or the prefix of a trained checkpoint"
    return _state_file_hint(located)


def _state_file_hint(located: Unnamed) -> str:
    state = os.path.join(located.model_dir, "checkpoint")
    if located.state is not None and located.state.unseen and not located.state.directory:
        return f"make {state} readable"
    best = most_likely(located)
    first = f"remove the directory {state}, and " if _cannot_save(located) else ""
    return (
        f"{first}{name_alone(located, os.path.basename(best))}, once "
        f"ckptcheck verify {shlex.quote(best)} finds no error"
    )


RULE = Rule(
    id="no-checkpoint",
    severity="error",
    summary="There is no checkpoint that Estimator would load from model_dir.",
    check=check,
    category=FILES,
    title="there is no checkpoint that Estimator would load",
    bad=lambda: nothing_to_restore(UNNAMED),
)
