"""What a saved graph tells at its start: who saved it, what its variables and inputs are."""

import dataclasses
import io
import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..protocol import Shape
from ..results import GraphSummary, InputSpec
from .bounded import GIT_LFS, has_pointer, read_whole
from .dtypes import dtype_name
from .errors import DamagedError, TooLargeError
from .gzip_file import ENDING, unpack, unpacked_name
from .wire import BYTES, VARINT, Value, bytes_of, fields, number_of, varint

_LARGEST = 1 << 29
_LARGEST_UNPACKED = 1 << 27
"""Less, since a hostile file of a hundred kilobytes can hold as much."""
_MOST_FIELDS = 1 << 20
"""What is looked for stands before all of these in what Estimator saves. A hostile file has as many
fields as half of its bytes."""
_KINDS = {b"VariableV2": "v1", b"Variable": "v1", b"VarHandleOp": "v2"}
_STEP = b"global_step"
_ITERATOR = b"IteratorGetNext"
_INPUTS = (_ITERATOR, b"QueueDequeue")
_SPARSE = b"DeserializeSparse"


def read_graph_summary(prefix: str) -> Optional[GraphSummary]:
    """Reads the graph beside a checkpoint; None where there is none, or one too large to look at.

    No check depends on it: the tracer reads the graph again, with TensorFlow.

    Raises:
        DamagedError: there is one, and it cannot be read.
    """
    plain = prefix + ".meta"
    path = plain if os.path.lexists(plain) else plain + ENDING
    if not os.path.lexists(path):
        return None
    try:
        return parse_graph_summary(path, _content(path))
    except TooLargeError:
        return None
    except OSError as error:
        raise DamagedError(str(error.strerror))


def _content(path: str) -> bytes:
    if not path.endswith(ENDING):
        return read_whole(path, _LARGEST)
    out = io.BytesIO()
    unpack(path, out, _LARGEST_UNPACKED)
    return out.getvalue()


def is_graph(path: str) -> bool:
    """Whether a file that is named as a saved graph is one, as far as can be told without much.

    Raises:
        OSError: it cannot be read.
    """
    if unpacked_name(path).endswith(".pbtxt"):
        return True
    try:
        parse_graph_summary(path, _content(path))
    except TooLargeError:
        return True
    except DamagedError:
        return False
    return True


class _Walk:
    """The fields of messages, of which only so many are looked at in all."""

    def __init__(self, most: int) -> None:
        self._left = most

    def fields(self, data: bytes) -> Iterator[Tuple[int, int, Value]]:
        for field in fields(data):
            if self._left == 0:
                return
            self._left -= 1
            yield field


def parse_graph_summary(path: str, data: bytes) -> GraphSummary:
    """Reads what a ``.meta`` file holds, as far as a summary goes.

    Raises:
        DamagedError: it is no MetaGraphDef, or ends too soon.
    """
    if not data:
        raise DamagedError("it is empty")
    if has_pointer(data):  # which a snapshot has packed
        raise DamagedError(GIT_LFS)
    info = definition = None
    walk = _Walk(_MOST_FIELDS)
    for number, kind, value in walk.fields(data):  # to the end, since a copy may lack it
        if number == 1 and info is None:
            info = bytes_of(kind, value)
        elif number == 2 and definition is None:
            definition = bytes_of(kind, value)
    if definition is None or not any(number == 1 for number, _, _ in walk.fields(definition)):
        raise DamagedError("there is no graph in it")
    return _with_head(walk, definition, GraphSummary(path, _version(walk, info or b""), ""))


def _version(walk: _Walk, info: bytes) -> str:
    for number, kind, value in walk.fields(info):
        if number == 5 and kind == BYTES:
            return bytes_of(kind, value).decode("utf-8", "replace")
    return ""


def _with_head(walk: _Walk, graph: bytes, summary: GraphSummary) -> GraphSummary:
    """What stands before the model_fn's first variable, in the order in which Estimator makes it.

    It makes the global step, whose op tells the kind of variables, and calls input_fn then. Under
    a distribution strategy the iterator is older than the step, and what it gives is not.
    """
    behavior = ""
    early: List[bytes] = []
    sources: List[_Source] = []
    sparse: Dict[str, str] = {}
    for number, kind, value in walk.fields(graph):
        if number != 1 or kind != BYTES:
            continue
        node = _node(walk, bytes_of(kind, value))
        if node.name == _STEP:
            behavior = _KINDS.get(node.op, "")
        elif node.op in _KINDS and not node.name.startswith(_STEP + b"/"):
            if behavior:
                break
        elif not behavior and b"Iterator" in node.op:
            early.append(node.op)
        elif behavior and node.op.startswith(_INPUTS):
            sources.append(_Source(node.op.startswith(_ITERATOR), tuple(_outputs(walk, node))))
        elif behavior and node.op == _SPARSE:
            sparse.update(_sparse(walk, node))
    if not behavior:
        return summary
    strategy = bool(early) and not any(op.startswith(_ITERATOR) for op in early)
    inputs = _with_sparse(_inputs(sources, graph, strategy), sparse)
    return dataclasses.replace(summary, behavior=behavior, strategy=strategy, inputs=inputs)


