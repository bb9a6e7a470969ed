"""A traced graph that can run on made-up values, with the declared or the restored shapes."""

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

from . import compat
from .restore_plan import ancestors, as_op
from .static_shapes import static_shape
from .unsafe_ops import Cut

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_MOST_BYTES = 1 << 29
"""The most that the variables, the inputs, or a single tensor may take. Larger ones take too
long."""
MOST_MEMORY = 6 * _MOST_BYTES
"""The most that a dry run may allocate: variables, gradients, and all that the run computes."""
_STRING_BYTES = 24
"""The memory of a short string in a tensor."""
_MILLISECONDS = 20000
_PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


class Data(NamedTuple):
    """What the inputs of a run hold.

    Attributes:
        filling: the value of each number in them.
        length: the size of each unknown axis other than the batch.
    """

    filling: int
    length: int


class Raised(NamedTuple):
    """The error of a run.

    Attributes:
        op: the op that raised it; "" if it is not known.
        message: what it says.
        known: whether the values or shapes are the reason, and not the limits of a dry run.
    """

    op: str
    message: str
    known: bool


Run = Callable[[bool, List[Any], Data], Optional[Raised]]
"""Runs a part of the graph on some data: with the declared shapes (False) or the restored ones."""

_Sizes = List[Tuple[Any, Sequence[int], Sequence[int]]]
"""The tensors of shapes to feed, with the declared and the restored shape of each."""


