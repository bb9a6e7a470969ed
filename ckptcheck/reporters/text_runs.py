"""The parts of a text report that several checks have: a head for each, and a table at the end."""

import collections
from typing import Callable, Dict, Iterable, List

from ..results import RESTORES, SEVERITIES, Group, Report
from ..runs import Run, Runs
from ..sanitize import printable
from .layout import painted, wrapped
from .options import Options
from .text_findings import verdict_text
from .words import times_text

_Sections = Callable[[Report, Options, bool], List[str]]


def run(found: Run, options: Options, sections: _Sections) -> str:
    """Returns one check as text.

    If a check passes with notes only, the table lists it. Its report is then brief.

    Args:
        found: the check.
        options: the form of the output.
        sections: returns the parts of a report, which may be brief.
    """
    if found.skipped:
        return wrapped(f"{found.name}: {found.skipped}", options)
    if found.report is None:
        first, *rest = found.problem.splitlines() or [""]
        head = wrapped(f"{found.name} could not run: {first}", options)
        return "\n".join([head, *(printable(line) for line in rest)])
    brief = found.ok and all(finding.severity == "note" for finding in found.report.findings)
    blocks = list(filter(None, sections(found.report, options, brief)))
    head = painted(wrapped(f"== {found.name}", options), "bold", options)
    return "\n\n".join([head, *blocks]) if blocks else ""


def summary(runs: Runs, options: Options) -> str:
    """Returns a line for each check, and how many pass."""
    from tabulate import tabulate  # one check has no table

    rows = [["  " + printable(item.name), *_outcome(item, options)] for item in runs.runs]
    table = tabulate(rows, tablefmt="plain", disable_numparse=True)
    return f"{table}\n\n{painted(totals(runs), 'good' if runs.ok else 'error', options)}"


def totals(runs: Runs) -> str:
    """Returns how many checks pass, and if findings about the configuration fail the run.

    For example: ``3 checks: 2 passed, 1 could not run``.
    """
    ended = collections.Counter(map(_end, runs.runs))
    counts = ", ".join(f"{ended[end]} {end}" for end in _ENDS if ended[end])
    fail = any(map(runs.fails, runs.groups))
    own = "; findings about the configuration fail the run" if fail else ""
    return f"{times_text(len(runs.runs), 'check')}: {counts}{own}"


_ENDS = ("passed", "failed", "could not run", "skipped")


def _end(found: Run) -> str:
    if found.report is None:
        return "skipped" if found.skipped else "could not run"
    return "passed" if found.ok else "failed"


def _outcome(found: Run, options: Options) -> List[str]:
    """Returns whether a check passes, its modes by verdict, and its number of findings."""
    report = found.report
    if report is None:
        word = "skipped" if found.skipped else "could not run"
        return [painted(word, "warning" if found.skipped else "error", options), "", ""]
    passes = "passes (accepted)" if report.accepted else "passes"
    state = painted(passes, "good", options) if found.ok else painted("FAILS", "error", options)
    return [state, broken(report), counted(report.all_groups)]


def broken(report: Report) -> str:
    """Returns the modes of a check that do not restore correctly, by their verdict."""
    modes: Dict[str, List[str]] = {}
    for verdict in report.verdicts:
        if verdict.verdict != RESTORES:
            text = verdict_text(verdict.verdict, verdict.at)
            modes.setdefault(text, []).append(verdict.mode.upper())
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in modes.items())


def counted(groups: Iterable[Group]) -> str:
    """Returns how many groups there are of each severity: ``1 error, 2 notes``."""
    counts = collections.Counter(item.findings[0].severity for item in groups)
    found = (severity for severity in reversed(SEVERITIES) if counts[severity])
    return ", ".join(times_text(counts[severity], severity) for severity in found)
