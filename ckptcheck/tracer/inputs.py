"""Features and labels for a trace: placeholders, probes, or what the user's input_fn returns.

A *probe* represents features with an unknown structure. It watches what the model_fn does with the
features: which keys it asks for, and whether it unpacks them or uses them as one tensor. Each use
becomes an :class:`..protocol.InputEvent`. If the guess was wrong, the trace stops with
:class:`.failures.StructureMismatch`, and ckptcheck tries again with a better guess.
"""

import sys
import types
from dis import get_instructions
from inspect import signature
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ..protocol import (
    EVAL,
    EXPORT,
    PREDICT,
    PROBE,
    TRAIN,
    UNLABELED,
    InputEvent,
    InputTensor,
    TraceRequest,
)
from . import compat, structures
from .failures import StructureMismatch, UsageError
from .static_shapes import static_shape

Path = structures.Path

ESTIMATOR_MODES = {PREDICT: "infer", EVAL: "eval", TRAIN: "train", EXPORT: "infer"}
"""The modes as Estimator names them; an export calls model_fn to PREDICT."""


_getframe = sys._getframe
_MOST_EVENTS = 10000
"""Each is compared with all before it."""


class Recorder:
    """Collects the events of one trace, each once."""

    def __init__(self) -> None:
        self.events: List[InputEvent] = []
        self.wrong: Optional[StructureMismatch] = None
        """The first sign that the guess is wrong, which the user's code may have swallowed."""

    def note(self, path: Path, event: str, value: Any = None) -> None:
        """Notes an event."""
        if issubclass(type(value), str):
            value = str.__str__(value)  # a subclass may have an equality of its own
        noted = InputEvent(path, event, value)
        if len(self.events) < _MOST_EVENTS and noted not in self.events:
            self.events.append(noted)

    def mismatch(self, path: Path, event: str, value: Any = None) -> StructureMismatch:
        """Notes an event that shows the guess to be wrong."""
        self.note(path, event, value)
        found = StructureMismatch(f"{event} of {'.'.join(map(str, path))}")
        self.wrong = self.wrong or found
        return found