class _Source(NamedTuple):
    """An op that gives features: an iterator's, or else a queue's."""

    is_iterator: bool
    outputs: Tuple[InputSpec, ...]


def _inputs(sources: List[_Source], graph: bytes, strategy: bool) -> Iterator[InputSpec]:
    """The features and labels, once.

    Each replica of a strategy has an iterator's op. A queue gives the number of the row too, which
    nothing uses, and the last of several queues gives the batches.
    """
    iterators = [source for source in sources if source.is_iterator]
    if iterators:
        for source in iterators[:1] if strategy else iterators:
            yield from source.outputs
    elif sources:
        yield from (spec for spec in sources[-1].outputs if _is_used(spec.name, graph))


def _is_used(output: str, graph: bytes) -> bool:
    """Whether a node of a graph has an output among its inputs (field 3), by the bytes of that."""
    node, _, place = output.rpartition(":")
    name = (node if place == "0" else output).encode("utf-8")
    return len(name) > 127 or b"\x1a" + bytes([len(name)]) + name in graph


class _Node(NamedTuple):
    """A NodeDef; of ops that give no features, only the name and the op are read."""

    name: bytes
    op: bytes
    inputs: Sequence[bytes]
    attributes: Sequence[bytes]


def _node(walk: _Walk, data: bytes) -> _Node:
    name = op = b""
    inputs: List[bytes] = []
    attributes: List[bytes] = []
    for number, kind, value in walk.fields(data):
        if number == 1:
            name = bytes_of(kind, value)
        elif number == 2:
            op = bytes_of(kind, value)
            if op != _SPARSE and not op.startswith(_INPUTS):
                break
        elif number == 3 and not inputs:
            inputs.append(bytes_of(kind, value))
        elif number == 5:
            attributes.append(bytes_of(kind, value))
    return _Node(name, op, inputs, attributes)


def _outputs(walk: _Walk, node: _Node) -> Iterator[InputSpec]:
    """The outputs of an iterator or a queue, by its attributes."""
    name = node.name.decode("utf-8", "replace")
    dtypes: List[str] = []
    shapes: List[Shape] = []
    for attribute in node.attributes:
        parts = {number: value for number, _, value in walk.fields(attribute)}
        key, value = parts.get(1), parts.get(2)
        if not isinstance(value, bytes):
            continue
        if key in (b"output_types", b"component_types", b"dtype"):
            dtypes.extend(_dtypes(walk, value))
        elif key in (b"output_shapes", b"shape"):
            shapes.extend(_shapes(walk, value))
    if len(shapes) != len(dtypes):
        shapes = [None] * len(dtypes)
    for place, (dtype, shape) in enumerate(zip(dtypes, shapes)):
        yield InputSpec(f"{name}:{place}", shape, dtype)


def _sparse(walk: _Walk, node: _Node) -> Iterator[Tuple[str, str]]:
    """The variant that a sparse tensor is made of, and the dtype of its values."""
    for output in _outputs(walk, node):
        for source in node.inputs:
            name = source.decode("utf-8", "replace")
            yield name if ":" in name else f"{name}:0", output.dtype


def _with_sparse(inputs: Iterator[InputSpec], sparse: Dict[str, str]) -> Tuple[InputSpec, ...]:
    return tuple(
        InputSpec(item.name, None, sparse[item.name], True) if item.name in sparse else item
        for item in inputs
    )


def _dtypes(walk: _Walk, value: bytes) -> Iterator[str]:
    """The dtypes in an AttrValue: its own (field 6), or those of its list (field 1)."""
    for number, kind, part in walk.fields(value):
        if number == 6 and kind == VARINT:
            yield dtype_name(number_of(kind, part))
        elif number == 6:  # a list, packed
            at, packed = 0, bytes_of(kind, part)
            while at < len(packed):
                dtype, at = varint(packed, at, len(packed))
                yield dtype_name(dtype)
        elif number == 1:
            yield from _dtypes(walk, bytes_of(kind, part))


def _shapes(walk: _Walk, value: bytes) -> Iterator[Shape]:
    """The shapes in an AttrValue: its own (field 7), or those of its list (field 1)."""
    for number, kind, part in walk.fields(value):
        if number == 7:
            yield _shape(walk, bytes_of(kind, part))
        elif number == 1:
            yield from _shapes(walk, bytes_of(kind, part))


def _shape(walk: _Walk, value: bytes) -> Shape:
    sizes: List[Optional[int]] = []
    for number, kind, part in walk.fields(value):
        if number == 3 and number_of(kind, part):
            return None
        if number == 2:
            found = {n: number_of(k, v) for n, k, v in walk.fields(bytes_of(kind, part)) if n == 1}
            size = found.get(1, 0)
            sizes.append(None if size < 0 else size)
    return tuple(sizes)
