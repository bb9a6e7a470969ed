"""The state file points outside the model_dir, or to a checkpoint that does not exist.

A state file with absolute paths keeps pointing to where the checkpoint was written. If that
directory still exists, TensorFlow loads from there, not from the model_dir that it was given. If it
does not, TRAIN and an export raise, and PREDICT and EVAL continue with random weights after one
line in the log. If the whole directory is gone, or the checkpoint is a broken link, TensorFlow 1
raises in all modes. ``tf.train.Saver`` writes relative paths with ``save_relative_paths=True``, as
Estimator does.

What to do: replace the file ``checkpoint`` in the model_dir by a single line that names a
checkpoint beside it, without a directory. TRAIN deletes the checkpoints in the other lines over
time.
"""

import os
from typing import Dict, Iterator, Tuple

from ..model_dir import Absence, Found, Missing, pattern_in
from ..results import Finding, Outcome
from .base import (
    FAILS_AT_RESTORE,
    FAILS_BEFORE_MODEL_FN,
    FILES,
    SILENTLY_WRONG,
    Facts,
    Rule,
    untraced,
)
from .examples import MISSING, nothing_to_restore
from .state_file_wording import NOT_FOUND, absence_text, not_found_outcomes, state_file_fix


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a state file that points outside the model_dir or to a missing checkpoint."""
    located = facts.located
    if isinstance(located, Missing):
        yield _missing(facts, located)
    elif isinstance(located, Found) and located.elsewhere:
        if located.double_slash and facts.major == 1:
            return  # TensorFlow 1 does not find it
        yield _elsewhere(facts, located)


def _missing(facts: Facts, located: Missing) -> Finding:
    return RULE.finding(
        facts,
        absence_text(located) + untraced(facts, _effect(located)),
        outcomes=_outcomes(facts, located),
        subject="missing",
        hint=_hint(located),
        data={
            "checkpoint": located.prefix,
            "reason": located.absence.value,
            "link_target": located.link,
            "directory_exists": located.folder_exists,
        },
    )


def _elsewhere(facts: Facts, located: Found) -> Finding:
    return RULE.finding(
        facts,
        f"the state file names {located.prefix}: TensorFlow loads that one"
        + (f", not one of those in {located.model_dir}" if located.candidates else ""),
        severity="warning",
        subject="elsewhere",
        hint=state_file_fix(located),
        data={"checkpoint": located.prefix, "candidates": list(located.candidates)},
    )


def _effect(located: Missing) -> str:
    if located.absence is Absence.NOT_A_CHECKPOINT:
        return "restoring raises in every mode"
    if located.folder_exists and not located.link:
        return NOT_FOUND
    return (
        "TRAIN raises, and PREDICT and EVAL go on with random weights (TensorFlow 1 raises in all "
        "modes)"
    )


def _outcomes(facts: Facts, located: Missing) -> Dict[str, Outcome]:
    first = facts.major == 1
    is_opened = located.absence is Absence.NOT_A_CHECKPOINT and not (
        first and _ends_as_a_folder(located.prefix)
    )
    if is_opened or (first and located.link):  # TensorFlow finds it, but cannot read it
        return dict.fromkeys(facts.modes, FAILS_AT_RESTORE)
    raises_always = first and not located.folder_exists
    return not_found_outcomes(facts, FAILS_BEFORE_MODEL_FN if raises_always else SILENTLY_WRONG)


def _ends_as_a_folder(prefix: str) -> bool:
    """Whether no file can have this name, so that TensorFlow 1 finds nothing."""
    return os.path.basename(prefix) in ("", os.curdir, os.pardir)


def _hint(located: Missing) -> str:
    if located.absence is Absence.GLOB:
        return _rename(located)
    if located.link and located.link != located.prefix + ".index":
        return f"fetch {located.link}, the target of the link"
    if located.absence is Absence.NO_INDEX:
        return f"copy {located.prefix}.index from where it was written"
    if located.prefix in located.candidates:  # the name is right, but the index is unreadable
        return f"copy {located.prefix}.index again from where it was written"
    return state_file_fix(located)


def _rename(located: Missing) -> str:
    folder = os.path.dirname(located.prefix)
    while not pattern_in(os.path.basename(folder)):
        folder = os.path.dirname(folder)
    rename = f"rename the directory {folder}"
    if os.path.isabs(located.written):
        return f"{rename}, and {state_file_fix(located)}"
    return rename


def title(findings: Tuple[Finding, ...]) -> str:
    """Returns the headline of a group."""
    if findings[0].severity == "warning":
        return "the state file points outside the model_dir"
    return "the state file points to a checkpoint that does not exist"


RULE = Rule(
    id="checkpoint-moved",
    severity="error",
    summary="The state file points outside the model_dir, or to a missing checkpoint.",
    check=check,
    category=FILES,
    title=title,
    bad=lambda: nothing_to_restore(MISSING),
)
