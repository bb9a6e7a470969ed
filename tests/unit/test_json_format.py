"""Version 1 of the JSON report: tools depend on its keys and their types."""

import dataclasses
import json
from typing import Any, Dict, Tuple

import pytest

from ckptcheck import reporters
from ckptcheck.groups import group
from ckptcheck.protocol import VariableSpec
from ckptcheck.reporters import Options
from ckptcheck.results import Advice, Report
from ckptcheck.rules import Facts, all_rules, run_rules
from ckptcheck.rules import examples as made
from ckptcheck.verdicts import verdicts

NONE = type(None)
SEVERITIES = ("note", "warning", "error")


def report_of(facts: Facts, **changes: Any) -> Report:
    """The report that a check makes of these facts."""
    findings = run_rules(facts)
    checked = bool(facts.located.prefix or facts.located.candidates)
    report = Report(
        "check",
        ok=checked and not any(f.severity == "error" for f in findings),
        checked=checked,
        target="net:model_fn",
        model_dir="runs/base",
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=verdicts(facts.modes, findings, facts.trace) if checked else (),
        groups=group(findings),
    )
    return dataclasses.replace(report, **changes)


def rendered(report: Report, **options: Any) -> Dict[str, Any]:
    text = reporters.render(report, "json", Options(**options))
    assert text.endswith("\n")
    document: Dict[str, Any] = json.loads(text)
    return document


def assert_shape(document: Dict[str, Any]) -> None:
    """Verifies every key of the format and its type. More keys are allowed."""
    expect(
        document,
        version=int,
        ok=bool,
        checkpoint=dict,
        environment=(dict, NONE),
        features=(dict, NONE),
        modes=dict,
        findings=list,
        groups=list,
        not_judged=list,
    )
    assert document["version"] == 1
    expect(
        document["checkpoint"],
        model_dir=str,
        prefix=(str, NONE),
        step=(int, NONE),
        variables=(int, NONE),
        data=(dict, NONE),
    )
    if document["environment"] is not None:
        expect(document["environment"], tensorflow=str, python=str, tf_api=str, stand_ins=list)
        assert document["environment"]["tf_api"] in ("v1", "v2")
    if document["features"] is not None:
        expect(document["features"], source=str, spec=(dict, list, NONE))
    for mode, verdict in document["modes"].items():
        assert mode in ("predict", "eval", "train")
        assert_verdict(verdict)
    for finding in document["findings"]:
        assert_finding(finding)
    for item in document["groups"]:
        expect(item, title=str, keys=list, advice=list)
        for advice in item["advice"]:
            expect(advice, kind=str, verified=bool)
    assert all(isinstance(text, str) for text in document["not_judged"])


def assert_verdict(verdict: Dict[str, Any]) -> None:
    expect(verdict, verdict=str, reads=int)
    assert verdict["verdict"] in ("restores", "fails", "silent", "untraceable")
    assert ("at" in verdict) == (verdict["verdict"] == "fails")
    assert verdict.get("at", "run") in ("restore", "run")


def assert_finding(finding: Dict[str, Any]) -> None:
    expect(
        finding,
        key=str,
        rule=str,
        severity=str,
        modes=list,
        variable=(str, NONE),
        checkpoint=(dict, NONE),
        model=(dict, NONE),
        category=str,
        message=str,
        data=dict,
        location=(dict, NONE),
    )
    assert finding["severity"] in SEVERITIES
    assert finding["modes"] == sorted(finding["modes"])
    for side in ("checkpoint", "model"):
        if finding[side] is not None:
            expect(finding[side], shape=(list, NONE), dtype=str)
    if finding["location"] is not None:
        expect(finding["location"], file=str, line=int)


def expect(part: Dict[str, Any], **types: Any) -> None:
    for key, kind in types.items():
        assert key in part, key
        assert isinstance(part[key], kind), (key, part[key])
        if kind is int:
            assert not isinstance(part[key], bool)


@pytest.mark.parametrize("rule", list(all_rules()))
@pytest.mark.parametrize("example", ["good", "bad"])
def test_keys_and_types(rule: str, example: str) -> None:
    facts = (getattr(all_rules()[rule], example) or made.facts)()
    report = report_of(facts)
    document = rendered(report)
    assert_shape(document)
    keys = [finding["key"] for finding in document["findings"]]
    assert len(keys) == len(set(keys))
    assert sorted(key for item in document["groups"] for key in item["keys"]) == sorted(keys)


