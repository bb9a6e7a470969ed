"""The strings in a graph, which may name files that the code reads."""

import struct
from typing import Iterator

from ..graph.graph import Graph
from ..graph.values import Constant

_LENGTH = struct.Struct("<Q")


def texts_of(graph: Graph) -> Iterator[str]:
    """Yields the strings among the constants of a graph, such as the names of files.

    Raises:
        DamagedError: the graph is damaged.
    """
    for node in graph.walk():
        if node.op != "Const":
            continue
        for value in node.values("value"):
            if isinstance(value, Constant) and value.dtype == "string" and value.shape == ():
                yield value.content[_LENGTH.size :].decode("utf-8", "replace")
