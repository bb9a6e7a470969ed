"""Guesses which param sets the shapes, and proves the guess by a new trace."""

import collections
import dataclasses
import json
from typing import (
    AbstractSet,
    Any,
    Callable,
    Counter,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .causes import (
    Candidate,
    causes_of,
    reads_of,
    recorded_causes,
    switches_of,
    value_of,
    with_other_items,
)
from .changes import UNKNOWN
from .protocol import MODES, TRAIN, Shape
from .records.params import holds
from .results import RESTORES, UNTRACEABLE, Advice, Finding, Group, Outcome, Report
from .rules import Facts, role_of
from .rules.base import DRIFT, SHAPES
from .uses import ParamRead

_MOST_TRIALS = 4
"""The most guesses to try for one group, and then the most switches."""
_MOST_VAIN = 6
"""After this many trials that helped no group, ckptcheck tries only the best guess for a group."""
_MOST_VAIN_AT_ALL = 20
"""After this many, it tries no other guess."""
_FROM_MILD_TO_BAD = list(Outcome)
_OFFSETS = (0, 1, -1, 2, -2)


def with_advice(
    params: Mapping[str, Any],
    facts: Facts,
    report: Report,
    try_params: Callable[[Mapping[str, Any]], Optional[Report]],
) -> Report:
    """Adds advice to the groups of a report.

    The advice is a change of params that makes the shapes fit, or that undoes a change of the
    computation.

    Args:
        params: the params of the check.
        facts: the facts of the check, with the reads of params.
        report: the report of the check.
        try_params: checks again with other params; returns None if that was not possible.
    """
    untraceable = {trace.mode for trace in facts.traces if trace.failure is not None}
    fixes: List[Optional[_Fix]] = [None] * len(report.groups)
    vain: Dict[str, bool] = {}

    def fix_of(
        group: Group, mine: Sequence[Sequence[Candidate]], is_limited: bool
    ) -> Optional[_Fix]:
        """Returns the first attempt that helps."""
        first = group.findings[0]
        for place, attempt in enumerate(mine[:_MOST_TRIALS]):
            key = _identity(attempt)
            most = _MOST_VAIN if place else _MOST_VAIN_AT_ALL
            if is_limited and key not in vain and sum(vain.values()) >= most:
                continue
            trial = try_params(_with(params, attempt))
            helps = trial is not None and _helps(trial, untraceable, first, report)
            vain[key] = vain.get(key, True) and not helps
            if trial is not None and helps:
                return _Fix(attempt, trial)
        return None

    attempts = _attempts_of_all(params, facts, report.groups)
    for place, group in enumerate(report.groups):
        # several params together may undo changes that only one of them explains
        single = [fix for fix in fixes if fix is not None and len(fix.attempt) == 1]
        shared = _shared(group, single, untraceable, report)
        fixes[place] = shared or fix_of(group, attempts[place], True)
    for place, group in enumerate(report.groups):
        others = [fix for fix in fixes if fix is not None]
        fixes[place] = fixes[place] or _shared(group, others, untraceable, report)
    switches = _switches(params, facts)
    for place, group in enumerate(report.groups):
        if fixes[place] is None and _is_of_drift(group):
            fixes[place] = fix_of(group, switches, False)
    found = list(zip(report.groups, fixes))
    counts = collections.Counter(
        _identity(fix.attempt) for group, fix in found if fix is not None and _is_of_drift(group)
    )
    groups = [
        group if fix is None else _with_fix(group, fix, counts[_identity(fix.attempt)])
        for group, fix in found
    ]
    return dataclasses.replace(report, groups=tuple(groups))


class _Fix(NamedTuple):
    """Other params, and the report of the trial with them."""

    attempt: Sequence[Candidate]
    trial: Report


def _shared(
    group: Group, fixes: Sequence[_Fix], untraceable: AbstractSet[str], report: Report
) -> Optional[_Fix]:
    """Returns the fix with the fewest params that undoes a change of the computation, too."""
    if not _is_of_drift(group):
        return None
    for fix in sorted(fixes, key=lambda fix: len(fix.attempt)):
        if _helps(fix.trial, untraceable, group.findings[0], report):
            return fix
    return None


def _is_of_drift(group: Group) -> bool:
    return group.findings[0].category == DRIFT


def _with_fix(group: Group, fix: _Fix, count: int) -> Group:
    """Returns a group with a fix as advice; ``count`` is how many changes have this fix."""
    if _is_of_drift(group):
        outcome = "the change is gone" if count == 1 else f"{count} changes are gone"
    else:
        outcome = _outcome(fix.trial)
    text = f"set {_said(fix.attempt)}: then {outcome}"
    values = {key: value for key, value, _ in fix.attempt}
    return dataclasses.replace(group, advice=(Advice("params", text, values, True),))


def _attempts_of_all(
    params: Mapping[str, Any], facts: Facts, groups: Sequence[Group]
) -> List[Sequence[Sequence[Candidate]]]:
    """Returns the attempts of each group. A guess that may explain more groups is likelier."""
    attempts = [_unique(_attempts(params, facts, group)) for group in groups]
    if facts.record is not None and facts.record.params is not None:
        return attempts  # any group may have any param that differs from the record
    counts = collections.Counter(_identity(one) for mine in attempts for one in mine)
    return [sorted(mine, key=lambda one: -counts[_identity(one)]) for mine in attempts]


def _unique(attempts: Iterable[Sequence[Candidate]]) -> Sequence[Sequence[Candidate]]:
    found: Dict[str, Sequence[Candidate]] = {}
    for attempt in attempts:
        found.setdefault(_identity(attempt), attempt)
    return list(found.values())


def _identity(attempt: Sequence[Candidate]) -> str:
    return json.dumps(sorted((key, value) for key, value, _ in attempt))


def _attempts(params: Mapping[str, Any], facts: Facts, group: Group) -> List[Sequence[Candidate]]:
    """Returns the changes to try, each of one or more params. Best first.

    If a record has the value of a param, no other value is tried.
    """
    first = group.findings[0]
    if first.category != DRIFT and role_of(first) != SHAPES:
        return []
    guessed: Sequence[Candidate] = (
        causes_of(params, facts, first)
        if first.category == DRIFT
        else _candidates(params, facts, group)
    )
    recorded = facts.record.params if facts.record is not None else None
    if recorded is None:
        return [(candidate,) for candidate in guessed]
    order = [key for key, _, _ in guessed]
    known = sorted(
        recorded_causes(params, facts, recorded),
        key=lambda item: order.index(item[0]) if item[0] in order else len(order),
    )
    others = [item for item in guessed if not holds(recorded, item[0])]
    together = [known] if len(known) > 1 else []
    return [*((item,) for item in known[: _MOST_TRIALS - 1]), *together, *((i,) for i in others)]


def _switches(params: Mapping[str, Any], facts: Facts) -> List[Sequence[Candidate]]:
    """Returns the params to switch on or off if no value of another param explains a change."""
    recorded = facts.record.params if facts.record is not None else None
    found = switches_of(params, facts)
    return [[switch] for switch in found if recorded is None or not holds(recorded, switch[0])]


def _helps(trial: Report, untraceable: AbstractSet[str], first: Finding, before: Report) -> bool:
    """Whether a trial succeeds: no shape differs, and no mode is worse than before.

    Args:
        trial: the report of the trial.
        untraceable: the modes that could not be traced before the trial.
        first: a finding of the group. If it is about drift, the trial must not have this finding,
            nor a drift finding that ``before`` does not have.
        before: the report before the trial.
    """
    if first.category == DRIFT:
        known, now = _drift_keys(before), _drift_keys(trial)
        new = _open_modes(trial) - _open_modes(before)
        # Without the change, EVAL may be open for another reason. Then TRAIN decides.
        is_compared = trial.drift.states.get(TRAIN, UNKNOWN) != UNKNOWN
        if (new and not is_compared) or first.key in now or not now <= known:
            return False
    then, tried = _outcomes(before, untraceable), _outcomes(trial, untraceable)
    if any(key not in then or rank > then[key] for key, rank in tried.items()):
        return False
    return not any(role_of(finding) == SHAPES for finding in trial.findings)


def _outcomes(report: Report, untraceable: AbstractSet[str]) -> Dict[Tuple[str, str, str], int]:
    """Returns how bad each finding is for each mode that could be traced before.

    Specs do not count: a variable that is missing before and after may have another shape.
    """
    return {
        (mode, finding.rule, finding.variable or finding.subject): _FROM_MILD_TO_BAD.index(outcome)
        for finding in report.findings
        for mode, outcome in finding.outcomes.items()
        if mode not in untraceable
    }


def _open_modes(report: Report) -> Set[str]:
    """Returns the modes that could not be compared."""
    return {mode for mode, state in report.drift.states.items() if state == UNKNOWN}


def _drift_keys(report: Report) -> Set[str]:
    return {finding.key for finding in report.findings if finding.category == DRIFT}


def _said(attempt: Sequence[Candidate]) -> str:
    texts = [f"{key} to {_shown(value)}" for key, value, _ in attempt]
    before = _before(attempt[0][2]) if len(attempt) == 1 else ""
    return f"{' and '.join(texts)} in the params{before}"


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (bool, list, dict, type(None))) else str(value)


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


