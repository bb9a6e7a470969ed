"""Groups the nodes that really differ into regions: one for each cause."""

import dataclasses
from itertools import zip_longest
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..graph.digests import Step
from ..graph.linked import Place
from .matching import Half, Matching
from .sides import WRITES

_Key = Tuple[str, Place]
_OLD, _NEW = "old", "new"


@dataclasses.dataclass(frozen=True)
class Region:
    """Nodes that differ for one cause.

    Attributes:
        old: the saved nodes without a counterpart, in the order of the computation.
        new: the traced nodes without a counterpart.
        pairs: counterparts that differ: in a value, an attribute, or an input.
        borders: the counterparts that take results of the region.
        alike: for a region with nodes on one side only: the pairs of constants that differ. On the
            other side, the borders take nodes that differ from those of the region only in these
            constants.
    """

    old: Tuple[Step, ...]
    new: Tuple[Step, ...]
    pairs: Tuple[Tuple[Step, Step], ...]
    borders: Tuple[Tuple[Step, Step], ...] = ()
    alike: Tuple[Tuple[Step, Step], ...] = ()

    @property
    def nodes(self) -> Tuple[Step, ...]:
        """The traced nodes that show the change."""
        return (*self.new, *(new for _, new in self.pairs))


class _Sets(Dict[_Key, _Key]):
    """Disjoint sets of nodes."""

    def top(self, key: _Key) -> _Key:
        self.setdefault(key, key)
        while self[key] != key:
            self[key] = self[self[key]]
            key = self[key]
        return key

    def join(self, one: _Key, other: _Key) -> None:
        self[self.top(one)] = self.top(other)


