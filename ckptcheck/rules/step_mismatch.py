"""The step in the checkpoint's name is not the global step in it.

Estimator names a checkpoint after the global step, and TRAIN goes on from the value that is stored,
whatever the name says. Where they differ, the files have been renamed or copied over one another,
or a tool wrote them. Only names such as ``model.ckpt-1000`` are looked at: in those of other savers
the number may be that of an epoch, or of the save, as ``tf.train.Checkpoint`` counts.

What to do: find out which one is right before training goes on; schedules of the learning rate
follow the stored value.
"""

import dataclasses
import os
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, OWN_NAMES, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a name and a value that differ."""
    if facts.files is None or facts.index is None:
        return
    named, stored = facts.index.step, facts.files.global_step
    if named is None or stored is None or named == stored:
        return
    if not os.path.basename(facts.index.prefix).startswith(OWN_NAMES):
        return  # other savers may number epochs
    if _SAVE_COUNTER in facts.stored:
        return  # that is what the name says
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=f"the name says step {named}, and global_step in it is {stored}; "
        f"TRAIN goes on from {stored}",
        modes=facts.modes,
        subject=facts.located.prefix,
        hint="find out whether the files have been renamed, or the saver numbers epochs",
    )


_SAVE_COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the checkpoint is not of the step that its name says"


RULE = Rule(
    id="step-mismatch",
    severity="warning",
    summary="The step in the checkpoint's name is not the global step in it.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(facts(), files=CheckpointFiles(global_step=7)),
)
