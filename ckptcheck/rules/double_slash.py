"""TensorFlow 1 does not find the checkpoint, because two slashes stand before its name.

To know whether a checkpoint is there, TensorFlow 1 compares the paths of the files with what the
state file says, and no file has such a path. PREDICT and EVAL go on with random weights, TRAIN and
an export raise. TensorFlow 2 finds the checkpoint.

What to do: write the file ``checkpoint`` in the model_dir anew, with a single line that names the
checkpoint by its path from there; or take the slashes off the end of the model_dir's own path.
"""

import dataclasses
from typing import Iterator, Tuple

from ..results import Finding
from .base import FILES, Facts, Rule, state_file_fix, untraced
from .checkpoint_moved import NOT_FOUND, not_found
from .examples import LOCATED, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a path that TensorFlow 1 takes by its text."""
    located = facts.located
    if not (located.doubled_slash and located.exists) or facts.major >= 2:
        return
    latest = located.state.latest if located.state else ""
    by_state_file = "//" in latest
    named = f"the state file names {latest}" if by_state_file else f"{located.named} ends with //"
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity if facts.modes else "warning",
        message=f"{named}: TensorFlow 1 does not find what has // before its "
        f"name{untraced(facts, NOT_FOUND)}",
        modes=facts.modes,
        outcomes=not_found(facts),
        subject=located.prefix,
        hint=state_file_fix(located) if by_state_file else f"let {located.model_dir} be model_dir",
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "TensorFlow 1 does not find the checkpoint"


RULE = Rule(
    id="double-slash",
    severity="error",
    summary="Two slashes stand before the checkpoint's name, at which TensorFlow 1 finds nothing.",
    check=check,
    category=FILES,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        tensorflow="1.15.5",
        located=dataclasses.replace(LOCATED, doubled_slash=True),
    ),
)
