"""Runs what a mode runs after a restore that accepts other shapes, on made-up values.

Shape functions alone do not tell whether the run raises: the graph optimizer drops, folds and fuses
ops, only kernels know some sizes, and nothing looks into branches and loops. So the graph runs in a
session: first with the declared shapes, to see that it runs at all with made-up values, and then
with the restored ones. If the second run raises, the restored shapes are the reason.

A dry run reads no weight and writes nothing: variables and inputs hold made-up values, and ops that
could write something, call Python, or wait for a peer are cut off (:mod:`.unsafe_ops`).

A shape can claim any size, so two bounds limit the memory: no tensor of known size may be large,
and on Linux the process can allocate no more than a limit. Of a model that is too large, the part
runs that the restored shapes can affect (:mod:`.affected_ops`).
"""

import contextlib
import re
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from . import compat, processes
from .affected_ops import affected_sinks
from .restore_plan import ancestors, as_op, consumers_of
from .static_shapes import static_shape
from .unsafe_ops import Cut, cut_off

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_MOST_BYTES = 1 << 29
"""The most that the variables, the inputs, or a single tensor may take. Larger ones take too
long."""
_MOST_MEMORY = 6 * _MOST_BYTES
"""The most that a dry run may allocate: variables, gradients, and all that the run computes."""
_STRING_BYTES = 24
"""The memory of a short string in a tensor."""
_MILLISECONDS = 20000
_FILLINGS = (1, 0)
"""What inputs are full of. One is a valid id, class, length and number in most models."""
_PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


class DryRun(NamedTuple):
    """What a dry run showed.

    Attributes:
        reason: why there was no dry run; "" if there was one.
        op: the op that raises with the restored shapes, "" for none.
        message: what it says.
        batch: the size that was used for an unknown one.
        assumed: the types of ops that read restored values and were not executed, so that their
            results were assumed to have the declared shapes.
    """

    reason: str
    op: str = ""
    message: str = ""
    batch: int = 0
    assumed: Tuple[str, ...] = ()


def dry_run(
    tensorflow: Any,
    graph: Any,
    fetches: Iterable[Any],
    changed: Mapping[str, Sequence[int]],
    inputs: Sequence[Any],
) -> DryRun:
    """Runs what a mode runs with the declared shapes, and with the restored ones.

    Args:
        tensorflow: the module.
        graph: the graph of the trace. The dry run adds ops to it and reroutes its tensors.
        fetches: what the mode runs.
        changed: the restored shapes, by the names of the variables' ops.
        inputs: features and labels.
    """
    compat.reopen(graph)
    wanted = [item for item in fetches if as_op(item) is not None]
    cut = cut_off(graph, ancestors(map(as_op, wanted)))
    if cut.reason:
        return DryRun(cut.reason)
    wanted = [*(item for item in wanted if as_op(item) in cut.ops), *cut.before]
    stage = _Stage(tensorflow, graph, wanted, cut, inputs)
    if any(shape is None and name not in changed for name, shape in stage.shapes.items()):
        return DryRun("the shape of a variable is unknown")
    large = stage.large(changed)
    if large:
        sinks = affected_sinks(tensorflow, graph, cut.ops, changed, stage.pinned())
        stage = _Stage(tensorflow, graph, sinks, cut._replace(ops=ancestors(sinks)), inputs)
        large = stage.large(changed) if sinks else large
    if large:
        return DryRun(large)
    handles = map(graph.get_operation_by_name, changed)
    reached = consumers_of(output for op in handles for output in op.outputs)
    assumed = tuple(sorted({output.op.type for output in cut.outputs if output.op in reached}))
    with processes.limited_memory(_MOST_MEMORY):
        return _run(stage, changed)._replace(assumed=assumed)


def _run(stage: "_Stage", changed: Mapping[str, Sequence[int]]) -> DryRun:
    """The runs with the declared and with the restored shapes.

    A small part of TRAIN, the loss, runs first, because TensorFlow takes long to optimize a graph
    with gradients. If the loss raises, so does TRAIN.
    """
    reason = ""
    for filling in _FILLINGS:
        stage.fill(filling)
        declared = restored = None
        with stage.session(changed) as run:
            if stage.small_part:
                declared, restored = _both(run, stage.small_part)
            if declared is not None or restored is None or not stage.is_never_fused(restored.op):
                declared, restored = _both(run, stage.fetches)
        raised = declared or restored
        if raised is None:
            return DryRun("", batch=stage.batch)
        if not raised.known:
            return DryRun(raised.message)
        if declared is None:
            return DryRun("", raised.op, raised.message, stage.batch)
        reason = f"it raises an error with made-up values: {raised.message}"
    return DryRun(reason)


