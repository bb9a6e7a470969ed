"""The state file names an older checkpoint than the directory holds.

Estimator loads what the state file names, whatever else is there. Checkpoints with a higher step
come from a training run after which the state file was put back, copied without them, or lost the
race of two runs in one directory. TRAIN goes on from the older one and overwrites the newer files
when it comes to their step; where the state file lists them too, it takes them for older ones that
it has to delete (``keep_checkpoint_max``).

What to do: copy the newer ones to another place before TRAIN runs. Name the one that you mean in
the file ``checkpoint`` (``model_checkpoint_path``), or give it to ckptcheck instead of the
directory.
"""

import dataclasses
import os
import shlex
from typing import Iterator, Optional, Sequence, Tuple

from ..model_dir import Located, step_of
from ..results import Finding
from .base import FILES, Facts, Rule, name_alone, series, some_names
from .examples import LOCATED, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds checkpoints that are newer than the one that is loaded."""
    located = facts.located
    if located.explicit or not located.exists or located.elsewhere:
        return
    step = step_of(located.prefix)
    newer = [prefix for prefix in located.candidates if _is_newer(prefix, located.prefix, step)]
    if not newer:
        return
    best = os.path.basename(newer[-1])
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=(
            f"the state file names {os.path.basename(located.prefix)}, so Estimator loads that "
            f"one; the directory holds {best}" + _deleted(located, newer)
        ),
        modes=facts.modes,
        subject=located.prefix,
        hint=(
            f"if you mean that one, and ckptcheck verify {shlex.quote(newer[-1])} finds it good, "
            + name_alone(located, best)
        ),
    )


def _deleted(located: Located, newer: Sequence[str]) -> str:
    lost = [os.path.basename(prefix) for prefix in newer if prefix in set(located.listed_here)]
    return f", and TRAIN will delete {some_names(lost)}, which it lists" if lost else ""


def _is_newer(prefix: str, loaded: str, step: Optional[int]) -> bool:
    other = step_of(prefix)
    same = os.path.dirname(prefix) == os.path.dirname(loaded) and series(prefix) == series(loaded)
    return same and step is not None and other is not None and other > step


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the state file names an older checkpoint than there is"


RULE = Rule(
    id="newer-checkpoint",
    severity="warning",
    summary="The state file names an older checkpoint than the directory holds.",
    check=check,
    category=FILES,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        located=dataclasses.replace(
            LOCATED, candidates=("runs/base/model.ckpt-10", "runs/base/model.ckpt-20")
        ),
    ),
)
