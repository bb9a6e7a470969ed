"""The directory has a newer checkpoint than the one that the state file names.

Estimator loads the checkpoint that the state file names, even if other checkpoints have a higher
step. This happens if an older copy replaced the state file after a training run, or if a second run
in the same directory overwrote it. TRAIN continues from the older checkpoint and overwrites the
newer files when it reaches their step. If the state file lists the newer ones too, TRAIN may delete
them as old checkpoints (``keep_checkpoint_max``).

What to do: copy the newer checkpoints to another directory before TRAIN runs. Name the checkpoint
that you want in the state file (``model_checkpoint_path``), or give its path to ckptcheck instead
of the directory.
"""

import os
import shlex
from typing import Iterator, Optional

from ..model_dir import Found, step_of
from ..results import Finding
from .base import Facts, Rule, finding, some_names
from .examples import with_located
from .state_file_wording import name_alone, series


def find(facts: Facts) -> Iterator[Finding]:
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
    deletes = f"; TRAIN will delete {some_names(deleted)}" if deleted else ""
    yield finding(
        f"Estimator loads {os.path.basename(located.prefix)}, which the state file names, "
        f"but the directory also has {best}{deletes}",
        subject="state file",
        hint=(
            f"to load {best}, run ckptcheck verify {shlex.quote(newer[-1])}; "
            f"if it finds no error, {name_alone(located, best)}"
        ),
        data={"checkpoint": located.prefix, "newer": newer, "deleted": deleted},
    )


def _is_newer(prefix: str, loaded: str, step: Optional[int]) -> bool:
    other = step_of(prefix)
    same = os.path.dirname(prefix) == os.path.dirname(loaded) and series(prefix) == series(loaded)
    return same and step is not None and other is not None and other > step


RULE = Rule(
    severity="warning",
    category="files",
    find=find,
    title="the state file does not name the latest checkpoint",
    bad=lambda: with_located(candidates=("runs/base/model.ckpt-10", "runs/base/model.ckpt-20")),
)
