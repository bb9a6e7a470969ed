"""Checks the functions that loops and calls run, which TensorFlow's shape functions do not check.

In TensorFlow 2 a loop is one op, While, and its body is a function. The op always has the declared
shapes, but the kernels in the function get the restored shapes. So the function is imported as a
separate graph, with the inputs that it has in the restored graph.

The branches of a cond are not checked, because only the run decides which branch runs.
"""

from typing import Any, Iterator, List, Optional, Sequence, Tuple

from . import compat
from .imports import ImportedError, imported, named_op

LOOPS = ("While", "StatelessWhile")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_PASSES = ("Identity", "Enter", "Switch")


def refusals(tensorflow: Any, declared: Any, restored: Any) -> Iterator[Tuple[str, str]]:
    """The ops in called functions that will raise, each with its error.

    Args:
        tensorflow: the module.
        declared: the graph as it was traced.
        restored: the part of it that runs, with the restored shapes.
    """
    calls = [(op, called) for op in restored.get_operations() for called in _called_by(op)]
    if calls:
        library = restored.as_graph_def().library
        for op, called in calls:
            refusal = _refusal(tensorflow, restored, library, op, called)
            mine = declared.get_operation_by_name(op.name)
            if refusal and not _refusal(tensorflow, declared, library, mine, called):
                yield f"{op.name}/{refusal[0]}".rstrip("/"), refusal[1]


def _called_by(op: Any) -> Sequence[str]:
    """Returns the attributes of an op that name functions that it always calls."""
    if op.type in LOOPS:
        return ("cond", "body")
    return ("f",) if op.type in CALLS else ()


def _refusal(
    tensorflow: Any, graph: Any, library: Any, op: Any, attribute: str
) -> Optional[Tuple[str, str]]:
    """Imports a function that an op calls; returns the op in it that will raise, and why."""
    name = op.get_attr(attribute).name
    function = next(item for item in library.function if item.signature.name == name)
    definition = compat.graph_of_function(graph, function, _given_shapes(op))
    _give_variables(definition, function, op)
    definition.library.CopyFrom(library)
    try:
        with imported(tensorflow, definition, {}) as body:
            for inner in body.get_operations():
                for called in _called_by(inner):
                    found = _refusal(tensorflow, body, library, inner, called)
                    if found:
                        return f"{inner.name}/{found[0]}", found[1]
    except ImportedError as error:
        return named_op(str(error), definition), str(error).splitlines()[0]
    return None


def _given_shapes(op: Any) -> List[Any]:
    """Returns the shapes of a function's inputs. For a loop, keeps the sizes that never change."""
    shapes = [tensor.get_shape() for tensor in op.inputs]
    if op.type not in LOOPS:
        return shapes
    return [_common(given, kept.get_shape()) for given, kept in zip(shapes, op.outputs)]


def _common(given: Any, kept: Any) -> Any:
    """Returns a shape with only the sizes that a loop keeps. The other sizes become unknown."""
    if given.rank is None or kept.rank != given.rank:
        return type(given)(None)
    sizes = zip(given.as_list(), kept.as_list())
    return type(given)([None if stays is None else size for size, stays in sizes])


def _give_variables(definition: Any, function: Any, op: Any) -> None:
    """Puts the variables in place of the handles that a function is given."""
    nodes = {node.name: node for node in definition.node}
    for argument, tensor in zip(function.signature.input_arg, op.inputs):
        handle = handle_of(tensor)
        if handle is not None:
            node = nodes[argument.name]
            node.CopyFrom(handle.node_def)
            node.name = argument.name
            del node.input[:]


def handle_of(tensor: Any) -> Optional[Any]:
    """Returns the op of a variable from its handle; None if the tensor is not a handle."""
    op = tensor.op
    while op.type in _PASSES:
        op = op.inputs[0].op
    return op if op.type == "VarHandleOp" else None
