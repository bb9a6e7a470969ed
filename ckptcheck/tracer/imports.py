"""Imports graphs again, so that TensorFlow's shape functions check them."""

import contextlib
import types
from typing import Any, Iterator, Mapping, Set


class ImportedError(Exception):
    """TensorFlow's shape functions refuse a graph."""


@contextlib.contextmanager
def imported(
    tensorflow: Any,
    definition: Any,
    pinned: Mapping[str, Any],
    folded: Mapping[str, Any] = types.MappingProxyType({}),
) -> Iterator[Any]:
    """Imports a GraphDef, with known shapes or values for some tensors, as the default graph.

    Raises:
        ImportedError: TensorFlow refuses the shapes in it.
    """
    v1 = tensorflow.compat.v1
    with v1.Graph().as_default() as graph:
        with tensorflow.name_scope("ckptcheck_pinned"):
            mapped = {name: v1.placeholder(*pin) for name, pin in pinned.items()}
            for name, (dtype, value) in folded.items():
                mapped[name] = tensorflow.constant(value, dtype)
        try:
            v1.import_graph_def(definition, mapped, name="")
        except ValueError as error:
            raise ImportedError(str(error)) from None
        yield graph


def part_of(graph: Any, ops: Set[Any]) -> Any:
    """The GraphDef of some ops, without recorded shapes, with the functions of the whole graph."""
    definition = graph.as_graph_def()
    names = {op.name for op in ops}
    kept = [node for node in definition.node if node.name in names]
    part = type(definition)()
    part.versions.CopyFrom(definition.versions)
    part.library.CopyFrom(definition.library)
    part.node.extend(kept)
    for node in part.node:  # recorded shapes would contradict restored ones
        node.attr.pop("_output_shapes", None)
        node.attr.pop("_class", None)
    return part


def named_op(message: str, definition: Any) -> str:
    """The op that an error message names: the longest of the graph's names in quotes or braces."""
    found = [
        node.name
        for node in definition.node
        if any(
            mark.format(node.name) in message
            for mark in ("'{}'", "node {}}}", "{{{{node {}}}}}", "'{} ")
        )
    ]
    return max(found, key=len) if found else ""
