"""Makes features and labels for a trace: placeholders, probes, or the input_fn's result.

A *probe* represents features with an unknown structure. It watches what the model_fn does with the
features: which keys it asks for, and whether it unpacks them or uses them as one tensor. Each use
becomes an :class:`..uses.InputEvent`. If the guess was wrong, the trace stops with
:class:`.failures.StructureMismatch`, and ckptcheck tries again with a better guess.
"""

import json
import sys
import types
from functools import reduce
from inspect import signature
from operator import mul
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from ..protocol import EVAL, EXPORT, PREDICT, PROBE, TRAIN, UNLABELED, UNNAMED, TraceRequest
from ..uses import InputTensor
from . import compat, structures
from .failures import UsageError
from .instructions import asked_keys, current, unpacked
from .static_shapes import static_shape
from .tensor_watch import Recorder, watch_tensors
from .user_code import user_code_frames

Path = structures.Path

ESTIMATOR_MODES = {PREDICT: "infer", EVAL: "eval", TRAIN: "train", EXPORT: "infer"}
"""The modes as Estimator names them; an export calls model_fn to PREDICT."""


_getframe = sys._getframe


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
        with self.tensorflow.name_scope("ckptcheck_inputs"):
            self.features = self._make_root(request.features, "features", model_fn)
            self.labels = self._make_root(request.labels, "labels", model_fn)

    def _make_root(self, node: Any, root: str, model_fn: Any) -> Any:
        def make(item: Any, path: Path) -> Any:
            if structures.is_leaf(item):
                return self.placeholder(item, path)
            hints = asked_keys(model_fn, root) if path == (root,) else ()
            probe = new_probe()
            probe.open(self, item[PROBE], path, hints, make)
            self._probes.append(probe)
            return probe

        return structures.build(node, make, (root,))

    def placeholder(self, leaf: Any, path: Path) -> Any:
        """A placeholder for a leaf; a SparseTensor of three for a sparse one."""
        v1 = compat.v1(self.tensorflow)
        try:
            dtype = self.tensorflow.as_dtype(leaf["dtype"])
        except TypeError:
            raise UsageError(
                f"features: TensorFlow has no dtype {leaf['dtype']!r}; expected one such as float32"
            )
        shape = leaf["shape"]
        rank = 2 if shape is None else len(shape)
        try:
            if leaf.get("sparse"):
                tensor = self.tensorflow.SparseTensor(
                    v1.placeholder(self.tensorflow.int64, [None, rank]),
                    v1.placeholder(dtype, [None]),
                    self._dense_shape(shape, rank),
                )
            else:
                tensor = v1.placeholder(dtype, shape)
        except (TypeError, ValueError, OverflowError) as error:  # such as too many elements
            message = f"features: TensorFlow rejects {dtype.name} {shape}: {error}"
            raise UsageError(message) from None
        self._placeholders[path] = tensor
        return tensor

    def _dense_shape(self, shape: Any, rank: int) -> Any:
        """The shape of a SparseTensor; the graph knows the sizes that are given, as in training."""
        sizes = compat.v1(self.tensorflow).placeholder(self.tensorflow.int64, [rank])
        if shape is None or all(size is None for size in shape):
            return sizes
        constant = [
            None if size is None else self.tensorflow.constant(size, "int64") for size in shape
        ]
        given = [sizes[place] if size is None else size for place, size in enumerate(constant)]
        return self.tensorflow.stack(given)

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
            ValueError: the error that Estimator raises for a list or tuple without 2 items.
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

        Only a guess is watched. If the user gave the inputs, TensorFlow's own errors are reported.
        """
        paths = {id(tensor): path for path, tensor in self._placeholders.items()}
        watch_tensors(self.tensorflow.Tensor, paths, self.recorder)
        if self._probes:
            self.tensorflow.register_tensor_conversion_function(DictProbe, _convert_probe, 0)

    def batch_size(self) -> Optional[int]:
        """The first dimension of the inputs; None if it is not known."""
        shapes = (static_shape(tensor) or [None] for tensor in self._placeholders.values())
        return next((shape[0] for shape in shapes if shape[0]), None)

    @property
    def by_path(self) -> Dict[Path, Any]:
        """The tensors of features and labels, SparseTensors among them, by their paths."""
        return dict(self._placeholders)

    def note_names(self, error: Optional[BaseException]) -> None:
        """Notes the real keys that a made-up key may replace, after code failed to look it up.

        Code such as ``logits[name] for name in labels`` knows the keys: they are those of a dict
        or a list of strings in the frame that raised.
        """
        if not isinstance(error, KeyError) or not error.args:
            return
        made_up = str(error.args[0])
        for root, value in (("features", self.features), ("labels", self.labels)):
            if isinstance(value, dict) and dict.__contains__(value, made_up):
                count = sum(str(key).startswith(UNNAMED) for key in dict.keys(value))
                for key in _keys_in_frames(error.__traceback__, count):
                    self.recorder.note((root,), "name", key)

    def structure(self) -> Tuple[Any, Any]:
        """Returns the structures that this trace has found so far."""
        return _structure(self.features), _structure(self.labels)

    def named(self) -> Tuple[InputTensor, ...]:
        """Each tensor, by its path in the features and labels; for a SparseTensor, its values."""
        return tuple(structures.named(path, tensor) for path, tensor in self._placeholders.items())


def _keys_in_frames(traceback: Any, count: int) -> Sequence[str]:
    """Returns ``count`` strings from a local variable or a constant in the innermost frames."""
    for frame in reversed(list(user_code_frames(traceback))):
        for value in (*frame.f_locals.values(), *frame.f_code.co_consts):
            parts = list(value.values()) if type(value) is dict else []
            for candidate in (value, *parts):
                plain = isinstance(candidate, (dict, list, tuple))
                if not plain or isinstance(candidate, DictProbe) or len(candidate) != count:
                    continue
                keys = list(candidate)
                if all(type(key) is str and not key.startswith(UNNAMED) for key in keys):
                    return keys
    return ()


def _structure(value: Any) -> Any:
    if isinstance(value, DictProbe):
        value = value.found()
    if type(value) is dict:
        return {str(key): _structure(item) for key, item in value.items()}
    if type(value) is list:
        return [_structure(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [_structure(item) for item in value]}
    return structures.describe(value)


_UNPACK_KEYWORDS = ("CALL_FUNCTION_EX", "BUILD_MAP_UNPACK_WITH_CALL", "DICT_MERGE")


class DictProbe(dict):  # type: ignore[type-arg]
    """Features with unknown keys. Each key that code asks for gets the next fitting leaf."""

    def open(
        self, inputs: Inputs, probe: Any, path: Path, hints: Sequence[str], make: structures.Make
    ) -> None:
        """Sets up the probe. Its constructor is that of dict, because Keras calls it with pairs."""
        self._origin = self
        self._given: Dict[str, Any] = {}
        """All tensors that the code got from the probe or its copies, including keys it removed."""
        self._removed: Dict[int, Set[str]] = {}
        """The keys that the code removed, by the id of the probe or of its copy."""
        self._inputs = inputs
        self._recorder = inputs.recorder
        self._path = path
        self._pool = list(probe["pool"])
        for key, known in probe.get("known", {}).items():
            self._given[key] = structures.build(known, make, (*path, key))
        dict.update(self, self._given)
        unknown = sorted(key for key in hints if not dict.__contains__(self, key))
        self._expected = unknown if len(unknown) == len(self._pool) else []
        for key in hints:
            self._recorder.note(path, "named", key)

    def found(self) -> Dict[str, Any]:
        """The keys that were asked for and the tensors that they got."""
        return self._given

    def _take(self, key: str) -> Any:
        """Makes the tensor for a key, from a leaf of the pool.

        The order of the keys that the code names decides which leaf. If the order is not known, the
        next leaf is taken. If no leaf is left, the description in the feature column is used.
        """
        described = column_leaf(_getframe(2), key)
        if described is not None:
            self._recorder.note(self._path + (key,), "column", json.dumps(described))
        place = self._expected.index(key) if key in self._expected else None
        if place is None:
            pairs = enumerate(self._pool)
            fitting = [p for p, leaf in pairs if leaf is not None and _fits(leaf, described)]
            place = min(fitting, key=lambda p: _is_other(self._pool[p], described), default=None)
        leaf = None
        if place is not None:
            leaf, self._pool[place] = self._pool[place], None
        leaf = leaf or described
        if leaf is None:
            raise KeyError(key)
        with self._inputs.tensorflow.name_scope("ckptcheck_inputs"):
            tensor = self._inputs.placeholder(leaf, self._path + (key,))
        self._given[key] = tensor
        dict.__setitem__(self, key, tensor)
        dict.__setitem__(self._origin, key, tensor)
        return tensor

    def _gone(self) -> Set[str]:
        return self._removed.setdefault(id(self), set())

    def _is_own(self, key: Any) -> bool:
        """Whether the code itself has set a key."""
        return dict.__contains__(self, key) and key not in self._given

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            raise self._recorder.mismatch(self._path, "index", key)
        if isinstance(key, (slice, tuple)) or key is None or key is Ellipsis:
            raise self._recorder.mismatch(self._path, "tensor", "slice")
        if isinstance(key, str) and not self._is_own(key):
            self._recorder.note(self._path, "key", key)
        if dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        if not isinstance(key, str) or key in self._gone():
            raise KeyError(key)
        return self._given[key] if key in self._given else self._take(key)

    def pop(self, key: Any, *default: Any) -> Any:
        if default and key not in self:
            return default[0]
        value = self[key]
        dict.pop(self, key, None)
        self._gone().add(key)
        return value

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else dict.setdefault(self, key, default)

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else default

    def __contains__(self, key: Any) -> bool:
        if not isinstance(key, str) or self._is_own(key):
            return dict.__contains__(self, key)
        if _asked_by_feature_column(_getframe(1)):
            return True
        self._recorder.note(self._path, "maybe-key", key)
        if key in self._given:
            return dict.__contains__(self, key) or key not in self._gone()
        return key in self._expected and any(leaf is not None for leaf in self._pool)

    def copy(self) -> "DictProbe":
        made = type(self)(dict.items(self))
        made._gone().update(self._gone())
        return made

    def __bool__(self) -> bool:
        return len(self) > 0 or any(leaf is not None for leaf in self._pool)

    def __iter__(self) -> Iterator[Any]:
        count = unpacked(_getframe(1))
        if count is not None:
            raise self._recorder.mismatch(self._path, "unpack", count)
        self._recorder.note(self._path, "iterate")
        return iter(list(dict.keys(self)))

    def _note_view(self, name: str) -> None:
        """Notes that all entries are read. If nest or Keras read them, this shows no method."""
        package = str(_getframe(2).f_globals.get("__name__", "")).partition(".")[0]
        own = package in ("tensorflow", "tensorflow_core", "keras", "tf_keras")
        instruction = current(_getframe(2))
        unpacks = instruction is not None and instruction.opname in _UNPACK_KEYWORDS
        self._recorder.note(self._path, "iterate", None if own else "**" if unpacks else name)

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
        if name.startswith("_") or name == "is_tensor_like":  # TensorFlow reads it from any value
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


def _asked_by_feature_column(frame: Optional[types.FrameType]) -> bool:
    """Feature columns ask ``key in features`` for keys that must be there."""
    return frame is not None and "feature_column" in frame.f_code.co_filename


_MOST_FRAMES = 12


def column_leaf(frame: Optional[types.FrameType], key: str) -> Any:
    """Returns the leaf that the feature column describes that asks for a key.

    Args:
        frame: the frame that asks; the feature column is in one of its callers.
        key: the key of the feature.

    Returns:
        The leaf; None if no feature column asks.
    """
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return None
        if _asked_by_feature_column(frame):
            column = frame.f_locals.get("self")
            for name in ("parse_example_spec", "_parse_example_spec"):
                described = getattr(type(column), name, None)
                spec = getattr(column, name, None) if described is not None else None
                if isinstance(spec, dict) and key in spec:
                    return _leaf_of_parsing(spec[key])
        frame = frame.f_back
    return None


def _fits(leaf: Any, described: Any) -> bool:
    """Whether a leaf can be the feature that a feature column describes; None describes any."""
    if described is None:
        return True
    if (leaf["dtype"] == "string") != (described["dtype"] == "string"):
        return False
    if described.get("sparse") or leaf.get("sparse") or leaf["shape"] is None:
        return True
    sizes, wanted = leaf["shape"][1:], described["shape"][1:]
    return None in (*sizes, *wanted) or reduce(mul, sizes, 1) == reduce(mul, wanted, 1)


def _is_other(leaf: Any, described: Any) -> bool:
    """Whether a leaf has another dtype than a feature column describes."""
    return described is not None and bool(leaf["dtype"] != described["dtype"])


def _leaf_of_parsing(feature: Any) -> Any:
    """Returns the leaf for a batch of the values that a parsing spec describes."""
    if hasattr(feature, "shape"):
        return {"dtype": feature.dtype.name, "shape": [None, *feature.shape]}
    return {"dtype": feature.dtype.name, "shape": [None, None], "sparse": True}
