"""Places and identities of findings for CI systems. Paths are relative to the repository."""

import dataclasses
import os
from typing import Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from ..results import CHECK, INSPECT, VERIFY, Finding, Group, Report
from ..runs import Run, Runs
from ..sanitize import printable
from .options import Options

_OF_FILES = ("files", "data")
"""The categories of findings about the files of a checkpoint."""


class Place(NamedTuple):
    """A place that a CI system can show.

    Attributes:
        file: a path relative to the root of the repository, with slashes; absolute if the file is
            outside of it.
        line: the line; 1 if the finding is about the whole file.
    """

    file: str
    line: int

    @property
    def inside(self) -> bool:
        """Whether the file is in the repository."""
        return not os.path.isabs(self.file)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A finding of some command.

    Attributes:
        check: the name of the configured check; "" for none.
        report: the report that has it; None for a finding about the configuration.
        group: its group.
        finding: the finding.
        number: how many findings of this check with the same key come before it.
    """

    check: str
    report: Optional[Report]
    group: Group
    finding: Finding
    number: int = 0

    @property
    def message(self) -> str:
        """What is wrong, with the name of the variable."""
        variable, message = self.finding.variable, self.finding.message
        return message if variable in message else f"{printable(variable)}: {message}"

    @property
    def fingerprint(self) -> str:
        """A digest that is the same for the same finding, and differs for all other findings."""
        import hashlib  # it loads OpenSSL, which other formats do not need

        about = [self.check, self.finding.key, *([str(self.number)] if self.number else [])]
        return hashlib.sha256("\0".join(about).encode("utf-8", "surrogatepass")).hexdigest()


def entries(runs: Runs) -> Iterator[Entry]:
    """Yields all findings: those of each check in order, then those about the configuration."""
    reports = [(run.name, run.report) for run in runs.runs if run.report is not None]
    of_checks = [
        Entry(name, report, item, finding)
        for name, report in reports
        for item in report.all_groups
        for finding in item.findings
    ]
    own = [Entry("", None, item, finding) for item in runs.groups for finding in item.findings]
    return _numbered([*of_checks, *own])


def accepted_entries(run: Run) -> Iterator[Entry]:
    """Yields the findings of a check that the project accepts."""
    accepted = run.report.accepted if run.report is not None else ()
    found = [(item.finding, Group("", (item.finding,))) for item in accepted]
    return _numbered([Entry(run.name, run.report, item, finding) for finding, item in found])


def _numbered(found: Sequence[Entry]) -> Iterator[Entry]:
    """Numbers the findings of each check that have the same key."""
    counts: Dict[Tuple[str, str], int] = {}
    for entry in found:
        key = (entry.check, entry.finding.key)
        counts[key] = counts.get(key, -1) + 1
        yield dataclasses.replace(entry, number=counts[key])


def place_of(finding: Finding, report: Optional[Report], options: Options) -> Place:
    """Returns the place of a finding.

    A finding without a line gets a file: the index if the finding is about the checkpoint, and the
    file of TARGET otherwise. It has to be in the repository, since CI systems show no other files.
    If there is no such file, the finding is shown at the file that the options name.
    """
    if finding.location is not None:
        return Place(repository_path(finding.location.file, options), finding.location.line)
    places = [Place(repository_path(file, options), 1) for file in _files(finding, report, options)]
    return next((place for place in places if place.inside), places[0])


def _files(finding: Finding, report: Optional[Report], options: Options) -> Iterator[str]:
    yield from _own_files(finding, report, options) if report is not None else ()
    yield options.anchor


def _own_files(finding: Finding, report: Report, options: Options) -> Iterator[str]:
    target = options.sources.get((report.app_dir, report.target), "")
    if target and finding.category not in _OF_FILES:
        yield target
    has_files = report.command in (CHECK, INSPECT, VERIFY) and not report.against
    if has_files and "://" not in report.model_dir:
        prefix = report.checkpoint.prefix if report.checkpoint else report.contents.prefix
        yield f"{prefix}.index" if prefix else os.path.join(report.model_dir, "checkpoint")
    if target:
        yield target


def repository_path(file: str, options: Options) -> str:
    """Returns a path relative to the root of the repository; absolute if it is outside of it."""
    path = os.path.normpath(os.path.join(options.folder, file))
    relative = os.path.relpath(path, options.root)
    outside = relative == os.pardir or relative.startswith(os.pardir + os.sep)
    return (os.path.abspath(path) if outside else relative).replace(os.sep, "/")
