"""Params that record how code reads them.

A :class:`WatchedDict` is a dict, as Estimator's params are, that notes each key that the user's
code asks for, with the line that asked. Reading it as a whole (``**params``, iteration) is noted
too: from then on it is unknown which keys matter.
"""

from copy import copy, deepcopy
from inspect import signature
from types import BuiltinFunctionType, FunctionType
from typing import Any, Dict, Mapping

from ..protocol import ParamRead, ParamsUse
from .failures import UsageError
from .target import load
from .user_code import caller

_ABSENT = object()
_MOST_KEYS = 100000
_LONGEST_KEY = 10000


class Watcher:
    """Collects the looks at one set of params; a key that is looked at twice counts once."""

    def __init__(self) -> None:
        self._reads: Dict[str, ParamRead] = {}
        self.bulk = False

    def note(self, key: str, found: bool, default: Any = _ABSENT, raised: bool = False) -> None:
        """Notes a look at a key; ``default`` is what the code got instead."""
        key = str.__str__(key)
        known = self._reads.get(key)
        if known is not None and (known.raised or not raised):
            return
        if len(self._reads) >= _MOST_KEYS or len(key) > _LONGEST_KEY:
            self.bulk = True  # too many for a report
            return
        location = caller()
        if location is None:
            return
        has_default = default is not _ABSENT
        shown = _plain(default) if has_default else None
        self._reads[key] = ParamRead(key, found, shown, has_default, raised, location)

    def note_bulk(self) -> None:
        """Notes that the params were read as a whole by the user's code."""
        if caller() is not None:
            self.bulk = True

    def use(self, taken: bool) -> ParamsUse:
        """What was seen so far."""
        return ParamsUse(tuple(self._reads.values()), self.bulk, taken)


_LONGEST_TEXT = 200
_MOST_ITEMS = 20
_DEEPEST = 3
_LARGEST = 1 << 64


def _plain(value: Any, depth: int = 0) -> Any:
    """A default of the user's as JSON, for the report.

    Methods of the user's classes are not called: they may raise, never end, or return a gigabyte. A
    large value, or one of another class, is shown by the name of its class.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        text = str.__str__(value)
        return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    if issubclass(kind, int):
        number = int.__int__(value)
        return number if -_LARGEST < number < _LARGEST else "an integer of many digits"
    if issubclass(kind, float):
        return float.__float__(value)
    if kind in (list, tuple, dict) and len(value) <= _MOST_ITEMS and depth < _DEEPEST:
        if kind is not dict:
            return [_plain(item, depth + 1) for item in value]
        if all(type(key) is str for key in value):
            return {key: _plain(item, depth + 1) for key, item in value.items()}
    return _named(value)


_TYPE_NAME: Any = type.__dict__["__name__"]
_TYPE_MODULE: Any = type.__dict__["__module__"]
_OF_PYTHON = 1 << 9
"""The flag of classes that a class statement made (Py_TPFLAGS_HEAPTYPE)."""
_FUNCTIONS = (FunctionType, BuiltinFunctionType)


def _named(value: Any) -> Any:
    """Describes a value by functions of Python, NumPy and TensorFlow, not by the user's."""
    kind = type(value)
    if kind in _FUNCTIONS:
        return str.__str__(value.__name__)[:_LONGEST_TEXT] + "()"
    name, module = _TYPE_NAME.__get__(kind), _TYPE_MODULE.__get__(kind)
    if type(module) is str:
        is_number = name.rstrip("0123456789") in ("int", "uint", "float")
        if module == "numpy" and is_number and not kind.__flags__ & _OF_PYTHON:
            return value.item()
        if module == "tensorflow.python.framework.dtypes" and name == "DType":
            return f"tf.{value.name}"
    return f"<{name[:_LONGEST_TEXT]}>"


