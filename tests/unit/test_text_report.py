"""Tests of the text report: it fits 80 columns, and escapes control characters."""

import dataclasses
import re
import time
from pathlib import Path
from typing import Any, Tuple

import pytest

from ckptcheck import reporters
from ckptcheck.protocol import Failure, FailureKind, Frame, RestorePlan, RunError, VariableSpec
from ckptcheck.reporters import Options
from ckptcheck.reporters.layout import table
from ckptcheck.results import (
    Advice,
    CheckpointSummary,
    Contents,
    DataRead,
    Features,
    Finding,
    GraphSummary,
    Group,
    InputSpec,
    Launch,
    Report,
    VariableRow,
    Verified,
)
from ckptcheck.rules import all_rules
from ckptcheck.rules import examples as made
from ckptcheck.uses import Location

from .test_json_format import report_of

RULES = list(all_rules())
EVIL = "evil\x1b[31m\x07\r\n\u202e\x9b2Jname"
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200e\u200f]")


def render(report: Report, **options: Any) -> str:
    return reporters.render(report, "text", Options(**options))


@pytest.mark.parametrize("show_plan", [False, True])
@pytest.mark.parametrize("example", ["good", "bad"])
@pytest.mark.parametrize("rule", RULES)
def test_lines_fit_into_80_columns(rule: str, example: str, show_plan: bool) -> None:
    facts = (getattr(all_rules()[rule], example) or made.facts)()
    text = render(report_of(facts), show_plan=show_plan)
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("rule", RULES)
def test_lines_have_no_space_at_their_end_and_blocks_one_empty_line(rule: str) -> None:
    text = render(report_of(all_rules()[rule].bad()))
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "\n\n\n" not in text


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_and_what_to_do_are_named(rule: str) -> None:
    text = render(report_of(all_rules()[rule].bad()))
    severity = all_rules()[rule].severity
    assert f"{severity}[{rule}]" in text or f"warning[{rule}]" in text
    if severity == "error":
        assert "First:" in text, "no first step is named"


