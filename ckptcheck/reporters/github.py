"""``--format github``: workflow commands, which GitHub shows on the lines of a pull request."""

from typing import Dict, Iterator, List, NamedTuple, Optional

from ..results import SEVERITIES, Group, Report
from ..runs import Run, Runs
from ..sanitize import escaped, printable
from .options import Options
from .places import Place, place_of
from .text_findings import group_text, verdict_text
from .words import report_text, times_text

FORMAT = "github"
MOST_ANNOTATIONS = 10
"""The most annotations to print. GitHub shows at most ten of each severity for one step."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_LONGEST_TITLE = 200
_LONGEST_MESSAGE = 4000
_LONGEST_CHECK = 100
_WIDTH = 100
_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_DATA, ":": "%3A", ",": "%2C"}


class _Annotation(NamedTuple):
    severity: str
    title: str
    message: str
    place: Optional[Place] = None

    @property
    def line(self) -> str:
        """The workflow command."""
        properties = [f"title={_escaped(self.title, _IN_PROPERTY)}"]
        if self.place is not None:
            file = _escaped(escaped(self.place.file), _IN_PROPERTY)
            properties[:0] = [f"file={file}", f"line={self.place.line}"]
        message = _escaped(self.message, _IN_DATA)
        return f"::{_COMMANDS[self.severity]} {','.join(properties)}::{message}"


def _escaped(text: str, table: Dict[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)


def render(runs: Runs, options: Options) -> str:
    """Returns at most ten annotations, errors first, and a line for each check.

    Every other line begins with ``ckptcheck:``. If a line began with text from a file, GitHub could
    take it for a workflow command.
    """
    found: List[_Annotation] = []
    for run in runs.runs:
        found.extend(_annotations(run, options))
    found.extend(_annotation("", None, item, options) for item in runs.groups)
    found.sort(key=lambda item: SEVERITIES[::-1].index(item.severity))
    lines = [item.line for item in found[:MOST_ANNOTATIONS]]
    more = len(found) - len(lines)
    if more:
        lines.append(f"ckptcheck: and {more} more, which the job summary shows")
    lines.extend(f"ckptcheck: {printable(_conclusion(run), _LONGEST_MESSAGE)}" for run in runs.runs)
    return "\n".join(lines) + "\n"


def _annotations(run: Run, options: Options) -> Iterator[_Annotation]:
    if run.report is not None:
        for item in run.report.all_groups:
            yield _annotation(run.name, run.report, item, options)
    elif run.problem:
        title = printable(f"ckptcheck: {run.name} could not run", _LONGEST_TITLE)
        yield _Annotation("error", title, printable(run.problem, _LONGEST_MESSAGE))


def _annotation(check: str, report: Optional[Report], item: Group, options: Options) -> _Annotation:
    first = item.findings[0]
    located = next((found for found in item.findings if found.location is not None), first)
    _, _, body = group_text(item, Options(width=_WIDTH)).partition("\n  ")
    name = f"{printable(check, _LONGEST_CHECK)}: " if check else ""
    title = f"ckptcheck: {name}{first.rule}"
    message = f"{printable(item.title, _LONGEST_TITLE)}\n{body}".rstrip().replace("\n  ", "\n")
    return _Annotation(
        first.severity,
        printable(title, _LONGEST_TITLE),
        message[:_LONGEST_MESSAGE],
        place_of(located, report, options),
    )


def _conclusion(run: Run) -> str:
    """Returns the result of a check, in one line."""
    report = run.report
    if report is None:
        could_not = f"{run.name} could not run: {run.problem}"
        return f"{run.name}: {run.skipped}" if run.skipped else could_not
    name = run.name or report_text(report)
    modes = [f"{v.mode.upper()} {verdict_text(v.verdict, v.at)}" for v in report.verdicts]
    said = [*modes, times_text(len(report.all_groups), "finding")]
    return f"{name}: {'passes' if run.ok else 'FAILS'}: {', '.join(said)}"
