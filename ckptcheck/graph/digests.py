"""Digests of what a graph computes: equal digests are equal computations of equal inputs.

The digest of a node depends on its op, on the attributes that matter, and on the digests of its
inputs. Names, devices, seeds and control inputs do not matter. The leaves have a meaning of their
own: a variable is its key in the checkpoint, an input is its place among features and labels, and
a constant is its value. Gradients are leaves too, because they follow from the forward part.
"""

import dataclasses
import re
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from ..encoding.wire import bytes_in
from .graph import Function, Graph
from .nodes import Node, split_input
from .values import attribute_values

Place = Tuple[str, str]
"""A node: the name of the function that it is in, "" for the graph, and its own name."""
Anchors = Mapping[Tuple[str, int], Tuple[Any, ...]]
"""What outputs mean, by the node's name and the number of the output."""

PASSING = (
    *("Identity", "IdentityN", "ReadVariableOp", "RefIdentity", "Enter", "RefEnter", "Exit"),
    *("CheckNumerics", "CheckNumericsV2", "PreventGradient", "Snapshot", "EnsureShape", "Print"),
    *("DebugIdentity", "DebugIdentityV2"),
)
"""Ops whose outputs are their inputs."""
_SORTED = (
    *("Add", "AddV2", "Mul", "AddN", "Maximum", "Minimum"),
    *("Equal", "NotEqual", "LogicalAnd", "LogicalOr"),
)
"""Ops that do not depend on the order of their inputs."""
_IGNORED = (
    *("seed", "seed2", "name", "shared_name", "container", "frame_name", "is_constant"),
    *("parallel_iterations", "maximum_iterations", "swap_memory", "use_locking"),
    *("validate_shape", "validate_indices", "message", "summarize", "output_shapes"),
    *("debug_name", "allowed_devices", "config", "config_proto", "executor_type"),
)
"""Attributes that do not change what is computed."""
_WRITES = {
    op + kind: op for op in ("Assign", "AssignAdd", "AssignSub") for kind in ("", "VariableOp")
}
"""Ops that write a variable, by what they do. TPUEstimator's global step is a resource variable."""
_BACK_EDGES = ("NextIteration", "RefNextIteration")
_GRADIENT = re.compile(r"(^|/)gradients(_\d+)?/")


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
        inputs: the digests of its inputs; those of the results of its functions follow.
        sources: the places of its inputs. Nodes that only pass a value on are left out.
        anchor: what the node means, if it is a leaf; else ().
        attributes: the names and values of the attributes that matter.
    """

    place: Place
    node: Node
    digest: int
    inputs: Tuple[int, ...]
    sources: Tuple[Tuple[Place, int], ...]
    anchor: Tuple[Any, ...] = ()
    attributes: Tuple[Any, ...] = ()


@dataclasses.dataclass(frozen=True)
class Computation:
    """The nodes of a graph that some roots depend on, with their digests.

    Attributes:
        steps: the nodes by their places. A place comes after those of its inputs.
    """

    steps: Mapping[Place, Step]

    @property
    def digests(self) -> FrozenSet[int]:
        """The digests of all nodes."""
        return frozenset(step.digest for step in self.steps.values())


def is_gradient(name: str) -> bool:
    """Whether TensorFlow made a node to compute gradients."""
    return _GRADIENT.search(name) is not None


def computation(
    graph: Graph,
    roots: Iterable[str],
    anchors: Anchors,
    interner: Interner,
    extra: Optional[Mapping[str, Tuple[str, ...]]] = None,
) -> Computation:
    """Returns what some roots of a graph depend on.

    Args:
        graph: the graph.
        roots: names of nodes.
        anchors: what the leaves mean.
        interner: gives the digests. Only digests of one interner can be compared.
        extra: more inputs of nodes, such as what a table is initialized from.

    Raises:
        DamagedError: a node is damaged.
    """
    walk = _Walk(graph, anchors, interner, extra or {})
    return Computation(walk.run([("", name) for name in roots]))


_Scope = Mapping[str, Node]


class _Walk:
    """Walks from the roots to the leaves, and gives the digests on the way back."""

    def __init__(
        self, graph: Graph, anchors: Anchors, interner: Interner, extra: Mapping[str, Any]
    ) -> None:
        self.anchors = anchors
        ordered = sorted(anchors.items(), reverse=True)
        self.leaves = {name: anchor for (name, _), anchor in ordered}
        self.interner = interner
        self.extra = extra
        self.steps: Dict[Place, Step] = {}
        self.open: Set[Place] = set()
        self.later: List[Place] = []
        self.functions = {function.name: function for function in graph.functions}
        self.scopes: Dict[str, _Scope] = {"": {node.name: node for node in graph.nodes}}
        self.known: Dict[bytes, Any] = {}

    def run(self, roots: List[Place]) -> Mapping[Place, Step]:
        stack = [place for place in reversed(roots) if self._node(place) is not None]
        while stack or self.later:
            if not stack:
                stack.append(self.later.pop())
            place = stack[-1]
            if place in self.steps:
                stack.pop()
                continue
            wanted = self._dependencies(place)
            missing = [p for p in wanted if p not in self.steps and p not in self.open]
            if missing and place not in self.open:
                self.open.add(place)
                stack.extend(missing)
                continue
            self.steps[place] = self._step(place)
            self.open.discard(place)
            stack.pop()
        return self.steps

    def _node(self, place: Place) -> Optional[Node]:
        scope, name = place
        if scope not in self.scopes:
            function = self.functions[scope]
            nodes = {node.name: node for node in function.nodes}
            for index, argument in enumerate(function.arguments):
                nodes[argument] = Node(argument, f"argument {index}")
            self.scopes[scope] = nodes
        return self.scopes[scope].get(name)

    def _called(self, node: Node) -> Iterator[Function]:
        for item in node.attributes:
            for name in self._attribute(item)[2]:
                yield self.functions[name]

    def _resolved(self, scope: str, text: str) -> Tuple[Place, Any]:
        """Returns the output that an input takes, without the nodes that only pass it on."""
        while True:
            name, output = _split(scope, text)
            if self._is_leaf((scope, name)):
                break
            node = self._node((scope, name))
            if node is None or node.op not in PASSING or not node.inputs:
                break
            index = output if node.op == "IdentityN" and isinstance(output, int) else 0
            text = node.inputs[index if index < len(node.inputs) else 0]
        return (scope, name), output

    def _sources(self, place: Place, node: Node) -> List[Tuple[Place, Any]]:
        if self._is_leaf(place):
            return []
        texts = (*node.inputs, *self.extra.get(node.name, ()))
        return [self._resolved(place[0], text) for text in texts]

    def _is_leaf(self, place: Place) -> bool:
        scope, name = place
        return scope == "" and (name in self.leaves or is_gradient(name))

    def _results(self, function: Function) -> List[Tuple[Place, Any]]:
        return [self._resolved(function.name, text) for text in function.results]

    def _dependencies(self, place: Place) -> List[Place]:
        node = self._node(place)
        if node is None:
            return []
        found = [source for source, _ in self._sources(place, node)]
        if not self._is_leaf(place):
            for function in self._called(node):
                found.extend(source for source, _ in self._results(function))
        wanted = []
        for source in found:
            made = self._node(source)
            if made is not None and made.op in _BACK_EDGES:
                if source not in self.steps and source not in self.open:
                    self.later.append(source)
            else:
                wanted.append(source)
        return wanted

    def _digest(self, source: Place, output: Any) -> int:
        """Returns the digest of an output; that of a back edge of a loop is always the same."""
        anchor = self.anchors.get((source[1], output)) if source[0] == "" else None
        if anchor is not None:
            return self.interner[anchor]
        node = self._node(source)
        if source not in self.steps or (node is not None and node.op in _BACK_EDGES):
            return self.interner["loop"]
        digest = self.steps[source].digest
        return digest if output == 0 else self.interner[digest, output]

    def _step(self, place: Place) -> Step:
        node = self._node(place) or Node(place[1], "unknown")
        sources = self._sources(place, node)
        inputs = [self._digest(*source) for source in sources]
        anchor: Tuple[Any, ...] = ()
        if place[0] == "":
            anchor = self.leaves.get(place[1], ())
            if is_gradient(place[1]):
                anchor = ("gradient",)
        if anchor:
            return Step(place, node, self.interner[anchor], (), (), anchor)
        for function in self._called(node):
            results = self._results(function)
            sources.extend(results)
            inputs.extend(self._digest(*result) for result in results)
        ordered = sorted(inputs) if self._commutes(node) else inputs
        attributes = () if node.op in _WRITES else self.attributes(node)
        digest = self.interner[(_WRITES.get(node.op, node.op), attributes, *ordered)]
        return Step(place, node, digest, tuple(inputs), tuple(sources), (), attributes)

    def _commutes(self, node: Node) -> bool:
        return node.op in _SORTED and ("T", ("string",)) not in self.attributes(node)

    def attributes(self, node: Node) -> Tuple[Any, ...]:
        """The names and values of the attributes that matter."""
        parts = (self._attribute(item) for item in node.attributes)
        return tuple(part[:2] for part in parts if part[0])

    def _attribute(self, item: bytes) -> Tuple[str, Tuple[Any, ...], Tuple[str, ...]]:
        """Returns name and values of an attribute, and the functions that it names."""
        found = self.known.get(item)
        if found is None:
            key, data = bytes_in(item, 1, 2)
            name = key.decode("utf-8", "replace")
            if name.startswith("_") or name in _IGNORED:
                found = ("", (), ())
            else:
                values = tuple(attribute_values(data))
                texts = [v.decode("utf-8", "replace") for v in values if isinstance(v, bytes)]
                called = tuple(text for text in texts if text in self.functions)
                found = (name, () if called else values, called)
            self.known[item] = found
        return found


def _split(scope: str, text: str) -> Tuple[str, Any]:
    """Returns the node and the output of an input; a function's node has ``name:output:number``."""
    if not scope:
        return split_input(text)
    name, _, output = text.partition(":")
    return name, 0 if output.endswith(":0") or not output else output
