"""What a project accepts: severities of its own, ignores, and a baseline."""

import dataclasses
from typing import FrozenSet, List, Mapping, NamedTuple, Set, Tuple

from .baseline import Baseline, Entry
from .config.value import Configuration
from .groups import group
from .ignores import OFF, Ignore
from .results import RESTORES, Accepted, Finding, Group, Report, failing

IGNORE, BASELINE = "ignore", "baseline"


@dataclasses.dataclass(frozen=True)
class Policy:
    """What a project accepts in one check.

    Attributes:
        severities: the severity that a rule gets instead of its own, by rule.
        ignores: the ignores that are about this check.
        baseline: the findings that the baseline accepts, by their keys.
    """

    severities: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ignores: Tuple[Ignore, ...] = ()
    baseline: Mapping[str, Entry] = dataclasses.field(default_factory=dict)


def policy_of(configuration: Configuration, name: str, baseline: Baseline) -> Policy:
    """Returns what the project accepts in a check; the name is "" for one without a name."""
    ignores = tuple(item for item in configuration.ignores if item.is_about(name))
    return Policy(configuration.severities, ignores, baseline.get(name, {}))


class Judged(NamedTuple):
    """A report after the project's policy.

    Attributes:
        report: the report.
        used: the ignores that matched a finding.
        seen: the keys of the baseline that were found again.
    """

    report: Report
    used: FrozenSet[Ignore]
    seen: FrozenSet[str]


def judged(report: Report, policy: Policy, fail_on: str) -> Judged:
    """Applies a policy to the report of a check.

    The verdicts do not change, because they say what a restore does. A mode that does not restore
    fails the check unless the project accepts every finding that says so.

    Args:
        report: the report of the check.
        policy: what the project accepts in it.
        fail_on: the severity that fails the check.
    """
    accepted: List[Accepted] = []
    kept: List[Finding] = []
    used: Set[Ignore] = set()
    for finding in report.findings:
        ignore = next((item for item in policy.ignores if item.matches(finding)), None)
        if ignore is not None:
            used.add(ignore)
            accepted.append(Accepted(finding, IGNORE, ignore.reason))
        elif policy.severities.get(finding.rule) == OFF:
            accepted.append(Accepted(finding, IGNORE, f"{finding.rule} is off"))
        elif finding.key in policy.baseline and policy.baseline[finding.key].accepts(finding):
            accepted.append(Accepted(finding, BASELINE))
        else:
            severity = policy.severities.get(finding.rule, finding.severity)
            kept.append(dataclasses.replace(finding, severity=severity))
    seen = frozenset(finding.key for finding in report.findings).intersection(policy.baseline)
    groups = tuple(_with_advice_of(report, item) for item in group(kept))
    found = dataclasses.replace(report, groups=groups, accepted=tuple(accepted))
    found = dataclasses.replace(found, ok=_passes(found, policy, fail_on))
    return Judged(found, frozenset(used), seen)


def _with_advice_of(report: Report, made: Group) -> Group:
    """Returns a group with the advice of the group that its first finding came from."""
    key = made.findings[0].key
    same = (old for old in report.groups if any(f.key == key for f in old.findings))
    return dataclasses.replace(made, advice=next(same).advice)


def _passes(report: Report, policy: Policy, fail_on: str) -> bool:
    broken = {verdict.mode for verdict in report.verdicts if verdict.verdict != RESTORES}
    excused = {item.rule for item in report.findings if item.rule in policy.severities}
    unexcused = (f for f in report.findings if f.rule not in excused)
    fails = any(not broken.isdisjoint(finding.outcomes) for finding in unexcused)
    return report.checked and not failing(report.findings, fail_on) and not fails
