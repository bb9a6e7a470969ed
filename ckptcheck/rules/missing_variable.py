"""The model restores a variable that the checkpoint does not hold.

TensorFlow raises ``NotFoundError: Key … not found in checkpoint`` when it restores, and names one
variable at a time. The usual causes: a layer was added; a layer or a scope was renamed; or layers
are built in another order, so that TensorFlow numbers their names differently (``dense``,
``dense_1``).

What to do: give the layer its old name or scope, or restore with the model_fn that wrote the
checkpoint. To keep the new model, start a new model_dir and take over what fits with
``tf.train.init_from_checkpoint``.
"""

from typing import Iterator

from ..results import Finding
from .base import (
    FAILS_AT_RESTORE,
    MISSING,
    RESTORE,
    TRACE,
    Facts,
    PerVariable,
    Rule,
    counted,
    lost_optimizer,
    missing_reads,
    of_another_kind,
)
from .examples import READS, facts, read


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads without a tensor in the checkpoint."""
    if of_another_kind(facts):
        return iter(())
    found = PerVariable(RULE)
    for plan in facts.plans:
        claimed = lost_optimizer(facts, plan)
        for item in missing_reads(facts, plan):
            if item in claimed or item.role == "global_step":
                continue
            message = f"Key {item.key} not found in checkpoint"
            found.add(plan, item, FAILS_AT_RESTORE, message)
    return found.findings()


RULE = Rule(
    id="missing-variable",
    severity="error",
    summary="The model restores a variable that the checkpoint does not hold.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    role=MISSING,
    title=counted(
        "the model restores a variable that the checkpoint does not hold",
        "the model restores {} variables that the checkpoint does not hold",
    ),
    bad=lambda: facts(reads=(*READS, read("dense_1/kernel", (64, 1)))),
)
