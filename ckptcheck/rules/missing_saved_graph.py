"""The saved graph is missing.

Estimator saves the graph beside the weights (``model.ckpt-N.meta``). A restore does not need it;
ckptcheck reads the features and the kind of variables out of it.

What to do: nothing for the restore. Copy the ``.meta`` file too, so that checks need no
``--features`` and no ``--behavior``.
"""

import dataclasses
import os
from typing import Iterator, Tuple

from ..spec import CheckpointFiles, Finding
from .base import Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint without its graph."""
    if facts.files is None or facts.files.saved_graph:
        return
    if facts.index is not None and facts.index.object_based:
        return  # tf.train.Checkpoint and Keras save none
    name = os.path.basename(facts.located.prefix) + ".meta"
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=f"{name} is not there; TensorFlow restores without it",
        modes=facts.modes,
        subject=name,
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the saved graph is missing"


RULE = Rule(
    id="missing-saved-graph",
    severity="note",
    summary="The graph that Estimator saves beside the weights is missing.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(facts(), files=CheckpointFiles(saved_graph=False)),
)
