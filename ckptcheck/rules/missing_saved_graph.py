"""The saved graph of the checkpoint is missing or cannot be read.

Estimator saves the graph together with the weights (``model.ckpt-N.meta``). A restore does not need
it. ckptcheck reads the features and the kind of variables from it.

What to do: nothing for the restore. For checks, copy the ``.meta`` file too: without it, they may
need ``--features`` and ``--behavior``.
"""

import os
from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FOR_CHECKS, Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint without its graph."""
    files = facts.files
    if files is None or (files.saved_graph and not files.graph_problem):
        return
    if facts.index is not None and facts.index.object_based:
        return  # tf.train.Checkpoint and Keras save no graph
    name = os.path.basename(facts.located.prefix) + ".meta"
    problem = files.graph_problem
    wrong = f"cannot be read ({problem})" if problem else "is missing"
    instead = "; ckptcheck reads graph.pbtxt instead" if files.other_graph else ""
    yield finding(
        f"{name} {wrong}, but a restore does not need it{instead}",
        subject="unreadable" if problem else "missing",
        data={"file": name, "problem": problem, "graph_pbtxt": files.other_graph},
    )


RULE = Rule(
    severity="note",
    category="files",
    find=find,
    role=FOR_CHECKS,
    title="the .meta file of the checkpoint is missing or cannot be read",
    bad=lambda: facts(files=CheckpointFiles(saved_graph=False)),
)
