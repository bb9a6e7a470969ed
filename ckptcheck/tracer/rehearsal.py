"""Rehearses the run after a restore that lets other shapes through.

Shape functions alone do not tell whether it raises: the graph optimizer drops, folds and fuses ops,
sizes are known to kernels alone, and branches and loops are looked into by nobody. So what the mode
runs is run, in a session on made-up values: with the declared shapes, to see that it runs at all
with such values, and then with the restored ones. What raises then does so because of them.

No weight is read and nothing of the user's is written: variables and inputs hold made-up values,
and a graph is not rehearsed whose ops could write something, call Python, or wait for what never
comes.

A shape can claim any size, so two bounds limit the memory: a graph with a tensor that is known to
be large is not run, and on Linux a run cannot allocate more than a rehearsal may take.
"""

import re
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set

from . import compat, processes
from .convolutions import static_shape
from .restore_plan import ancestors, as_op

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_UNFIT = re.compile(
    r"PyFunc|^Write|Save|Summary|^Queue.*(Dequeue|Enqueue)|^_?Send|^_?Recv|Rpc|TPU|[IO](n|ut)feed"
    r"|^Barrier|^Stage|^Unstage|^Collective|^Nccl|^Experimental|^Debug|^Dump"
)
_MOST_BYTES = 1 << 29
"""The most that the variables, the inputs, or a single tensor may take. Larger ones would take too
long."""
_MOST_MEMORY = 6 * _MOST_BYTES
"""The most that a rehearsal may allocate: variables, gradients, and all that the run computes."""
_STRING_BYTES = 24
"""The memory of a short string in a tensor."""
_MILLISECONDS = 20000
_FILLINGS = (1, 0)
"""What inputs are full of: one is an id, a class, a length and a number, whatever is expected."""
_PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


class Rehearsal(NamedTuple):
    """What a rehearsal has shown.

    Attributes:
        reason: why there was none, "" where there was one.
        op: the op that raises with the restored shapes, "" for none.
        message: what it says.
        batch: the size that stood for an unknown one.
    """

    reason: str
    op: str = ""
    message: str = ""
    batch: int = 0


def rehearse(
    tensorflow: Any,
    graph: Any,
    fetches: Iterable[Any],
    changed: Mapping[str, Sequence[int]],
    inputs: Sequence[Any],
) -> Rehearsal:
    """Runs what a mode runs with the declared shapes, and with the restored ones.

    Args:
        tensorflow: the module.
        graph: the graph of the trace, to which ops are added.
        fetches: what the mode runs.
        changed: the restored shapes, by the names of the variables' ops.
        inputs: features and labels.
    """
    wanted = [item for item in fetches if as_op(item) is not None]
    ops = ancestors(op for op in map(as_op, wanted) if op is not None)
    stage = _Stage(tensorflow, graph, wanted, ops, inputs)
    reason = stage.problem(changed)
    if reason:
        return Rehearsal(reason)
    compat.reopen(graph)
    with processes.limited_memory(_MOST_MEMORY):
        return _run(stage, changed)


def _run(stage: "_Stage", changed: Mapping[str, Sequence[int]]) -> Rehearsal:
    """The runs with the declared and with the restored shapes."""
    reason = ""
    for filling in _FILLINGS:
        stage.fill(filling)
        raised = stage.run({})
        if raised is None:
            return stage.outcome(changed)
        if not raised.known:
            return Rehearsal(raised.message)
        reason = f"it raises with made-up values: {raised.message}"
    return Rehearsal(reason)


class _Raised(NamedTuple):
    op: str
    message: str
    known: bool


