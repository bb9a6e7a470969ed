"""Compares the graph of a trained model with what the code builds."""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..changes import CHANGED, NONE, UNKNOWN, Change, Drift, Unlike
from ..graph.canonical import Rules
from ..graph.digests import Computation, Interner, Step
from ..graph.linked import Place
from ..graph.version_rules import RULES, common_op
from ..protocol import PREDICT, TRAIN
from .doubts import Doubts, WithoutDropout
from .gradients import Gradients, gradient_changes, has_gradients, unsure_gradients
from .matching import Half, Matching, plain_name
from .regions import Region, Regions
from .sides import Side, forward, training
from .simplified import Members, simplified
from .training_parts import doubt, draws
from .updates import Updates, moved_writes, reordered_writes
from .wording import (
    COMPUTATION,
    LOSS,
    OP,
    ORDER,
    PREDICTIONS,
    Said,
    Words,
    some_names,
    value_text,
)

_MOST_LAYERS = 2
_PLAIN = ("Const", "Identity", "IdentityN", "StopGradient", "NoOp", "Placeholder")
"""Ops that compute nothing."""


def compare(
    saved: Side, traced: Mapping[str, Side], trains: bool = True, across: bool = False
) -> Drift:
    """Compares a saved graph of TRAIN with traced graphs.

    Args:
        saved: the saved side.
        traced: the traced side of each mode; TRAIN is one of them.
        trains: whether writes of variables count. Another mode may have such ops, too, but does
            not run them.
        across: whether different versions of TensorFlow made the graphs.

    Raises:
        DamagedError: a graph is damaged.
    """
    interner = Interner()
    train, rules = traced[TRAIN], RULES if across else None
    if trains:
        old, new = training(saved, interner, train, rules), training(train, interner, saved, rules)
    else:
        old, new = forward(saved, interner, rules), forward(train, interner, rules)
    halves = Half(old, new), Half(new, old)
    losses = (
        _below(old.steps, old.roots[: len(saved.outputs)]),
        _below(new.steps, new.roots[: len(train.outputs)]),
    )
    found = _Found([], [])
    why: Dict[str, str] = {}
    if trains:
        found.changes.extend(_of_updates(Updates(saved), Updates(train), across))
    if trains and has_gradients(saved, train):
        why.update(_find_gradients(saved, train, interner, across, found))
    others = {m: _Mode(forward(s, interner, rules)) for m, s in traced.items() if m != TRAIN}
    if halves[0].changed or halves[1].changed:
        _find(halves, others, losses, (saved, train) if across else None, found)
    if saved.output_keys == train.output_keys != () and not found.changes and not across:
        outputs = _outputs(saved, old), _outputs(train, new)
        found.changes.extend(_of_outputs(*outputs, others, trains))
    own = {m: tuple(other.own(saved, train, new, rules)) for m, other in others.items()}
    if trains:
        writes = new.roots[len(train.outputs) :]
        doubts = ((mode, other.doubt(halves[1], writes)) for mode, other in others.items())
        why.update((mode, text) for mode, text in doubts if text)
    why.update((m, _GONE.format(", ".join(o.gone))) for m, o in others.items() if o.gone)
    steps = {TRAIN: new.steps, **{mode: other.steps for mode, other in others.items()}}
    why.update((mode, _PYTHON) for mode, its in steps.items() if any(map(_is_python, its.values())))
    unknown = {*why, *(mode for mode, ops in own.items() if ops)}
    states = {mode: found.state(mode, UNKNOWN if mode in unknown else NONE) for mode in traced}
    ops = {mode: ops for mode, ops in own.items() if ops}
    return Drift(tuple(found.changes), states, own=ops, doubts=why, unlike=tuple(found.unlike))


_GONE = "TRAIN no longer has {}, and the saved graph does not show whether other modes had it"
_UNSURE = "only one of the graphs has a gradient that the code defines for {}"
_PYTHON = "it calls Python functions (tf.py_func), which no graph holds"
_OTHER_VERSION = (
    "the code defines gradients, and ckptcheck compares these only if one version of TensorFlow "
    "made both graphs"
)


def _outputs(side: Side, computed: Computation) -> List[Step]:
    """Returns the nodes that compute the outputs of a side."""
    return [computed.steps[place] for place in computed.roots[: len(side.outputs)]]


