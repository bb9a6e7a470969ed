"""Parses JSON that the user wrote, and verifies that every version of Python can read it."""

import collections
import json
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .errors import UsageError

_DEEPEST = 100
"""How deeply objects and arrays may be nested. The functions that copy them recurse at each level.
Python allows 1000 nested calls, and the traced code needs most of these."""
_MOST_DIGITS = 4000
"""Python 3.11 and later convert integers of 4300 digits at most."""
_LARGEST = 10**_MOST_DIGITS
_PLAIN = frozenset((str, float, bool, type(None)))
_NUMBERS = _PLAIN | {int}


def parse(text: str) -> Any:
    """Parses JSON. Each object may hold a key only once.

    Raises:
        json.JSONDecodeError: it is not JSON.
        ValueError: a key occurs twice in an object, it is nested too deeply, or a number has more
            digits than this Python reads.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = collections.Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object; remove one")
    return found


def plain(value: Any, where: str) -> Any:
    """Copies a value into dict, list, str, int, float, bool and None.

    Args:
        value: a value that JSON can hold; a tuple becomes a list.
        where: the name of the value in error messages, such as ``params``.

    Raises:
        UsageError: JSON cannot hold a part of it, or some version of Python cannot read it.
    """
    return _copy(value, (where, None), 0)


_Place = Tuple[Any, Optional[Any]]
"""The key or index of a value, and the place of its container. The root has its name and None."""


def _unfit(place: _Place, problem: str) -> UsageError:
    part, holder = place
    path = ""
    while holder is not None:
        path = f"[{part!r}]{path}"
        part, holder = holder
    path = part + path
    return UsageError((path if len(path) <= 60 else path[:60] + "…") + problem)


def _copy(value: Any, place: _Place, depth: int) -> Any:
    if type(value) in _PLAIN:
        return value
    if depth > _DEEPEST:
        raise _unfit(place, f": it is nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return _copy_object(value, place, depth)
    if isinstance(value, (list, tuple)):
        return _copy_array(value, place, depth)
    if isinstance(value, int):
        if -_LARGEST < value < _LARGEST:
            return int(value)
        raise _unfit(
            place,
            f": an integer of more than {_MOST_DIGITS} digits, which some versions of "
            f"Python cannot read",
        )
    if isinstance(value, (str, float)):  # a subclass, such as numpy.float64
        return str.__str__(value) if isinstance(value, str) else float(value)
    kind = type(value).__name__
    raise _unfit(
        place, f" is {kind}, which JSON cannot express: use a TARGET that adds it to the params"
    )


def _copy_array(items: Sequence[Any], place: _Place, depth: int) -> List[Any]:
    if set(map(type, items)) <= _NUMBERS:  # saves time for millions of numbers
        numbers = [item for item in items if type(item) is int]
        if not numbers or (min(numbers) > -_LARGEST and max(numbers) < _LARGEST):
            return list(items)
    return [_copy(item, (n, place), depth + 1) for n, item in enumerate(items)]


def _copy_object(items: Mapping[Any, Any], place: _Place, depth: int) -> Dict[str, Any]:
    found = {}
    for key, item in items.items():
        if not isinstance(key, str):
            raise _unfit(place, f": a key is {type(key).__name__}: expected a string")
        found[str.__str__(key)] = _copy(item, (key, place), depth + 1)
    return found
