"""Gradients of convolutions, whose shape functions do not verify what their kernels do.

A gradient op takes the sizes of the filter or the input as a tensor. Where the declared shape is
known they are constants when the graph runs: either the model_fn's own, or folded by TensorFlow,
which trusts declared shapes. After a restore of other shapes they contradict what flows into the
op, and its kernel raises in the first run of TRAIN.
"""

from typing import Any, Iterator, List, Optional, Tuple

from .static_shapes import static_shape

_FILTER_GRADIENTS = ("Conv2DBackpropFilter", "Conv3DBackpropFilterV2")
_INPUT_GRADIENTS = ("Conv2DBackpropInput", "Conv3DBackpropInputV2")


def refusals(tensorflow: Any, declared: Any, restored: Any) -> Iterator[Tuple[str, str]]:
    """The gradient ops that will raise, each with why.

    Args:
        tensorflow: the module.
        declared: the graph as it was traced.
        restored: the part of it that runs, with the restored shapes.
    """
    for op in restored.get_operations():
        if op.type in _FILTER_GRADIENTS:
            problem = _filter_problem(op, _sizes(tensorflow, declared, op, 1))
        elif op.type in _INPUT_GRADIENTS:
            problem = _input_problem(op, _sizes(tensorflow, declared, op, 0))
        else:
            continue
        if problem:
            yield op.name, f"{op.type}: {problem}"


def _sizes(tensorflow: Any, declared: Any, op: Any, slot: int) -> Optional[List[int]]:
    """What a gradient op will get as sizes, None where only the run knows."""
    return constant_sizes(tensorflow, declared.get_operation_by_name(op.name).inputs[slot])


def constant_sizes(tensorflow: Any, tensor: Any) -> Optional[List[int]]:
    """The sizes in a tensor of the declared graph, None where only the run knows them.

    They are constants, or the shape of something whose declared shape is known, which TensorFlow
    computes before it runs anything.
    """
    value = tensorflow.get_static_value(tensor)
    if value is not None:
        return [int(size) for size in value]
    if tensor.op.type not in ("Shape", "ShapeN"):
        return None
    shape = static_shape(tensor.op.inputs[tensor.value_index])
    if shape is None or None in shape:
        return None
    return [size for size in shape if size is not None]


def _filter_problem(op: Any, sizes: Optional[List[int]]) -> str:
    """Sizes of the filter against the input and the gradient of the output."""
    given, gradient = static_shape(op.inputs[0]), static_shape(op.inputs[2])
    if sizes is None or given is None or gradient is None:
        return ""
    return _problem(op, given, sizes, gradient)


def _input_problem(op: Any, sizes: Optional[List[int]]) -> str:
    """Sizes of the input against the filter and the gradient of the output."""
    kernel, gradient = static_shape(op.inputs[1]), static_shape(op.inputs[2])
    if sizes is None or kernel is None or gradient is None or None in kernel:
        return ""
    return _problem(op, list(sizes), [int(size) for size in kernel if size is not None], gradient)


def _problem(
    op: Any, given: List[Optional[int]], kernel: List[int], gradient: List[Optional[int]]
) -> str:
    channels, spatial = _axes(op, len(given))
    if gradient[channels] not in (None, kernel[-1]):
        return "filter and out_backprop must have the same out_depth"
    strides = list(op.get_attr("strides"))
    dilations = list(op.get_attr("dilations"))
    padding = op.get_attr("padding").decode("ascii")
    for place, axis in enumerate(spatial):
        size = given[axis]
        if size is None or gradient[axis] is None or padding not in ("SAME", "VALID"):
            continue
        reach = (kernel[place] - 1) * dilations[axis] + 1
        covered = size if padding == "SAME" else size - reach + 1
        computed = -(-covered // strides[axis])
        if computed != gradient[axis]:
            return (
                f"Size of out_backprop doesn't match computed: actual = {gradient[axis]}, "
                f"computed = {computed}"
            )
    return ""


def _axes(op: Any, rank: int) -> Tuple[int, List[int]]:
    """The axis of the channels and those of space."""
    first = op.get_attr("data_format").decode("ascii").startswith("NC")
    return (1, list(range(2, rank))) if first else (rank - 1, list(range(1, rank - 1)))
