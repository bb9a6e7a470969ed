"""Groups the nodes that really differ into regions: one for each cause."""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ..graph.digests import Place, Step
from .matching import Half, Matching

_Key = Tuple[str, Place]
_OLD, _NEW = "old", "new"


@dataclasses.dataclass(frozen=True)
class Region:
    """Nodes that differ for one cause.

    Attributes:
        old: the saved nodes without a counterpart, in the order of the computation.
        new: the traced nodes without a counterpart.
        pairs: counterparts that differ themselves: in a value, an attribute, or in what they take.
        borders: the traced nodes, and the saved ones, that take what the region computes.
    """

    old: Tuple[Step, ...]
    new: Tuple[Step, ...]
    pairs: Tuple[Tuple[Step, Step], ...]
    borders: Tuple[Tuple[Step, Step], ...] = ()

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
        pairs = list(self._different_pairs(loose))
        members: Dict[_Key, Dict[str, List[Any]]] = {}
        for side in (_OLD, _NEW):
            for step in loose[side]:
                top = self.sets.top((side, step.place))
                members.setdefault(top, {}).setdefault(side, []).append(step)
        for old, new in pairs:
            top = self.sets.top((_NEW, new.place))
            members.setdefault(top, {}).setdefault("pairs", []).append((old, new))
        borders: Dict[_Key, List[Tuple[Step, Step]]] = {}
        for key, found in self.borders.items():
            borders.setdefault(self.sets.top(key), []).extend(found)
        return [
            Region(
                tuple(found.get(_OLD, ())),
                tuple(found.get(_NEW, ())),
                tuple(found.get("pairs", ())),
                tuple(borders.get(top, ())),
            )
            for top, found in members.items()
        ]

    def _join_neighbors(self, side: str, half: Half, loose: Any) -> None:
        for place in loose:
            self.sets.top((side, place))
            for source, _ in half.steps[place].sources:
                if source in loose:
                    self.sets.join((side, place), (side, source))

    def _join_shared_inputs(self, loose: Mapping[str, List[Step]]) -> None:
        """Joins saved and traced nodes that take the same values."""
        takers: Dict[int, Place] = {}
        for step in loose[_OLD]:
            for digest in self._values(self.old, step):
                takers[digest] = step.place
        for step in loose[_NEW]:
            for digest in self._values(self.new, step):
                if digest in takers:
                    self.sets.join((_NEW, step.place), (_OLD, takers[digest]))

    def _values(self, half: Half, step: Step) -> Iterator[int]:
        """Yields the digests of the unchanged inputs of a node that are computed from others."""
        for digest, (source, _) in zip(step.inputs, step.sources):
            found = half.steps.get(source)
            if found is not None and found.sources and not half.is_changed(source):
                yield digest

    def _different_pairs(self, loose: Mapping[str, List[Step]]) -> Iterator[Tuple[Step, Step]]:
        """Yields counterparts that differ themselves, and joins regions that end in one pair."""
        for place, new in self.matching.to_new.items():
            old = self.old.steps[place]
            if old.attributes != new.attributes:
                yield old, new
                continue
            around = self._around(old, new)
            for key in around[1:]:
                self.sets.join(around[0], key)
            if around:
                self.borders.setdefault(around[0], []).append((old, new))
            elif self._takes_others(old, new):
                yield old, new

    def _around(self, old: Step, new: Step) -> List[_Key]:
        """Returns the nodes without a counterpart that a pair of nodes takes."""
        mine = [(_OLD, p) for p, _ in old.sources if self._loose(self.old, p)]
        theirs = [(_NEW, p) for p, _ in new.sources if self._loose(self.new, p)]
        return [*mine, *theirs]

    def _loose(self, half: Half, place: Place) -> bool:
        taken = self.matching.to_new if half is self.old else self.matching.to_old
        return half.is_changed(place) and place not in taken

    def _takes_others(self, old: Step, new: Step) -> bool:
        """Whether the nodes of a pair take different values, apart from changes before them."""
        if len(old.inputs) != len(new.inputs):
            return True
        unlike = [
            (self._counterpart(source, digest), (theirs, other))
            for (source, _), digest, (theirs, _), other in zip(
                old.sources, old.inputs, new.sources, new.inputs
            )
            if digest != other
        ]
        return any(mine is None or mine != theirs[0] for mine, theirs in unlike)

    def _counterpart(self, source: Place, digest: int) -> Optional[Place]:
        found = self.matching.to_new.get(source)
        return found.place if found is not None else None