class Inputs:
    """The features and labels of one trace."""

    def __init__(self, tensorflow: Any, mode: str) -> None:
        self.tensorflow = tensorflow
        self.mode = mode
        self.recorder = Recorder()
        self.features: Any = None
        self.labels: Any = None
        self.of_receiver = False
        """Whether the input_fn returned a ServingInputReceiver."""
        self._placeholders: Dict[Path, Any] = {}
        self._probes: List[DictProbe] = []

    def build(self, request: TraceRequest, model_fn: Any) -> None:
        """Makes placeholders and probes for the structures of a request."""
        hints = asked_keys(model_fn, "features")
        with self.tensorflow.name_scope("ckptcheck_inputs"):
            self.features = self._make_root(request.features, "features", hints)
            self.labels = self._make_root(request.labels, "labels", ())

    def _make_root(self, node: Any, root: str, hints: Sequence[str]) -> Any:
        def make(item: Any, path: Path) -> Any:
            if structures.is_leaf(item):
                return self.placeholder(item, path)
            probe = new_probe()
            probe.open(self, item[PROBE], path, hints)
            self._probes.append(probe)
            return probe

        return structures.build(node, make, (root,))

    def placeholder(self, leaf: Any, path: Path) -> Any:
        """A placeholder for a leaf; a SparseTensor of three for a sparse one."""
        v1 = compat.v1(self.tensorflow)
        try:
            dtype = self.tensorflow.as_dtype(leaf["dtype"])
        except TypeError:
            raise UsageError(f"features: TensorFlow has no dtype {leaf['dtype']!r}")
        shape = leaf["shape"]
        rank = 2 if shape is None else len(shape)
        try:
            if leaf.get("sparse"):
                tensor = self.tensorflow.SparseTensor(
                    v1.placeholder(self.tensorflow.int64, [None, rank]),
                    v1.placeholder(dtype, [None]),
                    v1.placeholder(self.tensorflow.int64, [rank]),
                )
            else:
                tensor = v1.placeholder(dtype, shape)
        except (TypeError, ValueError, OverflowError) as error:  # such as too many elements
            message = f"features: TensorFlow rejects {dtype.name} {shape}: {error}"
            raise UsageError(message) from None
        self._placeholders[path] = tensor
        return tensor

    def call_input_fn(self, input_fn: Any, params: Any, config: Any) -> None:
        """Calls the user's input_fn as Estimator does and keeps what it returns."""
        arguments = signature(input_fn).parameters
        offered = {"mode": ESTIMATOR_MODES[self.mode], "params": params, "config": config}
        kwargs = {name: offered[name] for name in arguments if name in offered}
        with self.tensorflow.device("/cpu:0"):
            result = input_fn(**kwargs)
            self.features, self.labels = self._parse_result(result)
        if self.mode in UNLABELED:
            self.labels = None
        for root, value in (("features", self.features), ("labels", self.labels)):
            self._placeholders.update(structures.flatten(value, (root,)))

    def _parse_result(self, result: Any) -> Tuple[Any, Any]:
        """Splits what an input_fn returned into features and labels.

        Raises:
            ValueError: as Estimator raises it, of a list or tuple of another length than 2.
        """
        self.of_receiver = hasattr(result, "receiver_tensors")
        if self.of_receiver:
            return result.features, None
        if compat.is_dataset(self.tensorflow, result):
            data = compat.v1(self.tensorflow).data
            result = data.make_initializable_iterator(result).get_next()
        if not isinstance(result, (list, tuple)):
            return result, None
        if len(result) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return result[0], result[1]

    def watch(self) -> None:
        """Makes tensors and probes record what the model_fn does with them.

        Only a guess is watched: with inputs that are given, TensorFlow itself says what is wrong.
        """
        self._watch_tensors()
        if self._probes:
            self.tensorflow.register_tensor_conversion_function(DictProbe, _convert_probe, 0)

    def _watch_tensors(self) -> None:
        """Notes a string key, an unpacking or a truth value of a placeholder: it is no tensor."""
        mine = {id(tensor): path for path, tensor in self._placeholders.items()}
        recorder, base = self.recorder, self.tensorflow.Tensor
        plain_getitem, plain_iter, plain_bool = base.__getitem__, base.__iter__, base.__bool__

        def getitem(tensor: Any, key: Any, *rest: Any) -> Any:
            if isinstance(key, str) and id(tensor) in mine:
                raise recorder.mismatch(mine[id(tensor)], "key", key)
            return plain_getitem(tensor, key, *rest)

        def iterate(tensor: Any) -> Any:
            count = unpacked(_getframe(1))
            if count is not None and id(tensor) in mine:
                raise recorder.mismatch(mine[id(tensor)], "unpack", count)
            return plain_iter(tensor)

        def truth(tensor: Any) -> bool:
            path = mine.get(id(tensor), ())
            if len(path) == 1:  # the features or the labels as a whole, such as "if labels:"
                raise recorder.mismatch(path, "dict")
            return bool(plain_bool(tensor))

        base.__getitem__, base.__iter__, base.__bool__ = getitem, iterate, truth

    def batch_size(self) -> Optional[int]:
        """The first dimension of the inputs; None if it is not known."""
        shapes = (static_shape(tensor) or [None] for tensor in self._placeholders.values())
        return next((shape[0] for shape in shapes if shape[0]), None)

    def tensors(self) -> List[Any]:
        """The tensors of features and labels, SparseTensors among them."""
        return list(self._placeholders.values())

    def structure(self) -> Tuple[Any, Any]:
        """The structures as far as this trace found them out."""
        return _structure(self.features), _structure(self.labels)

    def named(self) -> Tuple[InputTensor, ...]:
        """Each tensor by its place in the features and labels; of sparse ones, their values."""
        return tuple(
            InputTensor(path, tensor.values.name if hasattr(tensor, "dense_shape") else tensor.name)
            for path, tensor in self._placeholders.items()
        )


def _structure(value: Any) -> Any:
    if isinstance(value, DictProbe):
        return {str(key): _structure(item) for key, item in value.found().items()}
    return structures.describe(value)


