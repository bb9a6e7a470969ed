"""``--format sarif``: SARIF 2.1.0, for code scanning."""

import json
from typing import Any, Dict, List, Optional

from ..catalogue import AnyRule, catalogue
from ..results import Accepted, Finding, Report
from ..runs import Run, Runs
from ..sanitize import escaped, printable
from .options import Options
from .places import Entry, Place, accepted_entries, entries, place_of
from .text_findings import advice_lines

FORMAT = "sarif"
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "ckptcheck/v1"
"""The name of the fingerprint. If the fingerprint is computed in another way, change the name."""
CONFIGURATION = "ckptcheck/"
"""The automation id of the configuration. Those of checks begin with it."""

_ROOT = "%SRCROOT%"
_LONGEST = 4000


def render(runs: Runs, options: Options) -> str:
    """Returns a JSON document with a SARIF run for each check that ran.

    Other checks have no SARIF run. An empty run would mean that all their findings are fixed. The
    run of the configuration says which checks could not run.
    """
    found = [_run(run.report, run, runs, options) for run in runs.runs if run.report is not None]
    if runs.single is None:
        found.append(_own(runs, options))
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": found}
    return json.dumps(document, indent=1) + "\n"


def _run(report: Report, run: Run, runs: Runs, options: Options) -> Dict[str, Any]:
    found = [_result(entry, options) for entry in entries(Runs((run,)))]
    found += [
        _result(entry, options, accepted)
        for entry, accepted in zip(accepted_entries(run), report.accepted)
    ]
    said = [_notification(text, "note") for text in report.not_judged]
    document = _document(found, True, said, options)
    if runs.single is None:
        document["automationDetails"] = {"id": f"{CONFIGURATION}{escaped(run.name)}/"}
    return document


def _own(runs: Runs, options: Options) -> Dict[str, Any]:
    """Returns the SARIF run of the configuration: its findings, and the checks that did not run."""
    found = [_result(entry, options) for entry in entries(Runs((), runs.groups))]
    problems = [f"{run.name}: {run.problem}" for run in runs.runs if run.problem]
    said = [_notification(text, "error") for text in problems]
    document = _document(found, not problems, said, options)
    return {**document, "automationDetails": {"id": CONFIGURATION}}


def _document(
    results: List[Dict[str, Any]],
    successful: bool,
    said: List[Dict[str, Any]],
    options: Options,
) -> Dict[str, Any]:
    used = dict.fromkeys(result["ruleId"] for result in results)
    rules = [_rule(name, catalogue().get(name)) for name in used]
    for result in results:
        result["ruleIndex"] = list(used).index(result["ruleId"])
    invocation: Dict[str, Any] = {"executionSuccessful": successful}
    if said:
        invocation["toolExecutionNotifications"] = said
    version = {"version": options.version} if options.version else {}
    driver = {"name": "ckptcheck", **version, "rules": rules}
    return {"tool": {"driver": driver}, "invocations": [invocation], "results": results}


def _rule(name: str, rule: Optional[AnyRule]) -> Dict[str, Any]:
    if rule is None:  # code scanning needs a description of each rule
        text = {"text": name.replace("-", " ")}
        return {"id": name, "shortDescription": text, "fullDescription": text, "help": text}
    paragraph = rule.explanation.partition("\n\n")[2].partition("\n\n")[0]
    return {
        "id": rule.id,
        "shortDescription": {"text": _text(rule.summary)},
        "fullDescription": {"text": _text(" ".join(paragraph.split()) or rule.summary)},
        "help": {"text": _text(rule.explanation), "markdown": rule.explanation},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": [rule.category]},
    }


def _result(entry: Entry, options: Options, accepted: Optional[Accepted] = None) -> Dict[str, Any]:
    finding = entry.finding
    message = [printable(entry.message, _LONGEST)]
    message += [printable(line, _LONGEST) for line in advice_lines(entry.group)]
    result: Dict[str, Any] = {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": _text("\n".join(message))},
        "partialFingerprints": {FINGERPRINT: entry.fingerprint},
        "locations": [_location(finding, entry.report, options)],
    }
    if accepted is not None:
        reason = accepted.reason or f"accepted by the {accepted.by}"
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": printable(reason, _LONGEST)}
        ]
    return result


def _location(finding: Finding, report: Optional[Report], options: Options) -> Dict[str, Any]:
    place = place_of(finding, report, options)
    region = {"startLine": place.line}
    location: Dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(place), "region": region}
    }
    if finding.variable:
        name = printable(finding.variable)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "variable"}]
    return location


def _artifact(place: Place) -> Dict[str, Any]:
    import urllib.parse  # other formats do not need it

    path = urllib.parse.quote(_bytes(place.file))
    return {"uri": path, "uriBaseId": _ROOT} if place.inside else {"uri": f"file://{path}"}


def _bytes(path: str) -> bytes:
    """Returns the bytes of a path. A path that no file can have is escaped."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return escaped(path).encode("utf-8")


def _notification(text: str, level: str) -> Dict[str, Any]:
    return {"level": level, "message": {"text": _text(printable(text, _LONGEST))}}


def _text(text: str) -> str:
    """Escapes the parts of a text that SARIF messages interpret: placeholders and links."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "]\\(")
