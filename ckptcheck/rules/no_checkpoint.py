"""The model_dir has no checkpoint that Estimator would load.

Estimator reads the name of the checkpoint from a state file named ``checkpoint``. Without a
readable state file, it treats the model_dir as new, even if the files of a checkpoint are there.
PREDICT and EVAL log ``Could not find trained model in model_dir`` at INFO and continue with random
weights; TRAIN starts again at step 0; an export raises ``Couldn't find trained model``.

A state file that names no checkpoint, such as an empty file, raises ``Invalid checkpoint state`` in
every mode. A state file that is not UTF-8 (PowerShell writes UTF-16 by default) raises
``UnicodeDecodeError``. If a directory has the name of the state file, TRAIN raises an error at its
first save, which comes before its first step.

What to do: write the state file again (``model_checkpoint_path: "model.ckpt-1000"``), or give the
path of the checkpoint instead of the directory. If the model_dir holds no checkpoint at all,
ckptcheck checks nothing and ends with exit code 3.
"""

import os
import shlex
from typing import Iterator, Mapping

from ..model_dir import Unnamed
from ..protocol import EXPORT, TRAIN
from ..results import Finding, Outcome
from .base import Facts, Rule, finding, some_names
from .examples import UNNAMED, nothing_to_restore
from .state_file_wording import most_likely, name_alone


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a model_dir whose state file names no checkpoint."""
    located = facts.located
    if not isinstance(located, Unnamed):
        return
    yield finding(
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
            "exports": list(located.exports),
            "directories_with_checkpoints": list(located.below),
            "data_without_index": list(located.data_alone),
        },
    )


def _outcomes(facts: Facts, located: Unnamed) -> Mapping[str, Outcome]:
    """Returns the outcomes of the modes.

    An export needs a checkpoint, and raises without one. All modes but TRAIN look for the
    checkpoint before they call model_fn.
    """
    if located.refused:
        special, others = {TRAIN: Outcome.FAILS_AT_RESTORE}, Outcome.FAILS_BEFORE_MODEL_FN
    else:
        special, others = {EXPORT: Outcome.FAILS_BEFORE_MODEL_FN}, Outcome.SILENTLY_WRONG
        if _cannot_save(located):
            special[TRAIN] = Outcome.FAILS_AT_RESTORE
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
    raises = ", and TRAIN raises an error when it saves" if _cannot_save(located) else ""
    return f"{why}, so Estimator ignores {names} and starts with random weights{raises}"


def _instead(located: Unnamed) -> str:
    """Returns what a directory without a checkpoint holds."""
    if located.saved_model:
        return ": it is a SavedModel"
    if located.without_variables:
        return ": it is a SavedModel without variables, so there is nothing to restore"
    if located.exports:
        count = len(located.exports)
        return ": it holds a SavedModel" if count == 1 else f": it holds {count} SavedModels"
    if located.below:
        return f", but these directories do: {some_names(located.below)}"
    if located.data_alone:
        return f", only data files without an index: {some_names(located.data_alone)}"
    return ""


def _hint(located: Unnamed) -> str:
    if located.saved_model:
        return f"check the variables of the SavedModel: give {located.saved_model} as MODEL_DIR"
    if located.exports:
        newest = located.exports[-1]
        which = "the newest" if len(located.exports) > 1 else "the"
        return f"check the variables of {which} SavedModel: give {newest} as MODEL_DIR"
    if located.below:
        one_of = "one of these as MODEL_DIR: " if len(located.below) > 1 else ""
        return f"give {one_of}{some_names(located.below)}"
    if located.data_alone:
        return "copy the index and the other files of the checkpoint from its original location"
    if not located.candidates:
        checkpoint = "a checkpoint such as runs/base/model.ckpt-1000"
        return f"give the model_dir of a trained model, or {checkpoint}"
    state = os.path.join(located.model_dir, "checkpoint")
    if located.state is not None and located.state.unseen and not located.state.directory:
        return f"make {state} readable"
    best = most_likely(located)
    remove = f"remove the directory {state}, and " if _cannot_save(located) else ""
    return (
        f"run ckptcheck verify {shlex.quote(best)}; if it finds no error, "
        f"{remove}{name_alone(located, os.path.basename(best))}"
    )


RULE = Rule(
    severity="error",
    category="files",
    find=find,
    title="there is no checkpoint that Estimator would load",
    bad=lambda: nothing_to_restore(UNNAMED),
)
