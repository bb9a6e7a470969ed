"""Builds graphs as TensorFlow writes them, for tests that need no TensorFlow."""

import base64
import zlib
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ckptcheck.client.input_pools import head_of
from ckptcheck.encoding.dtypes import dtype_number
from ckptcheck.graph.graph import Graph
from ckptcheck.graph.launch import behavior
from ckptcheck.graph.summary import summary_of

from .checkpoints.writer import field, varint

Leaf = Dict[str, Any]
Outputs = Sequence[Tuple[Leaf, Sequence[str]]]
"""The outputs of a node: the leaf and its consumers, such as ``dense/MatMul MatMul:0``."""

VARIABLE = "VariableV2"
_NUMBERS = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF"}


def number(dtype: str) -> int:
    """The number of a dtype in files."""
    return dtype_number(_NUMBERS.get(dtype, "DT_" + dtype.upper()))


def attribute(key: str, value: bytes) -> bytes:
    """One attribute of a node; the value is an AttrValue."""
    return field(5, field(1, key.encode()) + field(2, value))


def types(dtypes: Iterable[str]) -> bytes:
    """A list of dtypes, as an AttrValue."""
    return field(1, field(6, b"".join(varint(number(dtype)) for dtype in dtypes)))


def shapes(sizes: Iterable[Optional[Sequence[Optional[int]]]]) -> bytes:
    """A list of shapes, as an AttrValue."""
    return field(1, b"".join(field(7, shape(item)) for item in sizes))


def shape(sizes: Optional[Sequence[Optional[int]]]) -> bytes:
    """A TensorShapeProto."""
    if sizes is None:
        return field(3, 1)
    return b"".join(field(2, field(1, -1 if size is None else size)) for size in sizes)


def node(name: str, op: str, inputs: Sequence[str] = (), *attributes: bytes) -> bytes:
    """A node of a GraphDef."""
    named = [field(1, name.encode()), field(2, op.encode())]
    given = [field(3, text.encode()) for text in inputs]
    return field(1, b"".join([*named, *given, *attributes]))


def op_list(ops: Iterable[str]) -> bytes:
    """Definitions of ops whose outputs have the dtypes of the attribute ``output_types``."""
    output = field(3, field(1, b"o") + field(6, b"output_types"))
    return b"".join(field(1, field(1, op.encode()) + output) for op in ops)


def consumers(source: str, texts: Iterable[str]) -> List[bytes]:
    """The nodes that consume a tensor."""
    found = []
    for text in texts:
        name, _, use = text.partition(" ")
        op, _, slot = use.partition(":")
        found.append(node(name, op, [*["other"] * int(slot), source]))
    return found


def saved_graph(*nodes: Tuple[str, str, Outputs], version: str = "2.15.1") -> Graph:
    """A graph that Estimator saved: the step, some nodes of an input_fn, a variable, the rest."""
    data, behind = node("global_step", VARIABLE), node("w", VARIABLE)
    for name, op, outputs in nodes:
        specs = [spec for spec, _ in outputs]
        dtypes = types(spec["dtype"] for spec in specs)
        keys = ("output_types", "component_types")
        attributes = [attribute(key, dtypes) for key in keys]
        sizes = attribute("_output_shapes", shapes(spec["shape"] for spec in specs))
        data += node(name, op, (), *attributes, sizes)
        for place, (_, used) in enumerate(outputs):
            behind += b"".join(consumers(f"{name}:{place}" if place else name, used))
    ops = op_list(op for _, op, _ in nodes)
    return Graph(data + behind, ops, "model.ckpt.meta", version)


def text_of(*nodes: bytes) -> str:
    """The nodes of a traced graph, as the tracer sends them."""
    return base64.b64encode(zlib.compress(b"".join(nodes))).decode("ascii")


def read_all(graph: Graph) -> None:
    """Reads all parts of a graph that features, ``inspect`` and checks read."""
    summary_of(graph)
    head_of(graph)
    assert behavior(graph) in ("v1", "v2", "")
    assert graph.producer == graph.producer
    nodes = [*graph.nodes, *(node for function in graph.functions for node in function.nodes)]
    for item in nodes:
        graph.outputs(item)
        for key in item.keys:
            item.values(key)
