"""The model restores a variable that the checkpoint does not hold.

TensorFlow raises ``NotFoundError: Key … not found in checkpoint`` during the restore, and names
only one variable. Usual causes: a layer was added; a layer or a scope was renamed; or layers are
built in a different order, so that TensorFlow gives them different names (``dense``, ``dense_1``).

What to do: give the layer its old name or scope, or restore with the model_fn that wrote the
checkpoint. To keep the new model, start a new model_dir and load the weights that still fit with
``tf.train.init_from_checkpoint``.
"""

from typing import Iterator

from ..results import Finding
from .base import (
    MISSING,
    Facts,
    Rule,
    joins_modes,
    lost_optimizer,
    missing_reads,
    not_found,
    of_another_kind,
)
from .examples import READS, facts, read


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds reads without a tensor in the checkpoint."""
    if of_another_kind(facts):
        return
    for plan in facts.plans:
        lost = {item.key for item in lost_optimizer(facts, plan)}
        for item in missing_reads(facts, plan):
            if item.key not in lost and item.role != "global_step":
                yield not_found(plan, item)


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    role=MISSING,
    title="the model restores a variable that the checkpoint does not hold",
    titles="the model restores {} variables that the checkpoint does not hold",
    bad=lambda: facts(reads=(*READS, read("dense_1/kernel", (64, 1)))),
)