class DictProbe(dict):  # type: ignore[type-arg]
    """Features with unknown keys. Each key that code asks for gets the next fitting leaf."""

    def open(self, inputs: Inputs, probe: Any, path: Path, hints: Sequence[str]) -> None:
        """Sets up the probe. Its constructor is that of dict, because Keras calls it with pairs."""
        self._origin = self
        self._inputs = inputs
        self._recorder = inputs.recorder
        self._path = path
        self._pool = list(probe["pool"])
        for key, known in probe.get("known", {}).items():
            dict.__setitem__(self, key, structures.build(known, inputs.placeholder, (*path, key)))
        unknown = sorted(key for key in hints if not dict.__contains__(self, key))
        self._expected = unknown if len(unknown) == len(self._pool) else []
        for key in hints:
            self._recorder.note(path, "named", key)

    def found(self) -> Dict[str, Any]:
        """The keys that were asked for and the tensors that they got."""
        return {key: dict.__getitem__(self, key) for key in dict.keys(self)}

    def _take(self, key: str) -> Any:
        """The leaf for a key: by the order of the keys that the code names, else the next one."""
        free = [place for place, leaf in enumerate(self._pool) if leaf is not None]
        if key in self._expected:
            free = [place for place in free if self._expected[place] == key]
        if not free:
            raise KeyError(key)
        leaf, self._pool[free[0]] = self._pool[free[0]], None
        with self._inputs.tensorflow.name_scope("ckptcheck_inputs"):
            tensor = self._inputs.placeholder(leaf, self._path + (key,))
        dict.__setitem__(self, key, tensor)
        dict.__setitem__(self._origin, key, tensor)
        return tensor

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            raise self._recorder.mismatch(self._path, "index", key)
        if isinstance(key, (slice, tuple)) or key is None or key is Ellipsis:
            raise self._recorder.mismatch(self._path, "tensor", "slice")
        for known in (self, self._origin):
            if dict.__contains__(known, key):
                return dict.__getitem__(known, key)
        if not isinstance(key, str):
            raise KeyError(key)
        self._recorder.note(self._path, "key", key)
        return self._take(key)

    def pop(self, key: Any, *default: Any) -> Any:
        return self[key] if not default or key in self else default[0]

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else default

    def __contains__(self, key: Any) -> bool:
        mine = dict.__contains__(self, key) or dict.__contains__(self._origin, key)
        if mine or not isinstance(key, str):
            return mine
        # Feature columns ask ``key in features`` for keys that must be there.
        if key in self._expected or "feature_column" in _getframe(1).f_code.co_filename:
            return any(leaf is not None for leaf in self._pool)
        self._recorder.note(self._path, "maybe-key", key)
        return False

    def copy(self) -> "DictProbe":
        return self

    def __bool__(self) -> bool:
        return len(self) > 0 or any(leaf is not None for leaf in self._pool)

    def __iter__(self) -> Iterator[Any]:
        count = unpacked(_getframe(1))
        if count is not None:
            raise self._recorder.mismatch(self._path, "unpack", count)
        self._recorder.note(self._path, "iterate")
        return iter(list(dict.keys(self)))

    def _note_view(self, name: str) -> None:
        """Notes that all entries are read. nest and Keras may read any structure that way."""
        package = str(_getframe(2).f_globals.get("__name__", "")).partition(".")[0]
        own = package in ("tensorflow", "tensorflow_core", "keras", "tf_keras")
        self._recorder.note(self._path, "iterate", None if own else name)

    def keys(self) -> Any:
        self._note_view("keys")
        return dict.keys(self)

    def values(self) -> Any:
        self._note_view("values")
        return dict.values(self)

    def items(self) -> Any:
        self._note_view("items")
        return dict.items(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "is_tensor_like":  # TensorFlow asks it of anything
            raise AttributeError(name)
        raise self._recorder.mismatch(self._path, "tensor", name)


def new_probe() -> DictProbe:
    """Returns a probe with its own class. Other instances of that class are copies of the probe.

    Keras maps its inputs with ``type(inputs)(pairs)``. nest calls ``type(inputs)()`` and then
    assigns each key. Such a copy has its own entries and goes on watching: it gets missing keys
    from the original probe.
    """

    class OneProbe(DictProbe):
        def __init__(self, *pairs: Any) -> None:
            dict.__init__(self, *pairs)
            if made:
                self.__dict__ = made[0].__dict__

    made: List[DictProbe] = []
    made.append(OneProbe())
    return made[0]


def _tensor_operator(name: str) -> Any:
    def operator(self: DictProbe, *operands: Any) -> Any:
        raise self._recorder.mismatch(self._path, "tensor", name)

    return operator


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "matmul", "neg"):
    setattr(DictProbe, f"__{_name}__", _tensor_operator(_name))


def _convert_probe(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
    raise value._recorder.mismatch(value._path, "tensor")


def unpacked(frame: types.FrameType) -> Optional[int]:
    """Returns how many values a frame's current instruction unpacks; None if it does not unpack."""
    instructions = get_instructions(frame.f_code)
    current = next((item for item in instructions if item.offset == frame.f_lasti), None)
    return current.argval if current and current.opname == "UNPACK_SEQUENCE" else None


def asked_keys(function: Any, name: str) -> Tuple[str, ...]:
    """The constant keys that a function's code looks up in one of its variables."""
    inner = getattr(function, "func", function)
    call = getattr(type(inner), "__call__", None)  # noqa: B004 (its code is wanted)
    code = getattr(inner, "__code__", None) or getattr(call, "__code__", None)
    return tuple(sorted(set(_subscripts(code, name)))) if code is not None else ()


def _subscripts(code: types.CodeType, name: str) -> Iterator[str]:
    instructions = list(get_instructions(code))
    for load, constant, subscript in zip(instructions, instructions[1:], instructions[2:]):
        if (
            load.argval == name
            and load.opname.startswith("LOAD_")
            and isinstance(constant.argval, str)
            and constant.opname == "LOAD_CONST"
            and "SUBSCR" in subscript.opname + str(subscript.argrepr).upper()
        ):
            yield constant.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _subscripts(constant, name)
