"""Reads the restore plan from the graph that TensorFlow built.

The saver's restore op is the root. Walking back from it finds every read op. The constant inputs of
a read op say which tensors it reads, with which slice and dtype. Walking forward from each output
finds the sink and what TensorFlow verifies on the way. Names of variables are not used.
"""

import re
from functools import reduce
from itertools import accumulate
from operator import mul
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from ..protocol import Read, ReadCheck, ReadSink, RestorePlan, Shape, VariableSpec, allows
from ..uses import Location
from .compat import frames_of
from .scaffold import Prepared, restore_op
from .static_shapes import attribute_shape, static_shape
from .user_code import created_at

_READ_OPS = ("RestoreV2", "Restore", "RestoreSlice")
VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp", "TemporaryVariable")
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


def _ancestors_of(*fetches: Any) -> Set[Any]:
    """All ops that some fetches depend on, with the fetches' own ops."""
    return ancestors(filter(None, map(as_op, fetches)))


def as_op(element: Any) -> Optional[Any]:
    """Returns the op of a fetch, which is an op, a tensor, or a variable."""
    if element is None:
        return None
    return getattr(element, "op", element)


class Restore(NamedTuple):
    """The restore of one mode: its plan, and the variable op and the tensor of each read."""

    plan: RestorePlan
    sinks: Tuple[Optional[Any], ...]
    outputs: Tuple[Any, ...] = ()


class _Found(NamedTuple):
    """A read, the op that holds its sink, and the tensor that it returns."""

    read: Read
    sink: Optional[Any]
    output: Any

    @property
    def variable(self) -> Optional[Any]:
        """The op of the variable; None if the read is written to something else."""
        return self.sink if self.read.sink is ReadSink.ASSIGN else None

    def fits(self, stored: Dict[str, VariableSpec]) -> bool:
        """Whether the checkpoint holds the tensor that the read needs, with its dtype and shape."""
        held, read = stored.get(self.read.key), self.read
        return held is not None and held.dtype == read.dtype and allows(read.shape, held.shape)


class Variables:
    """The variables of a graph by the op that holds them."""

    def __init__(self, tensorflow: Any, graph: Any) -> None:
        keys = tensorflow.compat.v1.GraphKeys
        found = graph.get_collection(keys.GLOBAL_VARIABLES)
        self.global_ops = [holder_of(variable) for variable in found]
        self._shapes = dict(zip(self.global_ops, map(static_shape, found)))
        self.trainable = {holder_of(v).name for v in graph.get_collection(keys.TRAINABLE_VARIABLES)}
        self.global_step = {holder_of(v).name for v in graph.get_collection(keys.GLOBAL_STEP)}
        self._slots, self._scopes = _optimizer_variables(graph)

    def spec(self, op: Any) -> VariableSpec:
        """Name, shape and dtype of the variable that an op holds."""
        known = self._shapes.get(op, attribute_shape(op))
        shape = None if known is None else tuple(known)
        return VariableSpec(op.name, shape, op.get_attr("dtype").base_dtype.name)

    def role(self, name: str) -> str:
        """What a variable is for: see :class:`..protocol.Read`."""
        if name in self.global_step:
            return "global_step"
        if name in self.trainable:
            return "weight"
        return "slot" if self._is_of_optimizer(name) else "other"

    def _is_of_optimizer(self, name: str) -> bool:
        """Whether a variable belongs to an optimizer.

        Fused apply ops list their slots. Other optimizers name slots after the variable
        (``dense/kernel/Adam``). Optimizers of Keras put all their variables into one scope.
        """
        if name in self._slots or _ACCUMULATORS.search(name) or name.startswith(self._scopes):
            return True
        above = accumulate(name.split("/")[:-1], "{}/{}".format)
        return not self.trainable.isdisjoint(above)


def holder_of(variable: Any) -> Any:
    """Returns the op that holds a variable's value. For a resource variable, the handle's op."""
    handle = getattr(variable, "handle", None)
    return handle.op if handle is not None else variable.op


_APPLY = re.compile(r"^(Resource)?(Sparse)?Apply[A-Z]")
_ACCUMULATORS = re.compile(r"(^|/)beta[12]_power(_\d+)?$")


def _optimizer_variables(graph: Any) -> Tuple[Set[str], Tuple[str, ...]]:
    """Returns the slots that fused apply ops list, and the scopes of Keras's optimizers."""
    slots: Set[str] = set()
    scopes: Set[str] = set()
    for op in graph.get_operations():
        if not _APPLY.match(op.type):
            continue
        variable, *others = [t.op.name for t in op.inputs if t.op.type in VARIABLE_OPS] or [""]
        slots.update(others)
        inside = (name.partition(f"/{variable}/") for name in others)
        scopes.update(f"{scope}/" for scope, found, _ in inside if found)
    return slots, tuple(scopes)


