"""Reads a graph from the bytes of a file, or from the tracer's answer."""

import base64
import dataclasses
import zlib
from typing import Dict, Optional

from ..encoding.errors import DamagedError, TooLargeError
from ..encoding.wire import all_bytes, bytes_in
from .graph import Graph

_LARGEST_TRACED = 1 << 29


def parse_graph(data: bytes, file: str) -> Graph:
    """Reads a MetaGraphDef, or a GraphDef in text format.

    Args:
        data: the bytes of the file.
        file: the name of the file; one that ends with ``.pbtxt`` is in text format.

    Raises:
        DamagedError: the file holds no graph, or is damaged.
    """
    if not data:
        raise DamagedError("it is empty")
    if file.endswith(".pbtxt"):
        from ..encoding.text_format import encoded  # takes time, and is seldom needed

        return _verified(Graph(encoded(data, "GraphDef"), file=file))
    return _verified(_of_meta_graph(data, file))


def parse_saved_model(data: bytes, file: str) -> Optional[Graph]:
    """Reads the graph that serves predictions from a SavedModel; returns None if it has none.

    Raises:
        DamagedError: the file holds no SavedModel, or is damaged.
    """
    for meta_graph in all_bytes(data, 2):
        (info,) = bytes_in(meta_graph, 1)
        if b"serve" in all_bytes(info, 4):
            graph = _verified(_of_meta_graph(meta_graph, file))
            return dataclasses.replace(graph, serving=True, keys=_input_keys(meta_graph))
    return None


def _of_meta_graph(data: bytes, file: str) -> Graph:
    info, graph, saver = bytes_in(data, 1, 2, 3)
    op_list, version = bytes_in(info, 2, 5)
    (restore_op,) = bytes_in(saver, 3)
    made_by, restore = (text.decode("utf-8", "replace") for text in (version, restore_op))
    return Graph(graph, op_list, file, made_by, restore, tuple(all_bytes(data, 4)))


def _input_keys(meta_graph: bytes) -> Dict[str, str]:
    """Returns the keys of the inputs of all signatures, by the names of their tensors."""
    keys: Dict[str, str] = {}
    for entry in all_bytes(meta_graph, 5):
        (signature,) = bytes_in(entry, 2)
        for given in all_bytes(signature, 1):
            key, tensor = bytes_in(given, 1, 2)
            (name,) = bytes_in(tensor, 1)
            keys[name.decode("utf-8", "replace")] = key.decode("utf-8", "replace")
    return keys


def traced_graph(text: str) -> Graph:
    """Reads the graph of a trace, in the form that :func:`..tracer.graph_text.graph_text` writes.

    Raises:
        DamagedError: the text is not such a graph.
    """
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(base64.b64decode(text.encode("ascii")), _LARGEST_TRACED)
    except (ValueError, zlib.error) as error:
        raise DamagedError(str(error)) from None
    if not unpacker.eof:
        raise TooLargeError("it is incomplete or too large")
    return Graph(data)


def _verified(graph: Graph) -> Graph:
    """Returns the graph after verifying that it has a node."""
    if next(graph.walk(), None) is None:
        raise DamagedError("it contains no graph")
    return graph
