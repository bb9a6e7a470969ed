"""Finds the variables that a restore sets, and their keys in the checkpoint."""

from typing import Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ..encoding.wire import all_bytes, bytes_in
from .graph import Graph
from .nodes import Node, split_input

READ_OPS = ("RestoreV2", "Restore", "RestoreSlice")
_ASSIGN_OPS = ("Assign", "AssignVariableOp")
_ON_THE_WAY = ("Identity", "Reshape", "Cast")
_MOST_STEPS = 8


def restored_keys(graph: Graph, restore_op: str) -> Dict[str, str]:
    """Returns the key that the restore op reads into each variable, by the variable's node.

    A part of a partitioned variable has the key and the slice.

    Raises:
        DamagedError: a node is damaged.
    """
    nodes = {node.name: node for node in graph.nodes}
    within = ancestors(nodes, [restore_op])
    found: Dict[str, str] = {}
    keys: Dict[str, List[str]] = {}
    for name in within:
        node = nodes[name]
        if node.op in _ASSIGN_OPS and len(node.inputs) > 1:
            source, output = _source(nodes, node.inputs[1])
            if source.op in READ_OPS:
                if source.name not in keys:
                    keys[source.name] = _keys(nodes, source)
                found.update(zip([split_input(node.inputs[0])[0]], keys[source.name][output:]))
    return found


def ancestors(nodes: Mapping[str, Node], roots: Sequence[str]) -> Set[str]:
    """Returns the names of all nodes that some nodes depend on, with themselves."""
    seen: Set[str] = set()
    stack: List[str] = [name for name in roots if name in nodes]
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            node = nodes[name]
            stack.extend(n for n in node.controls if n in nodes)
            stack.extend(n for n, _ in map(split_input, node.inputs) if n in nodes)
    return seen


def _source(nodes: Mapping[str, Node], text: str) -> Tuple[Node, int]:
    """Follows a restored value back to the op that reads it."""
    name, output = split_input(text)
    for _ in range(_MOST_STEPS):
        node = nodes.get(name, Node("", ""))
        if node.op not in _ON_THE_WAY or not node.inputs:
            break
        name, output = split_input(node.inputs[0])
    return node, output


def _keys(nodes: Mapping[str, Node], read: Node) -> List[str]:
    """Returns the key of each output of a read op, followed by the slice, if there is one."""
    lists = [list(strings(nodes.get(split_input(i)[0], Node("", "")))) for i in read.inputs[1:3]]
    keys = lists[0] if lists else []
    slices = lists[1] if len(lists) > 1 else [""] * len(keys)
    return [f"{key} {piece}".strip() for key, piece in zip(keys, slices)]


def strings(node: Node) -> Iterator[str]:
    """Yields all strings in a constant.

    Raises:
        DamagedError: the constant is damaged.
    """
    for item in node.attributes if node.op == "Const" else ():
        key, value = bytes_in(item, 1, 2)
        if key == b"value":
            (tensor,) = bytes_in(value, 8)
            for text in all_bytes(tensor, 8):
                yield text.decode("utf-8", "surrogateescape")
