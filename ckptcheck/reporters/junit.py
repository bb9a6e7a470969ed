"""``--format junit``: a test suite for each check, for Jenkins and other CI systems."""

from typing import Dict, List, NamedTuple

from ..results import RESTORES, SEVERITIES, Finding, Group, Report, Verdict
from ..runs import Run, Runs
from ..sanitize import printable
from .options import Options
from .text_findings import group_text, groups, verdict_text
from .words import checkpoint_text, times_text

FORMAT = "junit"

_LONGEST = 1000
_WIDTH = 100
FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"


class _Case(NamedTuple):
    """A test case.

    Attributes:
        name: a mode, or the rule and the title of a group.
        result: ``failure``, ``error`` or ``skipped``; "" if it passes.
        message: what is wrong, in one line.
        body: more lines.
    """

    name: str
    result: str = ""
    message: str = ""
    body: str = ""


class _Suite(NamedTuple):
    name: str
    cases: List[_Case]

    def counts(self) -> Dict[str, str]:
        """Returns how many cases there are, and how many have each result."""
        results = [case.result for case in self.cases]
        return {
            "tests": str(len(results)),
            "failures": str(results.count(FAILURE)),
            "errors": str(results.count(ERROR)),
            "skipped": str(results.count(SKIPPED)),
        }


def render(runs: Runs, options: Options) -> str:
    """Returns an XML document. All text in it is printable, as XML 1.0 requires."""
    from xml.etree import ElementTree  # other formats do not need it

    plain = Options(width=_WIDTH)
    suites = [_suite(run, plain) for run in runs.runs]
    if runs.groups:
        cases = [_case_of_group(item, runs.fails(item), plain) for item in runs.groups]
        suites.append(_Suite("configuration", cases))
    root = ElementTree.Element("testsuites", {"name": "ckptcheck"})
    for suite in suites:
        name = printable(suite.name, _LONGEST)
        element = ElementTree.SubElement(root, "testsuite", {"name": name, **suite.counts()})
        for case in suite.cases:
            title = printable(case.name, _LONGEST)
            shown = ElementTree.SubElement(element, "testcase", {"classname": name, "name": title})
            if case.result:
                message = {"message": printable(case.message, _LONGEST)}
                ElementTree.SubElement(shown, case.result, message).text = case.body or None
            elif case.body:
                ElementTree.SubElement(shown, "system-out").text = case.body
    for element in root.iter():
        if element.tag in ("testsuites", "testsuite"):
            element.text = "\n"
        element.tail = "\n"
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _suite(run: Run, options: Options) -> _Suite:
    report = run.report
    if report is None:
        result, message = (SKIPPED, run.skipped) if run.skipped else (ERROR, run.problem)
        return _Suite(run.name, [_Case("check", result, message)])
    cases = [_case_of_mode(report, verdict, options) for verdict in report.verdicts]
    others = [item for item in report.all_groups if not any(f.outcomes for f in item.findings)]
    cases += [_case_of_group(item, _fails(report, item.findings[0]), options) for item in others]
    cases += [
        _Case(f"{item.finding.rule}: {item.finding.message}", SKIPPED, item.reason or item.by)
        for item in report.accepted
    ]
    failed = any(case.result == FAILURE for case in cases)
    if not cases or (not report.ok and not failed):
        cases.append(_whole(report, options))
    about = checkpoint_text(report, report.model_dir)
    return _Suite(run.name or f"{report.command} {about}".rstrip(), cases)


def _fails(report: Report, finding: Finding) -> bool:
    """Whether a finding fails a report that is not ok."""
    severe = SEVERITIES.index(finding.severity) >= SEVERITIES.index(report.fail_on)
    return severe and not report.ok


def _case_of_mode(report: Report, verdict: Verdict, options: Options) -> _Case:
    name = verdict.mode
    if verdict.verdict == RESTORES:
        return _Case(name, body=times_text(verdict.reads, "tensor") + " to restore")
    message = verdict_text(verdict.verdict, verdict.at)
    mine = [
        item for item in report.groups if any(name in finding.outcomes for finding in item.findings)
    ]
    if report.ok or not mine:
        return _Case(name, SKIPPED, f"{message}, which the project accepts")
    return _Case(name, FAILURE, message, groups(mine, options))


def _case_of_group(item: Group, fails: bool, options: Options) -> _Case:
    result = FAILURE if fails else ""
    return _Case(
        f"{item.findings[0].rule}: {item.title}", result, item.title, group_text(item, options)
    )


def _whole(report: Report, options: Options) -> _Case:
    """Returns a case for the whole report, which passes if the report does."""
    if report.ok:
        return _Case(report.command)
    return _Case(report.command, FAILURE, "see the findings", groups(report.all_groups, options))
