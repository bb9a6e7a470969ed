"""The keys that an input pipeline parses from ``tf.train.Example`` records."""

import struct
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

from .graph import Graph
from .nodes import Node, split_input
from .values import Constant

_PARSERS = (
    "ParseExample",
    "ParseExampleV2",
    "ParseSingleExample",
    "ParseExampleDataset",
    "ParseExampleDatasetV2",
)
_KEYS = ("dense_keys", "sparse_keys", "ragged_keys")


def parsed_keys(graph: Graph) -> Iterator[str]:
    """Yields the keys of the parsing specs in a graph and in its functions.

    Raises:
        DamagedError: the graph is damaged.
    """
    if b"ParseExample" not in graph.definition and b"ParseSingleExample" not in graph.definition:
        return
    yield from _keys_of(graph.nodes)
    for function in graph.functions:
        yield from _keys_of(function.nodes)


def parsed_outputs(nodes: Sequence[Node]) -> Iterator[Tuple[str, str]]:
    """Yields the names of the dense tensors that some nodes parse, with their keys."""
    constants = {node.name: node for node in nodes if node.op == "Const"}
    for node in nodes:
        if node.op not in _PARSERS[:2]:
            continue
        inputs = [split_input(text)[0] for text in node.inputs]
        keys: Dict[str, List[str]] = {"sparse_keys": [], "dense_keys": []}
        for kind, found in keys.items():
            for name in inputs:
                if name in constants and name.rpartition("/")[2].startswith(kind):
                    found.extend(_strings(constants[name]))
        first = 3 * len(keys["sparse_keys"])  # a sparse tensor has three parts
        for place, key in enumerate(keys["dense_keys"], first):
            yield f"{node.name}:{place}", key


def _keys_of(nodes: Iterable[Node]) -> Iterator[str]:
    """Yields the keys: attributes of some parsers, constant inputs of others."""
    constants = {node.name: node for node in nodes if node.op == "Const"}
    for node in nodes:
        if node.op not in _PARSERS:
            continue
        for attribute in _KEYS:
            yield from (_text(key) for key in node.values(attribute) if isinstance(key, bytes))
        for name in (split_input(text)[0] for text in node.inputs):
            if name in constants and name.rpartition("/")[2].startswith(_KEYS):
                yield from _strings(constants[name])


def _strings(node: Node) -> List[str]:
    """Returns the strings in a constant."""
    found, at = [], 0
    for value in node.values("value"):
        content = value.content if isinstance(value, Constant) else b""
        while at + 8 <= len(content):
            end = at + 8 + int(struct.unpack_from("<Q", content, at)[0])
            found.append(_text(content[at + 8 : end]))
            at = end
    return found


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")
