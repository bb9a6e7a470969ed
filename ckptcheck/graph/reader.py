"""Reads a graph from the bytes of a file, or from the tracer's answer."""

import base64
import zlib

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
    info, graph, saver = bytes_in(data, 1, 2, 3)
    op_list, version = bytes_in(info, 2, 5)
    (restore_op,) = bytes_in(saver, 3)
    made_by, restore = (text.decode("utf-8", "replace") for text in (version, restore_op))
    return _verified(Graph(graph, op_list, file, made_by, restore, tuple(all_bytes(data, 4))))


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
        raise DamagedError("it contains no graph")
    return graph