def _of_outputs(
    old: Sequence[Step], new: Sequence[Step], others: Mapping[str, "_Mode"], trains: bool
) -> Iterator[Change]:
    """Yields the change of outputs that are other nodes now, although both graphs have the nodes.

    The outputs are the loss of TRAIN, or what another mode returns, in the order of their keys.
    Another loss changes EVAL. It changes TRAIN only if the optimizer minimizes it, which other
    changes show.
    """
    then, now = ([step.digest for step in steps] for steps in (old, new))
    if then == now:
        return
    pairs = [(a, b) for a, b in zip(old, new) if a.digest != b.digest]
    olds, news = (tuple(step.place[1] for step in side) for side in zip(*pairs))
    what = "loss" if trains else "outputs"
    if sorted(then) == sorted(now):
        text = f"{what}: {some_names(news)} changed places"
    else:
        text = f"{what}: {some_names(olds)} -> {some_names(news)}"
    was, is_now = ({"text": some_names(names)} for names in (olds, news))
    modes = tuple(m for m, other in others.items() if not set(now).isdisjoint(other.results))
    yield Change(ORDER, text, was, is_now, modes or (TRAIN,), olds, news)


def _find_gradients(
    saved: Side, train: Side, interner: Interner, across: bool, into: "_Found"
) -> Mapping[str, str]:
    """Finds changes of gradients that the code defines.

    Returns:
        Why it is not known whether TRAIN computes something else; empty if it is known.
    """
    if across:
        return {TRAIN: _OTHER_VERSION}
    gradients = Gradients(saved, interner), Gradients(train, interner)
    into.changes.extend(gradient_changes(*gradients))
    lost = unsure_gradients(*gradients)
    return {TRAIN: _UNSURE.format(", ".join(lost))} if lost else {}


@dataclasses.dataclass(frozen=True)
class _Found:
    """The differences: ``changes`` come from the code; ``unlike`` may come from the version."""

    changes: List[Change]
    unlike: List[Unlike]

    def state(self, mode: str, otherwise: str) -> str:
        """Whether a mode computes something else; ``otherwise`` if nothing is known to differ."""
        if any(mode in change.modes for change in self.changes):
            return CHANGED
        return UNKNOWN if any(mode in item.modes for item in self.unlike) else otherwise


def _of_updates(old: Updates, new: Updates, across: bool) -> Iterator[Change]:
    """Yields the changes of the set of variables that the train_op writes, and of their order.

    Versions of TensorFlow may choose another order.
    """
    gone, come = moved_writes(old, new)
    for keys, verb in ((gone, "left out of"), (come, "added to")):
        if keys:
            sides = [{"op": f"update of {some_names(keys)}"}, {"op": "none"}]
            then, now = sides if keys is gone else sides[::-1]
            text = f"update of {some_names(keys)} {verb} the train_op"
            nodes = (tuple(keys), ()) if keys is gone else ((), tuple(keys))
            yield Change(OP, text, then, now, (TRAIN,), *nodes)
    first, later = reordered_writes(old, new)
    if first and not gone and not come:
        was, is_now = ({"text": ", ".join(keys[:_MOST_NAMES])} for keys in (first, later))
        text = f"the train_op updates {some_names(first)} in another order"
        yield Change(ORDER, text, was, is_now, (TRAIN,), tuple(first), tuple(later))


_MOST_NAMES = 5


