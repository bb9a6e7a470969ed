"""There is no checkpoint that Estimator would load.

Without a readable state file named ``checkpoint`` Estimator takes a model_dir for a fresh one, even
if the files of a checkpoint are in it. PREDICT and EVAL log ``Could not find trained model in
model_dir`` at INFO and go on with random weights; TRAIN starts again at step 0; an export raises
``Couldn't find trained model``. A state file that names no checkpoint at all, such as an empty one,
raises ``Invalid checkpoint state`` in every mode, and one that is not UTF-8, such as what
PowerShell writes by default, ``UnicodeDecodeError``. Where a directory stands in the place of the
state file, TRAIN raises as soon as it saves, which is before its first step.

What to do: write the state file again (``model_checkpoint_path: "model.ckpt-1000"``), or name the
checkpoint itself instead of the directory. An empty model_dir is not checked at all (exit code 3).
"""

import dataclasses
import os
import shlex
from typing import Iterator, Mapping, Tuple

from ..model_dir import Located, StateFile
from ..protocol import EXPORT, TRAIN
from ..results import Finding, Outcome
from .base import (
    FAILS_AT_RESTORE,
    FAILS_BEFORE_MODEL_FN,
    FILES,
    SILENTLY_WRONG,
    Facts,
    Rule,
    likely,
    name_alone,
    some_names,
)
from .examples import LOCATED, facts, nothing_to_restore


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a model_dir whose state file names nothing."""
    located = facts.located
    if located.prefix:
        return
    outcomes = _outcomes(facts) if located.candidates else {}
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=_message(located),
        modes=facts.modes,
        outcomes=outcomes,
        subject=located.model_dir,
        hint=_hint(located),
    )


def _outcomes(facts: Facts) -> Mapping[str, Outcome]:
    """An export wants a checkpoint and raises without one, as all do at a state file of nothing.

    All but TRAIN look for the checkpoint before they call model_fn.
    """
    if facts.located.refused:
        special, others = {TRAIN: FAILS_AT_RESTORE}, FAILS_BEFORE_MODEL_FN
    elif _cannot_save(facts.located):
        special = {TRAIN: FAILS_AT_RESTORE, EXPORT: FAILS_BEFORE_MODEL_FN}
        others = SILENTLY_WRONG
    else:
        special, others = {EXPORT: FAILS_BEFORE_MODEL_FN}, SILENTLY_WRONG
    return {mode: special.get(mode, others) for mode in facts.modes}


def _cannot_save(located: Located) -> bool:
    """Whether the first save of TRAIN, which is made before its first step, cannot end."""
    return located.state is not None and located.state.directory


def _message(located: Located) -> str:
    there = ", ".join(os.path.basename(prefix) for prefix in located.candidates[-3:])
    if not there:
        return f"{located.model_dir} holds no checkpoint{_instead(located)}"
    if located.state is None:
        why = "there is no state file"
    elif located.state.not_text:
        return f"the state file is not UTF-8: UnicodeDecodeError: {located.state.problem}"
    elif located.state.problem:
        why = f"TensorFlow cannot use the state file ({located.state.problem})"
    else:
        return "the state file names no checkpoint: TensorFlow raises Invalid checkpoint state"
    raises = ", and TRAIN raises when it saves them" if _cannot_save(located) else ""
    return f"{why}, so Estimator does not see {there}: it starts with random weights{raises}"


def _instead(located: Located) -> str:
    """What a directory without a checkpoint holds."""
    if located.saved_model:
        return " of Estimator's: it is a SavedModel"
    if located.below:
        return f"; there are some in {some_names(located.below)}"
    if located.data_alone:
        return f", but data files without an index: {some_names(located.data_alone)}"
    return ""


def _hint(located: Located) -> str:
    if located.saved_model:
        return f"give the variables of the SavedModel: {located.saved_model}"
    if len(located.below) > 1:
        return f"give one of {some_names(located.below)}"
    if located.below:
        return f"give {located.below[0]}"
    if located.data_alone:
        return "copy the index and the other files of the checkpoint from where it was written"
    if not located.candidates:
        return "give the directory or the prefix of a trained checkpoint"
    state = os.path.join(located.model_dir, "checkpoint")
    if located.state is not None and located.state.unseen and not located.state.directory:
        return f"make {state} a file that can be read"
    best = likely(located)
    first = f"remove the directory {state}, and " if _cannot_save(located) else ""
    return (
        f"{first}{name_alone(located, os.path.basename(best))}, once "
        f"ckptcheck verify {shlex.quote(best)} finds it good"
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "there is no checkpoint that Estimator would load"


RULE = Rule(
    id="no-checkpoint",
    severity="error",
    summary="There is no checkpoint that Estimator would load from model_dir.",
    check=check,
    category=FILES,
    title=title,
    good=facts,
    bad=lambda: nothing_to_restore(
        dataclasses.replace(LOCATED, prefix="", exists=False, state=StateFile("", (), "line 1"))
    ),
)
