"""Writes the traced graph for the reply: small, but with all parts that are compared."""

from base64 import b64encode
from typing import Any, Optional
from zlib import compress

from ..content_digest import content_digest
from ..protocol import ProjectCopy
from . import compat

_LARGE_CONSTANT = 1 << 10
_LARGEST_CONSTANTS = 1 << 28
"""The most bytes of constants to copy for their digests. There may be little memory left."""
_LARGEST_TEXT = 1 << 26
_WITH_SHAPES = ("Conv2DBackpropInput", "ExpandDims", "Reshape", "Squeeze")
"""Ops that versions of TensorFlow give different arguments for the same shape."""

_b64encode, _compress, _content_digest = b64encode, compress, content_digest


def graph_text(tensorflow: Any, graph: Any, copy: Optional[ProjectCopy] = None) -> str:
    """The GraphDef of a graph, compressed, in base64; "" if TensorFlow cannot write it.

    A large constant has a digest instead of its values. The digest is in the field for string
    values, which such a constant does not use.

    Args:
        tensorflow: the module.
        graph: the graph.
        copy: a copy of the project. Paths in it become those of the project.
    """
    try:
        data = _definition(tensorflow, graph, copy).SerializeToString()
    except Exception:  # it is larger than protobuf allows, or the code replaced what this needs
        return ""
    text = _b64encode(_compress(data, 1)).decode("ascii")
    return text if len(text) <= _LARGEST_TEXT else ""


def _definition(tensorflow: Any, graph: Any, copy: Optional[ProjectCopy]) -> Any:
    ops = graph.get_operations()
    if sum(map(_constant_bytes, ops)) > _LARGEST_CONSTANTS:
        return _without_constants(tensorflow, ops)
    definition = graph.as_graph_def()
    shaped = {op.name: op for op in ops if op.type in _WITH_SHAPES}
    for node in definition.node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            if copy is not None:
                names = (copy.path.encode(), copy.original.encode())
                tensor.string_val[:] = [text.replace(*names) for text in tensor.string_val]
            _shorten(tensorflow, tensor)
        elif node.name in shaped:
            (output,) = shaped[node.name].outputs
            node.attr["_output_shapes"].list.shape.add().CopyFrom(output.shape.as_proto())
    return definition


def _constant_bytes(op: Any) -> int:
    if op.type != "Const":
        return 0
    tensor = op.outputs[0]
    return int((tensor.shape.num_elements() or 0) * tensor.dtype.size)


def _shorten(tensorflow: Any, tensor: Any) -> None:
    """Replaces the values of a large constant by their digest."""
    if len(tensor.tensor_content) > _LARGE_CONSTANT:
        size = tensorflow.as_dtype(tensor.dtype).size
        digest, _ = _content_digest(tensor.tensor_content, size)
        tensor.tensor_content = b""
        tensor.string_val.append(bytes.fromhex(digest))


def _without_constants(tensorflow: Any, ops: Any) -> Any:
    """The nodes one by one, without the values of constants."""
    definition = compat.v1(tensorflow).GraphDef()
    for op in ops:
        node = definition.node.add()
        if op.type == "Const":
            node.name, node.op = op.name, op.type
        else:
            node.CopyFrom(op.node_def)
    return definition
