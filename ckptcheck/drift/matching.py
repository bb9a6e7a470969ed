"""Pairs the nodes that differ between two computations, so that only real differences are left.

A node downstream of a change differs too. Such a node has a counterpart on the other side: it has
the same op, touches the same variables, and is at the same place relative to nodes that are paired
already.
"""

import collections
import re
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ..graph.digests import OF_OUTPUTS, Computation, Step
from ..graph.launch import VARIABLE_OPS
from ..graph.linked import Place

_NUMBER = re.compile(r"_\d+(?=/|$)")
VARIABLE, INPUT = "variable", "input"
"""The first parts of the anchors of leaves."""


class Half:
    """One of two computations that are compared.

    Attributes:
        steps: all nodes.
        roots: where the computation ends.
        changed: the nodes that the other side does not have. Variables are left out: the nodes that
            take them show the change.
        users: by the digest of a value that both sides have, the changed nodes that take it, each
            with the number of the input.
        readers: the nodes that take each node, each with the number of its input.
    """

    def __init__(self, computed: Computation, other: Computation) -> None:
        known = _all_digests(other)
        self.steps: Mapping[Place, Step] = computed.steps
        self.roots = computed.roots
        self.changed = [
            step
            for step in computed.steps.values()
            if step.digest not in known and not _is_leaf(step)
        ]
        self.places = {step.place for step in self.changed}
        self.users: Dict[Any, List[Tuple[Step, int]]] = collections.defaultdict(list)
        self.readers: Dict[Place, List[Tuple[Step, int]]] = collections.defaultdict(list)
        for step in computed.steps.values():
            for slot, (source, _) in enumerate(step.sources):
                self.readers[source].append((step, slot))
        for step in self.changed:
            for slot, digest in enumerate(step.inputs):
                if digest in known:
                    self.users[digest].append((step, slot))

    def is_changed(self, place: Place) -> bool:
        """Whether the other side lacks a node."""
        return place in self.places

    def variables(self, step: Step) -> Tuple[str, ...]:
        """The keys of the variables that a node takes."""
        anchors = (self.steps[place].anchor for place, _ in step.sources if place in self.steps)
        return tuple(anchor[1] for anchor in anchors if anchor[:1] == (VARIABLE,))

    def fresh_variables(self, step: Step) -> Tuple[str, ...]:
        """The names of the variables that a node takes and that are not restored."""
        taken = (self.steps[place] for place, _ in step.sources if place in self.steps)
        return tuple(s.node.name for s in taken if s.node.op in VARIABLE_OPS and not s.anchor)

    def signature(self, step: Step) -> Tuple[Any, ...]:
        """Returns the op and the variables. Counterparts have the same signature."""
        return (step.node.op, *self.variables(step))


def _is_leaf(step: Step) -> bool:
    """Whether a node is a variable without a known value, or has anchors for its outputs."""
    if step.anchor[:1] in (OF_OUTPUTS, (VARIABLE,)):
        return True
    return step.node.op in VARIABLE_OPS and not step.sources


def _all_digests(computed: Computation) -> Set[int]:
    found: Set[int] = set()
    for step in computed.steps.values():
        found.add(step.digest)
        found.update(step.inputs)
    return found


def plain_name(place: Place) -> str:
    """The name of a node without the numbers that make it unique."""
    return _NUMBER.sub("", place[1])


class Matching:
    """Pairs each changed node with its counterpart on the other side."""

    def __init__(self, old: Half, new: Half) -> None:
        self.old, self.new = old, new
        self.to_new: Dict[Place, Step] = {}
        self.to_old: Dict[Place, Step] = {}
        self._queue: List[Tuple[Step, Step]] = []
        self._by_variables()
        self._spread()
        for digest, users in old.users.items():
            self._pair_users(users, new.users.get(digest, []))
        self._spread()
        for name in (lambda step: step.place[1], lambda step: plain_name(step.place)):
            self._pair_groups(
                _grouped(old, self._open(old, self.to_new), name),
                _grouped(new, self._open(new, self.to_old), name),
            )
            self._spread()

    def _open(self, half: Half, taken: Mapping[Place, Step]) -> List[Step]:
        return [step for step in half.changed if step.place not in taken]

    def _by_variables(self) -> None:
        olds, news = (
            _grouped(half, (s for s in half.changed if half.variables(s)), lambda step: "")
            for half in (self.old, self.new)
        )
        self._pair_groups(olds, news)

    def _pair_groups(
        self, olds: Mapping[Any, Sequence[Step]], news: Mapping[Any, Sequence[Step]]
    ) -> None:
        """Pairs the nodes of groups that have the same number of nodes on both sides."""
        for key, members in olds.items():
            theirs = news.get(key, ())
            if len(members) == len(theirs):
                for pair in zip(members, theirs):
                    self._pair(*pair)

    def _pair(self, old: Step, new: Step) -> None:
        if old.place not in self.to_new and new.place not in self.to_old:
            self.to_new[old.place] = new
            self.to_old[new.place] = old
            self._queue.append((old, new))

    def _spread(self) -> None:
        """Pairs the users of nodes that are paired, and then their inputs.

        The users come first, since a layer's activation is a user of the layer's variables.
        """
        done: List[Tuple[Step, Step]] = []
        while self._queue or done:
            if self._queue:
                old, new = self._queue.pop()
                done.append((old, new))
                self._pair_users(self.old.readers[old.place], self.new.readers[new.place])
            else:
                self._pair_inputs(*done.pop())

    def _pair_inputs(self, old: Step, new: Step) -> None:
        for (mine, _), (theirs, _) in zip(old.sources, new.sources):
            if self.old.is_changed(mine) and self.new.is_changed(theirs):
                pair = self.old.steps[mine], self.new.steps[theirs]
                if self.old.signature(pair[0]) == self.new.signature(pair[1]):
                    self._pair(*pair)

    def _pair_users(
        self, olds: Iterable[Tuple[Step, int]], news: Iterable[Tuple[Step, int]]
    ) -> None:
        mine = self._users(self.old, olds, self.to_new)
        theirs = self._users(self.new, news, self.to_old)
        for key, steps in mine.items():
            if len(steps) == 1 and len(theirs.get(key, ())) == 1:
                self._pair(steps[0], theirs[key][0])

    def _users(
        self, half: Half, users: Iterable[Tuple[Step, int]], taken: Mapping[Place, Step]
    ) -> Dict[Any, List[Step]]:
        found: Dict[Any, List[Step]] = collections.defaultdict(list)
        for step, slot in users:
            if half.is_changed(step.place) and step.place not in taken:
                found[(*half.signature(step), slot)].append(step)
        return found


def _grouped(half: Half, steps: Iterable[Step], name: Any) -> Dict[Any, List[Step]]:
    found: Dict[Any, List[Step]] = collections.defaultdict(list)
    for step in steps:
        found[(name(step), *half.signature(step))].append(step)
    return found
