"""The results of several checks as text and JSON."""

import dataclasses
import json
from typing import Any

from ckptcheck.baseline import entries_for
from ckptcheck.policy import Policy, judged
from ckptcheck.reporters import Options, render
from ckptcheck.results import CHECK, Finding, Group, Report
from ckptcheck.runs import Run, Runs

WRONG = Finding("missing-variable", "error", "w is missing", subject="w")
GOOD = Report(CHECK, True, True, "runs")
BAD = Report(CHECK, False, True, "runs", (Group("1 variable is missing", (WRONG,)),))


def runs(*items: Run, **fields: Any) -> Runs:
    return Runs(items, ok=all(item.ok for item in items), **fields)


def test_one_report_without_a_name_is_shown_as_it_is() -> None:
    assert render(Runs.of(BAD)) == render(BAD)
    assert render(Runs.of(BAD), "json") == render(BAD, "json")


def test_a_table_of_all_checks() -> None:
    rain = "skipped, since it rains"
    found = runs(Run("a", GOOD), Run("b", BAD), Run("c", skipped=rain), Run("d", problem="no file"))
    text = render(found)
    assert text.startswith("== b\n")
    assert "c: skipped, since it rains" in text
    assert "d could not run: no file" in text
    lines = text.splitlines()[-6:]
    assert lines[0].split() == ["a", "passes"]
    assert lines[1].split() == ["b", "FAILS", "1", "error"]
    assert lines[2].split() == ["c", "skipped"]
    assert lines[3].split() == ["d", "could", "not", "run"]
    assert lines[5] == "4 checks: 1 passed, 1 failed, 1 could not run, 1 skipped"


def test_a_check_that_cannot_run_keeps_the_lines_of_its_message() -> None:
    found = runs(Run("a", problem='no features:\n{\n  "x": "?"\n}'), Run("b", GOOD))
    assert 'a could not run: no features:\n{\n  "x": "?"\n}\n' in render(found)


def test_names_and_messages_cannot_steer_the_terminal() -> None:
    found = runs(Run("a\x1b[31m", problem="\x1b]0;title\x07\nnext\x1b[2J"))
    assert "\x1b" not in render(found)
    assert "\x07" not in render(found)


def test_findings_about_the_configuration_come_after_the_checks() -> None:
    own = Finding("unused-ignore-entry", "warning", "it matches nothing")
    found = runs(Run("a", BAD), groups=(Group("an ignore matches nothing", (own,)),))
    text = render(found)
    assert text.index("missing-variable") < text.index("warning[unused-ignore-entry]")
    document = json.loads(render(found, "json"))
    assert [finding["rule"] for finding in document["findings"]] == ["unused-ignore-entry"]
    assert document["checks"][0]["report"]["findings"][0]["rule"] == "missing-variable"
    assert [finding.rule for finding in found.findings] == [
        "missing-variable",
        "unused-ignore-entry",
    ]


def test_a_configuration_that_fails_alone_is_told() -> None:
    own = Finding("unused-ignore", "warning", "it matches nothing")
    groups = (Group("an ignore matches nothing", (own,)),)
    strict = dataclasses.replace(GOOD, fail_on="warning")
    for report, ok, last in (
        (strict, False, "1 check: 1 passed; findings about the configuration fail the run"),
        (GOOD, True, "1 check: 1 passed"),
    ):
        text = render(Runs((Run("a", report),), groups, ok))
        assert text.splitlines()[-1] == last


def test_what_a_passing_check_did_not_judge_is_shown() -> None:
    found = runs(Run("a", dataclasses.replace(GOOD, not_judged=("the data",))), Run("b", GOOD))
    text = render(found)
    assert text.startswith("== a\n\nnot judged: the data\n\n")
    assert "== b" not in text
    for format in ("markdown", "html", "sarif", "json"):
        assert "the data" in render(found, format)


def test_accepted_findings_are_counted_and_in_the_json() -> None:
    report = judged(BAD, Policy(baseline=entries_for([WRONG])), "error").report
    assert "accepted: 1 finding (1 by the baseline); --no-ignores shows all" in render(report)
    accepted = json.loads(render(report, "json"))["accepted"]
    assert [(item["by"], item["key"]) for item in accepted] == [("baseline", WRONG.key)]


def test_colors() -> None:
    text = render(runs(Run("a", GOOD), Run("b", BAD)), "text", Options(color=True))
    assert "\x1b[31;1mFAILS\x1b[0m" in text
