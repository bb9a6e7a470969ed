"""TensorFlow 1 does not find the checkpoint, because two slashes precede its name.

TensorFlow 1 compares the paths of the existing files with the path in the state file, and no
existing file has a path with two slashes. PREDICT and EVAL continue with random weights, TRAIN and
an export raise. TensorFlow 2 finds the checkpoint.

What to do: replace the file ``checkpoint`` in the model_dir by a single line that names the
checkpoint by its relative path; or remove the slashes at the end of the model_dir's own path.
"""

import dataclasses
from typing import Iterator

from ..model_dir import Found
from ..results import Finding
from .base import FILES, Facts, Rule, untraced
from .examples import LOCATED, facts
from .state_file_wording import NOT_FOUND, not_found_outcomes, state_file_fix


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a path with two slashes before the checkpoint's name."""
    located = facts.located
    if not isinstance(located, Found) or not located.double_slash or facts.major >= 2:
        return
    in_state_file = "//" in located.written
    named = f"the state file names {located.written}"
    if not in_state_file:
        named = f"{located.named} ends with //"
    yield RULE.finding(
        facts,
        f"{named}: TensorFlow 1 does not find a checkpoint with // before its name"
        + untraced(facts, NOT_FOUND),
        severity=RULE.severity if facts.modes else "warning",
        outcomes=not_found_outcomes(facts),
        subject="state file" if in_state_file else "model_dir",
        hint=state_file_fix(located) if in_state_file else f"give {located.model_dir} as model_dir",
        data={"checkpoint": located.prefix, "written": located.written, "named": located.named},
    )


RULE = Rule(
    id="double-slash",
    severity="error",
    summary="Two slashes precede the checkpoint's name, so TensorFlow 1 does not find it.",
    check=check,
    category=FILES,
    title="TensorFlow 1 does not find the checkpoint",
    bad=lambda: facts(tensorflow="1.15.5", located=dataclasses.replace(LOCATED, double_slash=True)),
)
