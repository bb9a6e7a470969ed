"""The checkpoint holds a variable that no checked mode restores.

TensorFlow raises no error. But a model rarely ignores a trained weight on purpose. Maybe a layer
was removed or renamed. If TRAIN is not checked, this is a note, because TRAIN may have layers that
the other modes do not have.

What to do: if the layer was renamed, look at the missing variables in the same report. Do nothing
if you removed the layer on purpose, or if it belongs to a mode that was not checked.
"""

from typing import Iterator

from ..protocol import TRAIN
from ..results import Finding
from .base import UNUSED, Facts, Rule, finding, lost_optimizer, of_another_kind, restores_nothing
from .examples import WEIGHTS, facts
from .roles import is_slot_name, roles

_BOOKKEEPING = "_CHECKPOINTABLE_OBJECT_GRAPH"


def find(facts: Facts) -> Iterator[Finding]:
    """Finds tensors of the checkpoint that no plan reads."""
    if of_another_kind(facts) or not facts.plans or len(facts.plans) < len(facts.modes):
        return
    if restores_nothing(facts):
        return
    trains = TRAIN in facts.modes
    expected = {item.key for plan in facts.plans for item in plan.reads} | {_BOOKKEEPING}
    if not trains or any(lost_optimizer(facts, plan) for plan in facts.plans):
        expected.update(_optimizer_state(facts))
    for name, spec in facts.stored.items():
        if name not in expected:
            yield finding(
                "no checked mode restores it",
                severity="warning" if trains else "note",
                variable=name,
                checkpoint=spec,
            )


def _optimizer_state(facts: Facts) -> Iterator[str]:
    """Yields the variables that only TRAIN restores.

    These are optimizers' variables, the global step, and variables whose name starts with the name
    of another variable and a slash.
    """
    shapes = {name: spec.shape for name, spec in facts.stored.items()}
    for name, role in roles(shapes, shapes).items():
        if role in ("optimizer", "global_step") or is_slot_name(name, shapes):
            yield name


RULE = Rule(
    severity="warning",
    category="restore",
    find=find,
    role=UNUSED,
    title="the checkpoint holds a variable that no checked mode restores",
    titles="the checkpoint holds {} variables that no checked mode restores",
    bad=lambda: facts(stored={**WEIGHTS, "dense_1/kernel": ((64, 1), "float32")}),
)