class _Mode:
    """The computation of PREDICT or EVAL, to find out which changes reach it."""

    def __init__(self, computed: Computation) -> None:
        self.digests = computed.digests
        self.steps = computed.steps
        self.roots = computed.roots
        self.results = {computed.steps[place].digest for place in computed.roots}
        self.gone: Dict[str, None] = {}
        self.exact = {(*_key(step), place[1]): step for place, step in computed.steps.items()}
        self.plain = {_key(step): step for step in computed.steps.values()}

    def own(
        self, saved: Side, train: Side, compared: Computation, rules: Optional[Rules]
    ) -> Iterator[str]:
        """Yields the ops of this mode that the comparison does not cover.

        TRAIN may have some of them, although its loss does not depend on them. An op of TRAIN is
        left out if the saved graph has the same op.

        Args:
            saved: the saved side.
            train: the traced side of TRAIN.
            compared: the part of TRAIN that was compared.
            rules: give nodes the forms that all versions of TensorFlow share.
        """
        known = {_key(step) for step in compared.steps.values()}
        mine = [step for step in self.steps.values() if _computes(step) and _key(step) not in known]
        names: Dict[Tuple[Any, ...], str] = {}
        for node in train.graph.nodes if mine else ():
            names.setdefault((node.op, plain_name(("", node.name))), node.name)
        shared = [step for step in mine if _key(step) in names]
        same = _same_ops(saved, train, [names[_key(step)] for step in shared], rules)
        yield from sorted({step.node.op for step in mine if names.get(_key(step), "") not in same})

    def had(self, region: Region, new: Half) -> bool:
        """Whether this mode had the removed nodes, if no other mode used their results.

        If the nodes belong to a layer that this mode has, this mode had them. Otherwise, they are
        added to :attr:`gone`.
        """
        taken = {digest for step in region.old for digest in step.inputs}
        pairs = ((d, p) for _, b in region.borders for d, (p, _) in zip(b.inputs, b.sources))
        places = [place for digest, place in pairs if digest in taken]
        places += [place for place in new.roots if new.steps[place].digest in taken]
        before = (self._like(new.steps[place], new) for place in places)
        known = {_key(step) for step in new.steps.values()}
        own = (step for step in self.steps.values() if _key(step) not in known)
        last = {*self.roots, *(place for step in own for place, _ in step.sources)}
        found = [step for step in before if step is not None and step.place in last]
        scopes = {_scope(step) for step in found} - {""}
        if any(_scope(step) in scopes for step in region.old):
            return True
        ops = (step.node.op for step in region.old if found)
        self.gone.update(dict.fromkeys(op for op in ops if op not in _PLAIN))
        return False

    def doubt(self, new: Half, writes: Sequence[Place]) -> str:
        """Returns why this mode may have differed from TRAIN before; see :func:`doubt`."""
        leaves = {step.anchor for step in self.steps.values()}
        return doubt(new, writes, lambda step: self.has(step, new), leaves)

    def has(self, step: Step, new: Half) -> bool:
        """Whether a node of TRAIN takes part in this mode, too."""
        if step.node.op != "Const":
            return step.digest in self.digests or self._like(step, new) is not None
        users = new.readers[step.place]
        if any(user.digest in self.digests for user, _ in users):
            return True
        like = ((self._like(user, new), slot) for user, slot in users)
        return any(
            found is not None and slot < len(found.inputs) and found.inputs[slot] == step.digest
            for found, slot in like
        )

    def _like(self, step: Step, new: Half) -> Optional[Step]:
        """Returns the node of this mode that has the same op and name.

        A name outside a scope, such as ``mul_1``, is not enough: the inputs must also be alike.
        """
        key = _key(step)
        found = self.exact.get((*key, step.place[1])) or self.plain.get(key)
        if found is None or "/" in key[-1]:
            return found
        return found if _kinds(found, self.steps) == _kinds(step, new.steps) else None


def _is_python(step: Step) -> bool:
    """Whether a node calls a Python function."""
    return step.node.op in ("PyFunc", "PyFuncStateless", "EagerPyFunc")


def _computes(step: Step) -> bool:
    """Whether a node computes something. Nodes in functions do not count."""
    return not (step.place[0] or step.anchor or step.node.op in _PLAIN)


def _same_ops(saved: Side, train: Side, names: Sequence[str], rules: Optional[Rules]) -> Set[str]:
    """Returns the nodes of a traced graph whose values the saved graph computes, too."""
    if not names:
        return set()
    interner = Interner()
    new = forward(dataclasses.replace(train, outputs=tuple(names)), interner, rules)
    ops = {common_op(train.nodes[name].op) for name in names}
    candidates = [node.name for node in saved.graph.nodes if common_op(node.op) in ops]
    few = tuple(candidates[:_MOST_NODES])
    old = forward(dataclasses.replace(saved, outputs=few), interner, rules)
    found = {old.steps[place].digest for place in old.roots}
    return {name for name, place in zip(names, new.roots) if new.steps[place].digest in found}


_MOST_NODES = 500
"""The most saved nodes to compare with nodes that the loss does not depend on."""


def _key(step: Step) -> Tuple[Any, ...]:
    return step.node.op, plain_name(step.place)


def _scope(step: Step) -> str:
    """The scope of a node, without the numbers that make it unique."""
    return plain_name(step.place).rpartition("/")[0]


def _kinds(step: Step, steps: Mapping[Place, Step]) -> List[Tuple[Any, ...]]:
    """Returns the kinds of nodes that a node takes as inputs."""
    return [
        (digest if steps[source].anchor else plain_name(source), steps[source].node.op != "Const")
        for digest, (source, _) in zip(step.inputs, step.sources)
    ]