@pytest.mark.parametrize("rule", RULES)
def test_color_only_where_it_is_wanted(rule: str) -> None:
    report = report_of(all_rules()[rule].bad())
    plain, colored = render(report), render(report, color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


def test_the_verdict_of_each_mode() -> None:
    text = render(report_of(all_rules()["optimizer-changed"].bad()))
    assert re.search(r"^ *PREDICT +restores +2 tensors to restore$", text, re.M)
    assert re.search(r"^ *TRAIN +FAILS at restore +3 tensors to restore$", text, re.M)
    assert "TRAIN will not restore correctly. First: " in text


def test_all_is_well() -> None:
    assert render(report_of(made.facts())).endswith("\nPREDICT, EVAL, TRAIN will restore.\n")


def test_both_sides_of_a_mismatch() -> None:
    facts = made.facts(reads=(made.read("dense/kernel", (1, 128)), made.READS[1]))
    text = render(report_of(facts))
    assert re.search(r"dense/kernel +float32 \[1, 64\] +float32 \[1, 128\]", text)
    assert "PREDICT, EVAL, TRAIN: SILENTLY WRONG" in text


def test_layers_fold_over_equal_shapes_only() -> None:
    """A folded range must not include a layer with another shape."""
    shapes = [(4, 4)] * 6 + [(4, 8)]
    reads = [made.read(f"layer_{n}/kernel", shape) for n, shape in enumerate(shapes)]
    text = render(report_of(made.facts(reads=(*made.READS, *reads))))
    assert "layer_{0..5}/kernel (x6)" in text
    assert re.search(r"layer_6/kernel +- +float32 \[4, 8\]", text)


def test_no_range_goes_over_a_layer_of_another_shape() -> None:
    shapes = [(4, 4), (4, 4), (4, 4), (4, 8), (4, 4), (4, 4), (4, 4)]
    reads = [made.read(f"layer_{n}/kernel", shape) for n, shape in enumerate(shapes)]
    text = render(report_of(made.facts(reads=(*made.READS, *reads))))
    assert re.search(r"layer_3/kernel +- +float32 \[4, 8\]", text)
    ranges = re.findall(r"layer_\{(\d+)\.\.(\d+)\}", text)
    assert not [pair for pair in ranges if int(pair[0]) <= 3 <= int(pair[1])]


def test_a_long_table_is_cut_and_says_so() -> None:
    reads = [made.read("v{}x".format("ab"[n % 2] * (n + 1)), (n + 1,)) for n in range(40)]
    text = render(report_of(made.facts(reads=(*made.READS, *reads))))
    assert "and 28 more (--show-plan shows all)" in text
    assert len(text.splitlines()) < 40


def test_what_the_run_raises_is_said() -> None:
    """If a restored shape makes the run raise, the report has TensorFlow's message."""
    plan = RestorePlan(
        "", (), run_errors=(RunError(("dense/kernel",), "MatMul", "Dimensions must be equal"),)
    )
    facts = made.facts(reads=(made.read("dense/kernel", (1, 128)), made.READS[1]), plan=plan)
    text = render(report_of(facts))
    assert "FAILS at run" in text
    assert "the run raises: Dimensions must be equal" in text


def test_the_lines_of_the_users_code_are_shown() -> None:
    frames = (
        Frame("net.py", 7, "model_fn", "x = features['y']"),
        Frame("layers.py", 3, "f", "raise"),
    )
    facts = made.failed(Failure(FailureKind.RAISED, "KeyError", "'y'", frames))
    text = render(report_of(facts))
    assert "layers.py:3: KeyError: 'y'" in text
    assert "net.py:7 in model_fn: x = features['y']" in text


def test_what_was_not_judged_is_said() -> None:
    text = render(report_of(made.facts(), not_judged=("the drift of constants", "the weather")))
    assert "not judged: the drift of constants\nnot judged: the weather" in text


def test_verified_advice_is_a_fix_and_other_advice_a_try() -> None:
    report = report_of(all_rules()["shape-mismatch"].bad())
    for verified, word in [(True, "fix: "), (False, "try: ")]:
        groups = (
            dataclasses.replace(
                report.groups[0], advice=(Advice("params", "num_hidden=64", {}, verified),)
            ),
        )
        assert word + "num_hidden=64" in render(dataclasses.replace(report, groups=groups))


def evil_reports() -> Tuple[Tuple[str, Report], ...]:
    """Reports with a hostile name in each place that a file or the user's code fills."""
    base = made.facts()
    assert base.trace is not None and base.index is not None
    trace, index = base.trace, base.index
    failure = Failure(FailureKind.RAISED, EVIL, EVIL, (Frame(EVIL, 1, EVIL, EVIL),))
    leaf = {"dtype": "float32", "shape": [1]}

    def traced(**changes: Any) -> Report:
        return report_of(dataclasses.replace(base, trace=dataclasses.replace(trace, **changes)))

    evil_index = dataclasses.replace(index, prefix=EVIL)
    stand_ins = dataclasses.replace(trace.environment, stand_ins=(EVIL,))
    advised = report_of(all_rules()["shape-mismatch"].bad())
    group = dataclasses.replace(advised.groups[0], advice=(Advice("params", EVIL),))
    return (
        ("variable", report_of(made.facts(stored={**made.WEIGHTS, EVIL: ((1,), "float32")}))),
        ("missing", report_of(made.facts(reads=(*made.READS, made.read(EVIL, (1,)))))),
        ("prefix", report_of(dataclasses.replace(base, index=evil_index))),
        ("target", report_of(base, target=EVIL)),
        ("model_dir", report_of(base, checkpoint=None, model_dir=EVIL)),
        ("failure", report_of(made.failed(failure))),
        ("param", report_of(made.with_params({EVIL: 1}))),
        ("feature", traced(features=Features("saved-graph", {EVIL: leaf}))),
        ("dtype", traced(features=Features("saved-graph", {"x": dict(leaf, dtype=EVIL)}))),
        ("label", traced(features=Features("saved-graph", None, {EVIL: leaf}))),
        ("launch reason", traced(launch=Launch("v2", "the graph saved by TensorFlow " + EVIL))),
        ("stand-in", traced(environment=stand_ins)),
        ("not judged", report_of(base, not_judged=(EVIL,))),
        ("advice", dataclasses.replace(advised, groups=(group,))),
        (
            "run error",
            report_of(
                made.facts(
                    reads=(made.read("dense/kernel", (1, 128)), made.READS[1]),
                    plan=RestorePlan("", (), run_errors=(RunError(("dense/kernel",), EVIL, EVIL),)),
                )
            ),
        ),
        (
            "state file",
            report_of(made.nothing_to_restore(dataclasses.replace(made.MISSING, prefix=EVIL))),
        ),
    )


def evil_reports_of_files() -> Tuple[Tuple[str, Report], ...]:
    """Returns such reports of an inspection, a verification and a snapshot."""
    finding = Finding(
        "step-mismatch",
        "warning",
        EVIL,
        variable=EVIL,
        location=Location(EVIL, 1),
        detail=(EVIL,),
        hint=EVIL,
    )
    groups = (Group(EVIL, (finding,)),)
    spec = VariableSpec(EVIL, (1,), EVIL)
    graph = GraphSummary(EVIL, EVIL, "v2", inputs=(InputSpec(EVIL, None, EVIL),))
    contents = Contents(EVIL, (VariableRow(spec, "weight", 4),), 1, graph=graph)
    inspected = Report("inspect", True, True, EVIL, groups, (EVIL,), why=EVIL, contents=contents)
    listed = dataclasses.replace(inspected, checkpoints=(CheckpointSummary(EVIL, 1, None, 4),))
    item = Verified(False, EVIL, 1, DataRead(1, 4), groups)
    verified = Report("verify", False, True, EVIL, why=EVIL, verified=(item, item))
    return (
        ("inspected", listed),
        ("verified", verified),
        ("last good", dataclasses.replace(verified, verified=(item, _whole(item)))),
        ("nothing verified", Report("verify", False, False, EVIL, (), (EVIL,))),
        ("snapshot", Report("snapshot", True, True, EVIL, groups, (EVIL,))),
    )


def _whole(item: Verified) -> Verified:
    return dataclasses.replace(item, whole=True)


ALL_EVIL = dict((*evil_reports(), *evil_reports_of_files()))


@pytest.mark.parametrize("place", ALL_EVIL)
@pytest.mark.parametrize("show_plan", [False, True])
def test_no_name_steers_the_terminal(place: str, show_plan: bool) -> None:
    """Names in files are untrusted. Escape sequences, carriage returns and line breaks in names are
    escaped."""
    text = render(ALL_EVIL[place], show_plan=show_plan)
    assert FORBIDDEN.findall(text) == []
    assert not any(line.startswith(("name", "\u202e")) for line in text.splitlines())


def test_a_name_of_10_kb_does_not_fill_the_screen() -> None:
    name = "scope/" * 1700 + "kernel"
    facts = made.facts(
        stored={**made.WEIGHTS, name: ((1,), "float32")},
        reads=(*made.READS, made.read(name + "2", (2,))),
    )
    text = render(report_of(facts), show_plan=True)
    assert max(map(len, text.splitlines())) <= 120
    assert len(text) < 5000


def test_thousands_of_findings_are_a_screenful_at_once() -> None:
    names = [f"layer_{n}/kernel" for n in range(4000)]
    report = report_of(made.facts(reads=(*made.READS, *(made.read(n, (4, 4)) for n in names))))
    start = time.process_time()
    text = render(report)
    assert time.process_time() - start < 2
    assert "layer_{0..3999}/kernel (x4000)" in text
    assert len(text.splitlines()) < 40


BERT = [
    ("attention/self/query/kernel", (1024, 1024)),
    ("attention/self/query/bias", (1024,)),
    ("attention/output/LayerNorm/gamma", (1024,)),
    ("intermediate/dense/kernel", (1024, 4096)),
]


def bert_report() -> Report:
    """Returns a report of a model with 24 layers, in which all sizes differ."""
    names = [(f"bert/encoder/layer_{n}/{part}", shape) for n in range(24) for part, shape in BERT]
    stored = {name: (tuple(size // 4 * 3 for size in shape), "float32") for name, shape in names}
    reads = tuple(made.read(name, shape) for name, shape in names)
    return report_of(made.facts({**stored, "global_step": ((), "int64")}, (*reads, made.READS[1])))


@pytest.mark.parametrize("show_plan", [False, True])
def test_the_names_and_shapes_of_bert_fit_into_80_columns(show_plan: bool) -> None:
    text = render(bert_report(), show_plan=show_plan)
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_a_long_name_keeps_its_end() -> None:
    """The last parts of a name show the variable of a layer."""
    text = render(bert_report())
    for part, _ in BERT:
        assert part.rpartition("/")[2] in text, part
    assert "query/kernel" in text


def test_names_that_differ_only_at_the_beginning_lose_their_middle() -> None:
    names = [f"{instrument}/decoder_5/batch_normalization/gamma" for instrument in ("bass", "drum")]
    both = table([[name, "x"] for name in names], ["name", "x"], 40)
    assert "\nb…" in both and "\nd…" in both
    assert "\n…" in table([[names[0], "x"]], ["name", "x"], 40)


def test_a_variable_of_unknown_shape() -> None:
    spec = VariableSpec("w", None, "float32")
    facts = made.facts(plan=RestorePlan("", (), uninitialized=(spec,)))
    assert re.search(r"w +- +float32 \?", render(report_of(facts)))


def test_each_module_with_a_format_is_one() -> None:
    """Adding a file adds a format; the other modules are parts of one."""
    folder = Path(reporters.__file__).parent
    written = {
        path.stem for path in folder.glob("*.py") if "\nFORMAT = " in path.read_text("utf-8")
    }
    assert sorted(stem.replace("_format", "") for stem in written) == list(FORMATS)
    assert {"text", "json"} <= set(FORMATS)


FORMATS = reporters.formats()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("place", ALL_EVIL)
def test_every_format_writes_every_report(name: str, place: str) -> None:
    text = reporters.render(ALL_EVIL[place], name)
    assert FORBIDDEN.findall(text) == [] and text.endswith("\n")


def test_what_the_run_says_is_taken_from_the_data() -> None:
    """Formats use the data of findings and not their messages."""
    error = RunError(("dense/kernel",), "MatMul", "Dimensions must be equal")
    facts = made.facts(
        reads=(made.read("dense/kernel", (1, 128)), made.READS[1]),
        plan=RestorePlan("", (), run_errors=(error,)),
    )
    report = report_of(facts)
    other = dataclasses.replace(report.findings[0], message="something else")
    groups = (dataclasses.replace(report.groups[0], findings=(other,)),)
    text = render(report)
    assert "\n  the run raises: Dimensions must be equal\n" in text
    assert render(dataclasses.replace(report, groups=groups)) == text


def test_a_fix_of_a_later_group_comes_first() -> None:
    report = report_of(all_rules()["shape-mismatch"].bad())
    plain = dataclasses.replace(report.groups[0], advice=())
    fixed = dataclasses.replace(plain, advice=(Advice("params", "set a to 1", {"a": 1}, True),))
    text = render(dataclasses.replace(report, groups=(plain, fixed)))
    assert text.rstrip().endswith("First: set a to 1")


def test_a_mismatch_comes_before_a_mode_that_cannot_be_traced() -> None:
    report = report_of(all_rules()["shape-mismatch"].bad())
    raised = report_of(all_rules()["model-fn-raised"].bad()).groups[0]
    hinted = dataclasses.replace(raised.findings[0], hint="fix the error")
    groups = (dataclasses.replace(raised, findings=(hinted,)), report.groups[0])
    text = render(dataclasses.replace(report, groups=groups))
    assert "First: see ckptcheck --explain shape-mismatch" in " ".join(text.split())
    alone = render(dataclasses.replace(report, groups=groups[:1]))
    assert alone.rstrip().endswith("First: fix the error")


@pytest.mark.parametrize("ok", [True, False])
def test_the_first_hint_is_said_once(ok: bool) -> None:
    """If the check fails, the hint is at the end of the report. Otherwise, it is at its finding."""
    base = all_rules()["newer-checkpoint"].bad()
    report = report_of(base, ok=ok)
    hint = report.findings[0].hint
    words = " ".join(render(report).split())
    assert words.count(" ".join(hint.split())) == 1


def test_a_fix_of_several_changes_comes_once_before_them() -> None:
    def change(subject: str, fix: str, category: str = "drift") -> Group:
        found = Finding(
            "op-changed", "note", "saved: a; now: b", subject=subject, category=category
        )
        return Group(subject, (found,), (Advice("params", fix, {}, True),) if fix else ())

    groups = (
        change("first", "set a to 1"),
        change("other", "set b to 2"),
        change("no fix", ""),
        change("second", "set a to 1"),
        change("shapes", "set b to 2", "restore"),
    )
    text = render(dataclasses.replace(report_of(made.facts()), groups=groups))
    shown = re.findall(r"^ *(fix: .+|note.+)$", text, re.MULTILINE)
    assert shown == [
        "fix: set a to 1",
        "note[op-changed] first",
        "note[op-changed] second",
        "note[op-changed] other",
        "fix: set b to 2",
        "note[op-changed] no fix",
        "note[op-changed] shapes",
        "fix: set b to 2",
    ]
