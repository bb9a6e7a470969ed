"""Reads a graph out of a file's bytes or out of what the tracer sent."""

import base64
import zlib
from typing import Dict

from ..encoding.errors import DamagedError, TooLargeError
from ..encoding.wire import bytes_of, fields, limited
from .graph import Graph

_LARGEST_TRACED = 1 << 29


def parse_graph(data: bytes, file: str) -> Graph:
    """Reads a MetaGraphDef, or the text of a GraphDef.

    Args:
        data: the bytes of the file.
        file: its name: that of a text ends with ``.pbtxt``.

    Raises:
        DamagedError: there is no graph in it.
    """
    if not data:
        raise DamagedError("it is empty")
    if file.endswith(".pbtxt"):
        from ..encoding.text_format import encoded  # which takes time, and few graphs are texts

        return _verified(Graph(encoded(data, "GraphDef"), file=file))
    info, graph, saver = _messages(data, 1, 2, 3)
    op_list, version = _messages(info, 2, 5)
    return _verified(Graph(graph, op_list, file, _text(version), _text(*_messages(saver, 3))))


def traced_graph(text: str) -> Graph:
    """Reads the graph of a trace, as :func:`..tracer.traced_graph.packed` writes it.

    Raises:
        DamagedError: it is not one.
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
    """A graph that has a node."""
    if next(graph.walk(), None) is None:
        raise DamagedError("there is no graph in it")
    return graph


def _messages(data: bytes, *numbers: int) -> "list[bytes]":
    """The first value of each of some fields; an empty one where there is none.

    All fields are read: a copy may lack its end.
    """
    found: Dict[int, bytes] = {}
    for number, kind, value in limited(fields(data)):
        if number in numbers and number not in found:
            found[number] = bytes_of(kind, value)
    return [found.get(number, b"") for number in numbers]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
