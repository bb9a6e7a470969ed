"""Compares the graph of a trained model with what the code builds."""

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ..changes import CHANGED, NONE, Change, Drift
from ..graph.digests import Computation, Interner, Place, Step
from ..graph.nodes import split_input
from ..protocol import TRAIN
from .matching import Half, Matching, plain_name
from .regions import Region, Regions
from .sides import Side, forward, training
from .wording import OP, Said, Words, value_text

_MOST_LAYERS = 2


def compare(saved: Side, traced: Mapping[str, Side]) -> Drift:
    """Compares a saved graph of TRAIN with traced graphs.

    Args:
        saved: the saved side.
        traced: the traced side of each mode; TRAIN is one of them.

    Raises:
        DamagedError: a graph is damaged.
    """
    interner = Interner()
    old = training(saved, interner)
    new = training(traced[TRAIN], interner)
    halves = Half(old, new), Half(new, old)
    if not halves[0].changed and not halves[1].changed:
        return Drift((), dict.fromkeys(traced, NONE))
    others = {m: _Mode(forward(s, interner)) for m, s in traced.items() if m != TRAIN}
    changes = tuple(_changes(halves, others, (saved, traced[TRAIN])))
    states = {
        mode: CHANGED if any(mode in change.modes for change in changes) else NONE
        for mode in traced
    }
    return Drift(changes, states)


class _Mode:
    """The computation of PREDICT or EVAL, to find out which changes reach it."""

    def __init__(self, computed: Computation) -> None:
        self.digests = computed.digests
        self.names: Dict[Tuple[str, str], Step] = {}
        self.plain: Dict[Tuple[str, str], Step] = {}
        for place, step in computed.steps.items():
            self.names[step.node.op, place[1]] = step
            self.plain[step.node.op, plain_name(place)] = step

    def has(self, step: Step, users: Sequence[Tuple[Step, int]]) -> bool:
        """Whether a node of TRAIN takes part in this mode, too."""
        constant = step.node.op == "Const"
        if not constant and step.digest in self.digests:
            return True
        found = self._like(step)
        if found is None or not _same_attributes(found, step):
            return False
        return not constant or any(self._like(user) is not None for user, _ in users)

    def _like(self, step: Step) -> Any:
        exact = self.names.get((step.node.op, step.place[1]))
        return exact or self.plain.get((step.node.op, plain_name(step.place)))


def _same_attributes(one: Step, other: Step) -> bool:
    return one.node.op != "Const" or one.digest == other.digest


def _changes(
    halves: Tuple[Half, Half], others: Mapping[str, _Mode], sides: Tuple[Side, Side]
) -> Iterator[Change]:
    old, new = halves
    matching = Matching(old, new)
    regions = Regions(old, new, matching).find()
    losses = (_below(old, sides[0].outputs), _below(new, sides[1].outputs))
    words = Words(old, new, losses)
    found: Dict[Any, List[Tuple[Said, Region, Tuple[str, ...]]]] = {}
    for region in regions:
        for said in words.say(region):
            modes = _reached(said, region, others, new)
            key = (said.kind, said.role, value_text(said.then), value_text(said.now), modes)
            found.setdefault(key, []).append((said, region, modes))
    for members in _simplified(list(found.values())):
        yield _joined(members)


def _reached(said: Said, region: Region, others: Mapping[str, _Mode], new: Half) -> Tuple[str, ...]:
    """The modes that compute what changed."""
    shown = region.nodes or tuple(border for _, border in region.borders)
    found = []
    for mode, other in others.items():
        if not said.training and any(other.has(step, new.readers[step.place]) for step in shown):
            found.append(mode)
    return (*found, TRAIN)


def _below(half: Half, outputs: Sequence[str]) -> Set[Place]:
    """The places of all nodes that some outputs depend on."""
    stack: List[Place] = [("", split_input(name)[0]) for name in outputs]
    seen: Set[Place] = set()
    while stack:
        place = stack.pop()
        if place not in seen and place in half.steps:
            seen.add(place)
            stack.extend(source for source, _ in half.steps[place].sources)
    return seen


_Members = List[Tuple[Said, Region, Tuple[str, ...]]]


def _simplified(found: List[_Members]) -> Iterator[_Members]:
    """Yields the changes without those that another one implies."""
    optimizer = any(members[0][0].role == "optimizer" for members in found)
    rates = [(m[0][0].then, m[0][0].now) for m in found if m[0][0].role == "dropout rate{}"]
    for members in found:
        said = members[0][0]
        if optimizer and said.role.endswith("update of variables"):
            continue
        if said.role == "dropout rate{}" and _is_scale(said, rates):
            continue
        yield members


def _is_scale(said: Said, rates: Sequence[Tuple[Any, Any]]) -> bool:
    """Whether a constant of a dropout is 1 / (1 - rate) for another one."""
    return any(
        _scales(then.get("value"), said.then.get("value"))
        and _scales(now.get("value"), said.now.get("value"))
        for then, now in rates
    )


def _scales(rate: Any, scale: Any) -> bool:
    numbers = isinstance(rate, (int, float)) and isinstance(scale, (int, float))
    return numbers and 0 <= rate < 1 and rate != scale and abs(scale * (1 - rate) - 1) < 1e-4


def _joined(members: _Members) -> Change:
    """Returns one change for all places with the same change."""
    said, _, modes = members[0]
    layers = list(dict.fromkeys(m.layer for m, _, _ in members if m.layer))
    place = layers[0] if layers else ""
    if len(layers) > 1:
        rest = len(layers) - _MOST_LAYERS
        place = "".join((", ".join(layers[:_MOST_LAYERS]), f" and {rest} more" if rest > 0 else ""))
    role = said.role.format(place)
    then, now = value_text(said.then), value_text(said.now)
    text = f"{role}: {then} -> {now}"
    if said.kind == OP and "none" in (then, now):
        text = f"{role}: + {now}" if then == "none" else f"{role}: - {then}"
    old = (s.place[1] for _, r, _ in members for s in (*r.old, *(pair[0] for pair in r.pairs)))
    new = (s.place[1] for _, r, _ in members for s in r.nodes)
    return Change(
        said.kind,
        text,
        text,
        said.then,
        said.now,
        modes,
        tuple(dict.fromkeys(old)),
        tuple(dict.fromkeys(new)),
    )
