"""Groups findings that have one cause, so that a person reads one entry for each cause."""

import collections
import re
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from .protocol import VariableSpec
from .results import Finding, Group
from .rules import all_rules, role_of
from .rules.base import DRIFT, MISSING, UNUSED
from .rules.roles import is_average, roles, slots_of

_AVERAGE = "ExponentialMovingAverage"
_ORDER = {"error": 0, "warning": 1, "note": 2}


def group(findings: Sequence[Finding]) -> Tuple[Group, ...]:
    """Groups findings, errors first.

    If a missing variable and an unused variable have the same shape, and their names differ only in
    their scope, they are one renaming. All renamings of a scope are one group. All other findings
    are grouped by rule, severity, outcome and hint; each change of the computation is a group of
    its own.
    """
    renames = _renames(findings)
    groups = [_rename_group(*scopes, pairs) for scopes, pairs in renames.items()]
    renamed = {finding.key for renaming in groups for finding in renaming.findings}
    groups += _rule_groups(f for f in findings if f.key not in renamed)
    return tuple(sorted(groups, key=lambda item: _ORDER[item.findings[0].severity]))


def _rule_groups(findings: Iterator[Finding]) -> List[Group]:
    rules = all_rules()
    alike: Dict[Tuple[object, ...], List[Finding]] = {}
    for finding in findings:
        outcomes = frozenset(finding.outcomes.values())
        alone = finding.subject if finding.category == DRIFT else ""
        kind = (finding.rule, finding.severity, outcomes, finding.hint, alone)
        alike.setdefault(kind, []).append(finding)
    return [
        Group(rules[members[0].rule].headline(tuple(members)), tuple(members))
        for members in alike.values()
    ]


_Pair = Tuple[Finding, Finding]
"""A missing variable, and an unused one that was renamed to it."""


def _renames(findings: Sequence[Finding]) -> Dict[Tuple[str, str], List[_Pair]]:
    """Pairs each missing variable with an unused one of the same shape and the same last part.

    Returns:
        The pairs by the old and the new scope.
    """
    names = {finding.variable for finding in findings}
    kinds = roles(names)
    slots = slots_of(names).items()
    owners = {slot: of for slot, of in slots if kinds[slot] == "optimizer" or is_average(slot)}
    averages = (name.rpartition("/") for name in names)
    owners.update(("/".join((of, last)), of) for of, _, last in averages if last == _AVERAGE)
    unused: Dict[Tuple[object, ...], List[Finding]] = collections.defaultdict(list)
    for finding in findings:
        if role_of(finding) == UNUSED and finding.checkpoint is not None:
            unused[_identity(finding.checkpoint, owners)].append(finding)
    found: Dict[Tuple[str, str], List[_Pair]] = {}
    for missing in findings:
        if role_of(missing) != MISSING or missing.model is None:
            continue
        there = unused.get(_identity(missing.model, owners))
        if there:
            partner = max(there, key=lambda item: _shared_parts(item.variable, missing.variable))
            there.remove(partner)
            old, new = _differing(partner.variable, missing.variable)
            found.setdefault(("/".join(old), "/".join(new)), []).append((missing, partner))
    return found


def _identity(spec: VariableSpec, owners: Mapping[str, str]) -> Tuple[object, ...]:
    """Returns the properties that a renamed variable keeps: shape, dtype, last part of its name.

    A slot or a moving average also keeps the last part of its variable's name.
    """
    names = (owners.get(spec.name, ""), spec.name)
    return (spec.shape, spec.dtype, *(name.rpartition("/")[2] for name in names))


def _differing(old: str, new: str) -> Tuple[List[str], List[str]]:
    """Returns the parts of two names, without those that they share at their start and end."""
    a, b = old.split("/"), new.split("/")
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return a, b


def _shared_parts(old: str, new: str) -> int:
    return len(old.split("/")) - len(_differing(old, new)[0])


def _rename_group(old: str, new: str, pairs: List[_Pair]) -> Group:
    variables = "1 variable" if len(pairs) == 1 else f"{len(pairs)} variables"
    was, becomes = (repr(scope) if scope else "no scope" for scope in (old, new))
    title = f"{variables} renamed: {was} in the checkpoint is {becomes} in the model"
    return Group(title, tuple(finding for pair in pairs for finding in pair))


_INDEX = re.compile(r"(?<!\d)(0|[1-9]\d*)(?!\d)", re.ASCII)
"""A number without leading zeros: 01 is another name than 1."""


def fold(names: Sequence[str]) -> List[Tuple[str, Tuple[str, ...]]]:
    """Folds names that differ in one number.

    Returns:
        Labels such as ``layer_{0..11}/kernel`` with the names that each replaces, in the order of
        the names.
    """
    folded: Dict[str, Tuple[str, Tuple[str, ...]]] = {}
    for pattern, members in sorted(_patterns(names).items(), key=lambda item: -len(item[1])):
        free = sorted((number, name) for number, name in members if name not in folded)
        first, last = (free[0][0], free[-1][0]) if free else (0, 0)
        if len(free) < 3 or [number for number, _ in free] != list(range(first, last + 1)):
            continue
        label = pattern[0] + f"{{{first}..{last}}}" + pattern[1]
        entry = (label, tuple(name for _, name in free))
        folded.update((name, entry) for _, name in free)
    result: Dict[str, Tuple[str, Tuple[str, ...]]] = {}
    for name in names:
        entry = folded.get(name, (name, (name,)))
        result.setdefault(entry[1][0], entry)
    return list(result.values())


def _patterns(names: Sequence[str]) -> Dict[Tuple[str, str], List[Tuple[int, str]]]:
    """Returns names by the text before and after each of their numbers."""
    found: Dict[Tuple[str, str], List[Tuple[int, str]]] = {}
    for name in names:
        for place in _INDEX.finditer(name):
            around = (name[: place.start()], name[place.end() :])
            found.setdefault(around, []).append((int(place.group()), name))
    return found
