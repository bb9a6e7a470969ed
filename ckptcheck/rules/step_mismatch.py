"""The step in the checkpoint's name differs from its global step.

Estimator names a checkpoint after its global step. TRAIN continues from the stored value, whatever
the name says. If the two differ, the files were renamed or copied over other ones, or a tool wrote
them. This rule looks only at names such as ``model.ckpt-1000``: other savers may put the number of
the epoch into the name, or the number of saves, as ``tf.train.Checkpoint`` does.

What to do: find out which step is the right one before you continue training. Learning rate
schedules follow the stored value.
"""

import os
from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts
from .state_file_wording import OWN_NAMES

_SAVE_COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"


def find(facts: Facts) -> Iterator[Finding]:
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
    yield finding(
        f"the name of the checkpoint says step {named}, but its global_step is {stored}; "
        f"TRAIN continues from {stored}",
        subject="global_step",
        hint="find out whether the files were renamed, or whether the saver puts the epoch into "
        "the name",
        data={"name_step": named, "stored_step": stored},
    )


RULE = Rule(
    severity="warning",
    category="files",
    find=find,
    title="the step in the checkpoint's name is not its global step",
    bad=lambda: facts(files=CheckpointFiles(global_step=7)),
)
