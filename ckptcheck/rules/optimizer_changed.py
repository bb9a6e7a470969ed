"""The weights fit, but the optimizer's own variables are not in the checkpoint.

An optimizer has variables of its own (slots): Adam has two for each weight, Momentum one. If the
model was trained with another optimizer, the weights restore, but these slots are missing. PREDICT
works. TRAIN raises an error. EVAL raises it, too, if the model_fn also builds its optimizer there.

What to do: continue training with the old optimizer, and let it train the same variables. Or start
a new model_dir and load the weights with ``warm_start_from``.
"""

import dataclasses
from typing import Collection, Iterator

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
    hint = _hint(facts, {_slot(item.key) for _, item in lost}) if lost else ""
    for plan, item in lost:
        yield dataclasses.replace(not_found(plan, item), hint=hint)


def _hint(facts: Facts, lost: Collection[str]) -> str:
    """Says what to do, with an unread slot of the checkpoint as an example if there is one."""
    shapes = {name: spec.shape for name, spec in facts.stored.items()}
    read = {item.key for plan in facts.plans for item in plan.reads}
    kinds = roles(shapes, shapes)
    old = sorted(n for n in slots_of(shapes) if kinds[n] == "optimizer" and n not in read)
    same = [name for name in old if _slot(name) in lost]
    if same:
        return f"train the variables of the training run{_HAS.format(same[0])}, or {_ANEW}"
    return f"use the optimizer of the training run{_HAS.format(old[0]) if old else ''}, or {_ANEW}"


def _slot(name: str) -> str:
    return name.rpartition("/")[2]


_HAS = " (the checkpoint has variables such as {})"
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
