"""The formats for CI systems: what is in them, and that their consumers read them."""

import dataclasses
import os
import re
from typing import Any, List

import pytest

from ckptcheck import reporters
from ckptcheck.reporters import Options, markdown
from ckptcheck.reporters.github import MOST_ANNOTATIONS
from ckptcheck.results import Accepted, Advice, DataRead, Finding, Group, Outcome, Report, Verified
from ckptcheck.rules import all_rules
from ckptcheck.rules import examples as made
from ckptcheck.runs import Run, Runs
from ckptcheck.sanitize import printable
from ckptcheck.uses import Location

from .. import consumers
from .test_json_format import report_of

RULES = list(all_rules())
REPOSITORY = Options(
    root="/home/me/project",
    folder="/home/me/project/models",
    version="1.2.3",
    sources={("", "net:model_fn"): "net.py"},
)


def render(found: Any, format: str, options: Options = REPOSITORY) -> str:
    return reporters.render(found, format, options)


def bad(rule: str, **changes: Any) -> Report:
    return report_of(all_rules()[rule].bad(), **changes)


def several() -> Runs:
    """Returns checks of each state, and a finding about the configuration."""
    unused = Finding("unused-ignore", "warning", "it matches nothing", subject="a")
    return Runs(
        (
            Run("fails", bad("shape-mismatch")),
            Run("warned", bad("newer-checkpoint")),
            Run("good", report_of(made.facts())),
            Run("skipped", skipped="there is no runs/other"),
            Run("broken", problem="params.json: no such file"),
        ),
        (Group("an ignore matches nothing", (unused,)),),
        ok=False,
    )


@pytest.mark.parametrize("rule", RULES)
def test_the_examples_of_each_rule(rule: str) -> None:
    """Each format has each finding once, with all parts that a consumer needs."""
    report = bad(rule)
    keys = [finding.rule for finding in report.findings]
    (run,) = consumers.sarif(render(report, "sarif"))["runs"]
    assert [result["ruleId"] for result in run["results"]] == keys
    assert [issue["check_name"] for issue in consumers.gitlab(render(report, "gitlab"))] == keys
    annotations = consumers.github(render(report, "github"))
    titles = [f"ckptcheck: {item.findings[0].rule}" for item in report.groups]
    assert [item.properties["title"] for item in annotations] == titles
    cases = consumers.junit(render(report, "junit"))
    assert [case.name for case in cases[:3]] == [verdict.mode for verdict in report.verdicts]
    assert any(case.result == "failure" for case in cases) == (not report.ok)
    shown = consumers.markdown(render(report, "markdown"))
    assert len(shown.headings) == 1 + len(report.groups)


# --- Places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("net.py", "models/net.py"),
        ("../conf/params.json", "conf/params.json"),
        ("/home/me/project/a/b.py", "a/b.py"),
        ("/home/me/other.py", "/home/me/other.py"),
        ("../../projects/x.py", "/home/me/projects/x.py"),
    ],
)
def test_paths_are_relative_to_the_repository(file: str, expected: str) -> None:
    finding = Finding("shape-mismatch", "error", "wrong", location=Location(file, 7))
    report = bad("shape-mismatch", groups=(Group("title", (finding,)),))
    (annotation,) = consumers.github(render(report, "github"))
    assert (annotation.properties["file"], annotation.properties["line"]) == (expected, "7")
    (issue,) = consumers.gitlab(render(report, "gitlab"))
    assert issue["location"] == {"path": expected, "lines": {"begin": 7}}
    (run,) = consumers.sarif(render(report, "sarif"))["runs"]
    (location,) = run["results"][0]["locations"]
    artifact = {"uri": expected, "uriBaseId": "%SRCROOT%"}
    if os.path.isabs(expected):
        artifact = {"uri": f"file://{expected}"}
    physical = {"artifactLocation": artifact, "region": {"startLine": 7}}
    assert location["physicalLocation"] == physical


