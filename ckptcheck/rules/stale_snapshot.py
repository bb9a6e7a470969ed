"""The snapshot is older than the model_dir that it was made from.

A snapshot records the path of its model_dir if both are in the same directory, or if both were
below the working directory. If the model_dir exists at this path, ckptcheck compares the index of
the checkpoint that Estimator loads now with the one in the snapshot. A check of the snapshot is
about the older checkpoint. If the variables differ, the finding is a warning, because the verdicts
about the newer checkpoint may differ, too. If only the values differ, it is a note.

What to do: make the snapshot again: `ckptcheck snapshot --force MODEL_DIR OUT`. To keep a snapshot
of one checkpoint, give the path of that checkpoint as MODEL_DIR, not the directory.
"""

import os
import shlex
from typing import Iterator

from ..model_dir import CheckpointFiles, NewerSource
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a snapshot whose model_dir has a newer checkpoint."""
    newer = facts.files.newer if facts.files is not None else None
    if newer is None:
        return
    snapshot = facts.located.model_dir
    original = os.path.normpath(os.path.join(snapshot, newer.source))
    differ = "" if newer.same_variables else ", which has other variables"
    yield finding(
        f"{snapshot} is a snapshot of {original}, where Estimator now loads "
        f"{os.path.basename(newer.prefix)}{differ}",
        severity="note" if newer.same_variables else "warning",
        subject="snapshot",
        hint=f"run ckptcheck snapshot --force {shlex.quote(original)} {shlex.quote(snapshot)}",
        data={"prefix": newer.prefix, "same_variables": newer.same_variables},
    )


def _with(newer: NewerSource) -> Facts:
    return facts(files=CheckpointFiles(snapshot=True, newer=newer))


RULE = Rule(
    severity="warning",
    category="files",
    find=find,
    title="the snapshot is older than its model_dir",
    bad=lambda: _with(NewerSource("../../data/base", "data/base/model.ckpt-20", False)),
    good=lambda: facts(files=CheckpointFiles(snapshot=True)),
)
