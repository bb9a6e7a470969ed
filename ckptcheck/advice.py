"""Guesses which param sets the shapes, and proves the guess by a new trace."""

import collections
import dataclasses
from typing import (
    AbstractSet,
    Any,
    Callable,
    Counter,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from .causes import causes_of, value_of
from .changes import UNKNOWN
from .protocol import MODES, Shape
from .results import RESTORES, UNTRACEABLE, Advice, Finding, Group, Report
from .rules import Facts, role_of
from .rules.base import DRIFT, SHAPES
from .uses import ParamRead

_MOST_TRIALS = 4
_OFFSETS = (0, 1, -1, 2, -2)
_Candidate = Tuple[str, int, ParamRead]


def with_advice(
    params: Mapping[str, Any],
    facts: Facts,
    report: Report,
    try_params: Callable[[Mapping[str, Any]], Optional[Report]],
) -> Report:
    """Adds advice to the groups of a report: a change of a param that makes the shapes fit.

    Args:
        params: the params of the check.
        facts: the facts of the check, with the reads of params.
        report: the report of the check.
        try_params: checks again with other params; returns None if that was not possible.
    """
    untraceable = {trace.mode for trace in facts.traces if trace.failure is not None}
    groups = list(report.groups)
    for place, group in enumerate(groups):
        first = group.findings[0]
        drifted = first.category == DRIFT
        if not drifted and role_of(first) != SHAPES:
            continue
        found: Sequence[Tuple[str, Any, ParamRead]] = (
            causes_of(params, facts, first) if drifted else _candidates(params, facts, group)
        )
        for key, value, read in found[:_MOST_TRIALS]:
            trial = try_params(_with(params, key, value))
            if trial is not None and _helps(trial, untraceable, first):
                outcome = "the change is gone" if drifted else _outcome(trial)
                text = f"set {key} to {value} in the params{_before(read)}: then {outcome}"
                advice = Advice("params", text, {key: value}, True)
                groups[place] = dataclasses.replace(group, advice=(advice,))
                break
    return dataclasses.replace(report, groups=tuple(groups))


def _helps(report: Report, untraceable: AbstractSet[str], first: Finding) -> bool:
    """Whether a trial succeeds: it traces the modes that were traced before, and no shape differs.

    Args:
        report: of the trial.
        untraceable: the modes that could not be traced before the trial.
        first: a finding of the group. If it is about drift, the trial must not have it.
    """
    if first.category == DRIFT and (
        UNKNOWN in report.drift.states.values()
        or any(finding.key == first.key for finding in report.findings)
    ):
        return False
    failed = {verdict.mode for verdict in report.verdicts if verdict.verdict == UNTRACEABLE}
    if not failed <= untraceable:
        return False
    return not any(role_of(finding) == SHAPES for finding in report.findings)


def _before(read: ParamRead) -> str:
    """What the model_fn uses without the param."""
    if read.found:
        return ""
    place = f" at {read.location.file}:{read.location.line}" if read.location else ""
    return f" (without it, model_fn uses {read.default}{place})"


def _outcome(trial: Report) -> str:
    judged = [verdict for verdict in trial.verdicts if verdict.verdict != UNTRACEABLE]
    checked = [verdict.mode for verdict in judged]
    if any(verdict.verdict != RESTORES for verdict in judged):
        return "the shapes fit"
    if set(MODES) <= set(checked):
        return "all modes restore"
    return "{} will restore".format(" and ".join(map(str.upper, checked)))


def _candidates(params: Mapping[str, Any], facts: Facts, group: Group) -> List[_Candidate]:
    """Returns params with a value near a size that differs, and the value to try. Best first."""
    sizes = _sizes(group)
    reads = {read.key: read for trace in facts.traces for read in trace.params.reads}
    for key in _whole_numbers(params, ""):
        reads.setdefault(key, ParamRead(key, True))
    found: List[Tuple[int, _Candidate]] = []
    for read in reads.values():
        value = value_of(params, read)
        if type(value) is not int:
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
    """Yields values that give the stored size, if it is the param plus or times a constant."""
    for rank, offset in enumerate(_OFFSETS):
        if model == value + offset and stored - offset > 0:
            yield rank, stored - offset
    times = model // value if value > 1 and model % value == 0 else 0
    if times > 1 and stored % times == 0:
        yield len(_OFFSETS), stored // times


def _sizes(group: Group) -> "Counter[Tuple[int, int]]":
    """Counts the pairs of a size in the model and another size in the checkpoint."""
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


def _with(params: Mapping[str, Any], key: str, value: int) -> Dict[str, Any]:
    """Returns a copy of params with one other value. It shares the other values."""
    changed = dict(params)
    at = changed
    *path, last = key.split(".")
    for part in path:
        at[part] = dict(at.get(part, {}))
        at = at[part]
    at[last] = value
    return changed