class WatchedDict(dict):  # type: ignore[type-arg]
    """A dict that tells its watcher of each key that is asked for."""

    def __init__(self, values: Mapping[str, Any], watcher: Watcher, prefix: str = "") -> None:
        super().__init__(
            (key, _watched(value, watcher, f"{prefix}{key}.")) for key, value in values.items()
        )
        self._watcher = watcher
        self._prefix = prefix

    def _note(self, key: Any, default: Any = _ABSENT, raised: bool = False) -> bool:
        found = dict.__contains__(self, key)
        if issubclass(type(key), str):
            used = _ABSENT if found else default
            path = self._prefix + str.__str__(key)  # a subclass may have an addition of its own
            self._watcher.note(path, found, used, raised and not found)
        return found

    def __getitem__(self, key: Any) -> Any:
        self._note(key, raised=True)
        return dict.__getitem__(self, key)

    def get(self, key: Any, default: Any = None) -> Any:
        self._note(key, default)
        return dict.get(self, key, default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        self._note(key, default)
        return dict.setdefault(self, key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        self._note(key, default[0] if default else _ABSENT, not default)
        return dict.pop(self, key, *default)

    def __contains__(self, key: Any) -> bool:
        return self._note(key)

    def __iter__(self) -> Any:
        self._watcher.note_bulk()
        return dict.__iter__(self)

    def keys(self) -> Any:
        self._watcher.note_bulk()
        return dict.keys(self)

    def values(self) -> Any:
        self._watcher.note_bulk()
        return dict.values(self)

    def items(self) -> Any:
        self._watcher.note_bulk()
        return dict.items(self)

    def copy(self) -> "WatchedDict":
        return copy(self)

    def __copy__(self) -> "WatchedDict":
        return WatchedDict(dict(dict.items(self)), self._watcher, self._prefix)

    def __deepcopy__(self, memo: Dict[int, Any]) -> "WatchedDict":
        values = {key: deepcopy(value, memo) for key, value in dict.items(self)}
        return WatchedDict(values, self._watcher, self._prefix)

    def __reduce__(self) -> Any:
        self._watcher.note_bulk()
        return (dict, (dict(dict.items(self)),))

    def __getattr__(self, name: str) -> Any:
        message = f"'dict' object has no attribute {name!r}"
        if not name.startswith("_"):
            message += " (params are a dict; if model_fn wants attributes: --params-type attr)"
        raise AttributeError(message)


class WatchedObject:
    """Params as attributes: ``params.num_hidden``."""

    def __init__(self, values: Mapping[str, Any], watcher: Watcher, prefix: str = "") -> None:
        self.__dict__["_values"] = dict(values)
        self.__dict__["_watcher"] = watcher
        self.__dict__["_prefix"] = prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = self.__dict__["_values"]
        found = name in values
        self._watcher.note(self._prefix + name, found, raised=not found)
        if not found:
            raise AttributeError(f"params has no {name!r}: it is not in the params file")
        value = values[name]
        if isinstance(value, dict):
            prefix = f"{self._prefix}{name}."
            return WatchedObject(value, self._watcher, prefix)
        return value

    def __getitem__(self, name: str) -> Any:
        raise TypeError(
            "params are an object with attributes (--params-type attr) and model_fn asked for "
            f"params[{name!r}]: leave --params-type out"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["_values"][name] = value

    def __contains__(self, name: str) -> bool:
        found = name in self.__dict__["_values"]
        self._watcher.note(self._prefix + name, found)
        return found

    def __iter__(self) -> Any:
        self._watcher.note_bulk()
        return iter(self.__dict__["_values"])

    def get(self, name: str, default: Any = None) -> Any:
        """As ``HParams.get``."""
        found = name in self.__dict__["_values"]
        self._watcher.note(self._prefix + name, found, _ABSENT if found else default)
        return self.__dict__["_values"].get(name, default)

    def values(self) -> Dict[str, Any]:
        """As ``HParams.values``."""
        self._watcher.note_bulk()
        return dict(self.__dict__["_values"])

    def __deepcopy__(self, memo: Dict[int, Any]) -> "WatchedObject":
        values = deepcopy(self.__dict__["_values"], memo)
        return WatchedObject(values, self._watcher, self._prefix)


def _watched(value: Any, watcher: Watcher, prefix: str) -> Any:
    if isinstance(value, WatchedDict):
        return value
    return WatchedDict(value, watcher, prefix) if type(value) is dict else value


def build_params(
    values: Mapping[str, Any], params_type: str, watcher: Watcher, app_dir: str = ""
) -> Any:
    """Makes the params that the model_fn wants.

    Args:
        values: the JSON object.
        params_type: ``dict``, ``attr``, or ``module:callable``, which is called with the object,
            or with its keys as keyword arguments where its signature names them.
        watcher: notes what is looked at.
        app_dir: where the callable is imported from.

    Raises:
        UsageError: there is no such callable.
    """
    mine = _copied(values)
    if params_type == "dict":
        return WatchedDict(mine, watcher)
    if params_type == "attr":
        return WatchedObject(mine, watcher)
    make = _params_callable(params_type, app_dir)
    if _takes_keywords(make, mine):
        watcher.bulk = True
        return make(**mine)
    return make(WatchedDict(mine, watcher))


def _copied(value: Any) -> Any:
    """A copy of what JSON holds, for which deepcopy takes ten times as long."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) if type(item) in (dict, list) else item for item in value]
    return value


def _takes_keywords(make: Any, params: Mapping[str, Any]) -> bool:
    """Whether a callable wants the params as keyword arguments: it names them, or takes any."""
    try:
        parameters = signature(make).parameters.values()
    except (TypeError, ValueError):  # a builtin: it gets the object
        return False
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    wanting = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if any(name not in params for name in wanting):
        return False
    return takes_any or all(name in names for name in params)


def _params_callable(name: str, app_dir: str) -> Any:
    found = load(name, app_dir, "--params-type")
    if not callable(found):
        raise UsageError(f"--params-type {name}: it is not callable")
    return found
