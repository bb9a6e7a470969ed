"""Finds the ops whose inputs may have other shapes after a restore.

All other ops work on the declared shapes, so the restore cannot make them raise. If a model is too
large for a dry run, the part with the affected ops may still be small enough.
"""

from typing import Any, List, Mapping, Sequence, Set

from .imports import ImportedError, imported, part_of
from .static_shapes import full_shape


def affected_sinks(
    tensorflow: Any,
    graph: Any,
    ops: Set[Any],
    changed: Mapping[str, Sequence[int]],
    pinned: Mapping[str, Any],
) -> List[Any]:
    """Returns the affected ops and all ops that they depend on.

    An op that follows an affected op also counts as affected, because TensorFlow may fuse the two.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        ops: all that the mode runs.
        changed: the restored shapes, by the names of the variables' ops.
        pinned: dtypes and shapes of the inputs, by name.

    Returns:
        The ops; none if TensorFlow's shape functions refuse the restored shapes.
    """
    definition = part_of(graph, ops)
    try:
        with imported(tensorflow, definition, pinned) as declared:
            shapes = {
                output.name: full_shape(output)
                for op in declared.get_operations()
                for output in op.outputs
            }
        restore_shapes(tensorflow, definition, changed)
        with imported(tensorflow, definition, pinned) as restored:
            affected = _affected(restored, changed, shapes)
    except ImportedError:
        return []
    users = {
        op: {user for output in op.outputs for user in output.consumers()}
        for op in map(graph.get_operation_by_name, affected)
    }
    ends = {op for op, found in users.items() if not found}
    return sorted(ends.union(*users.values()) & ops, key=lambda op: str(op.name))


def restore_shapes(tensorflow: Any, definition: Any, changed: Mapping[str, Sequence[int]]) -> None:
    """Gives variables of a GraphDef the restored shapes."""
    for node in definition.node:
        if node.name in changed:
            shape = tensorflow.TensorShape(changed[node.name]).as_proto()
            node.attr["shape"].shape.CopyFrom(shape)


def _affected(restored: Any, changed: Mapping[str, Any], shapes: Mapping[str, Any]) -> Set[str]:
    """The names of the ops that read a tensor whose shape may differ."""
    affected: Set[str] = set()
    other: Set[str] = set()
    operations = restored.get_operations()
    while True:
        before = len(other)
        for op in operations:
            reached = any(given.name in other for given in op.inputs)
            if reached:
                affected.add(op.name)
            if not reached and op.name not in changed:
                continue
            other.update(
                output.name
                for output in op.outputs
                if op.name in changed
                or full_shape(output) is None
                or full_shape(output) != shapes.get(output.name)
            )
        if len(other) == before:  # loops have edges back
            return affected
