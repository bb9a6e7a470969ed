"""Reads the restore plan out of the graph that TensorFlow built.

The saver's restore op is the root. Walking back from it finds every read op. The constant inputs of
a read op tell which tensors it reads, with which slice and dtype. Walking forward from each output
finds the sink and what TensorFlow verifies on the way. Names of variables are not used.
"""

import re
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from ..protocol import (
    Location,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    Shape,
    VariableSpec,
    allows,
)
from .compat import frames_of
from .scaffold import Prepared
from .user_code import created_at

_READ_OPS = ("RestoreV2", "Restore", "RestoreSlice")
_VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp", "TemporaryVariable")
_ASSIGN_OPS = ("Assign", "AssignVariableOp")
_TABLE_OPS = ("LookupTableImport", "LookupTableImportV2")
_PASS_THROUGH = ("Identity", "Reshape")
_INITIALIZED_OPS = ("IsVariableInitialized", "VarIsInitializedOp")


def ancestors(roots: Iterable[Any]) -> Set[Any]:
    """All ops that some ops depend on, by data or control, with themselves."""
    seen: Set[Any] = set()
    stack = list(roots)
    while stack:
        op = stack.pop()
        if op in seen:
            continue
        seen.add(op)
        stack.extend(tensor.op for tensor in op.inputs)
        stack.extend(op.control_inputs)
    return seen


def consumers_of(tensors: Iterable[Any]) -> Set[Any]:
    """All ops that some tensors flow into."""
    seen: Set[Any] = set()
    stack = [op for tensor in tensors for op in tensor.consumers()]
    while stack:
        op = stack.pop()
        if op not in seen:
            seen.add(op)
            stack.extend(user for output in op.outputs for user in output.consumers())
    return seen


def as_op(element: Any) -> Optional[Any]:
    """The op behind a fetch: an op, a tensor, or a variable."""
    if element is None:
        return None
    return getattr(element, "op", element)


class Restore(NamedTuple):
    """The restore of one mode: its plan, and the variable op and the tensor of each read."""

    plan: RestorePlan
    sinks: Tuple[Optional[Any], ...]
    outputs: Tuple[Any, ...] = ()


class _Found(NamedTuple):
    """A read, the op that holds what it is written to, and the tensor that it gives."""

    read: Read
    sink: Optional[Any]
    output: Any

    @property
    def variable(self) -> Optional[Any]:
        """The op of the variable, None where the read is written to something else."""
        return self.sink if self.read.sink is ReadSink.ASSIGN else None

    def fits(self, stored: Dict[str, VariableSpec]) -> bool:
        """Whether the checkpoint holds what the read asks for."""
        held, read = stored.get(self.read.key), self.read
        return held is not None and held.dtype == read.dtype and allows(read.shape, held.shape)


class Variables:
    """The variables of a graph by the op that holds them."""

    def __init__(self, tensorflow: Any, graph: Any) -> None:
        keys = tensorflow.compat.v1.GraphKeys
        found = graph.get_collection(keys.GLOBAL_VARIABLES)
        self.global_ops = [holder_of(variable) for variable in found]
        self._shapes = dict(zip(self.global_ops, (variable_shape(v) for v in found)))
        self.trainable = {holder_of(v).name for v in graph.get_collection(keys.TRAINABLE_VARIABLES)}
        self.global_step = {holder_of(v).name for v in graph.get_collection(keys.GLOBAL_STEP)}
        self._optimizer = optimizer_state(graph, self.trainable)

    def spec(self, op: Any) -> VariableSpec:
        """Name, shape and dtype of the variable that an op holds."""
        shape = self._shapes.get(op, attribute_shape(op))
        return VariableSpec(op.name, shape, op.get_attr("dtype").base_dtype.name)

    def role(self, name: str) -> str:
        """What a variable is for: see :class:`..protocol.Read`."""
        if name in self.global_step:
            return "global_step"
        if name in self.trainable:
            return "weight"
        return "slot" if self._optimizer(name) else "other"


def holder_of(variable: Any) -> Any:
    """Returns the op that holds a variable's value. For a resource variable, the handle's op."""
    handle = getattr(variable, "handle", None)
    return handle.op if handle is not None else variable.op


def variable_shape(variable: Any) -> Shape:
    """A variable's declared shape."""
    shape = variable.get_shape() if hasattr(variable, "get_shape") else variable.shape
    return None if shape.rank is None else tuple(shape.as_list())


def attribute_shape(op: Any, name: str = "shape") -> Shape:
    """The shape that an op declares in an attribute, by default a variable's own."""
    proto = op.get_attr(name)
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in proto.dim)


