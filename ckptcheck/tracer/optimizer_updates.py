"""Checks the updates of optimizers: variable, gradient and slots must have the same shape.

A sparse gradient has one row for each looked-up row, as wide as a row of the variable. Some
versions' shape functions do not verify this for resource variables.
"""

import re
from typing import Any, Iterator, List, Optional, Tuple

from .static_shapes import attribute_shape, static_shape

_APPLY = re.compile(r"^Resource(?P<sparse>Sparse)?Apply[A-Z]")
_OF_ROWS = ("grad", "delta")
_ALIKE = ("grad", "delta", "accum", "accum_update", "linear", "m", "v", "vhat", "mg", "ms", "mom")
"""The inputs of these ops that have the variable's shape, by their names in TensorFlow."""


def refusals(tensorflow: Any, declared: Any, restored: Any) -> Iterator[Tuple[str, str]]:
    """The updates that will raise, each with its error.

    Args:
        tensorflow: the module.
        declared: the graph as it was traced.
        restored: the part of it that runs, with the restored shapes.
    """
    for op in restored.get_operations():
        apply = _APPLY.match(op.type)
        if not apply:
            continue
        names = [argument.name for argument in op.op_def.input_arg]
        variable = _held_shape(op.inputs[names.index("var")])
        for name in filter(names.__contains__, _ALIKE):
            other = _held_shape(_before_loop(declared, op.inputs[names.index(name)]))
            of_rows = bool(apply.group("sparse")) and name in _OF_ROWS
            if of_rows and _differ(_row(variable), _row(other)):
                yield op.name, f"var and {name} must match in their rows {variable} {other}"
            if not of_rows and _differ(variable, other):
                yield op.name, f"var and {name} do not have the same shape {variable} {other}"


def _before_loop(declared: Any, tensor: Any) -> Any:
    """Returns the initial value of a TensorFlow 1 loop if its shape is kept, else the tensor.

    The shape functions do not know the shapes at the end of an iteration.
    """
    if tensor.op.type != "Exit":
        return tensor
    merge = tensor.op.inputs[0].op.inputs[0].op
    shape = static_shape(declared.get_operation_by_name(merge.name).outputs[0])
    entered = merge.inputs[0].op
    keeps = shape is not None and None not in shape and entered.type == "Enter"
    return entered.inputs[0] if keeps else tensor


def _held_shape(tensor: Any) -> Optional[List[Optional[int]]]:
    """Returns the shape of a tensor; for a handle, the shape of its variable."""
    if tensor.op.type != "VarHandleOp":
        return None if tensor.dtype.name == "resource" else static_shape(tensor)
    shape = attribute_shape(tensor.op)
    return None if shape is None else list(shape)


def _row(shape: Optional[List[Optional[int]]]) -> Optional[List[Optional[int]]]:
    return shape[1:] if shape else None


def _differ(one: Optional[List[Optional[int]]], other: Optional[List[Optional[int]]]) -> bool:
    """Whether two shapes are known to differ."""
    if one is None or other is None:
        return False
    known = all(a is None or b is None or a == b for a, b in zip(one, other))
    return len(one) != len(other) or not known
