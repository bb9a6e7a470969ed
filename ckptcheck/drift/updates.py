"""Finds the writes of variables that run together, and their order. Control inputs decide both."""

from typing import AbstractSet, Dict, FrozenSet, Iterator, List, Mapping, Set, Tuple

from ..graph.nodes import Node, split_input
from ..graph.version_rules import common_op
from .sides import Side

Write = Tuple[str, str]
"""A write: the key of the variable, and the op."""
_BACK_EDGES = ("NextIteration", "RefNextIteration")


class Updates:
    """The writes of one side.

    Attributes:
        before: the writes that run before each write.
        ends: for each op that no other op depends on, the set of writes that it runs.
        step: the writes of one step of training. If its op is not known, the largest set in
            ``ends``.
    """

    def __init__(self, side: Side) -> None:
        self._nodes = side.nodes
        self._writes: List[Write] = []
        places: Dict[str, int] = {}
        for name in side.writes:
            places[name] = len(self._writes)
            self._writes.append((side.key_written(name), common_op(side.nodes[name].op)))
        masks = self._masks(places)
        self.before: Dict[Write, FrozenSet[Write]] = {}
        for name, place in places.items():
            write, mine = self._writes[place], self._members(masks[name] & ~(1 << place))
            self.before[write] = mine | self.before.get(write, frozenset())
        used = {name for node in self._nodes.values() for name in self._inputs(node)}
        self.ends = {self._members(mask) for mask in {m for n, m in masks.items() if n not in used}}
        self.step = max(self.ends, key=len, default=frozenset())
        train_op = split_input(side.train_op)[0]
        if train_op in masks:
            self.step = self._members(masks[train_op])

    def _members(self, mask: int) -> FrozenSet[Write]:
        return frozenset(w for place, w in enumerate(self._writes) if mask >> place & 1)

    def _inputs(self, node: Node) -> Iterator[str]:
        for name in (*node.controls, *(split_input(text)[0] for text in node.inputs)):
            if name in self._nodes and self._nodes[name].op not in _BACK_EDGES:
                yield name

    def _masks(self, places: Mapping[str, int]) -> Dict[str, int]:
        """Returns the writes that each node depends on, itself included, as bits."""
        masks: Dict[str, int] = {}
        opened: Set[str] = set()
        for root in self._nodes:
            stack = [root]
            while stack:
                name = stack[-1]
                inputs = list(self._inputs(self._nodes[name]))
                if name not in opened:
                    opened.add(name)
                    stack.extend(i for i in inputs if i not in opened)
                    continue
                stack.pop()
                mask = 1 << places[name] if name in places else 0
                for i in inputs:
                    mask |= masks.get(i, 0)
                masks[name] = mask
        return masks


def moved_writes(old: Updates, new: Updates) -> Tuple[List[str], List[str]]:
    """Returns the variables that only the saved step writes, and those of only the new step.

    Writes that only one of the graphs has do not count.
    """
    common = set(old.before) & set(new.before)
    if new.step & common in [end & common for end in old.ends]:
        return [], []
    gone, come = (old.step - new.step) & common, (new.step - old.step) & common
    return _keys(gone), _keys(come)


def reordered_writes(old: Updates, new: Updates) -> Tuple[List[str], List[str]]:
    """Returns the variables that are written in another order, in the old and in the new order."""
    common = set(old.before) & set(new.before)
    moved = {w for w in common if old.before[w] & common != new.before[w] & common}
    return _in_order(old, moved), _in_order(new, moved)


def _in_order(updates: Updates, writes: AbstractSet[Write]) -> List[str]:
    """Returns the keys of some writes, the first ones first."""
    ordered = sorted(writes, key=lambda write: (len(updates.before[write]), write))
    return list(dict.fromkeys(key for key, _ in ordered))


def _keys(writes: AbstractSet[Write]) -> List[str]:
    return sorted({key for key, _ in writes})