def restore_of(
    tensorflow: Any,
    graph: Any,
    mode: str,
    prepared: Prepared,
    fetches: Iterable[Any],
    checkpoint: Iterable[VariableSpec] = (),
) -> Restore:
    """Returns the restore of a mode.

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
    local_init = _ancestors_of(prepared.local_init_op)
    filled = {op.inputs[0].op for op in local_init if op.type in _ASSIGN_OPS}
    uninitialized = _reported(prepared.ready_for_local_init_op) - restored
    uninitialized |= _reported(prepared.ready_op) - restored - filled
    unwatched = set(variables.global_ops) - restored - filled - uninitialized
    unwatched &= _ancestors_of(*fetches)
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
        locations=locations_of(wrong),
    )
    return Restore(plan, sinks, tuple(item.output for item in found))


def locations_of(ops: Dict[str, Optional[Any]]) -> Dict[str, Location]:
    """The lines of the user's code that create some ops; those of libraries have none."""
    found = ((name, created_at(frames_of(op))) for name, op in ops.items() if op is not None)
    return {name: place for name, place in found if place is not None}


def _specs(variables: Variables, ops: Iterable[Any]) -> Tuple[VariableSpec, ...]:
    return tuple(sorted((variables.spec(op) for op in ops), key=lambda spec: spec.name))


def _reported(ready_op: Any) -> Set[Any]:
    """The variables whose initialization a ready op reports."""
    found = (op for op in _ancestors_of(ready_op) if op.type in _INITIALIZED_OPS)
    return {op.inputs[0].op for op in found}


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
    name = restore_op(saver)
    return _ancestors_of(graph.as_graph_element(name)) if name else set()


def _reads_of(tensorflow: Any, op: Any, within: Set[Any], variables: Variables) -> Iterator[_Found]:
    names = _strings(tensorflow, op.inputs[1])
    slices = [""] if op.type == "Restore" else _strings(tensorflow, op.inputs[2])
    for index, output in enumerate(op.outputs):
        key = names[index] if names is not None else ""
        piece = slices[index] if slices is not None else ""
        way = _follow(output, within)
        spec = variables.spec(way.sink) if way.kind is ReadSink.ASSIGN and way.sink else None
        shape = spec.shape if spec else way.shape
        if piece:  # "10 4 0,5:0,4" is a slice of a 10 by 4 variable
            shape = tuple(int(word) for word in piece.split(" ")[:-1])
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


class _Way(NamedTuple):
    """Where a read ends.

    Attributes:
        kind: the kind of the sink.
        sink: the op of the sink.
        check: what TensorFlow verifies before the sink.
        shape: what the sink accepts, if it is not a variable.
    """

    kind: ReadSink = ReadSink.OPAQUE
    sink: Optional[Any] = None
    check: ReadCheck = ReadCheck.NONE
    shape: Shape = None


def _follow(tensor: Any, within: Set[Any]) -> _Way:
    """Follows a read to its sink, as long as each tensor has only one consumer among some ops."""
    reshaped = False
    users = [op for op in tensor.consumers() if op in within]
    while len(users) == 1 and users[0].type in _PASS_THROUGH:
        reshaped = reshaped or users[0].type == "Reshape"
        tensor = users[0].outputs[0]
        users = [op for op in tensor.consumers() if op in within]
    if len(users) != 1:
        return _Way()
    (op,) = users
    sink = op.inputs[0].op
    if op.type in _ASSIGN_OPS and op.inputs[1] is tensor:
        return _Way(ReadSink.ASSIGN, sink, ReadCheck.RESHAPE if reshaped else _assign_check(op))
    if op.type in _TABLE_OPS:
        shape = _table_shape(sink, list(op.inputs).index(tensor))
        return _Way(ReadSink.TABLE, sink, ReadCheck.TABLE, shape)
    if op.type == "DeserializeIterator":
        ready = sink.type == "OneShotIterator"  # other iterators are initialized later
        return _Way(ReadSink.ITERATOR, sink, ReadCheck.NONE if ready else ReadCheck.INITIALIZED)
    return _Way()


def _table_shape(table: Any, slot: int) -> Shape:
    """Returns the shape of the keys (slot 1) or values of a table, for any number of them.

    The buckets of a dense table are rows of matrices. Scalars use one column.
    """
    if "Dense" not in table.type:
        plain = slot == 1 or "value_shape" not in table.node_def.attr
        return (None,) if plain else (None, *(attribute_shape(table, "value_shape") or ()))
    empty_key = table.inputs[0]
    one = static_shape(empty_key) if slot == 1 else attribute_shape(table, "value_shape")
    if one is None or None in one:
        return (None, None)
    return (None, reduce(mul, one, 1))


def _assign_check(op: Any) -> ReadCheck:
    try:
        return ReadCheck.ASSIGN if op.get_attr("validate_shape") else ReadCheck.NONE
    except ValueError:  # AssignVariableOp of older versions has no such attribute
        return ReadCheck.NONE