@pytest.mark.parametrize(
    ("category", "model_dir", "target", "expected"),
    [
        ("restore", "runs/base", "net:model_fn", "models/net.py"),
        ("files", "runs/base", "net:model_fn", "models/runs/base/model.ckpt-10.index"),
        ("files", "/data/base", "net:model_fn", "models/net.py"),
        ("restore", "runs/base", "installed:fn", "models/runs/base/model.ckpt-10.index"),
        ("restore", "/data/base", "installed:fn", "models/ckptcheck.toml"),
        ("restore", "gs://bucket/base", "installed:fn", "models/ckptcheck.toml"),
    ],
)
def test_a_finding_without_a_line_is_about_a_file(
    category: str, model_dir: str, target: str, expected: str
) -> None:
    finding = Finding("shape-mismatch", "error", "wrong", category=category)
    report = bad("shape-mismatch", model_dir=model_dir, groups=(Group("title", (finding,)),))
    assert report.checkpoint is not None
    index = dataclasses.replace(report.checkpoint, prefix=f"{model_dir}/model.ckpt-10")
    report = dataclasses.replace(report, checkpoint=index, target=target)
    (issue,) = consumers.gitlab(render(report, "gitlab"))
    assert issue["location"] == {"path": expected, "lines": {"begin": 1}}
    (run,) = consumers.sarif(render(report, "sarif"))["runs"]
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == expected


def test_a_place_has_no_line_break_and_no_colon_for_github() -> None:
    finding = Finding("shape-mismatch", "error", "a\nb", location=Location("a,b:c%0A\n.py", 7))
    report = bad("shape-mismatch", groups=(Group("title", (finding,)),))
    (annotation,) = consumers.github(render(report, "github"))
    assert annotation.properties["file"] == "models/a,b:c%0A\\n.py"


# --- GitHub ---------------------------------------------------------------------------------------


def test_at_most_ten_annotations_errors_first() -> None:
    kinds = ["note"] * 4 + ["warning"] * 5 + ["error"] * 4
    groups = [
        Group(f"title {place}", (Finding("shape-mismatch", kind, "wrong", subject=str(place)),))
        for place, kind in enumerate(kinds)
    ]
    text = render(bad("shape-mismatch", groups=tuple(groups)), "github")
    found = [annotation.command for annotation in consumers.github(text)]
    assert found == ["error"] * 4 + ["warning"] * 5 + ["notice"]
    assert len(found) == MOST_ANNOTATIONS
    assert "\nckptcheck: and 3 more, which the job summary shows\n" in text


def test_an_annotation_says_what_to_do() -> None:
    finding = Finding("shape-mismatch", "error", "wrong", outcomes={"eval": Outcome.SILENTLY_WRONG})
    advice = Advice("set-param", "set units to 3", verified=True)
    report = bad("shape-mismatch", groups=(Group("2 shapes", (finding,), (advice,)),))
    (annotation,) = consumers.github(render(report, "github"))
    lines = annotation.message.split("\n")
    assert lines == ["2 shapes", "EVAL: SILENTLY WRONG", "wrong", "fix: set units to 3"]


def test_github_of_several_checks() -> None:
    text = render(several(), "github")
    found = consumers.github(text)
    assert [(item.command, item.properties["title"]) for item in found] == [
        ("error", "ckptcheck: fails: shape-mismatch"),
        ("error", "ckptcheck: broken could not run"),
        ("warning", "ckptcheck: warned: newer-checkpoint"),
        ("warning", "ckptcheck: unused-ignore"),
    ]
    assert "\nckptcheck: good: passes: PREDICT restores, " in text
    assert "\nckptcheck: skipped: there is no runs/other\n" in text


# --- SARIF ----------------------------------------------------------------------------------------


def test_sarif_of_several_checks() -> None:
    """A check that did not run has no run, since code scanning would call its alerts fixed."""
    runs = consumers.sarif(render(several(), "sarif"))["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == [
        *("ckptcheck/fails/", "ckptcheck/warned/", "ckptcheck/good/"),
        "ckptcheck/",
    ]
    successful = [run["invocations"][0]["executionSuccessful"] for run in runs]
    assert successful == [True, True, True, False]
    (said,) = runs[3]["invocations"][0]["toolExecutionNotifications"]
    assert said == {"level": "error", "message": {"text": "broken: params.json: no such file"}}
    assert runs[3]["results"][0]["ruleId"] == "unused-ignore"


def test_the_schema_of_sarif_refuses_what_is_wrong() -> None:
    """If the schema is missing, this test is skipped, and the other tests verify less."""
    validator = consumers.sarif_validator()
    document = consumers.sarif(render(several(), "sarif"))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert len(list(validator.iter_errors(document))) == 1


def test_sarif_of_one_command_has_no_category() -> None:
    (run,) = consumers.sarif(render(bad("shape-mismatch"), "sarif"))["runs"]
    assert "automationDetails" not in run
    assert run["tool"]["driver"]["version"] == "1.2.3"