_NEVER_FUSED = ("BatchMatMul", "BatchMatMulV2", "ConcatV2", "MatMul", "Reshape", "SelectV2")
"""Ops that are never the last of those that the graph optimizer fuses. It fuses an op with the next
if nothing else takes its output. So the loss alone may have fused ops that TRAIN does not have."""


def _both(run: "_Run", part: List[Any]) -> Tuple[Optional["_Raised"], Optional["_Raised"]]:
    """What a part raises with the declared shapes; and, if nothing, with the restored ones."""
    declared = run(False, part)
    return declared, (run(True, part) if declared is None else None)


class _Raised(NamedTuple):
    op: str
    message: str
    known: bool


_Run = Callable[[bool, List[Any]], Optional[_Raised]]
"""Runs a part with the declared shapes or the restored ones."""

_Sizes = List[Tuple[Any, Sequence[int], Sequence[int]]]
"""The tensors of shapes to feed, with the declared and the restored shape of each."""


class _Stage:
    """The graph with ops that set its variables, and values for its inputs."""

    def __init__(
        self, tensorflow: Any, graph: Any, fetches: List[Any], cut: Cut, inputs: Sequence[Any]
    ) -> None:
        self._tensorflow = tensorflow
        self._v1 = tensorflow.compat.v1
        self._graph = graph
        self.fetches = fetches
        self.small_part = _small_part(fetches, len(cut.ops))
        self._ops = cut.ops
        self._iterators = cut.iterators
        self._inputs = inputs
        self._outputs = cut.outputs
        self.shapes = {op.name: _declared(op) for op in cut.ops if op.type in _VARIABLES}
        self._latest: Dict[str, Any] = {}
        self._given: Dict[str, Any] = {}
        self.batch, self._steps = self._made_up_sizes()

    def is_never_fused(self, name: str) -> bool:
        """Whether the graph optimizer never fuses an op with others."""
        try:
            return self._graph.get_operation_by_name(name).type in _NEVER_FUSED
        except (KeyError, ValueError):  # it is in a function, or the graph optimizer made it
            return False

    def pinned(self) -> Dict[str, Any]:
        """The dtypes and made-up shapes of the inputs, by name."""
        dense = [tensor for tensor in self._inputs if not _is_sparse(tensor)]
        return {
            tensor.name: (tensor.dtype, self._filled(static_shape(tensor)))
            for tensor in (*dense, *self._outputs)
            if any(user in self._ops for user in tensor.consumers())
        }

    def large(self, changed: Mapping[str, Sequence[int]]) -> str:
        """Says what takes too much memory; "" if nothing is known to."""
        variables = 0
        for name, shape in self.shapes.items():
            dtype = self._graph.get_operation_by_name(name).get_attr("dtype")
            values = max(_product(shape or ()), _product(changed.get(name, ())))
            variables += values * self._value_bytes(dtype)
        if variables > _MOST_BYTES:
            return "its variables are too large"
        if sum(map(self._input_bytes, self._inputs)) > _MOST_BYTES:
            return "its inputs are too large"
        tensors = (output for op in self._ops for output in op.outputs)
        if any(self._tensor_bytes(tensor) > _MOST_BYTES for tensor in tensors):
            return "one of its tensors is too large"
        return ""

    def _input_bytes(self, tensor: Any) -> int:
        if not _is_sparse(tensor):
            return self._tensor_bytes(tensor)
        value = self._value_bytes(tensor.values.dtype)
        return self.batch * (value + _sparse_rank(tensor) * self._value_bytes(tensor.indices.dtype))

    def _tensor_bytes(self, tensor: Any) -> int:
        """The bytes of a tensor, with made-up sizes for unknown ones."""
        return _product(self._filled(static_shape(tensor))) * self._value_bytes(tensor.dtype)

    def _value_bytes(self, dtype: Any) -> int:
        dtype = self._tensorflow.as_dtype(dtype).base_dtype
        return _STRING_BYTES if dtype == self._tensorflow.string else int(dtype.size)

    def _made_up_sizes(self) -> List[int]:
        """Returns a made-up batch and length that fit no other size by chance."""
        shapes = [static_shape(tensor) for tensor in self._inputs if not _is_sparse(tensor)]
        known = [shape[0] for shape in shapes if shape and shape[0]]
        taken = {size for shape in (*self.shapes.values(), *shapes) for size in shape or ()}
        free = [prime for prime in _PRIMES if prime not in taken]
        batch, steps = (free + list(_PRIMES))[:2]
        return [known[0] if known else batch, steps]

    def _filled(self, shape: Optional[Sequence[Optional[int]]]) -> List[int]:
        """A shape with made-up sizes for the unknown ones."""
        if shape is None:
            return [self.batch]
        rest = [self._steps if size is None else size for size in shape[1:]]
        return [shape[0] or self.batch, *rest] if shape else []

    def fill(self, filling: int) -> None:
        """Puts values in the place of the placeholders among the inputs.

        Nothing is fed: the graph optimizer relies on the shapes that the input_fn's iterator
        declares, and not on those of fed tensors.
        """
        with self._graph.as_default():
            for tensor in self._inputs:
                if _is_sparse(tensor):
                    self._fill_sparse(tensor, filling)
                elif tensor.op.type in _PLACEHOLDERS:
                    self._fill_dense(tensor, filling)
            for tensor in self._outputs:
                self._fill_dense(tensor, filling)

    def _fill_dense(self, tensor: Any, filling: int) -> None:
        shape = self._filled(static_shape(tensor))
        self._replace(tensor, self._constant(shape, tensor.dtype, filling))

    def _fill_sparse(self, tensor: Any, filling: int) -> None:
        """Puts one value in each row of a SparseTensor."""
        if tensor.values.op.type not in _PLACEHOLDERS:
            return
        tf, rank = self._tensorflow, _sparse_rank(tensor)
        rows = tf.expand_dims(tf.range(tf.constant(self.batch, "int64")), 1)
        values = self._constant([self.batch], tensor.values.dtype, filling)
        self._replace(tensor.indices, tf.pad(rows, [[0, 0], [0, rank - 1]]))
        self._replace(tensor.values, values)
        shape = [self.batch] + [1] * (rank - 1)
        self._replace(tensor.dense_shape, tf.constant(shape, "int64"))

    def _replace(self, tensor: Any, value: Any) -> None:
        """Gives the consumers of a tensor the value of a variable.

        The graph optimizer would fold a constant, and know more than it does in the real run.
        """
        raw = self._tensorflow.raw_ops
        name = self._graph.unique_name("ckptcheck_dry_run/input", mark_as_used=False)
        handle = raw.VarHandleOp(
            dtype=tensor.dtype, shape=tensor.get_shape(), shared_name=name, name=name
        )
        known = raw.ReadVariableOp(resource=handle, dtype=tensor.dtype)
        compat.reroute(self._latest.get(tensor.name, tensor), known)
        self._latest[tensor.name] = known
        self._given[tensor.name] = raw.AssignVariableOp(resource=handle, value=value)

    @contextlib.contextmanager
    def session(self, changed: Mapping[str, Sequence[int]]) -> Iterator[_Run]:
        """Opens a session.

        TensorFlow optimizes the graph once, in the first run, by the declared shapes, as it does in
        a real run.

        Yields:
            A function that says what a run raises, with the declared shapes or the restored ones.
        """
        with self._graph.as_default():
            zeros, sizes = self._zeros(changed)
            config = self._config()
            with self._v1.Session(graph=self._graph, config=config) as session:
                yield lambda restored, part: self._run(
                    session, zeros, {size: shapes[restored] for size, *shapes in sizes}, part
                )

    def _run(
        self, session: Any, zeros: Any, sizes: Mapping[Any, Sequence[int]], part: List[Any]
    ) -> Optional[_Raised]:
        errors = self._tensorflow.errors
        options = self._v1.RunOptions(timeout_in_ms=_MILLISECONDS)
        filled = [self._latest.get(getattr(f, "name", ""), f) for f in part]
        try:
            session.run(self._resources(), options=options)
            session.run([zeros, *self._given.values()], sizes, options=options)
            session.run(filled, options=options)
        except errors.DeadlineExceededError:
            return _Raised("", "it takes too long", False)
        except (errors.ResourceExhaustedError, MemoryError):
            return _Raised("", "it takes too much memory", False)
        except errors.OpError as error:
            return _Raised(_op_of(error), _said(str(error.message)), True)
        except Exception as error:  # such as what session.run says of a fetch
            return _Raised("", f"{type(error).__name__}: {error}", False)
        return None

    def _config(self) -> Any:
        """Estimator's own, on the processor.

        The layout optimizer changes a graph for GPUs only, and takes a sixth of the run.
        """
        config = self._v1.ConfigProto(device_count={"GPU": 0}, allow_soft_placement=True)
        options = config.graph_options.rewrite_options
        options.meta_optimizer_iterations = options.ONE
        options.layout_optimizer = options.OFF
        return config

    def _resources(self) -> List[Any]:
        """The ops that make tables, iterators and other resources."""
        v1 = self._v1
        resources = [item.create for item in v1.get_collection(v1.GraphKeys.RESOURCES)]
        return [*resources, *v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS), *self._iterators]

    def _zeros(self, changed: Mapping[str, Sequence[int]]) -> Tuple[Any, _Sizes]:
        """Makes an op that fills the variables with zeros of any shape.

        The shapes are fed: the graph optimizer of TensorFlow 2 may fold zeros of a known shape to
        zeros of the shape that the variable declares. Variables of one shape share their zeros
        until something updates them.
        """
        made: Dict[Any, Tuple[Any, Any]] = {}
        values = {}
        for name, shape in self.shapes.items():
            op = self._graph.get_operation_by_name(name)
            declared = tuple(shape or ())
            key = (op.get_attr("dtype"), declared, tuple(changed.get(name, declared)))
            if key not in made:
                size = self._v1.placeholder("int64", [None])
                made[key] = (size, self._constant(size, key[0], 0))
            values[op] = made[key][1]
        return self._assigned(values), [(size, *key[1:]) for key, (size, _) in made.items()]

    def _assigned(self, values: Mapping[Any, Any]) -> Any:
        """Makes an op that assigns values to variables, by the variables' ops.

        Those of resource variables are imported at once, which takes a tenth of the time that it
        takes to make them one by one.
        """
        raw, found = self._tensorflow.raw_ops, []
        tensors: Dict[str, Any] = {}
        definition = self._v1.GraphDef()
        for number, (op, value) in enumerate(values.items()):
            if op.type != "VarHandleOp":
                assign = raw.Assign(ref=op.outputs[0], value=value, validate_shape=False)
                found.append(assign.op)
                continue
            inputs = [f"variable{number}:0", f"value{number}:0"]
            tensors.update(zip(inputs, (op.outputs[0], value)))
            node = definition.node.add(name=f"assign{number}", op="AssignVariableOp", input=inputs)
            node.attr["dtype"].type = value.dtype.as_datatype_enum
        names = [node.name for node in definition.node]
        made = self._v1.import_graph_def(definition, tensors, names, "ckptcheck_dry_run/assign")
        return self._v1.group(*found, *(made or ()))

    def _constant(self, shape: Any, dtype: Any, filling: int) -> Any:
        text = dtype == self._tensorflow.string
        one = str(filling) if text else self._tensorflow.cast(filling, dtype)
        return self._tensorflow.fill(shape, one)


