"""What a project accepts: severities, ignores, the baseline."""

import dataclasses
import json
from pathlib import Path
from typing import Any, List, Mapping

import pytest

from ckptcheck.baseline import Entry, entries_for, read_baseline, write_baseline
from ckptcheck.errors import UsageError
from ckptcheck.groups import group
from ckptcheck.ignores import Ignore
from ckptcheck.origins import DataContent
from ckptcheck.policy import Policy, judged
from ckptcheck.protocol import MODES
from ckptcheck.results import CHECK, Advice, Finding, Outcome, Report
from ckptcheck.rules import examples as made
from ckptcheck.rules import run_rules
from ckptcheck.verdicts import verdicts


def report() -> Report:
    """Two missing variables and an unused one; nothing restores."""
    facts = made.facts(
        stored={**made.WEIGHTS, "old": ((9,), "float32")},
        reads=(*made.READS, made.read("scale"), made.read("shift")),
    )
    findings = run_rules(facts)
    said = verdicts(MODES, findings, facts.trace)
    return Report(CHECK, False, True, "runs", group(findings), verdicts=said)


def rules(findings: Any) -> List[str]:
    return sorted(finding.rule for finding in findings)


def test_without_a_policy_nothing_changes() -> None:
    assert judged(report(), Policy(), "error") == (report(), frozenset(), frozenset())


def test_an_ignore_accepts_what_it_matches() -> None:
    ignore = Ignore("planned", "missing-variable", "sca*")
    found = judged(report(), Policy(ignores=(ignore,)), "error")
    assert [(a.finding.variable, a.by, a.reason) for a in found.report.accepted] == [
        ("scale", "ignore", "planned")
    ]
    assert found.used == {ignore}
    assert rules(found.report.findings) == ["missing-variable", "unused-variable"]
    assert not found.report.ok, "shift is missing too"


def test_a_mode_fails_until_all_findings_about_it_are_accepted() -> None:
    one, both = Ignore("a", "*", "scale"), Ignore("a", "missing-variable")
    assert not judged(report(), Policy(ignores=(one,)), "error").report.ok
    found = judged(report(), Policy(ignores=(both,)), "error").report
    assert found.ok
    assert {verdict.verdict for verdict in found.verdicts} == {"fails"}, "it still does"


def test_severities_of_the_project() -> None:
    found = judged(report(), Policy({"missing-variable": "warning"}), "error").report
    assert found.ok
    assert {f.severity for f in found.findings if f.rule == "missing-variable"} == {"warning"}
    assert not judged(report(), Policy({"missing-variable": "warning"}), "warning").report.ok
    raised = judged(report(), Policy({"unused-variable": "error"}), "error").report
    assert raised.groups[0].findings[0].severity == "error"


def test_a_rule_that_is_off() -> None:
    found = judged(report(), Policy({"unused-variable": "off"}), "error").report
    assert rules(found.findings) == ["missing-variable"] * 2
    assert [accepted.reason for accepted in found.accepted] == ["unused-variable is off"]


def test_the_baseline_accepts_findings() -> None:
    entries = entries_for(report().findings)
    more = {**entries, "gone:x": Entry("gone:x", {}, "")}
    found = judged(report(), Policy(baseline=more), "error")
    assert found.report.ok
    assert found.report.groups == ()
    assert found.seen == frozenset(entries)
    assert {accepted.by for accepted in found.report.accepted} == {"baseline"}


FAILS, SILENT = Outcome.FAILS_AT_RESTORE, Outcome.SILENTLY_WRONG


@pytest.mark.parametrize(
    ("outcomes", "accepts"),
    [
        ({"train": FAILS}, True),
        ({}, True),
        ({"train": SILENT}, False),
        ({"train": FAILS, "predict": FAILS}, False),
        ({"predict": FAILS}, False),
    ],
)
def test_the_baseline_accepts_no_other_outcome(
    outcomes: Mapping[str, Outcome], accepts: bool
) -> None:
    known = Finding("missing-variable", "error", "", ("train",), {"train": FAILS}, variable="a")
    found = dataclasses.replace(known, modes=tuple(outcomes) or ("train",), outcomes=outcomes)
    assert entries_for([known])[known.key].accepts(found) is accepts


@pytest.mark.parametrize("now", [0.9, "0.2", None])
def test_the_baseline_accepts_no_other_value_of_a_param(now: Any) -> None:
    data = {"param": "rate", "was": 0.3, "now": 0.2}
    known = Finding("params-changed", "warning", "a", ("eval",), subject="rate", data=data)
    entry = entries_for([known])[known.key]
    assert entry.accepts(dataclasses.replace(known, message="b", data={**data, "was": 0.5}))
    assert not entry.accepts(dataclasses.replace(known, data={**data, "now": now}))


def test_the_baseline_accepts_no_other_content_of_a_data_file(tmp_path: Path) -> None:
    before, after, later = (
        dataclasses.replace(made.NOW, data_files=(DataContent("words.txt", 9, digest),))
        for digest in ("a" * 64, "b" * 64, "c" * 64)
    )
    known, other = (
        next(f for f in run_rules(made.with_record(before, now)) if f.rule == "data-file-changed")
        for now in (after, later)
    )
    path = str(tmp_path / "baseline.json")
    write_baseline(path, {"a": (known,)}, {})
    entry = read_baseline(path)["a"][known.key]
    assert known.key == other.key
    assert entry.accepts(known) and not entry.accepts(other)