def test_sarif_explains_the_rules_of_its_results() -> None:
    (run,) = consumers.sarif(render(bad("shape-mismatch"), "sarif"))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    known = all_rules()["shape-mismatch"]
    assert rule["id"] == "shape-mismatch"
    assert rule["shortDescription"] == {"text": known.summary}
    assert rule["help"]["markdown"] == known.explanation
    assert rule["defaultConfiguration"] == {"level": known.severity}
    assert rule["fullDescription"]["text"].startswith("What happens depends on the kind")
    assert "helpUri" not in rule


def test_sarif_names_the_variable() -> None:
    (run,) = consumers.sarif(render(bad("shape-mismatch"), "sarif"))["runs"]
    (result,) = run["results"]
    logical = [{"fullyQualifiedName": "dense/kernel", "kind": "variable"}]
    assert result["locations"][0]["logicalLocations"] == logical
    assert result["message"]["text"].startswith("dense/kernel: shape [1, 64] in the checkpoint")


def test_sarif_suppresses_what_the_project_accepts() -> None:
    report = bad("shape-mismatch")
    accepted = (Accepted(report.findings[0], "ignore", "it is meant"),)
    (run,) = consumers.sarif(
        render(dataclasses.replace(report, groups=(), ok=True, accepted=accepted), "sarif")
    )["runs"]
    (result,) = run["results"]
    suppression = {"kind": "external", "status": "accepted", "justification": "it is meant"}
    assert result["suppressions"] == [suppression]
    (before,) = consumers.sarif(render(report, "sarif"))["runs"][0]["results"]
    assert result["partialFingerprints"] == before["partialFingerprints"]


def test_sarif_escapes_what_would_be_a_link_or_a_placeholder() -> None:
    finding = Finding("shape-mismatch", "error", "[a](http://b) {0}")
    report = bad("shape-mismatch", groups=(Group("title", (finding,)),))
    (run,) = consumers.sarif(render(report, "sarif"))["runs"]
    assert run["results"][0]["message"]["text"] == "[a]\\(http://b) {{0}}"


@pytest.mark.parametrize("format", ["sarif", "gitlab"])
def test_a_fingerprint_survives_the_next_save(format: str) -> None:
    """The fingerprint comes from the key, which has no step.

    It differs between checks and repetitions.
    """

    def prints(report: Report, name: str = "a") -> List[str]:
        text = render(Runs((Run(name, report),)), format)
        if format == "gitlab":
            return [issue["fingerprint"] for issue in consumers.gitlab(text)]
        results = consumers.sarif(text)["runs"][0]["results"]
        return [result["partialFingerprints"]["ckptcheck/v1"] for result in results]

    report = bad("shape-mismatch")
    assert report.checkpoint is not None
    later = dataclasses.replace(report.checkpoint, prefix="runs/base/model.ckpt-99", step=99)
    assert prints(report) == prints(dataclasses.replace(report, checkpoint=later))
    assert prints(report) != prints(report, "b")
    twice = Group("title", report.findings * 2)
    first, second = prints(dataclasses.replace(report, groups=(twice,)))
    assert [first] == prints(report) and first != second


# --- GitLab ---------------------------------------------------------------------------------------


def test_gitlab_has_an_issue_for_a_check_that_could_not_run() -> None:
    """Without an issue, GitLab would call all findings of the check fixed."""
    *_, issue = consumers.gitlab(render(several(), "gitlab"))
    assert issue["description"] == "broken: it could not run: params.json: no such file"
    assert (issue["check_name"], issue["severity"]) == ("could-not-run", "critical")
    assert issue["location"] == {"path": "models/ckptcheck.toml", "lines": {"begin": 1}}


# --- JUnit ----------------------------------------------------------------------------------------


def test_junit_of_several_checks() -> None:
    found = [(case.suite, case.name.partition(":")[0], case.result) for case in _cases(several())]
    modes = ("predict", "eval", "train")
    assert found == [
        *[("fails", mode, "failure") for mode in modes],
        *[("warned", mode, "") for mode in modes],
        ("warned", "newer-checkpoint", ""),
        *[("good", mode, "") for mode in modes],
        ("skipped", "check", "skipped"),
        ("broken", "check", "error"),
        ("configuration", "unused-ignore", ""),
    ]


