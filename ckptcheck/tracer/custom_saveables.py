"""Checks reads that the user's own saveable objects restore.

Only the user's code knows how such an object restores, but its restore consists of ops in the
graph. This module imports that part of the graph again, with tensors of the stored shapes instead
of the reads. TensorFlow's shape functions then refuse the shapes that a restore would refuse. A
restore does not verify the shape of a resource variable, so this module compares it.
"""

from typing import Any, Dict, Iterable, Optional, Tuple

from ..protocol import RunError, VariableSpec, allows
from .imports import ImportedError, imported, named_op, part_of
from .restore_plan import Restore, ancestors, consumers_of
from .static_shapes import attribute_shape, full_shape

_UNVERIFIED = "AssignVariableOp"


def errors(
    tensorflow: Any, graph: Any, restore: Restore, checkpoint: Iterable[VariableSpec]
) -> Tuple[RunError, ...]:
    """Returns the errors that the stored shapes cause in reads with an opaque sink.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        restore: its restore plan, with the tensors that are read.
        checkpoint: what the checkpoint holds.
    """
    stored = {spec.name: spec for spec in checkpoint}
    given = {
        output: stored[read.key]
        for read, output in zip(restore.plan.reads, restore.outputs)
        if read.sink == "opaque" and read.key in stored and stored[read.key].dtype == read.dtype
    }
    if not given:
        return ()
    part = ancestors(consumers_of(given)) - {output.op for output in restore.outputs}
    unverified = {op for op in part if op.type == _UNVERIFIED}
    verified = part - unverified
    definition = part_of(graph, verified)
    for node in definition.node:  # ops that are left out are no inputs of these
        inputs = [text for text in node.input if not text.startswith("^")]
        del node.input[:]
        node.input.extend(inputs)
    pinned = {
        output.name: (output.dtype.base_dtype, spec.shape)
        for output, spec in given.items()
        if not verified.isdisjoint(output.consumers())
    }
    try:
        with imported(tensorflow, definition, pinned) as imported_graph:
            found = [_silent_error(graph, given, imported_graph, op) for op in unverified]
    except ImportedError as error:
        name = named_op(str(error), definition)
        return (RunError(_keys(graph, given, name), name, str(error).splitlines()[0]),)
    return tuple(error for error in found if error is not None)


def _keys(graph: Any, given: Dict[Any, VariableSpec], name: str) -> Tuple[str, ...]:
    """The keys that an op's inputs come from; all if no op is named."""
    taken = set(given)
    if name:
        above = ancestors([graph.get_operation_by_name(name)])
        taken.intersection_update(tensor for op in above for tensor in op.inputs)
    return tuple(sorted(given[output].name for output in taken))


def _silent_error(
    graph: Any, given: Dict[Any, VariableSpec], restored: Any, op: Any
) -> Optional[RunError]:
    """Returns an error without a message if an op gives a resource variable another shape."""
    handle, value = op.inputs[0].op, op.inputs[1]
    if value in given:
        shape = given[value].shape
    else:
        shape = full_shape(restored.get_tensor_by_name(value.name))
    if handle.type != "VarHandleOp" or shape is None or allows(attribute_shape(handle), shape):
        return None
    return RunError(_keys(graph, given, op.name), op.name, "")