def test_the_whole_document_of_a_mismatch() -> None:
    """Compares the whole document, so that a key cannot change its meaning without notice."""
    facts = made.facts(reads=(made.read("dense/kernel", (1, 128)), made.READS[1]))
    document = rendered(report_of(facts, not_judged=("drift",)))
    key = "shape-mismatch:dense/kernel:float32[1, 64]->float32[1, 128]"
    (finding,) = document.pop("findings")
    assert {name: finding[name] for name in ("key", "rule", "severity", "modes", "variable")} == {
        "key": key,
        "rule": "shape-mismatch",
        "severity": "error",
        "modes": ["eval", "predict", "train"],
        "variable": "dense/kernel",
    }
    assert finding["checkpoint"] == {"shape": [1, 64], "dtype": "float32"}
    assert finding["model"] == {"shape": [1, 128], "dtype": "float32"}
    assert finding["location"] is None
    (item,) = document.pop("groups")
    assert (item["keys"], item["advice"]) == ([key], [])
    assert document.pop("environment")["tensorflow"] == "2.15.1"
    silent = {"verdict": "silent", "reads": 2, "drift": "unknown"}
    assert document.pop("modes") == {"predict": silent, "eval": silent, "train": silent}
    assert document.pop("features")["source"] == "saved-graph"
    assert document.pop("target") == "net:model_fn"
    assert document == {
        "version": 1,
        "command": "check",
        "ok": False,
        "checkpoint": {
            "model_dir": "runs/base",
            "prefix": "runs/base/model.ckpt-10",
            "step": 10,
            "variables": 2,
            "data": None,
        },
        "record": None,
        "not_judged": ["drift"],
    }


def test_advice() -> None:
    report = report_of(all_rules()["shape-mismatch"].bad())
    advice = Advice("params", "set num_hidden to 64", {"num_hidden": 64}, True)
    groups = (dataclasses.replace(report.groups[0], advice=(advice,)),)
    document = rendered(dataclasses.replace(report, groups=groups))
    assert_shape(document)
    (given,) = document["groups"][0]["advice"]
    assert given["kind"] == "params"
    assert given["set"] == {"num_hidden": 64}
    assert given["verified"] is True


def test_nothing_checked() -> None:
    facts = made.nothing_to_restore(dataclasses.replace(made.UNNAMED, state=None, candidates=()))
    document = rendered(report_of(facts))
    assert_shape(document)
    assert document["ok"] is False
    assert document["modes"] == {}


@pytest.mark.parametrize(
    ("shape", "written"),
    [(None, None), ((), []), ((None, 3), [None, 3])],
)
def test_unknown_shapes(shape: Any, written: Any) -> None:
    bad = all_rules()["shape-mismatch"].bad()
    report = report_of(bad)
    finding = dataclasses.replace(
        report.findings[0], model=VariableSpec("dense/kernel", shape, "float32")
    )
    groups = (dataclasses.replace(report.groups[0], findings=(finding,)),)
    document = rendered(dataclasses.replace(report, groups=groups))
    assert document["findings"][0]["model"]["shape"] == written


@pytest.mark.parametrize("name", ["größe", "a\x1b[31m", "\udcff", "\u202e", 'a"b\\c', "漢" * 4000])
def test_names_of_any_characters_are_plain_ascii_in_the_document(name: str) -> None:
    """A report is read by tools in any encoding, and shown by terminals."""
    facts = made.facts(stored={**made.WEIGHTS, name: ((1,), "float32")})
    text = reporters.render(report_of(facts), "json", Options())
    assert text.isascii() if hasattr(text, "isascii") else text.encode("ascii")
    assert "\x1b" not in text
    assert name in [finding["variable"] for finding in json.loads(text)["findings"]]


def test_show_plan_adds_the_plans_and_changes_nothing_else() -> None:
    report = report_of(made.facts())
    plain, full = rendered(report), rendered(report, show_plan=True)
    plans = full.pop("plans")
    assert full == plain
    assert [plan["mode"] for plan in plans] == ["predict", "eval", "train"]
    expected: Tuple[str, ...] = ("dense/kernel", "global_step")
    assert tuple(read["key"] for read in plans[0]["reads"]) == expected
