"""The weights fit, but the optimizer's own variables are not in the checkpoint.

An optimizer has variables of its own (slots): Adam has two for each weight, Momentum one. If the
model was trained with another optimizer, the weights restore, but these slots are missing. PREDICT
works. TRAIN raises an error. EVAL raises it, too, if the model_fn also builds its optimizer there.

What to do: continue training with the old optimizer. Or start a new model_dir and load the weights
with ``warm_start_from``.
"""

import dataclasses
from typing import Iterator

from ..results import Finding
from .base import Facts, Rule, joins_modes, lost_optimizer, not_found, of_another_kind
from .examples import WEIGHTS, facts, read
from .roles import roles, slots_of


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds plans in which only the optimizer's slots are missing."""
    if of_another_kind(facts):
        return
    lost = [(plan, item) for plan in facts.plans for item in lost_optimizer(facts, plan)]
    hint = _hint(facts) if lost else ""
    for plan, item in lost:
        yield dataclasses.replace(not_found(plan, item), hint=hint)


def _hint(facts: Facts) -> str:
    """Says what to do, with an unread slot of the checkpoint as an example if there is one."""
    names = [spec.name for spec in facts.index.variables] if facts.index else []
    read = {item.key for plan in facts.plans for item in plan.reads}
    kinds = roles(names)
    slots = sorted(name for name in slots_of(names) if kinds[name] == "optimizer")
    old = [name for name in slots if name not in read]
    return (_OLD.format(old[0]) if old else "") + _ANEW


_OLD = "use the optimizer of the training run (the checkpoint has its variables, such as {}), or "
_ANEW = "start a new model_dir and load the weights with warm_start_from"


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="the checkpoint lacks 1 variable of the optimizer in the code",
    titles="the checkpoint lacks {} variables of the optimizer in the code",
    good=lambda: facts(
        stored={**WEIGHTS, "dense/kernel/Adam": ((1, 64), "float32")},
        train_reads=(read("dense/kernel/Adam", (1, 64), role="slot"),),
    ),
    bad=lambda: facts(train_reads=(read("dense/kernel/Momentum", (1, 64), role="slot"),)),
)
