"""The state file points outside the model_dir, or to a missing checkpoint.

A state file with absolute paths still points to the directory where the checkpoint was written. If
that directory exists, TensorFlow loads the checkpoint from there and not from the model_dir. If
only the checkpoint is missing, TRAIN and an export raise an error. PREDICT and EVAL write one line
to the log and continue with random weights. If the whole directory is missing, or the checkpoint is
a broken link, TensorFlow 1 raises an error in all modes.

What to do: replace the contents of the state file (``checkpoint`` in the model_dir) with one line
that names a checkpoint in the same directory, such as ``model_checkpoint_path: "model.ckpt-1000"``.
Keep no other lines, because TRAIN later deletes the checkpoints that they name. Estimator writes
relative paths; ``tf.train.Saver`` does so with ``save_relative_paths=True``.
"""

import os
from typing import Dict, Iterator

from ..model_dir import Absence, Found, Missing, pattern_in
from ..results import Finding, Outcome
from .base import Facts, Rule, finding, untraced
from .examples import MISSING, nothing_to_restore
from .state_file_wording import (
    NOT_FOUND,
    absence_text,
    continues,
    not_found_outcomes,
    state_file_fix,
)


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a state file that points outside the model_dir or to a missing checkpoint."""
    located = facts.located
    if isinstance(located, Missing):
        outcomes = _outcomes(facts, located)
        yield finding(
            absence_text(located) + untraced(facts, _effect(located), continues(outcomes)),
            outcomes=outcomes,
            subject="missing",
            hint=_hint(located),
            data={
                "checkpoint": located.prefix,
                "reason": located.absence.value,
                "link_target": located.link,
                "directory_exists": located.folder_exists,
            },
        )
    elif isinstance(located, Found) and located.elsewhere:
        if located.double_slash and facts.major == 1:
            return  # TensorFlow 1 does not find it
        instead = f"; it ignores those in {located.model_dir}" if located.candidates else ""
        yield finding(
            f"the state file names {located.prefix}, so TensorFlow loads that checkpoint{instead}",
            severity="warning",
            subject="elsewhere",
            hint=state_file_fix(located),
            data={"checkpoint": located.prefix, "candidates": list(located.candidates)},
        )


def _effect(located: Missing) -> str:
    if located.absence is Absence.NOT_A_CHECKPOINT:
        return "the restore raises an error in every mode"
    if located.folder_exists and not located.link:
        return NOT_FOUND
    return f"{NOT_FOUND} (with TensorFlow 1, all modes raise an error)"


def _outcomes(facts: Facts, located: Missing) -> Dict[str, Outcome]:
    first = facts.major == 1
    # The path ends with "/", "/." or "/..", which no file name does. TensorFlow 1 finds nothing.
    ends_as_a_folder = os.path.basename(located.prefix) in ("", os.curdir, os.pardir)
    is_opened = located.absence is Absence.NOT_A_CHECKPOINT and not (first and ends_as_a_folder)
    if is_opened or (first and located.link):  # TensorFlow finds it, but cannot read it
        return dict.fromkeys(facts.modes, Outcome.FAILS_AT_RESTORE)
    if first and not located.folder_exists:
        return not_found_outcomes(facts, Outcome.FAILS_BEFORE_MODEL_FN)
    return not_found_outcomes(facts)


def _hint(located: Missing) -> str:
    if located.absence is Absence.GLOB:
        return _rename(located)
    if located.link and located.link != located.prefix + ".index":
        return f"fetch {located.link}, the target of the broken link"
    if located.absence is Absence.NO_INDEX:
        return f"copy {located.prefix}.index from its original location"
    if located.prefix in located.candidates:  # the name is right, but the index is unreadable
        return f"copy {located.prefix}.index again from its original location"
    return state_file_fix(located)


def _rename(located: Missing) -> str:
    folder = os.path.dirname(located.prefix)
    while not pattern_in(os.path.basename(folder)):
        folder = os.path.dirname(folder)
    rename = f"rename the directory {folder}"
    if os.path.isabs(located.written):
        return f"{rename}, and {state_file_fix(located)}"
    return rename


RULE = Rule(
    severity="error",
    category="files",
    find=find,
    title=lambda first: (
        "the state file points outside the model_dir"
        if first.severity == "warning"
        else "the state file does not name a complete checkpoint"
    ),
    bad=lambda: nothing_to_restore(MISSING),
)
