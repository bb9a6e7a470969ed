"""The weights fit, but the variables of the optimizer are not in the checkpoint.

An optimizer keeps variables of its own beside the weights: Adam two for each weight, Momentum one.
If another optimizer wrote the checkpoint, the weights restore and these slots are missing. PREDICT
works. TRAIN raises, and so does EVAL if the model_fn builds its optimizer in EVAL too.

What to do: go on training with the old optimizer, or start a new model_dir and take over the
weights (``warm_start_from``).
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import (
    FAILS_AT_RESTORE,
    RESTORE,
    TRACE,
    Facts,
    PerVariable,
    Rule,
    lost_optimizer,
    of_another_kind,
)
from .examples import WEIGHTS, facts, read


def check(facts: Facts) -> Iterator[Finding]:
    """Finds plans in which only the optimizer's slots are missing."""
    if of_another_kind(facts):
        return iter(())
    found = PerVariable(RULE)
    for plan in facts.plans:
        for item in lost_optimizer(facts, plan):
            message = f"Key {item.key} not found in checkpoint"
            found.add(plan, item, FAILS_AT_RESTORE, message)
    return found.findings()


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return (
        "the checkpoint was written with another optimizer: the weights fit, "
        f"{len(findings)} of the optimizer's own variables are missing"
    )


RULE = Rule(
    id="optimizer-changed",
    severity="error",
    summary="The weights fit, but the optimizer's own variables are not in the checkpoint.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title=title,
    good=lambda: facts(
        stored={**WEIGHTS, "dense/kernel/Adam": ((1, 64), "float32")},
        train_reads=(read("dense/kernel/Adam", (1, 64), role="slot"),),
    ),
    bad=lambda: facts(train_reads=(read("dense/kernel/Momentum", (1, 64), role="slot"),)),
)
