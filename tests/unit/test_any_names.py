"""For a finding with any text, each format has it once, and the consumer can read it."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckptcheck import reporters
from ckptcheck.protocol import RestorePlan, VariableSpec
from ckptcheck.reporters import Options
from ckptcheck.results import Accepted, Advice, Broken, Finding, Group, Outcome, Report, Restores
from ckptcheck.runs import Run, Runs
from ckptcheck.sanitize import printable
from ckptcheck.uses import Location

from .. import consumers

MARKUP = r"""]]> <![CDATA[ <!-- --> &amp; &#0; </failure> " ' %0A %0D % :: ::error:: ##[error] , : =
; ` ``` | \ \| * _ [a](http://b) ![ <b> @me #1 ~ $ www. {0} { } {{ - 1. / .. é"""
CONTROL = "\0 \x1b[2J \x9b \u202e \u2067 \u200f \u2028 \ufeff \uffff \ud800 \udcff \U0010ffff"
LONG = ("x" * 10000, "a b " * 2500)
LINES = ("\r", "\n", "\r\n", "\t", " ", "\n::stop-commands::x\n")
PIECES = st.sampled_from((*MARKUP.split(), *CONTROL.split(" "), *LINES, *LONG))
TEXTS = st.text(st.characters(blacklist_categories=()), max_size=8)
ANY = st.lists(st.one_of(PIECES, TEXTS), min_size=1, max_size=6).map("".join)
RULE = "shape-mismatch"


@st.composite
def reports(draw: Any) -> Runs:
    """Draws a check with one finding and one accepted finding, with random texts."""
    breaks = draw(st.booleans())
    finding = Finding(
        RULE,
        draw(st.sampled_from(["error", "warning", "note"])),
        draw(ANY),
        modes=("predict",),
        outcomes={"predict": Outcome.SILENTLY_WRONG} if breaks else {},
        category=draw(st.sampled_from(["restore", "files"])),
        variable=draw(st.one_of(st.just(""), ANY)),
        location=draw(st.one_of(st.none(), st.builds(Location, ANY, st.integers(1, 10**6)))),
        detail=tuple(draw(st.lists(ANY, max_size=2))),
        subject=draw(ANY),
        hint=draw(ANY),
    )
    if draw(st.booleans()):
        spec = VariableSpec(draw(ANY), (2, None), draw(ANY))
        finding = Finding(**{**vars(finding), "checkpoint": spec, "model": spec})
    advice = draw(st.lists(st.builds(Advice, st.just("set-param"), ANY), max_size=1))
    accepted = Finding("unused-variable", "note", draw(ANY), variable=draw(ANY))
    verdict = (
        Broken("predict", Outcome.SILENTLY_WRONG)
        if breaks
        else Restores(RestorePlan("predict", ()))
    )
    report = Report(
        "check",
        ok=not breaks,
        checked=True,
        model_dir=draw(ANY),
        target=draw(ANY),
        groups=(Group(draw(ANY), (finding,), tuple(advice)),),
        not_judged=tuple(draw(st.lists(ANY, max_size=1))),
        verdicts=(verdict,),
        accepted=(Accepted(accepted, "ignore", draw(ANY)),),
    )
    if draw(st.booleans()):
        return Runs.of(report)
    others = (Run(draw(ANY), problem=draw(ANY)), Run(draw(ANY), skipped=draw(ANY)))
    return Runs((Run(draw(ANY), report), *others), (), ok=False)


def finding_of(runs: Runs) -> Finding:
    report = runs.runs[0].report
    assert report is not None
    return report.findings[0]


ANY_NAMES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ANY_NAMES
@given(reports())
def test_github(runs: Runs) -> None:
    text = reporters.render(runs, "github")
    found = [a for a in consumers.github(text) if a.properties["title"].endswith(RULE)]
    assert len(found) == 1
    assert "file" in found[0].properties
    lines = text.split("\n")
    assert all(line.startswith(("::", "ckptcheck: ")) for line in lines[:-1]) and not lines[-1]
    assert text.replace("\n", "").isprintable()


@ANY_NAMES
@given(reports())
def test_sarif(runs: Runs) -> None:
    finding = finding_of(runs)
    document = consumers.sarif(reporters.render(runs, "sarif"))
    results = document["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [RULE, "unused-variable"]
    assert ["suppressions" in result for result in results] == [False, True]
    if finding.variable:
        (location,) = results[0]["locations"]
        (logical,) = location["logicalLocations"]
        assert logical["fullyQualifiedName"] == printable(finding.variable)
    expected = printable(finding.message, 4000)[:100]
    for character in "{}":
        expected = expected.replace(character, character * 2)
    assert expected.replace("](", "]\\(") in results[0]["message"]["text"]


@ANY_NAMES
@given(reports())
def test_gitlab(runs: Runs) -> None:
    issues = consumers.gitlab(reporters.render(runs, "gitlab"))
    problems = sum(bool(run.problem) for run in runs.runs)
    assert [issue["check_name"] for issue in issues] == [RULE, *["could-not-run"] * problems]
    for issue in issues:
        assert issue["description"].isprintable() and issue["location"]["path"].isprintable()


@ANY_NAMES
@given(reports())
def test_junit(runs: Runs) -> None:
    finding = finding_of(runs)
    cases = consumers.junit(reporters.render(runs, "junit"))
    named = [case for case in cases if f"[{RULE}]" in case.text]
    assert len(named) == 1
    (case,) = named
    assert case.name == "predict" if finding.outcomes else case.name.startswith(f"{RULE}: ")
    assert sum(case.name.startswith("unused-variable: ") for case in cases) == 1


@ANY_NAMES
@given(reports())
def test_markdown(runs: Runs) -> None:
    finding = finding_of(runs)
    text = reporters.render(runs, "markdown")
    shown = consumers.markdown(text)
    heading = f"{finding.severity}[{RULE}]"
    assert sum(item.startswith(heading) for item in shown.headings) == 1
    assert text.replace("\n", "").isprintable()


@ANY_NAMES
@given(reports())
def test_json_and_text(runs: Runs) -> None:
    document = json.loads(reporters.render(runs, "json"))
    report = document["checks"][0]["report"] if "checks" in document else document
    message = json.loads(json.dumps(finding_of(runs).message))  # it joins two halves of a character
    assert [found["message"] for found in report["findings"]] == [message]
    text = reporters.render(runs, "text", Options())
    finding = finding_of(runs)
    hidden = finding.severity == "note" and runs.single is None and runs.runs[0].ok
    assert text.count(f"{finding.severity}[{RULE}]") == (0 if hidden else 1), "it is counted"
    assert text.replace("\n", "").isprintable()