def _candidates(params: Mapping[str, Any], facts: Facts, group: Group) -> List[Candidate]:
    """Returns params with a value near a size that differs, and the value to try. Best first."""
    sizes = _sizes(group)
    found: List[Tuple[int, Candidate]] = []
    for read in reads_of(params, facts):
        value = value_of(params, read)
        if isinstance(value, list):
            others = with_other_items(value, lambda item: _sizes_wanted(item, sizes))
            found.extend((place, (read.key, other, read)) for place, other in enumerate(others))
        if type(value) is not int:
            continue
        for (model, stored), count in sizes.items():
            found.extend(
                (rank * 1000 - count, (read.key, wanted, read))
                for rank, wanted in _wanted(value, model, stored)
            )
    found.sort(key=lambda item: (item[0], item[1][0]))
    return [candidate for _, candidate in found]


def _sizes_wanted(item: Any, sizes: Mapping[Tuple[int, int], int]) -> Iterator[int]:
    """Yields the stored sizes of variables whose size in the model is an item of a list."""
    if type(item) is int:
        yield from (stored for model, stored in sizes if model == item)


def _wanted(value: int, model: int, stored: int) -> Iterator[Tuple[int, int]]:
    """Yields values of a param that give the stored size.

    A size may be the param plus a constant, or the param times a constant.
    """
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


def _with(params: Mapping[str, Any], attempt: Sequence[Candidate]) -> Dict[str, Any]:
    """Returns a copy of params with other values. It shares the values that stay."""
    changed = dict(params)
    for key, value, _ in attempt:
        at = changed
        *path, last = key.split(".")
        for part in path:
            at[part] = dict(at.get(part, {}))
            at = at[part]
        at[last] = value
    return changed
