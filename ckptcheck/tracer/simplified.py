"""What TensorFlow's graph optimizer works out from the declared shapes, before it runs anything.

A restore that changes a shape comes too late for it: a shape that it has turned into a constant
stays the declared one, and a Reshape that it has dropped lets every shape through.
"""

from typing import Any, Dict, List, Optional, Sequence, Set

from .convolutions import constant_sizes
from .static_shapes import static_shape


def shapes(declared: Any) -> Dict[str, Any]:
    """The values of the ops Shape whose input's shape is declared as a whole.

    Args:
        declared: what TensorFlow gets to run, imported anew: a shape that only Python knows
            (``set_shape``) is not in it.
    """
    found = {}
    for op in declared.get_operations():
        if op.type not in ("Shape", "ShapeN"):
            continue
        for output, given in zip(op.outputs, op.inputs):
            shape = static_shape(given)
            if shape is not None and None not in shape and output.consumers():
                found[output.name] = (output.dtype, shape)
    return found


def slices(tensorflow: Any, graph: Any) -> Dict[str, Any]:
    """The values of the ops Slice that take known sizes out of a shape with unknown ones.

    The optimizer knows those of the declared shapes when it compares shapes, but does not turn them
    into constants. The shape functions do not know them.
    """
    found = {}
    for op in graph.get_operations():
        if op.type != "Slice" or op.inputs[0].op.type != "Shape":
            continue
        taken = _taken(tensorflow, op)
        if taken is not None and None not in taken:
            found[op.outputs[0].name] = (op.outputs[0].dtype, taken)
    return found


def _taken(tensorflow: Any, op: Any) -> Optional[List[Optional[int]]]:
    """The sizes that a Slice of a Shape takes; None where it is not known which."""
    shape = static_shape(op.inputs[0].op.inputs[0])
    begin, size = (constant_sizes(tensorflow, tensor) for tensor in op.inputs[1:3])
    if shape is None or begin is None or size is None:
        return None
    first, count = begin[0], size[0]
    return shape[first:] if count < 0 else shape[first : first + count]


def drop_reshapes(definition: Any, reached: Set[Any], fetched: Set[str]) -> None:
    """Makes an Identity of each Reshape to the shape that its input is declared to have.

    Args:
        definition: the GraphDef that is changed.
        reached: the ops of its graph that restored shapes flow into: of the others a Reshape may
            be all that tells the shape.
        fetched: the names of ops that are fetched, which the optimizer leaves alone.
    """
    nodes = {node.name: node for node in definition.node}
    for op in reached:
        if op.type != "Reshape" or op.name in fetched:
            continue
        if not _is_same(static_shape(op.inputs[0]), static_shape(op.outputs[0])):
            continue
        node = nodes[op.name]
        node.op = "Identity"
        node.input[1] = "^" + node.input[1].partition(":")[0].lstrip("^")
        del node.attr["Tshape"]


def _is_same(mine: Optional[Sequence[Optional[int]]], theirs: Optional[Sequence[Any]]) -> bool:
    """Whether two shapes are the same and known as a whole."""
    if mine is None or theirs is None or None in mine:
        return False
    return list(mine) == list(theirs)
