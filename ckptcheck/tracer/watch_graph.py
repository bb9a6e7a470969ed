"""Notes the files that a graph names. A run opens them in C++, for example for a lookup table."""

from typing import Any

from .watch import WATCH

_STRING = 7
"""The number of the dtype in TensorFlow's protocol."""


def note_texts(graph: Any) -> None:
    """Notes the strings among the constants of a graph, before a part of it runs."""
    if not WATCH.active:
        return
    for node in graph.as_graph_def().node:
        if node.op == "Const" and node.attr["dtype"].type == _STRING:
            for value in node.attr["value"].tensor.string_val:
                WATCH.note_text(value.decode("utf-8", "surrogateescape"))