def _small_part(fetches: Sequence[Any], ops: int) -> List[Any]:
    """Returns the largest of the fetches that take less than half of the ops; at least a tenth."""
    sizes = [(len(ancestors([as_op(item)])), item) for item in fetches]
    small = [(size, item) for size, item in sizes if ops < 10 * size < 5 * ops]
    return [max(small, key=lambda found: found[0])[1]] if small else []


def _is_sparse(tensor: Any) -> bool:
    return hasattr(tensor, "dense_shape")


def _sparse_rank(tensor: Any) -> int:
    """The rank of a SparseTensor, 2 where it is unknown."""
    return (static_shape(tensor.indices) or [None, 2])[1] or 2


def _declared(op: Any) -> Optional[List[int]]:
    """The shape that a variable is declared to have, None where it is not known as a whole."""
    shape = op.get_attr("shape")
    sizes = [dim.size for dim in shape.dim]
    return None if shape.unknown_rank or any(size < 0 for size in sizes) else sizes


def _product(shape: Iterable[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _op_of(error: Any) -> str:
    """Returns the op that raised. The message contains its name."""
    named = re.findall(r"\{\{node ([^}]+)\}\}", str(error.message))
    return named[-1] if named else str(getattr(error.op, "name", ""))


def _said(message: str) -> str:
    """Returns the message of a kernel, without its place in the graph."""
    lines = message.partition("\n\t [[")[0].splitlines()
    return re.sub(r"^\{\{.*?\}\} ", "", lines[-1]) if lines else message