def test_a_part_of_a_variable_name_is_no_path() -> None:
    text = "ValueError: Variable dense/kernel already exists"
    raised = {"train": Outcome.UNTRACEABLE}
    known = Finding("model-fn-raised", "error", text, ("train",), raised)
    other = dataclasses.replace(known, message=text.replace("kernel", "bias"))
    assert not entries_for([known])[known.key].accepts(other)


@pytest.mark.parametrize(
    ("message", "accepts"),
    [
        ("ValueError: the file /b/words has 12 words", True),
        ("ValueError: units must divide 8", False),
    ],
)
def test_the_baseline_accepts_no_other_error(message: str, accepts: bool) -> None:
    text = "ValueError: the file /a/c/words has 9 words"
    raised = {"train": Outcome.UNTRACEABLE}
    known = Finding("model-fn-raised", "error", text, ("train",), raised)
    found = dataclasses.replace(known, message=message)
    assert entries_for([known])[known.key].accepts(found) is accepts


def test_a_report_without_a_checkpoint_stays_unchecked() -> None:
    empty = Report(CHECK, False, False, "runs")
    assert not judged(empty, Policy({"missing-variable": "off"}), "error").report.ok


def test_advice_stays_with_its_group() -> None:
    found = report()
    advice = (Advice("params", "set a to 1", {"a": 1}, True),)
    groups = tuple(dataclasses.replace(item, advice=advice) for item in found.groups)
    found = dataclasses.replace(found, groups=groups)
    ignore = Ignore("planned", "missing-variable", "scale")
    kept = judged(found, Policy(ignores=(ignore,)), "error").report.groups
    assert kept
    assert [item.advice for item in kept] == [advice] * len(kept)


@pytest.mark.parametrize(
    ("ignore", "matches"),
    [
        (Ignore("r", "missing-variable"), True),
        (Ignore("r", "shape-mismatch"), False),
        (Ignore("r", "*", "dense/*"), True),
        (Ignore("r", "*", "dense"), False),
        (Ignore("r", "*", "[d]ense/kernel"), True),
    ],
)
def test_what_an_ignore_matches(ignore: Ignore, matches: bool) -> None:
    finding = Finding("missing-variable", "error", "", variable="dense/kernel")
    assert ignore.matches(finding) is matches


def test_an_ignore_is_about_all_checks_of_a_table() -> None:
    ignore = Ignore("planned", "missing-variable", check="exp")
    assert ignore.is_about("exp[runs/a]") and ignore.is_about("exp")
    assert not ignore.is_about("export[runs/a]")
    one = Ignore("planned", check="exp[runs/a]")
    assert one.is_about("exp[runs/a]") and not one.is_about("exp[runs/b]")
    assert one.may_be_about("exp") and not one.may_be_about("export")


@pytest.mark.parametrize(
    ("pattern", "check", "is_about"),
    [
        ("exp[runs/*]", "exp[runs/a]", True),
        ("e*[*/a]", "exp[runs/a]", True),
        ("exp[runs/*]", "exp[old/a]", False),
        ("exp[runs/*]", "base[runs/a]", False),
        ("exp[runs/*]", "exp", False),
        ("ex[a-z]", "exp", True),
    ],
)
def test_patterns_of_checks(pattern: str, check: str, is_about: bool) -> None:
    assert Ignore("planned", check=pattern).is_about(check) is is_about


# --- the file of the baseline ----------------------------------------------------------------


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = str(tmp_path / "baseline.json")
    findings = report().findings
    assert write_baseline(path, {"a": findings}, {}) == len(findings)
    assert read_baseline(path) == {"a": entries_for(findings)}
    before = Path(path).read_bytes()
    write_baseline(path, {"a": tuple(reversed(findings))}, {})
    assert Path(path).read_bytes() == before, "the order of findings does not matter"


def test_checks_that_were_not_run_keep_their_entries(tmp_path: Path) -> None:
    path = str(tmp_path / "baseline.json")
    write_baseline(path, {"a": report().findings, "b": report().findings[:1]}, {})
    assert write_baseline(path, {"b": ()}, read_baseline(path)) == 3
    found = read_baseline(path)
    assert {name: len(keys) for name, keys in found.items()} == {"a": 3, "b": 0}


def test_a_baseline_behind_a_link_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "baseline.json"
    real.write_text("{}", "utf-8")
    real.chmod(0o664)
    link.symlink_to(real)
    write_baseline(str(link), {"a": report().findings}, {})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o664
    assert read_baseline(str(real))


@pytest.mark.parametrize(
    "text", ["{}", '{"version": 2, "checks": {}}', '{"version": 1, "checks": []}']
)
def test_a_file_that_is_no_baseline(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"baseline\.json: it is not a baseline"):
        read_baseline(str(path))


@pytest.mark.parametrize("entries", [3, [3], [{"key": 3}], [{}], [{"key": "a:b"}]])
def test_entries_without_a_key(entries: Any, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"version": 1, "checks": {"a": entries}}), "utf-8")
    with pytest.raises(UsageError, match="each entry needs a key, modes and a message"):
        read_baseline(str(path))


def test_a_baseline_that_is_missing_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such baseline; ckptcheck --write-baseline writes it"):
        read_baseline(str(tmp_path / "gone.json"))
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write_baseline(str(tmp_path / "gone" / "baseline.json"), {}, {})
    assert list(tmp_path.iterdir()) == []
