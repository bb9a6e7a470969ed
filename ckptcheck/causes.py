"""Finds the param whose value explains a change of the computation."""

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


def causes_of(params: Mapping[str, Any], facts: Facts, finding: Finding) -> List[Candidate]:
    """Returns the params that have the changed number as value, each with the saved value."""
    then, now = (next(iter(finding.data[side].values())) for side in ("then", "now"))
    return [
        (read.key, wanted, read)
        for read in reads_of(params, facts)
        for wanted in _wanted(value_of(params, read), then, now)
    ]


def reads_of(params: Mapping[str, Any], facts: Facts) -> List[ParamRead]:
    """Returns how the model_fn read its params, and a read of each other number and text in them.

    The others count, too: a function that makes the model_fn reads its arguments before ckptcheck
    watches the params.
    """
    return _reads(_leaves(params, ""), facts)


def _reads(keys: Iterable[str], facts: Facts) -> List[ParamRead]:
    """Returns the reads of the model_fn, then reads of other keys."""
    reads = {read.key: read for trace in facts.traces for read in trace.params.reads}
    for key in keys:
        reads.setdefault(key, ParamRead(key, True))
    return list(reads.values())


def _leaves(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        if type(value) in (int, float, str):
            yield prefix + key
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")


def recorded_causes(
    params: Mapping[str, Any], facts: Facts, recorded: RecordedParams
) -> List[Candidate]:
    """Returns params whose value differs from the one in training, each with the value in training.

    Params that no trace reads count, too: a function that makes the model_fn reads its arguments
    before ckptcheck watches the params.
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
    """Yields the value that explains the saved number, if ``value`` explains the current one."""
    if isinstance(value, str) and isinstance(then, str) and isinstance(now, str):
        if value.lower() == now.lower():
            yield then
    elif all(type(number) in (int, float) for number in (value, then, now)):
        for relation in _RELATIONS:
            if abs(relation(value) - now) <= _CLOSE * max(abs(now), _CLOSE):
                wanted = round(relation(then), 6) if relation(then) != then else then
                yield int(wanted) if type(value) is int and wanted == int(wanted) else wanted
                return


def value_of(params: Mapping[str, Any], read: ParamRead) -> Any:
    """The value that the model_fn got when it read a param; None if it is not known."""
    at: Any = params
    *path, last = read.key.split(".")
    for part in path:
        at = at.get(part, {})
        if not isinstance(at, dict):  # a key with a dot in it
            return None
    return at.get(last) if read.found else read.default
