"""Which param gives the shapes of the checkpoint: guessed by its value, proved by a new trace."""

import collections
from typing import Any, Callable, Counter, Dict, Iterator, List, Mapping, Optional, Tuple

from ..protocol import MODES, ParamRead, Shape
from ..results import RESTORES, UNTRACEABLE, Advice, Group, Report
from ..rules import Facts, role_of
from ..rules.base import SHAPES

_MOST_TRIALS = 4
_OFFSETS = (0, 1, -1, 2, -2)


def advise(
    params: Mapping[str, Any],
    facts: Facts,
    group: Group,
    try_params: Callable[[Mapping[str, Any]], Optional[Report]],
) -> Tuple[Advice, ...]:
    """The value of a param with which the shapes fit; nothing where no trial shows one.

    Args:
        params: the params of the check.
        facts: what it found out, the looks at params among it.
        group: findings of other shapes.
        try_params: checks again with other params; None where that could not be done.
    """
    for key, value, read in _candidates(params, facts, group)[:_MOST_TRIALS]:
        report = try_params(_with(params, key, value))
        if report is not None and _helps(report):
            text = _text(key, value, read, _outcome(report))
            return (Advice("params", text, {key: value}, True),)
    return ()


def _helps(report: Report) -> bool:
    """Whether a trial is a proof: every mode could be traced, and no shape differs."""
    if any(verdict.verdict == UNTRACEABLE for verdict in report.verdicts):
        return False
    return not any(role_of(finding) == SHAPES for finding in report.findings)


def _outcome(report: Report) -> str:
    """What a successful trial proves. It proves nothing about modes that are not checked."""
    if any(verdict.verdict != RESTORES for verdict in report.verdicts):
        return "the shapes fit"
    checked = [verdict.mode for verdict in report.verdicts]
    if set(MODES) <= set(checked):
        return "all modes restore"
    return "{} will restore".format(" and ".join(map(str.upper, checked)))


def _text(key: str, value: int, read: ParamRead, outcome: str) -> str:
    before = ""
    if not read.found:
        place = f" at {read.location.file}:{read.location.line}" if read.location else ""
        before = f" (it is not there, and model_fn fell back to {read.default}{place})"
    return f"set {key} to {value} in the params{before}: then {outcome}"


_Candidate = Tuple[str, int, ParamRead]


def _candidates(params: Mapping[str, Any], facts: Facts, group: Group) -> List[_Candidate]:
    """Params whose value is near a size that differs, with what the checkpoint has there."""
    sizes = _sizes(group)
    reads = {read.key: read for trace in facts.traces for read in trace.params.reads}
    for key in _whole_numbers(params, ""):
        reads.setdefault(key, ParamRead(key, True))
    found: List[Tuple[int, _Candidate]] = []
    for read in reads.values():
        value = _value(params, read)
        if value is None:
            continue
        for (model, stored), count in sizes.items():
            found.extend(
                (rank * 1000 - count, (read.key, wanted, read))
                for rank, wanted in _wanted(value, model, stored)
            )
    found.sort(key=lambda item: (item[0], item[1][0]))
    unique: Dict[Tuple[str, int], _Candidate] = {}
    for _, candidate in found:
        unique.setdefault(candidate[:2], candidate)
    return list(unique.values())


def _wanted(value: int, model: int, stored: int) -> Iterator[Tuple[int, int]]:
    """The values that would make a size the stored one, if it follows from the param simply."""
    for rank, offset in enumerate(_OFFSETS):
        if model == value + offset and stored - offset > 0:
            yield rank, stored - offset
    times = model // value if value > 1 and model % value == 0 else 0
    if times > 1 and stored % times == 0:
        yield len(_OFFSETS), stored // times


def _sizes(group: Group) -> "Counter[Tuple[int, int]]":
    """How often each size of the model meets another one in the checkpoint."""
    found: Counter[Tuple[int, int]] = collections.Counter()
    for finding in group.findings:
        if finding.model is not None and finding.checkpoint is not None:
            found.update(_differing(finding.model.shape, finding.checkpoint.shape))
    return found


def _differing(model: Shape, stored: Shape) -> Iterator[Tuple[int, int]]:
    if model is None or stored is None or len(model) != len(stored):
        return
    for mine, theirs in zip(model, stored):
        if mine is not None and theirs is not None and mine != theirs:
            yield mine, theirs


def _whole_numbers(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        if type(value) is int:
            yield prefix + key
        elif isinstance(value, dict):
            yield from _whole_numbers(value, f"{prefix}{key}.")


def _value(params: Mapping[str, Any], read: ParamRead) -> Optional[int]:
    at: Any = params
    *path, last = read.key.split(".")
    for part in path:
        at = at.get(part, {})
        if not isinstance(at, dict):  # a key with a dot in it
            return None
    value = at.get(last) if read.found else read.default
    return value if type(value) is int else None


def _with(params: Mapping[str, Any], key: str, value: int) -> Dict[str, Any]:
    """A copy of params with another value. It shares the other values with the original."""
    changed = dict(params)
    at = changed
    *path, last = key.split(".")
    for part in path:
        at[part] = dict(at.get(part, {}))
        at = at[part]
    at[last] = value
    return changed
