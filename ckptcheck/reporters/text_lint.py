"""The report of ``lint`` as text: a line for each finding, in the order of the files."""

from typing import List, Tuple

from ..results import SEVERITIES, Finding, Position, Report
from ..sanitize import printable
from .layout import painted, wrapped
from .options import Options
from .words import times_text

_LONGEST_LINE = 2000


def render(report: Report, options: Options) -> str:
    """Returns the report of ``lint`` as text."""
    lines: List[str] = []
    for finding in sorted(report.findings, key=_order):
        lines += _lines(finding, options)
    lines += [wrapped(f"not judged: {item}", options) for item in report.not_judged]
    return "".join(line + "\n" for line in [*lines, last_line(report)])


def _order(finding: Finding) -> Tuple[str, int, int]:
    place = finding.location
    column = place.column if isinstance(place, Position) else 0
    return (place.file, place.line, column) if place is not None else ("", 0, 0)


def _lines(finding: Finding, options: Options) -> List[str]:
    """Returns the lines of a finding. Editors find the place, because no line is wrapped."""
    file, line, column = _order(finding)
    tag = painted(f"{finding.severity}[{finding.rule}]", finding.severity, options)
    place = printable(f"{file}:{line}:{column}", _LONGEST_LINE)
    lines = [f"{place}: {tag} {printable(finding.message, _LONGEST_LINE)}"]
    if finding.hint:
        lines.append(f"  try: {printable(finding.hint, _LONGEST_LINE)}")
    return lines


def last_line(report: Report) -> str:
    """Returns how many findings there are in how many files."""
    if not report.checked:
        return "No Python files found."
    files = times_text(report.files, "file")
    counts = [
        times_text(count, severity)
        for severity in reversed(SEVERITIES)
        for count in [sum(item.severity == severity for item in report.findings)]
        if count
    ]
    return f"Found {', '.join(counts) or 'nothing'} ({files} linted)."
