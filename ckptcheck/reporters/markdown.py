"""``--format markdown``: for job summaries and comments on pull requests."""

import re
from typing import Callable, Dict, Iterator, List, Sequence

from ..changes import CHANGED
from ..results import CHECK, RESTORES, VERIFY, Finding, Group, Report
from ..runs import Run, Runs
from ..sanitize import printable
from . import text_check, text_files
from .layout import first_of
from .options import Options
from .text_findings import (
    HEADERS,
    MOST_ROWS,
    advice_lines,
    below_table,
    compares,
    comparison,
    effect,
    verdict_text,
)
from .words import report_text, times_text

FORMAT = "markdown"
LONGEST = 60000
"""Characters of the whole text. A comment on GitHub has at most 65,536."""

_LONGEST_TEXT = 1000
_MARKUP = re.compile(r"[\\`*_\[\]<>|~&$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_MENTION = re.compile(r"[@#]+")
_AT_START = re.compile(r"^(?=[-+=])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])")


def escape(text: str) -> str:
    """Escapes a text from outside, so that all of its characters are shown and none is markup.

    ``@`` and ``#`` become code: in other text, GitHub would make them mentions and references.
    """
    safe = _MARKUP.sub(r"\\\g<0>", printable(text, _LONGEST_TEXT).strip())
    return _MENTION.sub(r"`\g<0>`", _AT_START.sub(r"\\", safe))


def render(runs: Runs, options: Options) -> str:
    """Returns a Markdown document. If it would be too long, it says what it leaves out."""
    if runs.single is not None:
        return _bounded(_report("", runs.single, runs.ok))
    blocks = [f"## ckptcheck: {'passes' if runs.ok else 'FAILS'}", _summary(runs)]
    for run in runs.runs:
        report = run.report
        if report is not None and (report.findings or report.not_judged or not run.ok):
            blocks.extend(_report(run.name, report, run.ok))
    blocks.extend(_group(item) for item in runs.groups)
    return _bounded(blocks)


def _bounded(blocks: Sequence[str]) -> str:
    length, kept = 0, []
    for place, block in enumerate(blocks):
        length += len(block) + 2
        if length > LONGEST:
            kept.append(f"{times_text(len(blocks) - place, 'more part')} left out")
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _summary(runs: Runs) -> str:
    return _table(["check", "result", "modes", "findings"], [_row(run) for run in runs.runs])


def _row(run: Run) -> List[str]:
    report = run.report
    if report is None:
        result = "skipped" if run.skipped else "could not run"
        return [escape(run.name), result, escape(run.skipped or run.problem), ""]
    modes = ", ".join(f"{v.mode.upper()} {verdict_text(v.verdict, v.at)}" for v in report.verdicts)
    result = "passes" if run.ok else "**FAILS**"
    return [escape(run.name), result, modes, str(len(report.all_groups))]


def _report(name: str, report: Report, ok: bool) -> List[str]:
    blocks = [f"## ckptcheck: {_about(name, report)}: {'passes' if ok else 'FAILS'}"]
    if report.verdicts:
        rows = [
            [verdict.mode.upper(), _verdict(report, place), f"{verdict.reads:,}"]
            for place, verdict in enumerate(report.verdicts)
        ]
        blocks.append(_table(["mode", "verdict", "tensors to restore"], rows))
    if report.command in _LAST_LINES:
        blocks.append(escape(_LAST_LINES[report.command](report)))
    blocks.extend(_group(item) for item in report.all_groups)
    if report.accepted:
        blocks.append(f"{times_text(len(report.accepted), 'finding')} accepted by the project")
    if report.not_judged:
        blocks.append("### Not judged")
        blocks.append("\n".join(f"* {escape(item)}" for item in report.not_judged))
    return blocks


_LAST_LINES: Dict[str, Callable[[Report], str]] = {
    CHECK: lambda report: text_check.last_line(report)[0],
    VERIFY: text_files.last_line,
}
"""The last line of the text report, by command."""


def _about(name: str, report: Report) -> str:
    if name:
        return escape(name)
    into = f" into {escape(report.target)}" if report.command == CHECK and report.target else ""
    return escape(report_text(report)) + into


def _verdict(report: Report, place: int) -> str:
    verdict = report.verdicts[place]
    text = verdict_text(verdict.verdict, verdict.at)
    if verdict.verdict != RESTORES:
        return f"**{text}**"
    changed = report.drift.states.get(verdict.mode) == CHANGED
    return f"{text}, computes something else" if changed else text


def _group(item: Group) -> str:
    first = item.findings[0]
    blocks = [f"### {first.severity}[{first.rule}] {escape(item.title)}".replace("[", "\\[", 1)]
    said = effect(item.findings)
    if said:
        blocks.append(said)
    compared = [finding for finding in item.findings if compares(finding)]
    if compared:
        shown, more = first_of(comparison(compared), MOST_ROWS)
        rows = [[escape(cell) for cell in row] for row in shown]
        blocks.append(_table(HEADERS, rows))
        lines = [f"and {more:,} more"] * bool(more) + list(below_table(compared))
        if lines:
            blocks.append("\n".join(f"* {escape(line)}" for line in lines))
    lines = list(_messages([finding for finding in item.findings if not compares(finding)]))
    lines += [_advice(line) for line in advice_lines(item)]
    if lines:
        blocks.append("\n".join(f"* {line}" for line in lines))
    return "\n\n".join(blocks)


def _messages(findings: Sequence[Finding]) -> Iterator[str]:
    shown, more = first_of(findings, MOST_ROWS)
    for finding in shown:
        place = finding.location
        where = f" ({escape(f'{place.file}:{place.line}')})" if place else ""
        yield escape(finding.message) + where
    if more:
        yield f"and {more:,} more"


def _advice(line: str) -> str:
    word, _, text = line.partition(": ")
    return f"**{word}:** {escape(text)}"
