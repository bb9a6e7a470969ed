"""Checks reads that the user's own saveable objects restore.

Only the user's code knows how such an object restores, but its restore consists of ops in the
graph. That part of the graph is imported again, with tensors of the stored shapes instead of the
reads. TensorFlow's shape functions then tell which shapes they refuse. A restore does not verify
the shape of a resource variable, so this module compares it.
"""

from typing import Any, Dict, Iterable, Optional, Set, Tuple

from ..protocol import RunError, VariableSpec, allows
from .imports import named_op, part_of
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
    return _Restored(tensorflow, graph, given, {output.op for output in restore.outputs}).errors()


class _Restored:
    """The part of a graph that restores some tensors, with the stored shapes in it."""

    def __init__(
        self, tensorflow: Any, graph: Any, given: Dict[Any, VariableSpec], readers: Set[Any]
    ) -> None:
        self._tensorflow = tensorflow
        self._graph = graph
        self._given = given
        self._part = ancestors(consumers_of(given)) - readers

    def errors(self) -> Tuple[RunError, ...]:
        v1 = self._tensorflow.compat.v1
        unverified = {op for op in self._part if op.type == _UNVERIFIED}
        definition = part_of(self._graph, self._part - unverified)
        for node in definition.node:  # what is left out takes nothing of these
            controls = [text for text in node.input if text.startswith("^")]
            for text in controls:
                node.input.remove(text)
        with v1.Graph().as_default() as graph:
            stand_ins = {
                output.name: v1.placeholder(output.dtype.base_dtype, spec.shape)
                for output, spec in self._given.items()
            }
            needed = {t.name for op in self._part - unverified for t in op.inputs}
            try:
                v1.import_graph_def(
                    definition, {k: v for k, v in stand_ins.items() if k in needed}, name=""
                )
            except ValueError as error:
                op = named_op(str(error), definition)
                return (RunError(self._keys(op), op, str(error).splitlines()[0]),)
            found = [self._unlike(graph, stand_ins, op) for op in unverified]
        return tuple(error for error in found if error is not None)

    def _keys(self, name: str) -> Tuple[str, ...]:
        """The keys that an op's inputs come from; all where no op is named."""
        taken: Optional[Set[Any]] = None
        if name:
            taken = {
                t for op in ancestors([self._graph.get_operation_by_name(name)]) for t in op.inputs
            }
        return tuple(
            sorted(
                spec.name
                for output, spec in self._given.items()
                if taken is None or output in taken
            )
        )

    def _unlike(self, graph: Any, stand_ins: Dict[str, Any], op: Any) -> Optional[RunError]:
        """An error without words where a resource variable silently gets another shape."""
        handle, value = op.inputs[0].op, op.inputs[1]
        tensor = stand_ins.get(value.name)
        if tensor is None:
            tensor = graph.get_tensor_by_name(value.name)
        shape = full_shape(tensor)
        if handle.type != "VarHandleOp" or shape is None:
            return None
        if allows(attribute_shape(handle), shape):
            return None
        return RunError(self._keys(op.name), op.name, "")
