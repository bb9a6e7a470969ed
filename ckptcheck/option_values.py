"""Reads and verifies the value of one option, from the command line or Python.

Each reader takes the value that the user gave, and returns the value that a command uses. A reader
also accepts a value that it has returned. It raises a :class:`UsageError` without the name of the
option; the caller adds the name.
"""

import math
import os
import re
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Tuple

from . import json_values
from .errors import UsageError
from .features_file import FeatureFile, feature_file, read_feature_file
from .json_files import read_json_object
from .protocol import ALL_MODES

LONGEST_TIMEOUT = 24 * 3600.0
LEAST_MEMORY = 64 << 20
"""Bytes. A smaller limit is not enough for a small graph."""
MOST_MEMORY = 1 << 50


def verify_type(value: Any, kind: Any, expected: str) -> None:
    """Verifies the type of a value. True and False do not count as numbers.

    Raises:
        UsageError: it has another type.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"is {type(value).__name__}: expected {expected}")


def path(expected: str) -> Callable[[Any], str]:
    """Returns a reader of paths. It verifies that a file can have the name."""

    def read(value: Any) -> str:
        text = os.fspath(value) if isinstance(value, os.PathLike) else value
        verify_type(text, str, expected)
        for character in text:
            if character == "\0" or not _is_encodable(character):
                shown = ascii(character)[1:-1]
                raise UsageError(f": no file name can contain the character {shown}")
        return str(text)

    return read


def paths(value: Any) -> Tuple[str, ...]:
    """Reads one path or a list of paths."""
    expected = "a path, or a list of paths"
    if isinstance(value, (str, os.PathLike)):
        value = (value,)
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        verify_type(value, list, expected)
    return tuple(path(expected)(item) for item in value)


def _is_encodable(text: str) -> bool:
    try:
        return bool(os.fsencode(text))
    except UnicodeEncodeError:
        return False


def python(value: Any) -> Optional[str]:
    """Reads the path or the command of an interpreter; None stands for this one."""
    return None if value is None else path("the path or the command of a Python")(value)


def folder(value: Any) -> str:
    """Reads the path of a directory; "" stands for the working directory.

    Returns:
        The absolute path: the tracer may run elsewhere.
    """
    given = path("the path of a directory")(value)
    try:
        found = os.path.join(os.getcwd(), given)
    except OSError as error:  # it was removed
        raise UsageError(f": the working directory cannot be used: {error.strerror}") from None
    if not os.path.isdir(found):
        raise UsageError(f"{given}: no such directory")
    return os.path.normpath(found)


def switch(value: Any) -> bool:
    """Reads True or False."""
    verify_type(value, bool, "True or False")
    return bool(value)


def revision(value: Any) -> str:
    """Reads a git revision; "" for none."""
    text = path("a git revision, such as 'HEAD'")(value)
    if text.startswith("-"):  # git would read it as an option
        raise UsageError(f"{text}: expected a git revision, such as HEAD or origin/main")
    return text


class OneOf:
    """A reader of one of some words.

    Attributes:
        allowed: the words.
    """

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def __call__(self, value: Any) -> str:
        """Reads a value; see the module."""
        verify_type(value, str, either([repr(word) for word in self.allowed]))
        if value not in self.allowed:
            raise UsageError(f"{value}: expected {either(filter(None, self.allowed))}")
        return str(value)


def either(words: Iterable[str]) -> str:
    """Joins words as alternatives: ``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def modes(value: Any) -> Tuple[str, ...]:
    """Reads one mode or several.

    Returns:
        Each mode once, in TensorFlow's order.
    """
    given = _items(value, "a list of modes, such as ['predict', 'eval']")
    if not given:
        raise UsageError(f": expected at least one of {', '.join(ALL_MODES)}")
    read = OneOf(*ALL_MODES)
    chosen = {read(mode) for mode in given}
    return tuple(mode for mode in ALL_MODES if mode in chosen)


def texts(value: Any) -> Tuple[str, ...]:
    """Reads a list of strings."""
    if isinstance(value, str):
        raise UsageError("is str: expected a list of strings")
    return _items(value, "a list of strings")


def overrides(value: Any) -> Tuple[str, ...]:
    """Reads overrides of params: ``key=value`` or ``key.sub=value``."""
    given = _items(value, "a list of strings such as 'key=value'")
    for item in given:
        key, equals, _ = item.partition("=")
        if not equals or not all(key.split(".")):
            raise UsageError(f"{item}: expected key=value or key.sub=value")
    return given


def variables(value: Any) -> Tuple[str, ...]:
    """Reads environment variables: ``NAME=VALUE``."""
    given = _items(value, "a list of strings such as 'NAME=value'")
    for item in given:
        name, equals, _ = item.partition("=")
        if not equals or not name or "\0" in item:
            raise UsageError(f"{item}: expected NAME=VALUE")
    return given


def _items(value: Any, expected: str) -> Tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        verify_type(value, list, expected)
    items = tuple(value)
    for item in items:
        if not isinstance(item, str):
            raise UsageError(f"contains {type(item).__name__}: expected {expected}")
    return items


