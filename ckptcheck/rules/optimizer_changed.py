"""Only the optimizer's own state is missing: the weights fit, the slots do not.

Each optimizer keeps variables of its own beside the weights (Adam two for each, Momentum one).
With another optimizer than the one that wrote the checkpoint the weights restore and the slots are
not there: PREDICT works, TRAIN raises, and so does EVAL where the model_fn builds its optimizer in
EVAL too.

What to do: train on with the old optimizer, or start a new model_dir whose weights are warm-started
from this checkpoint (``warm_start_from``).
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import (
    FAILS_AT_RESTORE,
    Facts,
    PerVariable,
    Rule,
    lost_optimizer,
    model_spec,
    of_another_kind,
)
from .examples import WEIGHTS, facts, read


def check(facts: Facts) -> Iterator[Finding]:
    """Finds plans in which only the optimizer's slots are missing."""
    if of_another_kind(facts):
        return iter(())
    found = PerVariable(RULE.id, RULE.severity)
    for plan in facts.plans:
        for item in lost_optimizer(facts, plan):
            message = f"Key {item.key} not found in checkpoint"
            model = model_spec(item)
            found.add(plan.mode, item.key, FAILS_AT_RESTORE, message, model=model)
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
    title=title,
    good=lambda: facts(
        stored={**WEIGHTS, "dense/kernel/Adam": ((1, 64), "float32")},
        train_reads=(read("dense/kernel/Adam", (1, 64), role="slot"),),
    ),
    bad=lambda: facts(train_reads=(read("dense/kernel/Momentum", (1, 64), role="slot"),)),
)
