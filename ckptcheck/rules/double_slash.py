"""TensorFlow 1 does not find a checkpoint with two slashes before its name.

TensorFlow 1 compares the path in the state file with the paths of the files in the directory, which
never have two slashes. So it does not find the checkpoint: PREDICT and EVAL continue with random
weights, and TRAIN and an export raise an error. TensorFlow 2 finds the checkpoint.

What to do: if the path in the state file (``checkpoint`` in the model_dir) has the two slashes,
replace the contents of this file with one line that names the checkpoint by a relative path. If the
path of the model_dir ends with slashes, remove them.
"""

import dataclasses
from typing import Iterator

from ..model_dir import Found
from ..results import Finding
from .base import Facts, Rule, finding, untraced
from .examples import with_located
from .state_file_wording import NOT_FOUND, continues, not_found_outcomes, state_file_fix


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a path with two slashes before the checkpoint's name."""
    located = facts.located
    if not isinstance(located, Found) or not located.double_slash or facts.major >= 2:
        return
    in_state_file = "//" in located.written
    named = (
        f"the state file names {located.written}"
        if in_state_file
        else f"{located.named} ends with //"
    )
    outcomes = not_found_outcomes(facts)
    yield finding(
        f"{named}: TensorFlow 1 does not find a checkpoint with // before its name"
        + untraced(facts, NOT_FOUND, continues(outcomes)),
        severity="error" if facts.modes else "warning",
        outcomes=outcomes,
        subject="state file" if in_state_file else "model_dir",
        hint=state_file_fix(located) if in_state_file else f"give {located.model_dir} as MODEL_DIR",
        data={"checkpoint": located.prefix, "written": located.written, "named": located.named},
    )


RULE = Rule(
    severity="error",
    category="files",
    find=find,
    title="TensorFlow 1 does not find the checkpoint",
    bad=lambda: dataclasses.replace(with_located(double_slash=True), tensorflow="1.15.5"),
)