class _Stage:
    """The graph with ops that set its variables, and values for its inputs."""

    def __init__(
        self, tensorflow: Any, graph: Any, fetches: List[Any], ops: Set[Any], inputs: Sequence[Any]
    ) -> None:
        self._tensorflow = tensorflow
        self._v1 = tensorflow.compat.v1
        self._graph = graph
        self._fetches = fetches
        self._ops = ops
        self._inputs = inputs
        self._shapes = {op.name: _declared(op) for op in ops if op.type in _VARIABLES}
        self._latest: Dict[str, Any] = {}
        self._given: Dict[str, Any] = {}
        self._batch, self._steps = self._made_up_sizes()

    def problem(self, changed: Mapping[str, Sequence[int]]) -> str:
        """Why this cannot be rehearsed, "" where it can."""
        kinds = {op.type for op in self._ops} | set(self._called())
        unfit = sorted(kind for kind in kinds if _UNFIT.search(kind))
        if unfit:
            return f"it has {unfit[0]} ops"
        if any(shape is None and name not in changed for name, shape in self._shapes.items()):
            return "the shape of a variable is unknown"
        large = self._large(changed)
        return f"{large} large" if large else ""

    def _large(self, changed: Mapping[str, Sequence[int]]) -> str:
        """What is known to take too much memory, "" for nothing."""
        variables = inputs = 0
        for name, shape in self._shapes.items():
            dtype = self._graph.get_operation_by_name(name).get_attr("dtype")
            values = max(_product(shape or ()), _product(changed.get(name, ())))
            variables += values * self._value_bytes(dtype)
        if variables > _MOST_BYTES:
            return "its variables are"
        for tensor in self._inputs:
            inputs += self._input_bytes(tensor)
        if inputs > _MOST_BYTES:
            return "its inputs are"
        tensors = (output for op in self._ops for output in op.outputs)
        if any(self._tensor_bytes(tensor) > _MOST_BYTES for tensor in tensors):
            return "a tensor in it is"
        return ""

    def _input_bytes(self, tensor: Any) -> int:
        if not _is_sparse(tensor):
            return self._tensor_bytes(tensor)
        value = self._value_bytes(tensor.values.dtype)
        return self._batch * (
            value + _sparse_rank(tensor) * self._value_bytes(tensor.indices.dtype)
        )

    def _tensor_bytes(self, tensor: Any) -> int:
        """The bytes of a tensor, with made-up sizes for unknown ones."""
        return _product(self._filled(static_shape(tensor))) * self._value_bytes(tensor.dtype)

    def _value_bytes(self, dtype: Any) -> int:
        dtype = self._tensorflow.as_dtype(dtype).base_dtype
        return _STRING_BYTES if dtype == self._tensorflow.string else int(dtype.size)

    def _called(self) -> Iterator[str]:
        """The types of the ops in functions, of which any may be called."""
        for function in self._graph.as_graph_def().library.function:
            for node in function.node_def:
                yield node.op

    def _made_up_sizes(self) -> List[int]:
        """A batch and a length that no size equals, so that nothing fits by chance."""
        shapes = [static_shape(tensor) for tensor in self._inputs if not _is_sparse(tensor)]
        known = [shape[0] for shape in shapes if shape and shape[0]]
        taken = {size for shape in (*self._shapes.values(), *shapes) for size in shape or ()}
        free = [prime for prime in _PRIMES if prime not in taken]
        batch, steps = (free + list(_PRIMES))[:2]
        return [known[0] if known else batch, steps]

    def _filled(self, shape: Optional[Sequence[Optional[int]]]) -> List[int]:
        """A shape with made-up sizes for the unknown ones."""
        if shape is None:
            return [self._batch]
        rest = [self._steps if size is None else size for size in shape[1:]]
        return [shape[0] or self._batch, *rest] if shape else []

    def fill(self, filling: int) -> None:
        """Puts values in the place of the placeholders among the inputs.

        They are not fed: of what is fed the graph optimizer takes no shape for granted, while it
        knows what the input_fn's iterator declares.
        """
        with self._graph.as_default():
            for tensor in self._inputs:
                if _is_sparse(tensor):
                    self._fill_sparse(tensor, filling)
                elif tensor.op.type in _PLACEHOLDERS:
                    shape = self._filled(static_shape(tensor))
                    self._replace(tensor, self._constant(shape, tensor.dtype, filling))

    def _fill_sparse(self, tensor: Any, filling: int) -> None:
        """Puts one value in each row of a SparseTensor."""
        if tensor.values.op.type not in _PLACEHOLDERS:
            return
        tf, rank = self._tensorflow, _sparse_rank(tensor)
        rows = tf.expand_dims(tf.range(tf.constant(self._batch, "int64")), 1)
        values = self._constant([self._batch], tensor.values.dtype, filling)
        self._replace(tensor.indices, tf.pad(rows, [[0, 0], [0, rank - 1]]))
        self._replace(tensor.values, values)
        shape = [self._batch] + [1] * (rank - 1)
        self._replace(tensor.dense_shape, tf.constant(shape, "int64"))

    def _replace(self, tensor: Any, value: Any) -> None:
        """Gives a value to the consumers of a tensor, who know no more of it than before.

        It is that of a variable: from a constant the graph optimizer would work out more.
        """
        raw = self._tensorflow.raw_ops
        name = self._graph.unique_name("ckptcheck_rehearsal/input", mark_as_used=False)
        handle = raw.VarHandleOp(
            dtype=tensor.dtype, shape=tensor.get_shape(), shared_name=name, name=name
        )
        known = raw.ReadVariableOp(resource=handle, dtype=tensor.dtype)
        compat.reroute(self._latest.get(tensor.name, tensor), known)
        self._latest[tensor.name] = known
        self._given[tensor.name] = raw.AssignVariableOp(resource=handle, value=value)

    def run(self, changed: Mapping[str, Sequence[int]]) -> Optional[_Raised]:
        """What a run raises with some shapes that are not the declared ones."""
        errors = self._tensorflow.errors
        session = self._v1.Session(graph=self._graph, config=self._config())
        try:
            with self._graph.as_default(), session:
                self._prepare(session, changed)
                filled = [self._latest.get(getattr(f, "name", ""), f) for f in self._fetches]
                session.run(filled, options=self._options())
        except errors.DeadlineExceededError:
            return _Raised("", "it takes too long", False)
        except (errors.ResourceExhaustedError, MemoryError):
            return _Raised("", "it takes too much memory", False)
        except errors.OpError as error:
            return _Raised(_op_of(error), _said(str(error.message)), True)
        except Exception as error:  # such as what session.run says of a fetch
            return _Raised("", f"{type(error).__name__}: {error}", False)
        return None

    def outcome(self, changed: Mapping[str, Sequence[int]]) -> Rehearsal:
        """The run with the restored shapes, after one with the declared shapes has ended well."""
        raised = self.run(changed)
        if raised is None:
            return Rehearsal("", batch=self._batch)
        if not raised.known:
            return Rehearsal(raised.message)
        return Rehearsal("", raised.op, raised.message, self._batch)

    def _config(self) -> Any:
        """Estimator's own, on the processor."""
        config = self._v1.ConfigProto(device_count={"GPU": 0}, allow_soft_placement=True)
        options = config.graph_options.rewrite_options
        options.meta_optimizer_iterations = options.ONE
        return config

    def _options(self) -> Any:
        return self._v1.RunOptions(timeout_in_ms=_MILLISECONDS)

    def _prepare(self, session: Any, changed: Mapping[str, Sequence[int]]) -> None:
        """Sets all variables to zero, and makes tables, iterators and other resources."""
        v1 = self._v1
        resources = [item.create for item in v1.get_collection(v1.GraphKeys.RESOURCES)]
        tables = v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS)
        iterators = [op for op in self._graph.get_operations() if op.type == "MakeIterator"]
        session.run([resources, tables, iterators], options=self._options())
        sizes: Dict[Any, Sequence[int]] = {}
        assigns = [self._assign(name, changed, sizes) for name in self._shapes]
        session.run([*assigns, *self._given.values()], sizes, options=self._options())

    def _assign(
        self, name: str, changed: Mapping[str, Sequence[int]], sizes: Dict[Any, Sequence[int]]
    ) -> Any:
        """An op that fills a variable with zeros of any shape.

        It adds the shape to ``sizes``, which are fed. The graph optimizer of TensorFlow 2 may fold
        zeros of a known shape to zeros of the shape that the variable declares.
        """
        raw, op = self._tensorflow.raw_ops, self._graph.get_operation_by_name(name)
        size = self._v1.placeholder("int64", [None])
        sizes[size] = changed.get(name, self._shapes[name] or ())
        value = self._constant(size, op.get_attr("dtype"), 0)
        if op.type == "VarHandleOp":
            return raw.AssignVariableOp(resource=op.outputs[0], value=value)
        return raw.Assign(ref=op.outputs[0], value=value, validate_shape=False)

    def _constant(self, shape: Any, dtype: Any, filling: int) -> Any:
        text = dtype == self._tensorflow.string
        one = str(filling) if text else self._tensorflow.cast(filling, dtype)
        return self._tensorflow.fill(shape, one)


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
    """The op that raised: its kernel's name stands in the message."""
    named = re.findall(r"\{\{node ([^}]+)\}\}", str(error.message))
    return named[-1] if named else str(getattr(error.op, "name", ""))


def _said(message: str) -> str:
    """What a kernel says, without where in which graph."""
    lines = message.partition("\n\t [[")[0].splitlines()
    return re.sub(r"^\{\{.*?\}\} ", "", lines[-1]) if lines else message