_APPLY = re.compile(r"^(Resource)?(Sparse)?Apply[A-Z]")
_ACCUMULATORS = re.compile(r"(^|/)beta[12]_power(_\d+)?$")


def optimizer_state(graph: Any, trainable: Set[str]) -> Any:
    """Returns a function that tells whether a variable belongs to an optimizer.

    Fused apply ops list their slots. Other optimizers name slots after the variable
    (``dense/kernel/Adam``). Optimizers of Keras put all their variables into one scope.
    """
    slots: Set[str] = set()
    scopes: Set[str] = set()
    for op in graph.get_operations():
        if not _APPLY.match(op.type):
            continue
        names = [t.op.name for t in op.inputs if t.op.type in _VARIABLE_OPS]
        for name in names[1:]:
            slots.add(name)
            marker = f"/{names[0]}/"
            if marker in name:
                scopes.add(name[: name.index(marker)] + "/")

    def test(name: str) -> bool:
        if name in slots or _ACCUMULATORS.search(name):
            return True
        if name.startswith(tuple(scopes)):
            return True
        return any(name.startswith(weight + "/") for weight in _prefixes(name, trainable))

    return test


def _prefixes(name: str, trainable: Set[str]) -> Iterator[str]:
    parts = name.split("/")
    for end in range(1, len(parts)):
        prefix = "/".join(parts[:end])
        if prefix in trainable:
            yield prefix


def restore_of(
    tensorflow: Any,
    graph: Any,
    mode: str,
    prepared: Prepared,
    fetches: Iterable[Any],
    checkpoint: Iterable[VariableSpec] = (),
) -> Restore:
    """The restore that a mode will do.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        mode: ``predict``, ``eval``, ``train`` or ``export``.
        prepared: what the session starts with.
        fetches: what the mode runs after the restore.
        checkpoint: what the checkpoint holds.
    """
    variables = Variables(tensorflow, graph)
    found = _reads(tensorflow, graph, prepared.saver, variables)
    reads = tuple(item.read for item in found)
    sinks = tuple(item.variable for item in found)
    restored = {op for op in sinks if op is not None}
    local_init = ancestors(filter(None, [as_op(prepared.local_init_op)]))
    filled = _assigned(local_init)
    uninitialized = _reported(prepared.ready_for_local_init_op) - restored
    uninitialized |= _reported(prepared.ready_op) - restored - filled
    unwatched = set(variables.global_ops) - restored - filled - uninitialized
    unwatched &= ancestors(filter(None, map(as_op, fetches)))
    stored = {spec.name: spec for spec in checkpoint}
    other = [item for item in found if not item.fits(stored)]
    wrong = {item.read.variable or item.read.key: item.sink for item in other}
    wrong.update((op.name, op) for op in uninitialized | unwatched | (restored & filled))
    plan = RestorePlan(
        mode,
        reads,
        _specs(variables, uninitialized),
        _specs(variables, unwatched),
        _specs(variables, restored & filled),
        locations=_locations(wrong),
    )
    return Restore(plan, sinks, tuple(item.output for item in found))


def _locations(ops: Dict[str, Optional[Any]]) -> Dict[str, Location]:
    """The lines of the user's code that create some ops; those of libraries have none."""
    found = ((name, created_at(frames_of(op))) for name, op in ops.items() if op is not None)
    return {name: place for name, place in found if place is not None}


def _specs(variables: Variables, ops: Iterable[Any]) -> Tuple[VariableSpec, ...]:
    return tuple(sorted((variables.spec(op) for op in ops), key=lambda spec: spec.name))


def _reported(ready_op: Any) -> Set[Any]:
    """The variables whose initialization a ready op reports."""
    root = as_op(ready_op)
    if root is None:
        return set()
    found = (op for op in ancestors([root]) if op.type in _INITIALIZED_OPS)
    return {op.inputs[0].op for op in found}


def _assigned(ops: Iterable[Any]) -> Set[Any]:
    return {op.inputs[0].op for op in ops if op.type in _ASSIGN_OPS}


def _reads(tensorflow: Any, graph: Any, saver: Any, variables: Variables) -> List[_Found]:
    within = _restoring_ops(graph, saver)
    found = [
        item
        for op in sorted(within, key=lambda op: op.name)
        if op.type in _READ_OPS
        for item in _reads_of(tensorflow, op, within, variables)
    ]
    return sorted(found, key=lambda item: (item.read.key, item.read.slice))


