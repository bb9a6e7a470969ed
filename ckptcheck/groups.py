"""Groups findings that have one cause, so that a person reads one entry for each cause."""

import collections
import dataclasses
import re
from typing import Dict, Iterator, List, Sequence, Tuple

from .protocol import VariableSpec
from .results import Finding, Group
from .rules import all_rules, role_of
from .rules.base import MISSING, UNUSED

_ORDER = {"error": 0, "warning": 1, "note": 2}


def group(findings: Sequence[Finding]) -> Tuple[Group, ...]:
    """Groups findings, errors first.

    A missing variable and an unused one of the same shape whose names differ only in their scope
    are one renaming, and all renamings of a scope are one group. All other findings are grouped by
    rule, severity, outcome and hint.
    """
    renames = _renames(findings)
    renamed = {finding.key for pair in renames for finding in pair.findings}
    groups = [*_rename_groups(renames), *_rule_groups(f for f in findings if f.key not in renamed)]
    return tuple(sorted(groups, key=lambda item: _ORDER[item.findings[0].severity]))


def _rule_groups(findings: Iterator[Finding]) -> List[Group]:
    rules = all_rules()
    alike: Dict[Tuple[object, ...], List[Finding]] = {}
    for finding in findings:
        outcomes = frozenset(finding.outcomes.values())
        alike.setdefault((finding.rule, finding.severity, outcomes, finding.hint), []).append(
            finding
        )
    return [
        Group(rules[members[0].rule].headline(tuple(members)), tuple(members))
        for members in alike.values()
    ]


@dataclasses.dataclass(frozen=True)
class _Rename:
    """A variable under its old name in the checkpoint and its new one in the model."""

    old: str
    new: str
    findings: Tuple[Finding, Finding]


def _renames(findings: Sequence[Finding]) -> List[_Rename]:
    """Pairs each missing variable with an unused one of the same shape whose name ends the same."""
    unused: Dict[Tuple[object, ...], List[Finding]] = collections.defaultdict(list)
    for finding in findings:
        if role_of(finding) == UNUSED and finding.checkpoint is not None:
            unused[_identity(finding.checkpoint)].append(finding)
    found = []
    for missing in findings:
        if role_of(missing) != MISSING or missing.model is None:
            continue
        there = unused.get(_identity(missing.model), [])
        if len(there) > 1:
            there = sorted(there, key=lambda item: -_alike(item.variable, missing.variable))
        if there:
            partner = there[0]
            unused[_identity(missing.model)].remove(partner)
            old, new = _difference(partner.variable, missing.variable)
            found.append(_Rename(old, new, (missing, partner)))
    return found


def _identity(spec: VariableSpec) -> Tuple[object, ...]:
    """What a renamed variable keeps: shape, dtype, and the last part of its name."""
    return spec.shape, spec.dtype, spec.name.rpartition("/")[2]


def _alike(one: str, other: str) -> int:
    """Counts the parts of two names that are equal, from both ends."""
    a, b = one.split("/"), other.split("/")
    front = _common(a, b)
    return front + _common(a[front:][::-1], b[front:][::-1])


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(a, b):
        if mine != theirs:
            break
        count += 1
    return count


def _difference(old: str, new: str) -> Tuple[str, str]:
    """Returns the parts in which two names differ: the scopes that were renamed."""
    a, b = old.split("/"), new.split("/")
    front = _common(a, b)
    back = _common(a[front:][::-1], b[front:][::-1])
    mine = "/".join(a[front : len(a) - back])
    theirs = "/".join(b[front : len(b) - back])
    return mine, theirs


def _rename_groups(renames: Sequence[_Rename]) -> List[Group]:
    by_scope: Dict[Tuple[str, str], List[_Rename]] = {}
    for rename in renames:
        by_scope.setdefault((rename.old, rename.new), []).append(rename)
    groups = []
    for (old, new), members in by_scope.items():
        findings = tuple(finding for member in members for finding in member.findings)
        title = "{} variable{} renamed: {} in the checkpoint is {} in the model".format(
            len(members), "" if len(members) == 1 else "s", _scope(old), _scope(new)
        )
        groups.append(Group(title, findings))
    return groups


def _scope(name: str) -> str:
    return f"{name!r}" if name else "no scope"


_INDEX = re.compile(r"\d+")


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
            if place.group() != str(int(place.group())):  # 01 is another name than 1
                continue
            around = (name[: place.start()], name[place.end() :])
            found.setdefault(around, []).append((int(place.group()), name))
    return found