class Regions:
    """Finds the regions of a matching."""

    def __init__(self, old: Half, new: Half, matching: Matching) -> None:
        self.old, self.new, self.matching = old, new, matching
        self.sets = _Sets()
        self.borders: Dict[_Key, List[Tuple[Step, Step]]] = {}
        self.behind: List[Tuple[_Key, _Key]] = []

    def find(self) -> List[Region]:
        """Returns the regions."""
        matching = self.matching
        loose = {
            _OLD: [s for s in self.old.changed if s.place not in matching.to_new],
            _NEW: [s for s in self.new.changed if s.place not in matching.to_old],
        }
        for side, half in ((_OLD, self.old), (_NEW, self.new)):
            self._join_neighbors(side, half, {step.place for step in loose[side]})
        self._join_shared_inputs(loose)
        pairs = list(dict.fromkeys(self._different_pairs()))
        members: Dict[_Key, Dict[str, List[Any]]] = {}
        paired = {_OLD: {old.place for old, _ in pairs}, _NEW: {new.place for _, new in pairs}}
        for side in (_OLD, _NEW):
            for step in (step for step in loose[side] if step.place not in paired[side]):
                top = self.sets.top((side, step.place))
                members.setdefault(top, {}).setdefault(side, []).append(step)
        for old, new in pairs:
            top = self.sets.top((_NEW, new.place))
            members.setdefault(top, {}).setdefault("pairs", []).append((old, new))
        borders: Dict[_Key, List[Tuple[Step, Step]]] = {}
        for key, found in self.borders.items():
            borders.setdefault(self.sets.top(key), []).extend(found)
        for first, second in self.behind:
            ends = borders.get(self.sets.top(second), [])
            borders.setdefault(self.sets.top(first), []).extend(ends)
        regions = (
            Region(
                tuple(found.get(_OLD, ())),
                tuple(found.get(_NEW, ())),
                tuple(found.get("pairs", ())),
                tuple(borders.get(top, ())),
            )
            for top, found in members.items()
        )
        return [dataclasses.replace(r, alike=tuple(self._alike(r))) for r in regions]

    def _alike(self, region: Region) -> List[Tuple[Step, Step]]:
        """Returns the constants in which a region's side differs; see :attr:`Region.alike`."""
        if bool(region.old) == bool(region.new) or region.pairs:
            return []
        side = 0 if region.old else 1
        left = {step.place for step in region.old or region.new}
        stack = [pair for border in region.borders for pair in self._inputs(*border)]
        stack = [pair for pair in stack if pair[side].step.place in left]
        found: Dict[Tuple[Step, Step], None] = {}
        while stack:
            pair = stack.pop()
            old, new = (taken.step for taken in pair)
            left.discard(pair[side].step.place)
            if all(map(_is_constant, pair)):
                found[old, new] = None
            elif old.node.op == new.node.op and old.attributes == new.attributes and old.sources:
                inputs = self._inputs(old, new)
                stack.extend(pair for pair in inputs if pair[0].digest != pair[1].digest)
            else:
                return []
        return [] if left else list(found)

    def _inputs(self, old: Step, new: Step) -> List[Tuple["_Input", "_Input"]]:
        """The inputs of two nodes, if both have as many."""
        olds, news = self._taken(self.old, old), self._taken(self.new, new)
        return list(zip(olds, news)) if len(olds) == len(news) else []

    def _join_neighbors(self, side: str, half: Half, loose: Any) -> None:
        for place in loose:
            self.sets.top((side, place))
            for source, _ in half.steps[place].sources:
                if source in loose:
                    if _in_dropout(source) == _in_dropout(place):
                        self.sets.join((side, place), (side, source))
                    else:
                        self.behind.append(((side, source), (side, place)))

    def _join_shared_inputs(self, loose: Mapping[str, List[Step]]) -> None:
        """Joins saved and traced nodes that take the same values, or write the same variable."""
        takers: Dict[Any, Place] = {}
        for step in loose[_OLD]:
            for digest in self._values(self.old, step):
                takers[digest] = step.place
        for step in loose[_NEW]:
            for digest in self._values(self.new, step):
                if digest in takers:
                    self.sets.join((_NEW, step.place), (_OLD, takers[digest]))

    def _values(self, half: Half, step: Step) -> Iterator[Any]:
        """Yields the unchanged inputs of a node, except leaves, and the variable that it writes."""
        if WRITES.match(step.node.op):
            yield half.variables(step)[:1]
        for digest, (source, _) in zip(step.inputs, step.sources):
            found = half.steps.get(source)
            if found is not None and found.sources and not half.is_changed(source):
                yield digest

    def _different_pairs(self) -> Iterator[Tuple[Step, Step]]:
        """Yields counterparts that differ, and joins regions that feed the same counterparts."""
        for place, new in self.matching.to_new.items():
            old = self.old.steps[place]
            if old.attributes != new.attributes:
                yield old, new
                continue
            slots = zip_longest(self._taken(self.old, old), self._taken(self.new, new))
            unlike = [pair for pair in slots if self._differ(*pair)]
            constants = [pair for pair in unlike if all(map(_is_constant, pair))]
            yield from ((one.step, other.step) for one, other in constants)
            around = self._around([pair for pair in unlike if pair not in constants])
            for key in around[1:]:
                self.sets.join(around[0], key)
            if around:
                self.borders.setdefault(around[0], []).append((old, new))
            elif len(unlike) > len(constants):
                yield old, new

    def _taken(self, half: Half, step: Step) -> List["_Input"]:
        """The inputs of a node."""
        pairs = zip(step.sources, step.inputs)
        return [_Input(half.steps[source], digest) for (source, _), digest in pairs]

    def _differ(self, old: Optional["_Input"], new: Optional["_Input"]) -> bool:
        """Whether two inputs are neither the same nor counterparts."""
        if old is None or new is None:
            return True
        counterpart = self.matching.to_new.get(old.step.place)
        if counterpart is not None and not _is_constant(old):
            return counterpart.place != new.step.place
        return old.digest != new.digest

    def _around(self, pairs: Sequence["_Pair"]) -> List[_Key]:
        """Returns the nodes among some inputs that have no counterpart."""
        olds, news = zip(*pairs) if pairs else ((), ())
        return [
            *((_OLD, one.step.place) for one in olds if self._loose(self.old, one)),
            *((_NEW, one.step.place) for one in news if self._loose(self.new, one)),
        ]

    def _loose(self, half: Half, taken: Optional["_Input"]) -> bool:
        if taken is None:
            return False
        place = taken.step.place
        paired = self.matching.to_new if half is self.old else self.matching.to_old
        return half.is_changed(place) and place not in paired


def _in_dropout(place: Place) -> bool:
    """Whether a node belongs to a dropout. A change of a dropout is reported on its own."""
    return "dropout" in place[1]


class _Input(NamedTuple):
    """An input of a node: the node that computes it, and the digest of its value."""

    step: Step
    digest: int


_Pair = Tuple[Optional[_Input], Optional[_Input]]


def _is_constant(taken: Optional[_Input]) -> bool:
    return taken is not None and taken.step.node.op == "Const"