@pytest.mark.parametrize(
    ("fail_on", "results"), [("error", ["", ""]), ("warning", ["failure", ""])]
)
def test_a_finding_about_the_configuration_fails_as_a_finding_of_a_check(
    fail_on: str, results: List[str]
) -> None:
    report = dataclasses.replace(bad("shape-mismatch"), fail_on=fail_on)
    groups = [
        Group("title", (Finding("unused-ignore", severity, "it matches nothing"),))
        for severity in ("warning", "note")
    ]
    cases = _cases(Runs((Run("a", report),), tuple(groups), ok=False))
    assert [case.result for case in cases if case.suite == "configuration"] == results


def _cases(found: Any) -> List[consumers.Case]:
    return consumers.junit(render(found, "junit"))


def test_what_fails_in_junit_is_what_fails_the_report() -> None:
    """For findings without an outcome, ``fail_on`` decides."""
    passing = bad("newer-checkpoint")
    assert [case.result for case in _cases(passing)] == ["", "", "", ""]
    failing = dataclasses.replace(passing, ok=False, fail_on="warning")
    assert [case.result for case in _cases(failing)] == ["", "", "", "failure"]


def test_a_mode_whose_findings_the_project_accepts_is_skipped() -> None:
    report = bad("shape-mismatch")
    accepted = (Accepted(report.findings[0], "ignore", "it is meant"),)
    cases = _cases(dataclasses.replace(report, groups=(), ok=True, accepted=accepted))
    assert [case.result for case in cases] == ["skipped"] * 4
    assert "which the project accepts" in cases[0].text
    assert "it is meant" in cases[3].text


def test_a_report_that_fails_without_a_finding_fails_in_junit() -> None:
    report = dataclasses.replace(report_of(made.facts()), ok=False)
    assert [case.result for case in _cases(report)] == ["", "", "", "failure"]


def test_junit_of_a_verification_has_its_groups() -> None:
    wrong = Group("NaN", (Finding("non-finite-values", "error", "NaN in w", variable="w"),))
    item = Verified(False, "runs/base/model.ckpt-1", 1, DataRead(1, 4), (wrong,))
    report = Report("verify", False, True, "runs/base", verified=(item,), fail_on="warning")
    (case,) = _cases(report)
    assert (case.suite, case.result) == ("verify runs/base", "failure")
    assert [case.result for case in _cases(Report("verify", True, True, "runs/base"))] == [""]


# --- Markdown -------------------------------------------------------------------------------------


def test_markdown_of_several_checks() -> None:
    shown = consumers.markdown(render(several(), "markdown"))
    assert shown.headings == [
        "ckptcheck: FAILS",
        "ckptcheck: fails: FAILS",
        f"error[shape-mismatch] {bad('shape-mismatch').groups[0].title}",
        "ckptcheck: warned: passes",
        "warning[newer-checkpoint] the state file does not name the latest checkpoint",
        "warning[unused-ignore] an ignore matches nothing",
    ]
    rows = [shown.cells[place : place + 4] for place in range(0, 24, 4)]
    assert [row[:2] for row in rows] == [
        ["check", "result"],
        ["fails", "FAILS"],
        ["warned", "passes"],
        ["good", "passes"],
        ["skipped", "skipped"],
        ["broken", "could not run"],
    ]


def test_markdown_is_not_too_long_for_a_comment() -> None:
    findings = [Finding("shape-mismatch", "error", "x" * 900, subject=str(n)) for n in range(500)]
    groups = tuple(Group(f"title {item.subject}", (item,)) for item in findings)
    text = render(bad("shape-mismatch", groups=groups), "markdown")
    assert len(text) < 65536
    left_out = int(text.rstrip().rpartition("\n")[2].split()[0])
    assert left_out + len(consumers.markdown(text).headings) == 501


MARKUP = r"""a|b  a\|b  a\  `a`  ``  *a*  _a_  <b>  &lt;  &#64;  [a](b)  ![a](b)  @me  #1  a#1  # a
=  ---  - a  + a  1. a  12) a  http://x.y  www.x.y  ~~a~~  $a$  a@b.c  <!--  ```  !  <http://a>"""


@pytest.mark.parametrize("text", [*re.split(r"  |\n", MARKUP), "    a", "\ta", "a\nb", "\u202e"])
def test_no_text_is_markup(text: str) -> None:
    escaped = markdown.escape(text)
    shown = consumers.markdown(f"* {escaped}\n\n| a | b |\n| --- | --- |\n| {escaped} | c |\n")
    expected = printable(text).strip()
    assert shown.lines == [expected]
    assert shown.cells == ["a", "b", expected, "c"]
