"""What the graph that Estimator saved beside the weights tells of its making.

Its nodes stand in the order of their creation: the global step, then the input_fn's ops, then the
model_fn's. The GraphDef is read and never imported, so no custom op is needed.
"""

import os
import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ..protocol import HeadNode, SavedGraph, SavedTensor, Shape
from .consumers import consumer_text

_VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_LONGEST_HEAD = 3000
_HEAD_OPS = 400
_LARGEST_FILE = 1 << 30


def read_saved_graph(tensorflow: Any, files: Sequence[str]) -> Optional[SavedGraph]:
    """Reads the first of some files that holds a graph; None where none does.

    Args:
        tensorflow: the module.
        files: ``.meta`` or ``.pbtxt`` files, the best first.

    Raises:
        Exception: what is wrong with the first one that cannot be read, where no other holds one.
    """
    from google.protobuf import message, text_format

    wrong = (message.DecodeError, text_format.ParseError, UnicodeDecodeError, OSError)
    problems: List[Exception] = []
    for path in files:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_FILE:
            continue
        try:
            definition, version = _parse(tensorflow, path)
        except wrong as error:
            problems.append(error)
            continue
        if definition.node:
            return _summary(tensorflow, path, definition, version)
        if os.path.getsize(path):  # an empty file is said to be none by its size
            problems.append(ValueError("there is no graph in it"))
    if problems:
        raise problems[0]
    return None


def _parse(tensorflow: Any, path: str) -> Tuple[Any, str]:
    v1 = tensorflow.compat.v1
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".pbtxt"):
        from google.protobuf import text_format

        return text_format.Parse(data.decode("utf-8"), v1.GraphDef()), ""
    meta = v1.MetaGraphDef.FromString(data)
    return meta.graph_def, meta.meta_info_def.tensorflow_version


def _summary(tensorflow: Any, path: str, definition: Any, version: str) -> SavedGraph:
    nodes = definition.node
    first, last = _head_range(nodes)
    head = _head(tensorflow, nodes, first, last)
    return SavedGraph(
        file=path,
        tensorflow=version,
        behavior=_behavior(nodes),
        head=head,
        ops=tuple(node.op for node in nodes[first : last + _HEAD_OPS]),
        strategy=_has_strategy(nodes),
        iterators=any(node.op == "DeserializeIterator" for node in nodes),
    )


def _is_global_step(node: Any) -> bool:
    name: str = node.name
    return name == "global_step" or name.startswith("global_step/")


def _has_strategy(nodes: Any) -> bool:
    """Whether a distribution strategy built the graph: its iterator is older than the step.

    Without one Estimator makes the global step before it calls input_fn.
    """
    for node in nodes:
        if node.name == "global_step":
            return False
        if "Iterator" in node.op:
            return True
    return False


def _behavior(nodes: Any) -> str:
    """The kind of the variables. TPUEstimator's step is a resource variable under any behavior."""
    ops = {node.op for node in nodes}
    if "VariableV2" in ops:
        return "v1"
    return "v2" if "VarHandleOp" in ops else ""


def _head_range(nodes: Any) -> Tuple[int, int]:
    """Where the input_fn's nodes can stand: after the global step, before the first variable."""
    first = 0
    for index, node in enumerate(nodes):
        if _is_global_step(node):
            first = index + 1
        elif first:
            break
    limit = min(len(nodes), first + _LONGEST_HEAD)
    for index in range(first, limit):
        if nodes[index].op in _VARIABLE_OPS:
            return first, _first_below(nodes, first, index)
    return first, limit


def _first_below(nodes: Any, first: int, variable: int) -> int:
    """Where the ops of a variable begin: its initializer's stand before its own."""
    scope = re.sub(r"/part_\d+$", "", nodes[variable].name) + "/"
    for index in range(first, variable):
        if nodes[index].name.startswith(scope):
            return index
    return variable


def _head(tensorflow: Any, nodes: Any, first: int, last: int) -> Tuple[HeadNode, ...]:
    names = {nodes[index].name for index in range(first, last)}
    consumers = _consumers(nodes, names)
    found = []
    for index in range(first, last):
        node = nodes[index]
        outputs = tuple(_outputs(tensorflow, node, consumers))
        found.append(HeadNode(index - first, node.name, node.op, outputs))
    return tuple(_relative(node, first) for node in found)


def _relative(node: HeadNode, first: int) -> HeadNode:
    import dataclasses

    outputs = tuple(
        dataclasses.replace(o, consumer_nodes=tuple(i - first for i in o.consumer_nodes))
        for o in node.outputs
    )
    return dataclasses.replace(node, outputs=outputs)


_Uses = Dict[Tuple[str, int], List[Tuple[int, str]]]


def _consumers(nodes: Any, names: Any) -> _Uses:
    """Who consumes each output of the named nodes: (index of the node, its text)."""
    found: _Uses = {}
    for index, node in enumerate(nodes):
        for slot, text in enumerate(node.input):
            if text.startswith("^"):
                break
            name, _, output = text.partition(":")
            if name in names:
                use = (index, consumer_text(node.name, node.op, slot))
                found.setdefault((name, int(output or 0)), []).append(use)
    return found


def _outputs(tensorflow: Any, node: Any, consumers: _Uses) -> Iterator[SavedTensor]:
    shapes = node.attr["_output_shapes"].list.shape
    dtypes = output_dtypes(tensorflow, node)
    if node.op == "DeserializeSparse":
        yield _sparse(node, dtypes, shapes, consumers)
        return
    for index, dtype in enumerate(dtypes):
        uses = consumers.get((node.name, index), [])
        shape = _shape(shapes[index]) if index < len(shapes) else None
        yield SavedTensor(
            dtype=dtype,
            shape=shape,
            sparse=False,
            consumers=tuple(sorted(use for _, use in uses)),
            consumer_nodes=tuple(sorted({place for place, _ in uses})),
        )


def _sparse(node: Any, dtypes: List[str], shapes: Any, consumers: _Uses) -> SavedTensor:
    """Indices, values and dense_shape as the one SparseTensor that they are."""
    uses = [consumers.get((node.name, index), []) for index in range(3)]
    rank = shapes[2].dim[0].size if len(shapes) > 2 and shapes[2].dim else -1
    return SavedTensor(
        dtype=dtypes[1],
        shape=(None,) * (rank if rank > 0 else 2),
        sparse=True,
        consumers=tuple(sorted(use for _, use in uses[1])),
        consumer_nodes=tuple(sorted({place for some in uses for place, _ in some})),
    )


def _shape(proto: Any) -> Shape:
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in proto.dim)


def output_dtypes(tensorflow: Any, node: Any) -> List[str]:
    """The dtypes of a node's outputs, by the definition of its op; none for an unknown op."""
    definition = _op_definition(node.op)
    if definition is None:
        return []
    found: List[str] = []
    for output in definition.output_arg:
        if output.type_list_attr:
            types = list(node.attr[output.type_list_attr].list.type)
        else:
            one = node.attr[output.type_attr].type if output.type_attr else output.type
            types = [one] * (node.attr[output.number_attr].i if output.number_attr else 1)
        found.extend(_dtype_name(tensorflow, item) for item in types)
    return found


def _dtype_name(tensorflow: Any, item: int) -> str:
    return str(tensorflow.as_dtype(item).base_dtype.name) if item else "float32"


def _op_definition(name: str) -> Any:
    from tensorflow.python.framework import op_def_registry

    if hasattr(op_def_registry, "get"):
        return op_def_registry.get(name)
    return op_def_registry.get_registered_ops().get(name)
