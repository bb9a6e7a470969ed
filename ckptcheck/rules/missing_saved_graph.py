"""The saved graph is missing or cannot be read.

Estimator saves the graph beside the weights (``model.ckpt-N.meta``). A restore does not need it;
ckptcheck reads the features and the kind of variables from it.

What to do: nothing for the restore. Copy the ``.meta`` file too, so that checks need neither
``--features`` nor ``--behavior``.
"""

import os
from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, FOR_CHECKS, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint without its graph."""
    files = facts.files
    if files is None or (files.saved_graph and not files.graph_problem):
        return
    if facts.index is not None and facts.index.object_based:
        return  # tf.train.Checkpoint and Keras save no graph
    name = os.path.basename(facts.located.prefix) + ".meta"
    problem = files.graph_problem
    wrong = f"cannot be read ({problem})" if problem else "is missing"
    instead = "ckptcheck reads graph.pbtxt instead, and " if files.other_graph else ""
    yield RULE.finding(
        facts,
        f"{name} {wrong}; {instead}TensorFlow restores without it",
        subject="unreadable" if problem else "missing",
        data={"file": name, "problem": problem, "graph_pbtxt": files.other_graph},
    )


RULE = Rule(
    id="missing-saved-graph",
    severity="note",
    summary="The graph that Estimator saves beside the weights is missing or cannot be read.",
    check=check,
    category=FILES,
    needs=(FILES,),
    role=FOR_CHECKS,
    title="there is no readable saved graph beside the weights",
    bad=lambda: facts(files=CheckpointFiles(saved_graph=False)),
)
