"""The state file names an older checkpoint than the directory holds.

Estimator loads the checkpoint that the state file names, whatever else exists. Checkpoints with a
higher step come from a training run after which the state file was restored, copied without them,
or overwritten by a second run in the same directory. TRAIN continues from the older one and
overwrites the newer files when it reaches their step. If the state file lists them too, TRAIN
counts them among the old checkpoints that it deletes (``keep_checkpoint_max``).

What to do: copy the newer checkpoints to another directory before TRAIN runs. Name the one that you
mean in the file ``checkpoint`` (``model_checkpoint_path``), or give it to ckptcheck instead of the
directory.
"""

import dataclasses
import os
import shlex
from typing import Iterator, List, Optional

from ..model_dir import Found, step_of
from ..results import Finding
from .base import FILES, Facts, Rule, some_names
from .examples import LOCATED, facts
from .state_file_wording import name_alone, series


def check(facts: Facts) -> Iterator[Finding]:
    """Finds checkpoints that are newer than the one that Estimator loads."""
    located = facts.located
    if not isinstance(located, Found) or located.elsewhere:
        return
    step = step_of(located.prefix)
    newer = [prefix for prefix in located.candidates if _is_newer(prefix, located.prefix, step)]
    if not newer:
        return
    best = os.path.basename(newer[-1])
    deleted = [os.path.basename(path) for path in newer if path in set(located.listed_here)]
    yield RULE.finding(
        facts,
        (
            f"the state file names {os.path.basename(located.prefix)}, so Estimator loads that "
            f"one; the directory holds {best}" + _deletes(deleted)
        ),
        subject="state file",
        hint=(
            f"if you mean that one, and ckptcheck verify {shlex.quote(newer[-1])} finds no error, "
            + name_alone(located, best)
        ),
        data={"checkpoint": located.prefix, "newer": newer, "deleted": deleted},
    )


def _deletes(names: List[str]) -> str:
    return f", and TRAIN will delete {some_names(names)}, which it lists" if names else ""


def _is_newer(prefix: str, loaded: str, step: Optional[int]) -> bool:
    other = step_of(prefix)
    same = os.path.dirname(prefix) == os.path.dirname(loaded) and series(prefix) == series(loaded)
    return same and step is not None and other is not None and other > step


RULE = Rule(
    id="newer-checkpoint",
    severity="warning",
    summary="The state file names an older checkpoint than the directory holds.",
    check=check,
    category=FILES,
    title="the state file does not name the latest checkpoint",
    bad=lambda: facts(
        located=dataclasses.replace(
            LOCATED, candidates=("runs/base/model.ckpt-10", "runs/base/model.ckpt-20")
        )
    ),
)
