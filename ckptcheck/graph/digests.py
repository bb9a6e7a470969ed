"""Digests of what a graph computes: equal digests are equal computations of equal inputs.

The digest of a node depends on its op, on the attributes that matter, and on the digests of its
inputs. Names, devices, seeds and control inputs do not matter. The leaves have a meaning of their
own: a variable is its key in the checkpoint, an input is its place among features and labels, and
a constant is its value. Gradients are leaves too, because they follow from the forward part.
"""

import dataclasses
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Set, Tuple

from ..encoding.errors import TooLargeError
from .canonical import Canonical, Rules
from .graph import Graph
from .linked import BACK_EDGES, Anchors, Linked, Place
from .nodes import Node

_SORTED = (
    *("Add", "AddV2", "Mul", "AddN", "Maximum", "Minimum"),
    *("Equal", "NotEqual", "LogicalAnd", "LogicalOr"),
)
"""Ops that do not depend on the order of their inputs."""
_WRITES = {
    op + kind: op for op in ("Assign", "AssignAdd", "AssignSub") for kind in ("", "VariableOp")
}
"""Ops that write a variable: the common name of each op. TPUEstimator's global step is a resource
variable, so both kinds of ops occur."""
_RESOURCE = ("ResourceApply", "ResourceSparseApply")
_MOST_STEPS = 1 << 18


class Interner(Dict[Any, int]):
    """Numbers for keys: equal keys have the same number."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


@dataclasses.dataclass(frozen=True)
class Step:
    """A node that takes part in a computation.

    Attributes:
        place: where the node is.
        node: the node.
        digest: the digest of its first output.
        inputs: the digests of its inputs, followed by those of the results of its functions.
        sources: the places of its inputs. Nodes that only pass a value on are left out.
        anchor: what the node means, if it is a leaf; else ().
        attributes: the names and values of the attributes that matter.
        folded: whether it is a constant that the graph computes from others.
    """

    place: Place
    node: Node
    digest: int
    inputs: Tuple[int, ...]
    sources: Tuple[Tuple[Place, int], ...]
    anchor: Tuple[Any, ...] = ()
    attributes: Tuple[Any, ...] = ()
    folded: bool = False


@dataclasses.dataclass(frozen=True)
class Computation:
    """The nodes of a graph that some roots depend on, with their digests.

    Attributes:
        steps: the nodes by their places. A place comes after those of its inputs.
        roots: the places that the roots take their values from.
    """

    steps: Mapping[Place, Step]
    roots: Tuple[Place, ...]

    @property
    def digests(self) -> FrozenSet[int]:
        """The digests of all nodes."""
        return frozenset(step.digest for step in self.steps.values())


def computation(
    graph: Graph,
    roots: Iterable[str],
    anchors: Anchors,
    interner: Interner,
    extra: Optional[Mapping[str, Tuple[str, ...]]] = None,
    rules: Optional[Rules] = None,
    own: Optional[Mapping[str, str]] = None,
) -> Computation:
    """Returns what some roots of a graph depend on.

    Args:
        graph: the graph.
        roots: names of nodes or of their outputs.
        anchors: what the leaves mean.
        interner: gives the digests. Only digests of one interner can be compared.
        extra: more inputs of nodes, such as what a table is initialized from.
        rules: give nodes the forms that all versions of TensorFlow share; None to compare graphs
            of one version.
        own: the nodes of gradients to look into; see :class:`.linked.Linked`. Not used together
            with ``rules``.

    Raises:
        DamagedError: a node is damaged.
    """
    linked = Linked(graph, anchors, extra or {}, own)
    if rules is not None:
        linked = Canonical(graph, anchors, extra or {}, rules)
    places = tuple(linked.settled(linked.resolved("", text))[0] for text in roots)
    return Computation(_Walk(linked, anchors, interner).run(places), places)


OF_OUTPUTS = ("outputs",)
"""The beginning of the anchor of a leaf whose outputs have their own anchors."""


class _Walk:
    """Walks from the roots to the leaves, and gives the digests on the way back."""

    def __init__(self, linked: Linked, anchors: Anchors, interner: Interner) -> None:
        self.linked = linked
        self.anchors = anchors
        self.interner = interner
        self.steps: Dict[Place, Step] = {}
        self.open: Set[Place] = set()
        self.later: List[Place] = []

    def run(self, roots: Iterable[Place]) -> Mapping[Place, Step]:
        stack = list(roots)
        while stack or self.later:
            if not stack:
                stack.append(self.later.pop())
            place = stack[-1]
            if place in self.steps:
                stack.pop()
                continue
            missing = [p for p in self._dependencies(place) if p not in self.open]
            if missing and place not in self.open:
                self.open.add(place)
                stack.extend(missing)
                continue
            self.steps[place] = self._step(place)
            self.open.discard(place)
            stack.pop()
            if len(self.steps) > _MOST_STEPS:
                raise TooLargeError("it has too many nodes")
        return self.steps

    def _dependencies(self, place: Place) -> List[Place]:
        """Returns the places to visit before this place. Places after a back edge come later."""
        wanted = []
        for source, _ in self.linked.sources(place):
            if source in self.steps:
                continue
            if self.linked.node(source).op in BACK_EDGES:
                if source not in self.open:
                    self.later.append(source)
            else:
                wanted.append(source)
        return wanted

    def _digest(self, source: Place, output: int) -> int:
        """Returns the digest of an output. All back edges of loops have the same digest."""
        anchor = self.anchors.get((source[1], output)) if source[0] == "" else None
        if anchor is not None:
            return self.interner[anchor]
        if source not in self.steps or self.linked.node(source).op in BACK_EDGES:
            return self.interner["loop"]
        digest = self.steps[source].digest
        return digest if output == 0 else self.interner[digest, output]

    def _step(self, place: Place) -> Step:
        node = self.linked.node(place)
        anchor = self.linked.anchor(place)
        if anchor:
            if sum(name == node.name for name, _ in self.anchors) > 1:
                anchor = (*OF_OUTPUTS, anchor[-1])  # each output has its own, see _digest
            return Step(place, node, self.interner[anchor], (), (), anchor)
        sources = self.linked.sources(place)
        inputs = tuple(self._digest(*source) for source in sources)
        attributes = () if node.op in _WRITES else self.linked.attributes(place)
        op = _WRITES.get(node.op, node.op)
        if op.startswith(_RESOURCE):
            op = op[len("Resource") :]
        commutes = node.op in _SORTED and ("T", ("string",)) not in attributes
        ordered = sorted(inputs) if commutes else inputs
        digest = self.interner[(op, attributes, *ordered)]
        folded = self.linked.is_folded(place)
        return Step(place, node, digest, inputs, sources, (), attributes, folded)
