"""Turns frozen dataclasses into JSON and back. The tracer gets this file, too."""

import dataclasses
import enum
from typing import Any, Dict, Mapping, Type, TypeVar, Union

T = TypeVar("T")


class Word(str, enum.Enum):
    """Base of enumerations whose members are the strings that JSON and messages show."""

    def __str__(self) -> str:
        """Returns the string itself; Enum would show the member's name, too."""
        return str(self.value)


_is_dataclass, _fields = dataclasses.is_dataclass, dataclasses.fields
"""Bound before traced code runs, because that code may replace functions of dataclasses."""


def to_json(value: Any) -> Any:
    """Turns a value of the dataclasses into a value that :mod:`json` can write."""
    if _is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in _fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(cls: Type[T], data: Mapping[str, Any]) -> T:
    """Builds a dataclass from the JSON that :func:`to_json` made.

    It ignores keys that the dataclass does not have, so an older version can read the JSON of a
    newer one.

    Raises:
        TypeError: a field is missing, or has a value of another type.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"{cls.__name__} is {type(data).__name__}")
    hints = _hints(cls)
    fields = {name: decoded(hints[name], value) for name, value in data.items() if name in hints}
    return cls(**fields)


_HINTS: Dict[type, Dict[str, Any]] = {}


def _hints(cls: type) -> Dict[str, Any]:
    if cls not in _HINTS:
        import typing

        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def decoded(hint: Any, value: Any) -> Any:
    """Builds a value of any type that the dataclasses use, such as a Union.

    Raises:
        TypeError: the JSON is not of this type.
    """
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]
    origin = getattr(hint, "__origin__", None)
    arguments: Any = getattr(hint, "__args__", ())
    if origin is Union:
        return _decode_union(arguments, value)
    if origin is tuple:
        return _decode_tuple(arguments, value)
    if isinstance(hint, type) and issubclass(hint, Word):
        return _decode_word(hint, value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _verify_type(value, Mapping)
        return {key: decoded(arguments[-1], item) for key, item in value.items()}
    _verify_type(value, (int, float) if hint is float else hint)
    if isinstance(value, bool) and hint is not bool:
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _decode_tuple(arguments: Any, value: Any) -> Any:
    _verify_type(value, (list, tuple))
    if arguments[-1] is Ellipsis:
        return tuple(decoded(arguments[0], item) for item in value)
    if len(arguments) != len(value):
        raise TypeError(f"{len(value)} items instead of {len(arguments)}")
    return tuple(map(decoded, arguments, value))


def _decode_word(hint: Type[Word], value: Any) -> Word:
    try:
        return hint(value)
    except ValueError as error:
        raise TypeError(str(error))


def _decode_union(arguments: Any, value: Any) -> Any:
    if value is None and type(None) in arguments:
        return None
    chosen = [argument for argument in arguments if argument is not type(None)]
    for argument in chosen[:-1]:
        try:
            return decoded(argument, value)
        except TypeError:
            continue
    return decoded(chosen[-1], value)


def _verify_type(value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"a value is {type(value).__name__}")