def _restoring_ops(graph: Any, saver: Any) -> Set[Any]:
    """All ops that run when a saver restores; none without a saver."""
    if saver is None or saver.saver_def is None or not saver.saver_def.restore_op_name:
        return set()
    return ancestors([as_op(graph.as_graph_element(saver.saver_def.restore_op_name))])


def _reads_of(tensorflow: Any, op: Any, within: Set[Any], variables: Variables) -> Iterator[_Found]:
    names = _strings(tensorflow, op.inputs[1])
    slices = _slices(tensorflow, op)
    for index, output in enumerate(op.outputs):
        key = names[index] if names is not None else ""
        piece = slices[index] if slices is not None else ""
        way = _follow(output, within)
        spec = variables.spec(way.sink) if way.kind is ReadSink.ASSIGN and way.sink else None
        shape = full_shape(piece) if piece else (spec.shape if spec else way.shape)
        read = Read(
            key=key,
            variable=spec.name if spec else "",
            shape=shape,
            dtype=output.dtype.base_dtype.name,
            slice=piece,
            sink=way.kind,
            check=ReadCheck.SLICE if piece else way.check,
            role=variables.role(spec.name) if spec else "other",
        )
        yield _Found(read, way.sink, output)


def _strings(tensorflow: Any, tensor: Any) -> Optional[List[str]]:
    value = tensorflow.get_static_value(tensor)
    if value is None:
        return None
    return [item.decode("utf-8", "surrogateescape") for item in value.reshape(-1).tolist()]


def _slices(tensorflow: Any, op: Any) -> Optional[List[str]]:
    if op.type == "Restore":
        return [""]
    return _strings(tensorflow, op.inputs[2])


def full_shape(piece: str) -> Shape:
    """The full shape in a ``shape_and_slice``: ``10 4 0,5:0,4`` is of a 10 by 4 variable."""
    return tuple(int(word) for word in piece.split(" ")[:-1])


class _Way(NamedTuple):
    """Where one read ends: what kind of sink, its op, and what is verified on the way.

    ``shape`` is what the sink accepts where it is no variable.
    """

    kind: ReadSink
    sink: Optional[Any]
    check: ReadCheck
    shape: Shape = None


def _follow(output: Any, within: Set[Any]) -> _Way:
    reshaped = False
    tensor = output
    for _ in range(64):
        consumers = [op for op in tensor.consumers() if op in within]
        if len(consumers) != 1:
            return _Way(ReadSink.OPAQUE, None, ReadCheck.NONE)
        op = consumers[0]
        if op.type in _ASSIGN_OPS and op.inputs[1] is tensor:
            check = ReadCheck.RESHAPE if reshaped else _assign_check(op)
            return _Way(ReadSink.ASSIGN, op.inputs[0].op, check)
        if op.type in _TABLE_OPS:
            shape = _table_shape(op.inputs[0].op, list(op.inputs).index(tensor))
            return _Way(ReadSink.TABLE, op.inputs[0].op, ReadCheck.TABLE, shape)
        if op.type == "DeserializeIterator":
            ready = op.inputs[0].op.type == "OneShotIterator"  # the others are made ready later
            check = ReadCheck.NONE if ready else ReadCheck.INITIALIZED
            return _Way(ReadSink.ITERATOR, op.inputs[0].op, check)
        if op.type not in _PASS_THROUGH or not op.outputs:
            return _Way(ReadSink.OPAQUE, None, ReadCheck.NONE)
        reshaped = reshaped or op.type == "Reshape"
        tensor = op.outputs[0]
    return _Way(ReadSink.OPAQUE, None, ReadCheck.NONE)


def _table_shape(table: Any, slot: int) -> Shape:
    """What a table imports: any number of keys (slot 1), and as many values of its own shape."""
    if "Dense" in table.type:
        return _dense_table_shape(table, slot)
    if slot == 1 or "value_shape" not in table.node_def.attr:
        return (None,)
    return (None, *(attribute_shape(table, "value_shape") or ()))


def _dense_table_shape(table: Any, slot: int) -> Shape:
    """The same for a dense table. Its buckets are rows of matrices; scalars use one column."""
    if slot == 1:
        shape = table.inputs[0].get_shape()  # of the empty key
        one = None if shape.rank is None else tuple(shape.as_list())
    else:
        one = attribute_shape(table, "value_shape")
    width: Optional[int] = None if one is None else 1
    for size in one or ():
        width = None if width is None or size is None else width * size
    return (None, width)


def _assign_check(op: Any) -> ReadCheck:
    try:
        validates = op.get_attr("validate_shape")
    except ValueError:  # AssignVariableOp of older versions has no such attribute
        validates = False
    return ReadCheck.ASSIGN if validates else ReadCheck.NONE
