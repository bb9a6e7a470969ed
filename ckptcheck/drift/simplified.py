"""Leaves out changes that follow from others."""

import math
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from .regions import Region
from .wording import CONSTANT, ORDER, RESHAPE, Said, is_scale, value_text

Members = List[Tuple[Said, Region, Tuple[str, ...]]]
"""A change, once for each place: its words, its region, and the modes that it reaches."""
_Moves = Dict[str, Tuple[str, str]]


def simplified(found: List[Members]) -> Iterator[Members]:
    """Yields the changes without those that another one implies."""
    optimizer = any(members[0][0].role == "optimizer" for members in found)
    of_rates = [members for members in found if members[0][0].role == "dropout rate{}"]
    rates = [members[0][0] for members in of_rates]
    rated = {id(region) for members in of_rates for _, region, _ in members}
    for members in _with_reshapes(list(_with_exchanges(found))):
        said = members[0][0]
        if optimizer and said.role.endswith("update of variables"):
            continue
        if said.role == "dropout rate{}" and any(_is_scale(rate, said) for rate in rates):
            continue
        if _is_dropout(said) and all(id(region) in rated for _, region, _ in members):
            continue  # two dropouts of one rate share nodes; with two rates, each has its own
        yield members


def _is_dropout(said: Said) -> bool:
    """Whether a change adds or removes the nodes of a dropout."""
    then, now = value_text(said.then), value_text(said.now)
    return "none" in (then, now) and max(then, now, key="none".__ne__).startswith("dropout")


def _is_scale(rate: Said, said: Said) -> bool:
    """Whether a changed constant is 1 / (1 - rate) for the old and the new dropout rate."""
    sides = ((rate.then, said.then), (rate.now, said.now))
    return all(is_scale(one.get("value"), other.get("value")) for one, other in sides)


def _with_reshapes(found: List[Members]) -> Iterator[Members]:
    """Yields the changes, with one change for sizes of a reshape that change together.

    Such a reshape splits an axis in another way, as for other attention heads. Then a constant that
    is the root of the last of these sizes follows from it: attention divides by the root of the
    size of a head.
    """
    alike: Dict[Any, List[Members]] = {}
    for members in found:
        if members[0][0].role == RESHAPE:
            key = tuple(said.layer for said, _, _ in members), members[0][2]
            alike.setdefault(key, []).append(members)
    together = [some for some in alike.values() if _splits_again(some)]
    joined = {id(members) for some in together for members in some}
    for some in together:
        some.sort(key=lambda members: members[0][1].pairs[0][1].place[1])
    roots = {tuple(map(_root, _sizes(some[-1]))) for some in together}
    for members in found:
        follows = members[0][0].kind == CONSTANT and tuple(map(_rounded, _sizes(members))) in roots
        if id(members) not in joined and not follows:
            yield members
    for some in together:
        then, now = ({"value": list(side)} for side in zip(*map(_sizes, some)))
        yield [
            (Said(CONSTANT, RESHAPE, then, now, said.layer), region, modes)
            for members in some
            for said, region, modes in members
        ]


def _splits_again(some: List[Members]) -> bool:
    """Whether changed sizes have the same product as before."""
    sizes = [_sizes(members) for members in some]
    plain = all(type(size) is int for pair in sizes for size in pair)
    paired = all(members[0][1].pairs for members in some)
    return len(some) > 1 and plain and paired and _product(sizes, 0) == _product(sizes, 1)


def _product(sizes: List[Tuple[Any, Any]], side: int) -> int:
    product = 1
    for pair in sizes:
        product *= pair[side]
    return product


def _sizes(members: Members) -> Tuple[Any, Any]:
    """The values of a change: in the saved graph, and now."""
    return members[0][0].then.get("value"), members[0][0].now.get("value")


def _root(size: int) -> float:
    return round(math.sqrt(size), 4) if size > 0 else 0.0


def _rounded(value: Any) -> Optional[float]:
    return round(float(value), 4) if type(value) in (int, float) else None


def _with_exchanges(found: List[Members]) -> Iterator[Members]:
    """Yields the changes, with one change for two layers that changed places."""
    moves = {m[0][0].moved[0]: (m[0][0].moved[1], m[0][0].moved[2]) for m in found if m[0][0].moved}
    exchanged: Set[str] = set()
    for one, other in _exchanges(moves):
        exchanged |= {one, other}
        both = [m for m in found if m[0][0].moved and m[0][0].moved[0] in (one, other)]
        then, now = (
            {"text": ", ".join(map(value_text, sides))}
            for sides in zip(*((m[0][0].then, m[0][0].now) for m in both))
        )
        said = Said(ORDER, f"{one} and {other} changed places", then, now)
        yield [(said, region, modes) for members in both for _, region, modes in members]
    gone = {value_text(members[0][0].then) for members in found}
    come = {value_text(members[0][0].now) for members in found}
    for members in found:
        if not (exchanged and _follows(members[0][0], exchanged, gone & come)):
            yield members


def _exchanges(moves: _Moves) -> Iterator[Tuple[str, str]]:
    """Yields the pairs of layers that changed places."""
    for one, (then, now) in moves.items():
        for other, (theirs, mine) in moves.items():
            crossed = then == mine and now == theirs and then != now and one < other
            if crossed or (now == other and theirs == one):
                yield one, other


def _follows(said: Said, exchanged: Set[str], both: Set[str]) -> bool:
    """Whether a change follows from an exchange of layers.

    The layer after them takes the output of the other layer now. An activation moves with its
    layer: it is removed in one place and added in another.
    """
    if said.moved:
        return said.moved[0] in exchanged or exchanged.issuperset(said.moved[1:])
    if said.kind == ORDER:
        return exchanged.issuperset((value_text(said.then), value_text(said.now)))
    return {value_text(said.then), value_text(said.now)} <= both
