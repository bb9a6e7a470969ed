"""Follows the inputs of nodes through a graph and its functions.

Nodes that only pass a value on are left out. A call of a function is left out, too: the nodes of
the function replace it. Each output of a conditional or a loop is a place of its own, because
TensorFlow adds outputs for the gradients.
"""

import re
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..encoding.errors import TooLargeError
from ..encoding.wire import bytes_in
from .graph import Function, Graph
from .nodes import Node, split_input
from .values import attribute_values

Place = Tuple[str, str]
"""A node: the call that it is in, "" for none, and its name."""
Anchors = Mapping[Tuple[str, int], Tuple[Any, ...]]
"""What outputs mean, by the node's name and the number of the output."""

PASSING = (
    *("Identity", "IdentityN", "ReadVariableOp", "RefIdentity", "Enter", "RefEnter", "Exit"),
    *("CheckNumerics", "CheckNumericsV2", "PreventGradient", "Snapshot", "EnsureShape", "Print"),
    *("DebugIdentity", "DebugIdentityV2"),
)
"""Ops whose outputs are their inputs."""
BACK_EDGES = ("NextIteration", "RefNextIteration")
_PLAIN = {
    "StatefulPartitionedCall": "PartitionedCall",
    "StatelessIf": "If",
    "StatelessCase": "Case",
    "StatelessWhile": "While",
}
"""Ops with two names. One is for functions with state, such as an unused random op."""
_CALLS = ("PartitionedCall",)
_CONDITIONALS = ("If", "Case")
_LOOPS = ("While",)
ARGUMENT = "argument"
"""The op of an argument of a function."""
_IGNORED = (
    *("seed", "seed2", "name", "shared_name", "container", "frame_name", "is_constant"),
    *("parallel_iterations", "maximum_iterations", "swap_memory", "use_locking"),
    *("validate_shape", "validate_indices", "message", "summarize", "output_shapes"),
    *("debug_name", "allowed_devices", "config", "config_proto", "executor_type"),
)
"""Attributes that do not change what is computed."""
_GRADIENT = re.compile(r"(^|/)gradients(_\d+)?/")
_GRADIENT_LEAF = "gradients/"
_MOST_FRAMES = 1 << 14


def is_gradient(name: str) -> bool:
    """Whether TensorFlow made a node to compute gradients."""
    return _GRADIENT.search(name) is not None


class _Frame(NamedTuple):
    """A call of a function.

    Attributes:
        nodes: the nodes and arguments of the function, by name.
        parent: the call around it.
        inputs: the values that the call gives to the arguments; None for an argument that is a
            leaf, such as a variable of a loop.
    """

    nodes: Mapping[str, Node]
    parent: str
    inputs: Sequence[Optional[str]]


Source = Tuple[Place, int]
"""A node and the number of its output."""