def count(most: int) -> Callable[[Any], int]:
    """Returns a reader of a whole number, given as int or str. The int 0 means the default."""
    expected = f"a number from 1 to {most}"

    def read(value: Any) -> int:
        verify_type(value, (int, str), expected)
        text = str(value)
        least = 0 if value == 0 else 1
        if not text.isdecimal() or not text.isascii() or not least <= int(text[:9]) <= most:
            raise UsageError(f"{text}: expected {expected}")
        return int(text[:9])

    return read


def seconds(value: Any) -> float:
    """Reads a number of seconds, as a number or a text."""
    expected = "a number of seconds"
    verify_type(value, (int, float, str), expected)
    try:
        number = float(value)
    except ValueError:
        raise UsageError(f"{value}: expected {expected}") from None
    except OverflowError:
        number = math.inf
    if not 0 < number <= LONGEST_TIMEOUT:
        raise UsageError(f"{number:g}: expected seconds above 0, {LONGEST_TIMEOUT:g} at most")
    return number


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_ALLOWED = f"from {LEAST_MEMORY >> 20}M to {MOST_MEMORY >> 40}T"


def size(value: Any) -> int:
    """Reads a number of bytes, as a number or a text: ``4G``, ``500M``, ``1.5 GiB``."""
    verify_type(value, (int, str), "a size such as '4G', or a number of bytes")
    number = _bytes(value) if isinstance(value, str) else value
    if number and not LEAST_MEMORY <= number <= MOST_MEMORY:
        given = "" if abs(number) >= 1 << 64 else value
        raise UsageError(f"{given}: expected a size such as 4G, {_ALLOWED}")
    return int(number)


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text}: expected a size such as 4G or 500M")
    number = float(found.group(1)) * (1 << _UNITS[found.group(2).lower()])
    return int(min(number, MOST_MEMORY + 1))


def params(value: Any) -> Optional[Dict[str, Any]]:
    """Reads the params: an object, the path of a JSON file, or None if they are not given.

    Returns:
        A copy that JSON can hold; None if they are not given.
    """
    expected = "a dict, or the path of a JSON file"
    if value is None:
        return None
    if isinstance(value, (str, os.PathLike)):
        value = read_json_object(path(expected)(value))
    verify_type(value, Mapping, expected)
    copy: Dict[str, Any] = json_values.plain(value, "")
    return copy


def features(value: Any) -> Optional[FeatureFile]:
    """Reads the content of a features file, or its path; None if there is none."""
    expected = "the path of a features file, or its contents"
    if value is None or isinstance(value, FeatureFile):
        return value
    if isinstance(value, (str, os.PathLike)):
        return read_feature_file(path(expected)(value))
    verify_type(value, Mapping, expected)
    try:
        return feature_file(value)
    except UsageError as error:
        raise UsageError(f": {error}") from None


def name(attribute: str, *words: str) -> Callable[[Any], str]:
    """Returns a reader of ``module:attr`` or ``path/to/file.py:attr``.

    Args:
        attribute: the attribute that examples name.
        words: what else is allowed.
    """
    expected = either([*words, "module:attr", "path/to/file.py:attr"])

    def read(value: Any) -> str:
        text = path(f"a string such as 'package.module:{attribute}'")(value)
        if text not in words:
            _verify_name(text, attribute, expected)
        return text

    return read


def _verify_name(value: str, attribute: str, expected: str) -> None:
    place, colon, attr = value.rpartition(":")
    if not colon or not place or not attr:
        raise UsageError(f"{value!r}: expected {expected}, such as {_example(value, attribute)}")
    if not _is_name(attr):
        raise UsageError(f"{value!r}: {attr!r} is not a Python name")
    if not place.endswith(".py") and not _is_name(place):
        is_path = "/" in place or os.sep in place
        hint = f"; did you mean {place.rstrip('/')}.py:{attr}?" if is_path else ""
        raise UsageError(f"{value!r}: {place!r} is not the name of a module{hint}")


def _example(value: str, attribute: str) -> str:
    """Returns what a name without a module or an attribute may have meant."""
    place = value.strip(":")
    module, dot, last = place.rpartition(".")
    if last in ("json", "yaml", "yml"):
        return f"models.net:{attribute}"
    if place.endswith(".py") or os.path.isfile(place.replace(".", os.sep) + ".py"):
        return f"{place}:{attribute}"
    if "/" in place:
        return f"{place.rstrip('/')}.py:{attribute}"
    if not _is_name(place) or value.startswith(":"):
        return f"models.net:{place if place.isidentifier() else attribute}"
    if dot:
        return f"{module}:{last}"
    return f"models.net:{place}" if place.endswith(attribute) else f"{place}:{attribute}"


def _is_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


_TARGET = re.compile(r"[\w./-]+:[A-Za-z_][\w.]*")


def looks_like_target(text: str) -> bool:
    """Whether a text can only be a TARGET: no file or checkpoint has this name."""
    exists = os.path.exists(text) or os.path.exists(text + ".index")
    return _TARGET.fullmatch(text) is not None and not exists
