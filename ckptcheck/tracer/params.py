"""Params that record how code reads them.

A :class:`WatchedDict` is a dict, like Estimator's params. It notes each key that the user's code
asks for, with the line that asked. It also notes if code reads the params as a whole (``**params``,
iteration): then any key may matter.
"""

from copy import deepcopy
from dataclasses import replace
from inspect import signature
from types import BuiltinFunctionType, FunctionType
from typing import Any, Dict, Mapping, Tuple

from ..uses import ParamRead, ParamsUse
from .failures import UsageError
from .named_keys import named_keys
from .target import load
from .user_code import caller

_ABSENT = object()
_MOST_KEYS = 100000
_LONGEST_KEY = 10000


class Watcher:
    """Collects the reads of one set of params. Of each key, the read that says most counts."""

    def __init__(self) -> None:
        self._reads: Dict[str, ParamRead] = {}
        self.bulk = False

    def note(self, key: str, found: bool, default: Any = _ABSENT, raised: bool = False) -> None:
        """Notes that a key was read. If it was missing, ``default`` is what the code got."""
        key = str.__str__(key)
        has_default = default is not _ABSENT
        shown = _plain(default) if has_default else None
        read = ParamRead(key, found, shown, has_default, raised)
        known = self._reads.get(key)
        if known is not None and not _says_more(read, known):
            return
        if len(self._reads) >= _MOST_KEYS or len(key) > _LONGEST_KEY:
            self.bulk = True  # too many reads for a report: counts as a read of all params
            return
        location = caller()
        if location is None:
            return
        self._reads[key] = replace(read, location=location)

    def note_bulk(self) -> None:
        """Notes that the user's code read the params as a whole."""
        if caller() is not None:
            self.bulk = True

    def named(self, params: Mapping[str, Any]) -> Tuple[str, ...]:
        """Returns the keys that were not read, but that a module of the user names."""
        return () if self.bulk else named_keys(params, self._reads)

    def use(self, taken: bool, named: Tuple[str, ...]) -> ParamsUse:
        """Returns what was seen so far.

        Args:
            taken: whether the model_fn takes params.
            named: what :meth:`named` returned; nothing if the trace did not finish.
        """
        return ParamsUse(tuple(self._reads.values()), self.bulk, taken, named)


def _says_more(read: ParamRead, known: ParamRead) -> bool:
    """Whether a read says more than an earlier one: that it raised, or which default it used.

    Code may look for a key, as in ``"units" in params``, before it reads it with a default.
    """
    if read.raised or known.raised:
        return not known.raised
    return not known.found and _weight(read) > _weight(known)


def _weight(read: ParamRead) -> int:
    return int(read.has_default) + int(read.default is not None)


_LONGEST_TEXT = 200
_MOST_ITEMS = 20
_DEEPEST = 3
_LARGEST = 1 << 64


def _plain(value: Any, depth: int = 0) -> Any:
    """Returns a default in the user's code as JSON, for the report.

    Methods of the user's classes are not called: they may raise, never end, or return a gigabyte.
    For a large value, or a value of another class, the report has the name of its class.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        text = str.__str__(value)
        return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    if issubclass(kind, int) and -_LARGEST < int.__int__(value) < _LARGEST:
        return int.__int__(value)
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
    """Describes a value without calling functions of the user."""
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
    """A dict that notes each key that is asked for."""

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
            path = self._prefix + str.__str__(key)  # a subclass of str may define its own addition
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
        return WatchedDict(dict(dict.items(self)), self._watcher, self._prefix)

    __copy__ = copy

    def __deepcopy__(self, memo: Dict[int, Any]) -> "WatchedDict":
        values = {key: deepcopy(value, memo) for key, value in dict.items(self)}
        return WatchedDict(values, self._watcher, self._prefix)

    def __reduce__(self) -> Any:
        self._watcher.note_bulk()
        return (dict, (dict(dict.items(self)),))

    def __getattr__(self, name: str) -> Any:
        message = f"'dict' object has no attribute {name!r}"
        if not name.startswith("_"):
            message += " (params are a dict; for params with attributes: --params-type attr)"
        raise AttributeError(message)


class WatchedObject:
    """Params as attributes: ``params.num_hidden``."""

    _values: WatchedDict

    def __init__(self, values: WatchedDict) -> None:
        self.__dict__["_values"] = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            value = self._values[name]
        except KeyError:
            raise AttributeError(f"the params have no {name!r}") from None
        return WatchedObject(value) if isinstance(value, WatchedDict) else value

    def __getitem__(self, name: str) -> Any:
        raise TypeError(
            "--params-type attr makes params an object with attributes, but model_fn uses "
            f"params[{name!r}]: leave --params-type out"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Any:
        return iter(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        """As ``HParams.get``."""
        return self._values.get(name, default)

    def values(self) -> Dict[str, Any]:
        """As ``HParams.values``."""
        return dict(self._values.items())

    def __deepcopy__(self, memo: Dict[int, Any]) -> "WatchedObject":
        return WatchedObject(deepcopy(self._values, memo))


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
            or with its keys as keyword arguments if its signature names them.
        watcher: notes what is read.
        app_dir: where the callable is imported from.

    Raises:
        UsageError: there is no such callable.
    """
    mine = _copied(values)
    watched = WatchedDict(mine, watcher)
    if params_type == "dict":
        return watched
    if params_type == "attr":
        return WatchedObject(watched)
    make = load(params_type, app_dir, "--params-type")
    if not callable(make):
        raise UsageError(f"--params-type {params_type}: it is not callable")
    if _takes_keywords(make, mine):
        watcher.bulk = True
        return make(**mine)
    return make(watched)


def _copied(value: Any) -> Any:
    """Copies what JSON can hold. deepcopy takes ten times as long."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) if type(item) in (dict, list) else item for item in value]
    return value


def _takes_keywords(make: Any, params: Mapping[str, Any]) -> bool:
    """Whether a callable takes the params as keyword arguments: it names them, or has ``**``."""
    try:
        parameters = signature(make).parameters.values()
    except (TypeError, ValueError):  # a builtin: it gets the object
        return False
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    needed = {
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    }
    return needed.issubset(params) and (takes_any or names.issuperset(params))
