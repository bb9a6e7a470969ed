"""``--format gitlab``: the Code Quality report of GitLab."""

import json
from typing import Any, Dict

from ..results import Finding, Group
from ..runs import Run, Runs
from ..sanitize import escaped, printable
from .options import Options
from .places import Entry, entries, place_of
from .text_findings import advice_lines

FORMAT = "gitlab"

_NOT_RUN = "could-not-run"
_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}
_LONGEST = 2000


def render(runs: Runs, options: Options) -> str:
    """Returns a JSON array with an object for each finding, and each check that could not run."""
    problems = (_not_run(run) for run in runs.runs if run.problem)
    issues = [_issue(entry, options) for entry in (*entries(runs), *problems)]
    return json.dumps(issues, indent=1) + "\n"


def _not_run(run: Run) -> Entry:
    finding = Finding(_NOT_RUN, "error", f"it could not run: {run.problem}")
    return Entry(run.name, None, Group("", (finding,)), finding)


def _issue(entry: Entry, options: Options) -> Dict[str, Any]:
    place = place_of(entry.finding, entry.report, options)
    check = f"{entry.check}: " if entry.check else ""
    message = " ".join([entry.message, *advice_lines(entry.group)])
    return {
        "description": printable(check + message, _LONGEST),
        "check_name": entry.finding.rule,
        "fingerprint": entry.fingerprint,
        "severity": _SEVERITIES[entry.finding.severity],
        "location": {
            "path": escaped(place.file),
            "lines": {"begin": place.line},
        },
    }
