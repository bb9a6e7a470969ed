"""Finds the data with which the run raises because of restored shapes.

A table with fewer rows in the checkpoint than in the code has no row for some ids. A layer with
fewer units takes fewer labels. Only the data tells whether such an id or label occurs. So this
module finds the smallest id or label for which the run raises. It looks for ops that look up rows
by indices from the data in a tensor that has fewer rows now.
"""

import itertools
import re
from typing import (
    Any,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..protocol import DataKind, DataLimit
from .affected_ops import restore_shapes
from .called_functions import CALLS, LOOPS, handle_of
from .imports import ImportedError, imported, part_of
from .restore_plan import VARIABLE_OPS, ancestors, consumers_of
from .static_shapes import attribute_shape, static_shape
from .unsafe_ops import functions_of

_LOOKUPS = {
    "Gather": 0,
    "GatherNd": 0,
    "ResourceGather": 0,
    "ResourceGatherNd": 0,
    "ResourceScatterAdd": 0,
    "ResourceScatterSub": 0,
    "ResourceScatterUpdate": 0,
    "SparseSegmentMean": 0,
    "SparseSegmentSqrtN": 0,
    "SparseSegmentSum": 0,
    "SparseSoftmaxCrossEntropyWithLogits": 1,
}
"""Ops that look up their second input in their first one, with the axis. A GatherV2 has the axis in
its third input."""
_OF_LABELS = "SparseSoftmaxCrossEntropyWithLogits"
_BRANCHES = ("Case", "If", "StatelessCase", "StatelessIf")
_SLICES = ("Slice", "StridedSlice")
_SIZES = ("OnesLike", "Rank", "Shape", "ShapeN", "Size", "ZerosLike")
"""Ops that look at the shapes of their inputs, and not at the values."""
_RESHAPING = ("Reshape", "Slice", "Tile")
"""Ops whose second and later inputs give the shape of the result."""
_CHANCE = re.compile("Random|Multinomial|CandidateSampler|Shuffle")
_STATE = re.compile("Const$|HashTable|" + "|".join(f"^{op}$" for op in VARIABLE_OPS))
"""Ops without inputs that give the same values in each run."""
_KEEPING = ("Cast", "ExpandDims", "Identity", "Reshape", "Squeeze", "StridedSlice", "Tile")
_KEEPING_FIRST = ("Gather", "GatherV2", "Transpose", "Unique", "UniqueV2")
"""Ops whose first results are values of their first input."""

_BLIND = re.compile(
    r"^(_Fused|Batch)?(MatMul|Conv|Depthwise|FusedBatchNorm)|^(Resource)?Apply[A-Z]|^BiasAdd"
    r"|^(Add|AddN|AddV2|ConcatV2|Div|Elu|LeakyRelu|Maximum|Minimum|Mul|RealDiv|Relu6?|Selu"
    r"|Sigmoid|Softplus|SquaredDifference|Sub|Tanh)$"
)
_BLIND_TO_LENGTHS = re.compile(r"^(_Fused)?(MatMul|Conv|Depthwise)|^(Resource)?Apply[A-Z]|^BiasAdd")


def looks_at_data(op: Optional[Any], has_lengths: bool, paths: Mapping[str, str]) -> bool:
    """Whether an op that raises with restored shapes may not raise with other data.

    Args:
        op: the op; None if it is in a function, or if the graph optimizer made it.
        has_lengths: whether the inputs have axes of unknown size besides the batch.
        paths: see :class:`Model`.
    """
    if op is None or op._get_control_flow_context() is not None:
        return True  # whether the branch or the loop runs may depend on the data
    if has_lengths:
        return not _BLIND_TO_LENGTHS.search(op.type)
    if op.type in _RESHAPING:
        sources = [_sources(given, paths) for given in op.inputs[1:]]
        return any(given.inputs or given.others for given in sources)
    return not _BLIND.search(op.type)


class Smaller(NamedTuple):
    """A variable with an axis that is smaller in the checkpoint than the code declares.

    Attributes:
        op: the variable's op.
        key: its key in the checkpoint.
        declared: the shape that the code declares.
        restored: the shape in the checkpoint.
    """

    op: Any
    key: str
    declared: Sequence[Optional[int]]
    restored: Sequence[int]

    @property
    def sizes(self) -> List[Tuple[int, int]]:
        """The declared and the restored size of each smaller axis."""
        pairs = zip(self.declared, self.restored)
        return [(n, m) for n, m in pairs if n is not None and m < n]

    @property
    def rows_are_fewer(self) -> bool:
        """Whether its first axis is smaller."""
        return bool(self.sizes) and self.sizes[0] == (self.declared[0], self.restored[0])


class Lookup(NamedTuple):
    """An op that raises if an index is too large for a tensor that has become smaller.

    Attributes:
        op: the op. It may be one that calls a function with such an op.
        indices: the tensor of the indices; None in a function.
        limit: the limit to report.
    """

    op: Any
    indices: Any
    limit: DataLimit


class _Sources(NamedTuple):
    """What a tensor is computed from.

    Attributes:
        inputs: the features and labels whose values count, by their paths.
        lengths: whether the shape of an input counts.
        others: whether values that differ from run to run count.
    """

    inputs: Tuple[str, ...]
    lengths: bool
    others: bool


class Model(NamedTuple):
    """What a mode runs after a restore.

    Attributes:
        ops: all of it.
        shapes: the restored shapes, by the names of the variables' ops.
        keys: the keys in the checkpoint, by the same names.
        paths: the paths of features and labels, by the names of their tensors; "" for other data.
    """

    ops: Set[Any]
    shapes: Mapping[str, Sequence[int]]
    keys: Mapping[str, str]
    paths: Mapping[str, str]

    def smaller(self) -> List[Smaller]:
        """Returns the variables with a smaller axis."""
        found = [
            Smaller(op, self.keys[op.name], attribute_shape(op) or (), self.shapes[op.name])
            for op in self.ops
            if op.name in self.shapes
        ]
        return sorted((item for item in found if item.sizes), key=lambda item: item.key)


def lookups(tensorflow: Any, graph: Any, model: Model) -> List[Lookup]:
    """Returns the ops that raise for some indices only.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        model: what the mode runs.
    """
    smaller = model.smaller()
    called = list(_called_lookups(graph, model, smaller))
    found = [(op, _sources(op.inputs[1], model.paths)) for op in _reached(model, smaller)]
    found = [(op, given) for op, given in found if given.inputs or given.others]
    if not found:
        return called
    definition = part_of(graph, ancestors(op for op, _ in found))
    restore_shapes(tensorflow, definition, model.shapes)
    try:
        with imported(tensorflow, definition, {}) as restored:
            made = [_lookup(tensorflow, op, given, restored, smaller) for op, given in found]
    except ImportedError:  # the run raises in any case, and the dry run says so
        return []
    return [*(lookup for lookup in made if lookup is not None), *called]


def limits_of(found: Iterable[Lookup]) -> Tuple[DataLimit, ...]:
    """Returns the limits of lookups, without repetitions."""
    return tuple(dict.fromkeys(lookup.limit for lookup in found))


def sliced(model: Model) -> List[Smaller]:
    """Returns the tables from which the run takes one row for each position of an input."""
    found = []
    for item in model.smaller():
        for op in _reached(model, [item], (*_SLICES, *_LOOKUPS, "GatherV2")):
            if any(_sources(given, model.paths).lengths for given in op.inputs[1:]):
                found.append(item)
                break
    return found


def _reached(
    model: Model, smaller: Sequence[Smaller], types: Sequence[str] = (*_LOOKUPS, "GatherV2")
) -> List[Any]:
    """The ops of some types that variables flow into, by name."""
    users = consumers_of(output for item in smaller for output in item.op.outputs)
    found = {op for op in users & model.ops if op.type in types}
    return sorted(found, key=lambda op: str(op.name))


def _lookup(
    tensorflow: Any, op: Any, given: _Sources, restored: Any, smaller: Sequence[Smaller]
) -> Optional[Lookup]:
    """Returns the lookup of an op; None if no index is too large for it."""
    mine = restored.get_operation_by_name(op.name)
    declared, other = _shape_of(op.inputs[0]), _shape_of(mine.inputs[0])
    if declared is None or other is None or len(declared) != len(other):
        return None
    for axis in _axes(tensorflow, op):
        if not -len(other) <= axis < len(other):
            continue
        n, m = declared[axis], other[axis]
        if n is None or m is None or m >= n:
            continue
        most = _bound(tensorflow, mine.inputs[1])
        if most is not None and most <= m:
            continue
        before = ancestors([op.inputs[0].op])
        keys = [item.key for item in smaller if item.op in before and (n, m) in item.sizes]
        kind = DataKind.LABEL if op.type == _OF_LABELS else DataKind.ID
        return Lookup(op, op.inputs[1], DataLimit(tuple(keys), kind, m, given.inputs))
    return None


def _called_lookups(graph: Any, model: Model, smaller: Sequence[Smaller]) -> Iterator[Lookup]:
    """Yields the branches, loops and calls whose functions look up rows of a smaller table."""
    tables = {item.op: item for item in smaller if item.rows_are_fewer}
    users = consumers_of(output for table in tables for output in table.outputs) & model.ops
    calls = [op for op in users if op.type in (*_BRANCHES, *CALLS, *LOOPS)]
    library = graph.as_graph_def().library.function if calls else ()
    functions = {item.signature.name: item for item in library}
    for op in sorted(calls, key=lambda op: str(op.name)):
        handles = [handle_of(tensor) for tensor in op.inputs]
        for table in filter(tables.__contains__, dict.fromkeys(handles)):
            item = tables[table]
            places = [place for place, handle in enumerate(handles) if handle is table]
            if _looks_up(functions, op.node_def, places):
                given = [_sources(tensor, model.paths).inputs for tensor in op.inputs]
                inputs = sorted(set(itertools.chain.from_iterable(given)))
                limit = DataLimit((item.key,), DataKind.ID, item.restored[0], tuple(inputs))
                yield Lookup(op, None, limit)


def _looks_up(functions: Mapping[str, Any], node: Any, places: Sequence[int]) -> bool:
    """Whether a function that a node calls looks something up in some of the node's inputs."""
    given = [name for name in node.input if not name.startswith("^")]
    for function in filter(None, map(functions.get, functions_of(node))):
        arguments = [argument.name for argument in function.signature.input_arg]
        before = len(given) - len(arguments)  # a conditional has its condition before the arguments
        tables = {arguments[place - before] for place in places if place >= before}
        for inner in function.node_def:
            mine = [place for place, name in enumerate(inner.input) if name in tables]
            found = inner.op in _LOOKUPS and 0 in mine
            if found or (mine and _looks_up(functions, inner, mine)):
                return True
    return False


def _axes(tensorflow: Any, op: Any) -> Iterable[int]:
    """Returns the axes of an op's first input in which the op looks up indices."""
    if op.type == "GatherV2":
        axis = tensorflow.get_static_value(op.inputs[2])
        return () if axis is None else (int(axis),)
    if op.type.endswith("GatherNd"):
        shape = static_shape(op.inputs[1])
        return range(shape[-1] or 0) if shape else ()
    batch = op.get_attr("batch_dims") if "batch_dims" in op.node_def.attr else 0
    return (_LOOKUPS[op.type] + batch,)


def _shape_of(tensor: Any) -> Optional[Sequence[Optional[int]]]:
    """Returns the shape of a tensor; for a handle, the shape of its variable."""
    handle = handle_of(tensor)
    return static_shape(tensor) if handle is None else attribute_shape(handle)


def _sources(tensor: Any, paths: Mapping[str, str]) -> _Sources:
    """Returns what a tensor is computed from."""
    inputs: Set[str] = set()
    lengths = others = False
    seen = set()
    stack = [(tensor, True)]
    while stack:
        item = stack.pop()
        found, by_value = item
        if (found.name, by_value) in seen:
            continue
        seen.add((found.name, by_value))
        path = paths.get(found.name)
        if path is None and not _differs(found.op):
            by_value = by_value and found.op.type not in _SIZES
            stack.extend((given, by_value) for given in found.op.inputs)
        elif not by_value:
            lengths = True
        elif path:
            inputs.add(path)
        else:
            others = True
    return _Sources(tuple(sorted(inputs)), lengths, others)


def _differs(op: Any) -> bool:
    """Whether an op gives other values in each run, whatever its inputs are."""
    return bool(_CHANCE.search(op.type)) or not (op.inputs or _STATE.search(op.type))


def _bound(tensorflow: Any, tensor: Any) -> Optional[int]:
    """Returns an upper bound of a tensor's values, not included; None if it is not known."""
    op = tensor.op
    value = tensorflow.get_static_value(tensor)
    if value is not None:
        return int(value.max()) + 1 if value.size else 0
    if op.type in ("FloorMod", "Mod"):
        divisor = tensorflow.get_static_value(op.inputs[1])
        return None if divisor is None else int(divisor.max())
    if op.type.startswith("StringToHashBucket"):
        return int(op.get_attr("num_buckets"))
    if op.type in _KEEPING or (op.type in _KEEPING_FIRST and tensor.value_index == 0):
        return _bound(tensorflow, op.inputs[0])
    if op.type == "Minimum":
        known = [bound for bound in _bounds(tensorflow, op.inputs) if bound is not None]
        return min(known, default=None)
    if op.type in ("Maximum", "Select", "SelectV2"):
        bounds = list(_bounds(tensorflow, op.inputs[-2:]))
        return None if None in bounds else max(filter(None, bounds), default=0)
    return None


def _bounds(tensorflow: Any, tensors: Iterable[Any]) -> Iterator[Optional[int]]:
    return (_bound(tensorflow, tensor) for tensor in tensors)
