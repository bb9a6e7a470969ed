"""Slices, whose shape function does not verify what their kernel does.

The gradient of a concatenation cuts the gradient at the sizes of what was concatenated. Where the
declared sizes are known they are constants when the graph runs, as in :mod:`.convolutions`; after
a restore of other shapes a slice can reach beyond what flows into it, and the first run raises.
"""

from typing import Any, Iterator, List, Optional, Tuple

from .convolutions import constant_sizes
from .static_shapes import static_shape


def refusals(tensorflow: Any, declared: Any, restored: Any) -> Iterator[Tuple[str, str]]:
    """The slices that will raise, each with why.

    Args:
        tensorflow: the module.
        declared: the graph as it was traced.
        restored: the part of it that runs, with the restored shapes.
    """
    for op in restored.get_operations():
        if op.type != "Slice":
            continue
        mine = declared.get_operation_by_name(op.name)
        begin = _begin(tensorflow, mine.inputs[1])
        size = constant_sizes(tensorflow, mine.inputs[2])
        problem = _problem(static_shape(op.inputs[0]), begin, size)
        if problem:
            yield op.name, problem


def _problem(
    given: Optional[List[Optional[int]]], begin: Optional[List[int]], size: Optional[List[int]]
) -> str:
    """What the kernel says, "" where it says nothing or only the run knows."""
    if given is None or begin is None or size is None:
        return ""
    for axis, (first, many, there) in enumerate(zip(begin, size, given)):
        if there is not None and many >= 0 and first + many > there:
            return f"Expected size[{axis}] in [0, {max(0, there - first)}], but got {many}"
    return ""


def _begin(tensorflow: Any, tensor: Any) -> Optional[List[int]]:
    """Where a slice begins: a constant, or what ConcatOffset makes of constants."""
    if tensor.op.type != "ConcatOffset":
        return constant_sizes(tensorflow, tensor)
    axis = _scalar(tensorflow, tensor.op.inputs[0])
    before = [
        constant_sizes(tensorflow, shape) for shape in tensor.op.inputs[1 : 1 + tensor.value_index]
    ]
    rank = tensor.get_shape().num_elements()
    if axis is None or rank is None:
        return None
    offset = [0] * rank
    for sizes in before:
        if sizes is None:
            return None
        offset[axis] += sizes[axis]
    return offset


def _scalar(tensorflow: Any, tensor: Any) -> Optional[int]:
    """A number that is constant, or the axis modulo the rank that the gradient writes."""
    if tensor.op.type == "FloorMod":
        left, right = (_scalar(tensorflow, given) for given in tensor.op.inputs)
        return None if left is None or not right else left % right
    value = tensorflow.get_static_value(tensor)
    return None if value is None else int(value)
