"""``--format gitlab``: the Code Quality report of GitLab."""

import json
from typing import Any, Dict

from ..runs import Runs
from ..sanitize import escaped, printable
from .options import Options
from .places import Entry, entries, place_of
from .text_findings import advice_lines

FORMAT = "gitlab"

_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}
_LONGEST = 2000


def render(runs: Runs, options: Options) -> str:
    """Returns a JSON array with an object for each finding."""
    return json.dumps([_issue(entry, options) for entry in entries(runs)], indent=1) + "\n"


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
