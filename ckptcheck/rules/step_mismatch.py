"""The step in the checkpoint's name differs from the global step in the checkpoint.

Estimator names a checkpoint after the global step, and TRAIN continues from the stored value,
whatever the name says. If they differ, the files were renamed or copied over one another, or a tool
wrote them. This rule looks only at names such as ``model.ckpt-1000``: with other savers the number
may be the epoch, or the count of saves, as with ``tf.train.Checkpoint``.

What to do: find out which one is right before you continue training. Learning rate schedules follow
the stored value.
"""

import os
from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule
from .examples import facts
from .state_file_wording import OWN_NAMES


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a name and a stored value that differ."""
    if facts.files is None or facts.index is None:
        return
    named, stored = facts.index.step, facts.files.global_step
    if named is None or stored is None or named == stored:
        return
    if not os.path.basename(facts.index.prefix).startswith(OWN_NAMES):
        return  # other savers may number epochs
    if _SAVE_COUNTER in facts.stored:
        return  # the name holds this counter
    yield RULE.finding(
        facts,
        f"the name says step {named}, and global_step in it is {stored}; "
        f"TRAIN continues from {stored}",
        subject="global_step",
        hint="find out whether the files were renamed, or the saver numbers epochs",
        data={"name_step": named, "stored_step": stored},
    )


_SAVE_COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"


RULE = Rule(
    id="step-mismatch",
    severity="warning",
    summary="The step in the checkpoint's name differs from its global step.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title="the step in the checkpoint's name is not its global step",
    bad=lambda: facts(files=CheckpointFiles(global_step=7)),
)
