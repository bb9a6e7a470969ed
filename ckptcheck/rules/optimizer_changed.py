"""The weights fit, but the optimizer's own variables are not in the checkpoint.

An optimizer has variables of its own (slots): Adam has two for each weight, Momentum one. If the
model was trained with another optimizer, the weights restore, but these slots are missing. PREDICT
works. TRAIN raises an error. EVAL raises it, too, if the model_fn also builds its optimizer there.

What to do: continue training with the old optimizer, and let it train the same variables. Or start
a new model_dir and load the weights with ``warm_start_from``.
"""

import dataclasses
from typing import Iterator, Mapping, Sequence

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
    hint = _hint(facts, [item.key for _, item in lost]) if lost else ""
    for plan, item in lost:
        yield dataclasses.replace(not_found(plan, item), hint=hint)


def _hint(facts: Facts, lost: Sequence[str]) -> str:
    """Says what to do, with an unread slot of the checkpoint as an example if there is one."""
    shapes = {name: spec.shape for name, spec in facts.stored.items()}
    read = {item.key for plan in facts.plans for item in plan.reads}
    kinds, owners = roles(shapes, shapes), slots_of({*shapes, *read})
    slots = sorted(name for name in slots_of(shapes) if kinds[name] == "optimizer")
    wanted = {_without_owner(name, owners) for name in lost}
    same = [name for name in slots if _without_owner(name, owners) in wanted]
    unread = [name for name in same or slots if name not in read]
    example = f" (the checkpoint has variables such as {unread[0]})" if unread else ""
    what = "train only the variables" if same else "use the optimizer"
    return f"{what} of the training run{example}, or {_ANEW}"


def _without_owner(slot: str, owners: Mapping[str, str]) -> str:
    """Returns the name of a slot with a mark in place of the name of its variable."""
    return slot.replace(owners.get(slot) or slot, "{}", 1)


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
