"""The saved graph is missing, or cannot be read.

Estimator saves the graph beside the weights (``model.ckpt-N.meta``). A restore does not need it;
ckptcheck reads the features and the kind of variables out of it.

What to do: nothing for the restore. Copy the ``.meta`` file too, so that checks need no
``--features`` and no ``--behavior``.
"""

import dataclasses
import os
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, FOR_CHECKS, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint without its graph."""
    if facts.files is None or (facts.files.saved_graph and not facts.files.graph_problem):
        return
    if facts.index is not None and facts.index.object_based:
        return  # tf.train.Checkpoint and Keras save none
    name = os.path.basename(facts.located.prefix) + ".meta"
    problem = facts.files.graph_problem
    wrong = f"cannot be read ({problem})" if problem else "is not there"
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=f"{name} {wrong}; {_instead(facts.files)}TensorFlow restores without it",
        modes=facts.modes,
        subject=name,
    )


def _instead(files: CheckpointFiles) -> str:
    return "ckptcheck reads graph.pbtxt instead, and " if files.other_graph else ""


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "there is no saved graph to read beside the weights"


RULE = Rule(
    id="missing-saved-graph",
    severity="note",
    summary="The graph that Estimator saves beside the weights is missing or not readable.",
    check=check,
    category=FILES,
    needs=(FILES,),
    role=FOR_CHECKS,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(facts(), files=CheckpointFiles(saved_graph=False)),
)
