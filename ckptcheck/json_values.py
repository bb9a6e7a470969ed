"""Parses JSON that the user wrote, and verifies that every version of Python can read it."""

import json
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from .errors import UsageError

_DEEPEST = 100
"""How deeply objects and arrays may be nested. The functions that copy them recurse at each level.
Python allows 1000 nested calls, and the traced code needs most of these."""
_MOST_DIGITS = 4000
"""Python 3.11 and later convert integers of 4300 digits at most."""
_LARGEST = 10**_MOST_DIGITS
_PLAIN = frozenset((str, float, bool, type(None)))
_NUMBERS = _PLAIN | {int}


class DuplicateKeyError(ValueError):
    """A JSON object holds a key twice."""


class TooDeepError(ValueError):
    """Objects and arrays are nested too deeply."""


def parse(text: str) -> Any:
    """Parses JSON. Each object may hold a key only once.

    Raises:
        DuplicateKeyError: an object holds a key twice.
        TooDeepError: it is nested too deeply.
        json.JSONDecodeError: it is not JSON.
        ValueError: a number has more digits than this Python reads.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise TooDeepError("it is nested too deeply") from None


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(key)
            seen.add(key)
    return found


class _UnfitError(Exception):
    """JSON cannot hold a part of a value."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: List[str] = []


def plain(value: Any, where: str) -> Any:
    """Copies a value into dict, list, str, int, float, bool and None.

    Args:
        value: a value that JSON can hold; a tuple becomes a list.
        where: the name of the value in error messages, such as ``params``.

    Raises:
        UsageError: JSON cannot hold a part of it, or some version of Python cannot read it.
    """
    try:
        return _copy(value, 0)
    except _UnfitError as error:
        place = where + "".join(reversed(error.path))
        shown = place if len(place) <= 60 else place[:60] + "…"
        raise UsageError(f"{shown}{error.problem}") from None


def _copy(value: Any, depth: int) -> Any:
    if type(value) in _PLAIN:
        return value
    if depth > _DEEPEST:
        raise _UnfitError(f": it is nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return _copy_object(value, depth)
    if isinstance(value, (list, tuple)):
        return _copy_array(value, depth)
    if isinstance(value, int):
        return _verified(int(value))
    if isinstance(value, (str, float)):  # a subclass, such as numpy.float64
        return str.__str__(value) if isinstance(value, str) else float(value)
    raise _UnfitError(
        f" is {type(value).__name__}, which JSON cannot hold: use a TARGET that adds it to the "
        "params"
    )


def _verified(number: int) -> int:
    if not -_LARGEST < number < _LARGEST:
        raise _UnfitError(
            f": an integer of more than {_MOST_DIGITS} digits, which not every Python reads"
        )
    return number


def _copy_array(items: Sequence[Any], depth: int) -> List[Any]:
    if set(map(type, items)) <= _NUMBERS:  # saves time for millions of numbers
        numbers = [item for item in items if type(item) is int]
        if not numbers or (min(numbers) > -_LARGEST and max(numbers) < _LARGEST):
            return list(items)
    found = []
    for place, item in enumerate(items):
        try:
            found.append(_copy(item, depth + 1))
        except _UnfitError as error:
            error.path.append(f"[{place}]")
            raise
    return found


def _copy_object(items: Mapping[Any, Any], depth: int) -> Dict[str, Any]:
    found = {}
    for key, item in items.items():
        if not isinstance(key, str):
            raise _UnfitError(f": the key {_shown(key)} is not a string")
        try:
            found[str.__str__(key)] = _copy(item, depth + 1)
        except _UnfitError as error:
            error.path.append(f"[{key!r}]")
            raise
    return found


def _shown(key: Any) -> str:
    try:
        return repr(key)[:60]
    except Exception:  # a huge integer, or an object with a broken repr
        return f"of the type {type(key).__name__}"
