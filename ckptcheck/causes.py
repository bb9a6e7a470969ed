"""Finds the param whose value explains a change of the computation."""

import re
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Tuple

from .records.params import same, value_in_training
from .records.value import RecordedParams
from .results import Finding
from .rules import Facts
from .uses import ParamRead

Candidate = Tuple[str, Any, ParamRead]
"""A param, the value that explains what was saved, and how the model_fn read it."""

_RELATIONS: Tuple[Callable[[float], float], ...] = (lambda value: value, lambda value: 1 - value)
"""How code uses a number: as it is, or as 1 minus it. Each function is its own inverse."""
_CLOSE = 1e-6
_BETWEEN_WORDS = re.compile("[ _-]")
"""What separates words: a change says ``leaky relu``, and the code says ``leaky_relu``."""


def causes_of(params: Mapping[str, Any], facts: Facts, finding: Finding) -> List[Candidate]:
    """Returns the params that have the changed number as value, each with the saved value."""
    then, now = (next(iter(finding.data[side].values())) for side in ("then", "now"))
    values = ((read, value_of(params, read)) for read in reads_of(params, facts))
    return [
        (read.key, wanted, read)
        for read, value in values
        for wanted in _wanted(value, then, now)
        if wanted != value  # an unchanged size of a shape explains nothing
    ]


def switches_of(params: Mapping[str, Any], facts: Facts) -> List[Candidate]:
    """Returns the params that are true or false, each with the other value."""
    pairs = ((read, value_of(params, read)) for read in reads_of(params, facts))
    return [(read.key, not value, read) for read, value in pairs if type(value) is bool]


def reads_of(params: Mapping[str, Any], facts: Facts) -> List[ParamRead]:
    """Returns how the model_fn read its params, and a read of each other value that it may use.

    It may use any key if the code reads the params as a whole, or if TARGET makes the model_fn.
    ckptcheck does not see which arguments TARGET then uses.
    """
    may_use_any = any(trace.params.bulk for trace in facts.traces)
    return _reads(_leaves(params, "") if may_use_any else (), facts)


def _reads(keys: Iterable[str], facts: Facts) -> List[ParamRead]:
    """Returns the reads of the model_fn, then reads of other keys."""
    reads = {read.key: read for trace in facts.traces for read in trace.params.reads}
    for key in keys:
        reads.setdefault(key, ParamRead(key, True))
    return list(reads.values())


def _leaves(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def recorded_causes(
    params: Mapping[str, Any], facts: Facts, recorded: RecordedParams
) -> List[Candidate]:
    """Returns params whose value differs from training, each with the value in training.

    Params that no trace reads count, too: the code may read them with other values of other params.
    """
    reads = _reads(recorded.values, facts)
    found = ((read, value_in_training(recorded, read.key)) for read in reads)
    return [
        (read.key, value, read)
        for read, value in found
        if value is not None
        and not isinstance(value, dict)
        and not same(value, value_of(params, read))
    ]


def _wanted(value: Any, then: Any, now: Any) -> Iterator[Any]:
    """Yields the value that explains the saved one, if ``value`` explains the current one."""
    if isinstance(then, list) and isinstance(now, list):
        yield from [then] if value == now else []
        for was, size in zip(then, now) if type(value) is int else ():
            yield from _wanted(value, was, size)
    elif isinstance(value, list):
        yield from with_other_items(value, lambda item: _wanted(item, then, now))
    elif isinstance(value, str) and isinstance(then, str) and isinstance(now, str):
        if _BETWEEN_WORDS.sub("", value.lower()) == _BETWEEN_WORDS.sub("", now.lower()):
            yield _BETWEEN_WORDS.sub("_", then)
    elif all(type(number) in (int, float) for number in (value, then, now)):
        for relation in _RELATIONS:
            if _is_close(relation(value), now):
                exact = relation(then)
                wanted = round(exact, 6) if _is_close(round(exact, 6), exact) else exact
                yield int(wanted) if type(value) is int and wanted == int(wanted) else wanted
                return


def _is_close(one: float, other: float) -> bool:
    """Whether two numbers differ by no more than rounding, such as 0.2 and 0.19999999."""
    return abs(one - other) <= _CLOSE * max(abs(other), _CLOSE)


def with_other_items(
    value: List[Any], wanted: Callable[[Any], Iterable[Any]]
) -> Iterator[List[Any]]:
    """Yields a list with other values for one of its items, and then for all of them.

    Args:
        value: the list.
        wanted: returns the values to try for an item.
    """
    firsts = [next(iter(wanted(item)), item) for item in value]
    for place, first in enumerate(firsts):
        if first != value[place]:
            yield [*value[:place], first, *value[place + 1 :]]
    if sum(first != item for first, item in zip(firsts, value)) > 1:
        yield firsts


def value_of(params: Mapping[str, Any], read: ParamRead) -> Any:
    """The value that the model_fn got when it read a param; None if it is not known."""
    at: Any = params
    *path, last = read.key.split(".")
    for part in path:
        at = at.get(part, {})
        if not isinstance(at, dict):  # a key with a dot in it
            return None
    return at.get(last) if read.found else read.default
