"""Messages and advice about state files, shared by the rules about them."""

import os
import re
from typing import Dict, Mapping

from ..model_dir import Absence, Found, Located, Missing, pattern_in
from ..protocol import EXPORT, TRAIN
from ..results import Outcome
from .base import Facts

OWN_NAMES = "model.ckpt-"
"""The start of the names that Estimator gives to checkpoints; the step follows."""

_CONTINUE = "PREDICT and EVAL continue with random weights"
NOT_FOUND = f"{_CONTINUE}, and TRAIN raises an error"
"""What happens if TensorFlow does not find the checkpoint that the state file names."""

_SEPARATOR = re.compile(r"[/\\]")
"""The separator of directories. A state file that was written on Windows has backslashes."""


def not_found_outcomes(
    facts: Facts, predict_and_eval: Outcome = Outcome.SILENTLY_WRONG
) -> Dict[str, Outcome]:
    """Returns the outcomes if TensorFlow does not find the checkpoint that the state file names.

    Args:
        facts: the facts of the check.
        predict_and_eval: the outcome of PREDICT and EVAL, which look for the checkpoint before
            they call model_fn.
    """
    special = {TRAIN: Outcome.FAILS_AT_RESTORE, EXPORT: Outcome.FAILS_BEFORE_MODEL_FN}
    return {mode: special.get(mode, predict_and_eval) for mode in facts.modes}


def continues(outcomes: Mapping[str, Outcome]) -> str:
    """Returns why modes are silently wrong if TensorFlow does not find the checkpoint."""
    return _CONTINUE if Outcome.SILENTLY_WRONG in outcomes.values() else ""


def absence_text(located: Missing) -> str:
    """Returns a sentence that says what the state file names and why it is not a checkpoint."""
    prefix, absence = located.prefix, located.absence
    if absence is Absence.NOT_A_CHECKPOINT and pattern_in(prefix):
        return (
            f"the state file names {prefix}: TensorFlow treats it as a glob pattern and finds "
            f"files that match, but then opens a file with exactly this name, which does not exist"
        )
    if absence is Absence.GLOB:
        return (
            f"the state file names {prefix}: TensorFlow treats it as a glob pattern, because it "
            f"contains [, *, ? or \\, and no file matches"
        )
    return f"the state file names {prefix}, {_ABSENCES[absence]}"


_ABSENCES = {
    Absence.NOT_A_CHECKPOINT: "which exists but is not a checkpoint",
    Absence.BROKEN_LINK: "which is a broken link",
    Absence.NO_INDEX: "which has data files but no index",
    Absence.NO_FILES: "which does not exist",
}


def state_file_fix(located: Located) -> str:
    """Returns advice for a state file that names the wrong checkpoint, or lists others too."""
    if isinstance(located, Found) and not located.elsewhere:
        folder, prefix = os.path.join(located.model_dir, ""), located.prefix
        inside = prefix.startswith(folder)
        return name_alone(located, prefix[len(folder) :] if inside else os.path.basename(prefix))
    names = [os.path.basename(prefix) for prefix in located.candidates]
    last = _SEPARATOR.split(located.prefix)[-1]
    wanted = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", last)
    if wanted in names:
        return name_alone(located, wanted)
    if located.exists:
        copied = f"copy the files of {located.prefix} to {located.model_dir}"
        return f"{copied}, and {name_alone(located, wanted)}"
    if not names:
        return f"copy the checkpoint's files to {located.model_dir}, or train again"
    return name_alone(located, os.path.basename(most_likely(located)))


def name_alone(located: Located, name: str) -> str:
    """Returns the advice to replace the state file by one that names a single checkpoint.

    TRAIN deletes the other checkpoints that a state file lists, wherever they are.

    Args:
        located: the model_dir of the state file.
        name: the checkpoint, relative to the model_dir.
    """
    state = os.path.join(located.model_dir, "checkpoint")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'put only this line into {state}: model_checkpoint_path: "{escaped}"'


def most_likely(located: Located) -> str:
    """Returns the checkpoint of a directory that the user most likely means.

    This is the latest checkpoint whose name begins like that of the missing one. If there is none,
    it is the latest one whose name begins with ``model.ckpt-``. Otherwise, it is the latest of all.
    """
    for wanted in (series(_SEPARATOR.split(located.prefix)[-1]), OWN_NAMES):
        similar = [prefix for prefix in located.candidates if series(prefix) == wanted]
        if similar:
            return similar[-1]
    return located.candidates[-1]


def series(prefix: str) -> str:
    """Returns a checkpoint's name without its step, and without the pattern of V1 files."""
    return re.sub(r"-\d+(-\?{5}-of-\d{5})?$", "-", os.path.basename(prefix))