class Stage:
    """The graph, with added ops that set its variables and replace its inputs."""

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
        self._filling: Any = None
        self._lengths: List[Tuple[Any, List[Optional[int]]]] = []
        self.batch, self.length = self._made_up_sizes()

    def op_named(self, name: str) -> Optional[Any]:
        """Returns an op; None if it is in a function, or if the graph optimizer made it."""
        try:
            return self._graph.get_operation_by_name(name)
        except (KeyError, ValueError):
            return None

    @property
    def has_lengths(self) -> bool:
        """Whether an input has an axis of unknown size besides the batch."""
        dense = [tensor for tensor in self._inputs if not _is_sparse(tensor)]
        shapes = [static_shape(tensor) for tensor in (*dense, *self._outputs)]
        return any(None in shape[1:] for shape in shapes if shape)

    def pinned(self) -> Dict[str, Any]:
        """The dtypes and made-up shapes of the inputs, by name."""
        dense = [tensor for tensor in self._inputs if not _is_sparse(tensor)]
        return {
            tensor.name: (tensor.dtype, self._filled(static_shape(tensor), self.length))
            for tensor in (*dense, *self._outputs)
            if any(user in self._ops for user in tensor.consumers())
        }

    def large(self, changed: Mapping[str, Sequence[int]], length: int = 0) -> str:
        """Says what takes too much memory; "" if nothing does, as far as sizes are known.

        Args:
            changed: the restored shapes, by the names of the variables' ops.
            length: the size of unknown axes; 0 for the made-up size.
        """
        length = length or self.length
        variables = 0
        for name, shape in self.shapes.items():
            dtype = self._graph.get_operation_by_name(name).get_attr("dtype")
            values = max(_product(shape or ()), _product(changed.get(name, ())))
            variables += values * self._value_bytes(dtype)
        if variables > _MOST_BYTES:
            return "its variables are too large"
        if sum(self._input_bytes(tensor, length) for tensor in self._inputs) > _MOST_BYTES:
            return "its inputs are too large"
        tensors = (output for op in self._ops for output in op.outputs)
        if any(self._tensor_bytes(tensor, length) > _MOST_BYTES for tensor in tensors):
            return "one of its tensors is too large"
        return ""

    def _input_bytes(self, tensor: Any, length: int) -> int:
        if not _is_sparse(tensor):
            return self._tensor_bytes(tensor, length)
        value = self._value_bytes(tensor.values.dtype)
        return self.batch * (value + _sparse_rank(tensor) * self._value_bytes(tensor.indices.dtype))

    def _tensor_bytes(self, tensor: Any, length: int) -> int:
        """The bytes of a tensor, with made-up sizes for unknown ones."""
        sizes = self._filled(static_shape(tensor), length)
        return _product(sizes) * self._value_bytes(tensor.dtype)

    def _value_bytes(self, dtype: Any) -> int:
        dtype = self._tensorflow.as_dtype(dtype).base_dtype
        return _STRING_BYTES if dtype == self._tensorflow.string else int(dtype.size)

    def _made_up_sizes(self) -> List[int]:
        """Returns a made-up batch size and length that no other size equals."""
        shapes = [static_shape(tensor) for tensor in self._inputs]
        known = [shape[0] for shape in shapes if shape and shape[0]]
        taken = {size for shape in (*self.shapes.values(), *shapes) for size in shape or ()}
        free = [prime for prime in _PRIMES if prime not in taken]
        batch, steps = (free + list(_PRIMES))[:2]
        return [known[0] if known else batch, steps]

    def _filled(self, shape: Optional[Sequence[Optional[int]]], length: int) -> List[int]:
        """A shape with made-up sizes for the unknown ones."""
        if shape is None:
            return [self.batch]
        rest = [length if size is None else size for size in shape[1:]]
        return [shape[0] or self.batch, *rest] if shape else []

    def fill(self) -> None:
        """Replaces the placeholders among the inputs by values.

        The placeholders are not fed: the graph optimizer relies on the shapes that the input_fn's
        iterator declares, and not on those of fed tensors.
        """
        with self._graph.as_default():
            self._filling = self._v1.placeholder("int64", [])
            for tensor in self._inputs:
                if _is_sparse(tensor):
                    self._fill_sparse(tensor)
                elif tensor.op.type in _PLACEHOLDERS:
                    self._fill_dense(tensor)
            for tensor in self._outputs:
                self._fill_dense(tensor)

    def _fill_dense(self, tensor: Any) -> None:
        shape = static_shape(tensor)
        sizes: Any = self._filled(shape, self.length)
        if shape and None in shape[1:]:
            sizes = self._v1.placeholder("int64", [len(shape)])
            self._lengths.append((sizes, shape))
        self._replace(tensor, self._full(sizes, tensor.dtype))

    def _fill_sparse(self, tensor: Any) -> None:
        """Puts one value in each row of a SparseTensor."""
        if tensor.values.op.type not in _PLACEHOLDERS:
            return
        tf, rank = self._tensorflow, _sparse_rank(tensor)
        shape = self._filled(static_shape(tensor) or [None] * rank, 1)
        rows = tf.expand_dims(tf.range(tf.constant(shape[0], "int64")), 1)
        self._replace(tensor.indices, tf.pad(rows, [[0, 0], [0, rank - 1]]))
        self._replace(tensor.values, self._full([shape[0]], tensor.values.dtype))
        self._replace(tensor.dense_shape, tf.constant(shape, "int64"))

    def _full(self, shape: Any, dtype: Any) -> Any:
        text = dtype == self._tensorflow.string
        strings = self._tensorflow.strings
        one = (
            strings.as_string(self._filling)
            if text
            else self._tensorflow.cast(self._filling, dtype)
        )
        return self._tensorflow.fill(shape, one)

    def _replace(self, tensor: Any, value: Any) -> None:
        """Replaces a tensor by a variable that gets the value.

        The graph optimizer would fold a constant, and then know more than in the real run.
        """
        raw = self._tensorflow.raw_ops
        name = self._graph.unique_name("ckptcheck_dry_run/input", mark_as_used=False)
        handle = raw.VarHandleOp(
            dtype=tensor.dtype, shape=tensor.get_shape(), shared_name=name, name=name
        )
        known = raw.ReadVariableOp(resource=handle, dtype=tensor.dtype)
        compat.reroute(tensor, known)
        self._latest[tensor.name] = known
        self._given[tensor.name] = raw.AssignVariableOp(resource=handle, value=value)

    @property
    def replaced(self) -> Dict[str, str]:
        """The inputs that other tensors replace, by the names of those tensors."""
        return {known.name: name for name, known in self._latest.items()}

    @property
    def is_made_up(self) -> bool:
        """Whether made-up values replace some of the data."""
        return bool(self._latest)

    def keep_low(self, tensors: Iterable[Tuple[Any, int]]) -> None:
        """Keeps the values of each tensor below the number next to it."""
        raw = self._tensorflow.raw_ops
        with self._graph.as_default():
            for tensor, least in tensors:
                if tensor.op._get_control_flow_context() is None:
                    most = self._tensorflow.constant(least - 1, tensor.dtype)
                    compat.reroute(tensor, raw.Minimum(x=tensor, y=most))

    @contextlib.contextmanager
    def session(self, changed: Mapping[str, Sequence[int]]) -> Iterator[Run]:
        """Opens a session.

        TensorFlow optimizes the graph once, in the first run, by the declared shapes, as it does in
        a real run.

        Yields:
            A function that says what a run raises.
        """
        with self._graph.as_default():
            zeros, sizes = self._zeros(changed)
            config = self._config()
            with self._v1.Session(graph=self._graph, config=config) as session:
                yield lambda restored, part, data: self._run(
                    session,
                    zeros,
                    {size: shapes[restored] for size, *shapes in sizes},
                    part,
                    data,
                )

    def _run(
        self,
        session: Any,
        zeros: Any,
        sizes: Mapping[Any, Sequence[int]],
        part: List[Any],
        data: Data,
    ) -> Optional[Raised]:
        errors = self._tensorflow.errors
        options = self._v1.RunOptions(timeout_in_ms=_MILLISECONDS)
        filled = [self._latest.get(getattr(f, "name", ""), f) for f in part]
        fed: Dict[Any, Any] = {self._filling: data.filling}
        fed.update((size, self._filled(shape, data.length)) for size, shape in self._lengths)
        try:
            session.run(self._resources(), options=options)
            session.run([zeros, *self._given.values()], {**sizes, **fed}, options=options)
            session.run(filled, options=options)
        except errors.DeadlineExceededError:
            return Raised("", "it takes too long", False)
        except (errors.ResourceExhaustedError, MemoryError):
            return Raised("", "it takes too much memory", False)
        except errors.OpError as error:
            return Raised(_op_of(error), _said(str(error.message)), True)
        except Exception as error:  # such as an error of session.run about a fetch
            return Raised("", f"{type(error).__name__}: {error}", False)
        return None

    def _config(self) -> Any:
        """Returns the session config of Estimator, for the CPU.

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
                made[key] = (size, self._zeros_of(size, key[0]))
            values[op] = made[key][1]
        return self._assigned(values), [(size, *key[1:]) for key, (size, _) in made.items()]

    def _assigned(self, values: Mapping[Any, Any]) -> Any:
        """Makes an op that assigns values to variables, by the variables' ops.

        The ops of resource variables are imported together. This takes a tenth of the time of
        making them one by one.
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

    def _zeros_of(self, shape: Any, dtype: Any) -> Any:
        text = dtype == self._tensorflow.string
        return self._tensorflow.fill(shape, "0" if text else self._tensorflow.cast(0, dtype))


def _small_part(fetches: Sequence[Any], ops: int) -> List[Any]:
    """Returns the largest fetch that runs less than half and more than a tenth of the ops."""
    sizes = [(len(ancestors([as_op(item)])), item) for item in fetches]
    small = [(size, item) for size, item in sizes if ops < 10 * size < 5 * ops]
    return [max(small, key=lambda found: found[0])[1]] if small else []


def _is_sparse(tensor: Any) -> bool:
    return hasattr(tensor, "dense_shape")


def _sparse_rank(tensor: Any) -> int:
    """Returns the rank of a SparseTensor; 2 if it is unknown."""
    return (static_shape(tensor.indices) or [None, 2])[1] or 2


def _declared(op: Any) -> Optional[List[int]]:
    """Returns the declared shape of a variable; None if a size is unknown."""
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
    """Returns the message of a kernel, without the place of the op in the graph."""
    lines = message.partition("\n\t [[")[0].splitlines()
    return re.sub(r"^\{\{.*?\}\} ", "", lines[-1]) if lines else message
