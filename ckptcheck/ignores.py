"""The ignores of a configuration: the findings that a project accepts, each with a reason."""

import dataclasses
import fnmatch
from typing import Mapping, Tuple

from .results import Finding

OFF = "off"
"""The severity of a rule that the project does not want."""


@dataclasses.dataclass(frozen=True)
class Ignore:
    """Findings that a project accepts.

    Attributes:
        reason: why it accepts them.
        rule: the id of their rule; ``*`` for all rules.
        variable: a pattern, as in ``fnmatch``, for the variable, or else the subject of a finding.
        check: the name of the check, or of its table in the configuration, or a pattern for it.
        file: the configuration file.
        line: the line in that file.
    """

    reason: str
    rule: str = "*"
    variable: str = "*"
    check: str = "*"
    file: str = ""
    line: int = 0

    def matches(self, finding: Finding) -> bool:
        """Whether it accepts a finding, by the rule and the variable. The check does not count."""
        about = finding.variable or finding.subject
        return self.rule in ("*", finding.rule) and fnmatch.fnmatchcase(about, self.variable)

    def is_about(self, check: str) -> bool:
        """Whether it is about a check."""
        if self.check in names_of(check) or fnmatch.fnmatchcase(check, self.check):
            return True
        table, bracket, label = check.partition("[")  # fnmatch takes [ for a class
        wanted, is_labelled, labels = self.check.partition("[")
        same_table = bool(bracket and is_labelled) and fnmatch.fnmatchcase(table, wanted)
        return same_table and fnmatch.fnmatchcase(label, labels)

    def may_be_about(self, table: str) -> bool:
        """Whether it is about a table, or about some of the checks that globs make of it."""
        return self.is_about(table) or fnmatch.fnmatchcase(table, names_of(self.check)[1])


def names_of(check: str) -> Tuple[str, str]:
    """Returns the name of a check, and that of its table if globs made the check."""
    return check, check.partition("[")[0]


@dataclasses.dataclass(frozen=True)
class Unused:
    """The ignores and baseline entries that accept findings that do not occur.

    Attributes:
        ignores: the ignores that match nothing.
        baseline: by the name of the check, how many accepted findings do not occur any more.
        file: the file of the baseline.
    """

    ignores: Tuple[Ignore, ...] = ()
    baseline: Mapping[str, int] = dataclasses.field(default_factory=dict)
    file: str = ""


NOTHING_UNUSED = Unused()