class Linked:
    """The nodes of a graph and of the functions that it calls, with their inputs.

    Args:
        graph: the graph.
        anchors: what the leaves mean.
        extra: more inputs of nodes, by the name of the node.
        own: the nodes of gradients to look into, each with the gradient that it belongs to. All
            other nodes of gradients are leaves. If such a node takes a value of another gradient,
            that value is a leaf, too.
    """

    def __init__(
        self,
        graph: Graph,
        anchors: Anchors,
        extra: Mapping[str, Any],
        own: Optional[Mapping[str, str]] = None,
    ) -> None:
        ordered = sorted(anchors.items(), reverse=True)
        self._leaves = {name: anchor for (name, _), anchor in ordered}
        self._extra = extra
        self._own = own or {}
        self._functions = {function.name: function for function in graph.functions}
        self._frames = {"": _Frame(_by_name(graph.nodes), "", ())}
        self._known: Dict[bytes, Tuple[str, Tuple[Any, ...], Tuple[str, ...]]] = {}
        self._kept: Dict[str, Set[int]] = {}
        self._sources: Dict[Place, Tuple[Source, ...]] = {}
        self._starts: Dict[str, Tuple[str, Sequence[str]]] = {}

    def node(self, place: Place) -> Node:
        """The node at a place; one without an op if there is none."""
        scope, name = place
        return self._frames[scope].nodes.get(name.partition(":")[0]) or Node(name, "")

    def anchor(self, place: Place) -> Tuple[Any, ...]:
        """Returns what a leaf means, and () for any other node."""
        if place[0]:
            node = self.node(place)
            loose = node.op == ARGUMENT and self._given(place[0], node) is None
            return (ARGUMENT, *node.inputs) if loose else ()
        if is_gradient(place[1]) and place[1] not in self._own:
            return ("gradient",)
        return self._leaves.get(place[1], ())

    def resolved(self, scope: str, text: str) -> Source:
        """Returns the output that an input takes."""
        while True:
            name, output = _split(text)
            node = self.node((scope, name))
            if self.anchor((scope, name)):
                break
            if node.op in PASSING and node.inputs:
                index = output if node.op == "IdentityN" else 0
                text = self._taken(node, node.inputs[index if index < len(node.inputs) else 0])
            elif node.op == ARGUMENT and self._given(scope, node) is not None:
                scope, text = self._frames[scope].parent, self._given(scope, node) or ""
            elif node.op in _CALLS and self._called(node):
                ((_, function),) = self._called(node).items()
                if output >= len(function.results):
                    break
                scope = self._entered((scope, name), function, node.inputs)
                text = function.results[output]
            elif node.op in (*_CONDITIONALS, *_LOOPS) and self._called(node):
                return (scope, f"{name}:{output}"), 0
            else:
                break
        return (scope, name), output

    def _given(self, scope: str, argument: Node) -> Optional[str]:
        """Returns the value that a call gives to an argument; None if the argument is a leaf."""
        inputs = self._frames[scope].inputs
        index = int(argument.inputs[0])
        return inputs[index] if index < len(inputs) else None

    def _entered(self, caller: Place, function: Function, inputs: Sequence[Optional[str]]) -> str:
        """Returns the scope of a call of a function."""
        scope = "/".join(filter(None, (caller[0], caller[1], function.name)))
        if scope not in self._frames:
            if len(self._frames) > _MOST_FRAMES:
                raise TooLargeError("it calls too many functions")
            nodes = _by_name(function.nodes)
            for index, name in enumerate(function.arguments):
                nodes[name] = Node(name, ARGUMENT, (str(index),))
            self._frames[scope] = _Frame(nodes, caller[0], inputs)
        return scope

    def sources(self, place: Place) -> Tuple[Source, ...]:
        """Returns what a node takes; () for a leaf."""
        found = self._sources.get(place)
        if found is None:
            found = self._sources[place] = tuple(self._found(place))
        return found

    def _found(self, place: Place) -> Iterator[Source]:
        node = self.node(place)
        if self.anchor(place):
            return
        if node.op in _CONDITIONALS and ":" in place[1]:
            yield from self._of_conditional(place, node)
        elif node.op in _LOOPS and ":" in place[1]:
            yield from self._of_loop(place, node)
        else:
            for text in (*node.inputs, *(() if place[0] else self._extra.get(node.name, ()))):
                yield self.resolved(place[0], self._taken(node, text))

    def _taken(self, node: Node, text: str) -> str:
        """Returns an input of a node. If it belongs to another gradient, returns a leaf."""
        gradient = self._own.get(node.name)
        name = _split(text)[0]
        foreign = gradient and is_gradient(name) and self._own.get(name) != gradient
        return _GRADIENT_LEAF if foreign else text

    def _of_conditional(self, place: Place, node: Node) -> Iterator[Source]:
        """Yields the condition, and an output of each branch."""
        number = int(place[1].rpartition(":")[2])
        yield self.resolved(place[0], node.inputs[0])
        for key, function in self._called(node).items():
            if number < len(function.results):
                caller = (place[0], f"{node.name}.{key}")
                scope = self._entered(caller, function, node.inputs[1:])
                yield self.resolved(scope, function.results[number])

    def _of_loop(self, place: Place, node: Node) -> Iterator[Source]:
        """Yields the initial and the next value of each variable on which an output depends."""
        called = self._called(node)
        body, condition = called.get("body"), called.get("cond")
        if body is None or condition is None:
            return
        kept = self._kept_by(body)
        inputs = [text if number in kept else None for number, text in enumerate(node.inputs)]
        scopes = [
            self._entered((place[0], f"{node.name}.{function.name}"), function, inputs)
            for function in (body, condition)
        ]
        self._starts.update(dict.fromkeys(scopes, (place[0], node.inputs)))
        own = int(place[1].rpartition(":")[2])
        decisive = [self.resolved(scopes[1], text) for text in condition.results]
        needed = {own, *self._arguments(decisive)}
        waiting = list(needed)
        while waiting:
            number = waiting.pop()
            if number < len(body.results):
                taken = self._arguments([self.resolved(scopes[0], body.results[number])])
                waiting.extend(taken - needed)
                needed |= taken
        yield from decisive
        for number in (own, *sorted(needed - {own})):
            if number < min(len(body.results), len(node.inputs)):
                yield self.resolved(place[0], node.inputs[number])
                yield self.resolved(scopes[0], body.results[number])

    def _kept_by(self, body: Function) -> Set[int]:
        """Returns the numbers of the variables that a loop does not change."""
        found = self._kept.get(body.name)
        if found is None:
            nodes = _by_name(body.nodes)
            pairs = enumerate(zip(body.arguments, body.results))
            found = {n for n, (name, text) in pairs if _is_argument(nodes, text, name)}
            self._kept[body.name] = found
        return found

    def _arguments(self, roots: List[Source]) -> Set[int]:
        """Returns the arguments of a loop's function that some values depend on."""
        stack = [place for place, _ in roots]
        scopes = {place[0] for place in stack}
        seen: Set[Place] = set()
        found: Set[int] = set()
        while stack:
            place = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            node = self.node(place)
            if node.op == ARGUMENT and place[0] in scopes:
                found.add(int(node.inputs[0]))
                continue
            stack.extend(source for source, _ in self.sources(place))
        return found

    def _called(self, node: Node) -> Dict[str, Function]:
        """The functions that a node calls, by the attribute that names them."""
        parts = map(self._attribute, node.attributes)
        return {
            f"{key}{place or ''}": self._functions[name]
            for key, _, names in parts
            for place, name in enumerate(names)
        }

    def settled(self, source: Source) -> Source:
        """Returns the output that has the value of an output."""
        return source

    def is_folded(self, place: Place) -> bool:
        """Whether a node is a constant that the graph computes from others."""
        return False

    def attributes(self, place: Place) -> Tuple[Any, ...]:
        """The names and values of a node's attributes that matter."""
        node = self.node(place)
        if node.op in (*_CONDITIONALS, *_LOOPS):
            return ()
        parts = map(self._attribute, node.attributes)
        return tuple(part[:2] for part in parts if part[0])

    def _attribute(self, item: bytes) -> Tuple[str, Tuple[Any, ...], Tuple[str, ...]]:
        """Returns name and values of an attribute, and the functions that it names."""
        found = self._known.get(item)
        if found is None:
            key, data = bytes_in(item, 1, 2)
            name = key.decode("utf-8", "replace")
            if name.startswith("_") or name in _IGNORED:
                found = ("", (), ())
            else:
                values = tuple(attribute_values(data))
                texts = [v.decode("utf-8", "replace") for v in values if isinstance(v, bytes)]
                called = tuple(text for text in texts if text in self._functions)
                found = (name, () if called else values, called)
            self._known[item] = found
        return found


def _by_name(nodes: Iterable[Node]) -> Dict[str, Node]:
    """Returns nodes by name, with the plain names of their ops."""
    return {
        node.name: node._replace(op=_PLAIN[node.op]) if node.op in _PLAIN else node
        for node in nodes
    }


def _is_argument(nodes: Mapping[str, Node], text: str, argument: str) -> bool:
    """Whether a result of a function is one of its arguments."""
    for _ in nodes:
        node = nodes.get(_split(text)[0])
        if node is None or node.op != "Identity" or not node.inputs:
            break
        text = node.inputs[0]
    return text == argument


def _split(text: str) -> Tuple[str, int]:
    """Returns the node and the output of an input; a function's node has ``name:output:number``."""
    name, _, output = text.partition(":")
    return split_input(f"{name}:{output.rpartition(':')[2]}")
