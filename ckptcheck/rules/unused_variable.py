"""The checkpoint holds a variable that no checked mode restores.

TensorFlow does not raise. But a trained weight that the model no longer uses is rarely meant: a
layer was removed or renamed. If TRAIN is not checked, this is a note, since TRAIN may have layers
that the other modes do not have.

What to do: if the layer was renamed, look at the missing variables of the same report. Do nothing
if the layer was removed on purpose, or belongs to a mode that was not checked.
"""

from typing import Iterator

from ..protocol import TRAIN
from ..results import Finding
from .base import (
    RESTORE,
    TRACE,
    UNUSED,
    Facts,
    Rule,
    counted,
    is_slot_name,
    lost_optimizer,
    of_another_kind,
    restores_nothing,
)
from .examples import WEIGHTS, facts
from .roles import roles

_BOOKKEEPING = ("_CHECKPOINTABLE_OBJECT_GRAPH",)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds tensors of the checkpoint that no plan reads."""
    if of_another_kind(facts) or not facts.plans or len(facts.plans) < len(facts.modes):
        return
    if restores_nothing(facts):
        return
    read = {item.key for plan in facts.plans for item in plan.reads}
    slots_matter = TRAIN in facts.modes and not any(
        lost_optimizer(facts, plan) for plan in facts.plans
    )
    ignored = set(_BOOKKEEPING) if slots_matter else {*_BOOKKEEPING, *_optimizer_state(facts)}
    for name, spec in facts.stored.items():
        if name in read or name in ignored:
            continue
        yield RULE.finding(
            facts,
            "no checked mode restores it",
            severity=RULE.severity if TRAIN in facts.modes else "note",
            variable=name,
            checkpoint=spec,
        )


def _optimizer_state(facts: Facts) -> Iterator[str]:
    """What TRAIN alone restores: by its name, or since it lies below another variable."""
    shapes = {name: spec.shape for name, spec in facts.stored.items()}
    for name, role in roles(shapes, shapes).items():
        if role in ("optimizer", "global_step") or is_slot_name(name, shapes):
            yield name


RULE = Rule(
    id="unused-variable",
    severity="warning",
    summary="The checkpoint holds a variable that no checked mode restores.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    role=UNUSED,
    title=counted(
        "the checkpoint holds a variable that no checked mode restores",
        "the checkpoint holds {} variables that no checked mode restores",
    ),
    bad=lambda: facts(stored={**WEIGHTS, "dense_1/kernel": ((64, 1), "float32")}),
)