def _find(
    halves: Tuple[Half, Half],
    others: Mapping[str, _Mode],
    losses: Tuple[Set[Place], Set[Place]],
    across: Optional[Tuple[Side, Side]],
    into: _Found,
) -> None:
    """Finds the changes, and what the version of TensorFlow may have changed.

    Args:
        halves: both computations.
        others: the other modes.
        losses: the places that the loss depends on, on each side.
        across: both sides, if different versions of TensorFlow made them.
        into: gets what is found.
    """
    old, new = halves
    words = Words(old, new, losses)
    regions = Regions(old, new, Matching(old, new)).find()
    doubts = Doubts(old, new, regions, losses) if across else None
    calm = WithoutDropout(*across) if across else None
    found: Dict[Any, List[Tuple[Said, Region, Tuple[str, ...]]]] = {}
    for region in regions:
        certain = doubts is None or doubts.is_certain(region)
        for said in words.say(region):
            if calm is not None:
                training = calm.is_same(region) or (certain and said.training)
                said = dataclasses.replace(said, training=training)
            modes = _reached(said, region, others, new, losses[1])
            if said.role == LOSS and PREDICT in modes:
                said = dataclasses.replace(said, role=PREDICTIONS)
            key = (said.kind, said.role, value_text(said.then), value_text(said.now), modes)
            if certain:
                found.setdefault(key, []).append((said, region, modes))
            elif doubts is not None:
                into.unlike.append(Unlike(_ops(region), modes, doubts.is_update(region)))
    into.changes.extend(map(_joined, simplified(list(found.values()))))


def _ops(region: Region) -> Tuple[str, ...]:
    """The ops of a region."""
    steps = (*region.old, *(old for old, _ in region.pairs), *region.nodes)
    return tuple(dict.fromkeys(step.node.op for step in steps if not step.anchor))


def _reached(
    said: Said, region: Region, others: Mapping[str, _Mode], new: Half, loss: Set[Place]
) -> Tuple[str, ...]:
    """Returns the modes that compute the changed nodes.

    If the loss does not depend on these nodes, only TRAIN computes them.
    """
    shown = [step for step in _shows(said, region, new) if step.place in loss]
    borders = [border for _, border in region.borders]  # none if the last node of the loss is gone
    gone = not region.nodes and not (borders and all(map(draws, borders)))
    reached = (
        mode
        for mode, other in others.items()
        if any(other.has(step, new) for step in shown)
        or (gone and not said.training and other.had(region, new))
    )
    return (*reached, TRAIN)


def _shows(said: Said, region: Region, new: Half) -> Sequence[Step]:
    """Returns the nodes by which another mode shows that it computes a region.

    If a region is usual in TRAIN alone, another mode computes it only if this mode has the same
    dropout or random numbers.
    """
    if not said.training:
        return region.nodes or _after(region, new)
    steps = (*region.old, *region.nodes)
    is_random = said.role.startswith("dropout") or any(map(draws, steps))
    return region.nodes if is_random else ()


_MOST_STEPS = 40


def _after(region: Region, new: Half) -> List[Step]:
    """Returns the next nodes that depend on a region without traced nodes.

    It returns several, because the first ones may belong to training alone, such as a dropout.
    Nodes that draw random numbers end the search, because their shape may have changed.
    """
    found = [border for _, border in region.borders]
    seen = {step.place for step in found}
    for step in found:
        further = len(found) < _MOST_STEPS and not draws(step)
        for user, _ in new.readers[step.place] if further else ():
            if user.place not in seen:
                seen.add(user.place)
                found.append(user)
    return found


def _below(steps: Mapping[Place, Step], roots: Sequence[Place]) -> Set[Place]:
    """Returns the places of all nodes that some roots depend on."""
    stack = list(roots)
    seen: Set[Place] = set()
    while stack:
        place = stack.pop()
        if place not in seen:
            seen.add(place)
            stack.extend(source for source, _ in steps[place].sources)
    return seen


def _joined(members: Members) -> Change:
    """Returns one change for all places with the same change."""
    said, _, modes = members[0]
    layers = list(dict.fromkeys(m.layer for m, _, _ in members if m.layer))
    place = layers[0] if layers else ""
    if len(layers) > 1:
        rest = len(layers) - _MOST_LAYERS
        named = ", ".join(layer.strip() for layer in layers[:_MOST_LAYERS])
        place = f" {named}" + (f" and {rest} more" if rest > 0 else "")
    role = said.role.format(place)
    then, now = value_text(said.then), value_text(said.now)
    text = f"{role}: {then} -> {now}"
    if said.kind == OP and "none" in (then, now) and not role.startswith("activation"):
        sign, verb, what = ("+", "added", now) if then == "none" else ("-", "removed", then)
        text = f"{role}: {sign} {what}" if role in (LOSS, PREDICTIONS) else f"{role}: {what} {verb}"
        if said.role == COMPUTATION:
            text = f"{what}{place} {verb}" if place.startswith(" of ") else f"{what} {verb}{place}"
    old = (s.place[1] for _, r, _ in members for s in (*r.old, *(pair[0] for pair in r.pairs)))
    new = (s.place[1] for _, r, _ in members for s in (*r.nodes, *(pair[1] for pair in r.alike)))
    return Change(
        said.kind,
        text,
        said.then,
        said.now,
        modes,
        tuple(dict.fromkeys(old)),
        tuple(dict.fromkeys(new)),
    )
