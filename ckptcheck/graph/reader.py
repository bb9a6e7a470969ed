"""Reads a graph from the bytes of a file, or from the tracer's answer."""

import base64
import zlib
from typing import Dict

from ..encoding.errors import DamagedError, TooLargeError
from ..encoding.wire import bytes_of, fields, limited
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
    info, graph, saver = _messages(data, 1, 2, 3)
    op_list, version = _messages(info, 2, 5)
    return _verified(Graph(graph, op_list, file, _text(version), _text(*_messages(saver, 3))))


def traced_graph(text: str) -> Graph:
    """Reads the graph of a trace, in the form that :func:`..tracer.traced_graph.packed` writes.

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
        raise DamagedError("there is no graph in it")
    return graph


def _messages(data: bytes, *numbers: int) -> "list[bytes]":
    """Returns the first value of each of the given fields; b"" for a missing one.

    It reads all fields, to detect a truncated file.
    """
    found: Dict[int, bytes] = {}
    for number, kind, value in limited(fields(data)):
        if number in numbers and number not in found:
            found[number] = bytes_of(kind, value)
    return [found.get(number, b"") for number in numbers]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
