"""The results of one command line: one report, or the report of each configured check."""

import dataclasses
from typing import Optional, Tuple

from .results import SEVERITIES, Finding, Group, Report, failing


@dataclasses.dataclass(frozen=True)
class Run:
    """One check of a configuration, or the one report of a command.

    Attributes:
        name: the name of the configured check; "" if the command line gave the arguments.
        report: what the check found; None if it could not run or was skipped.
        problem: why it could not run; "" if it ran.
        skipped: why it was skipped, as ``if-missing = "skip"`` allows; "" if it was not.
    """

    name: str = ""
    report: Optional[Report] = None
    problem: str = ""
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing fails: a skipped check does not fail."""
        return bool(self.skipped) or (self.report is not None and self.report.ok)


@dataclasses.dataclass(frozen=True)
class Runs:
    """The results of one command line, in the order of the configuration.

    Attributes:
        runs: each check.
        groups: findings about the configuration itself, such as an ignore that matches nothing.
        ok: whether no check fails, and no finding about the configuration does.
        written: the baseline that was written, and how much it accepts; "" if none was.
    """

    runs: Tuple[Run, ...]
    groups: Tuple[Group, ...] = ()
    ok: bool = True
    written: str = ""

    @classmethod
    def of(cls, report: Report) -> "Runs":
        """Returns the results of a command that has one report."""
        return cls((Run("", report),), (), report.ok)

    @property
    def single(self) -> Optional[Report]:
        """The report of a command line without configured checks; None for configured checks."""
        named = len(self.runs) != 1 or self.runs[0].name
        return None if named else self.runs[0].report

    def fails(self, found: Group) -> bool:
        """Whether a group of findings about the configuration fails it.

        The lowest severity that fails a check counts.
        """
        levels = [run.report.fail_on for run in self.runs if run.report is not None]
        fail_on = min(levels, key=SEVERITIES.index, default=SEVERITIES[-1])
        return not self.ok and bool(failing(found.findings, fail_on))

    @property
    def findings(self) -> Tuple[Finding, ...]:
        """All findings: of each check in order, then those about the configuration."""
        reports = [run.report for run in self.runs if run.report is not None]
        own = (finding for group in self.groups for finding in group.findings)
        return (*(finding for report in reports for finding in report.findings), *own)
