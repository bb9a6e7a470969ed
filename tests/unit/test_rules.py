"""Tests for all rules of the catalogue, including new ones."""

import ast
import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import shlex
import time
from typing import Any, List, Tuple

import pytest

import ckptcheck.rules
from ckptcheck.codec import to_json
from ckptcheck.groups import group
from ckptcheck.model_dir import (
    CheckpointFiles,
    DataFile,
    EntryFlaw,
    FlawKind,
    StateFile,
    TensorScan,
)
from ckptcheck.protocol import (
    MODES,
    DataKind,
    DataLimit,
    FailedTrace,
    Failure,
    FailureKind,
    FinishedTrace,
    Observed,
    RestorePlan,
    RunError,
    VariableSpec,
)
from ckptcheck.results import SEVERITIES, Features, Finding
from ckptcheck.rules import Facts, Rule, all_rules, run_rules
from ckptcheck.rules import examples as made
from ckptcheck.rules.base import CATEGORIES, FOR_CHECKS, MISSING, SHAPES, UNSOUND, UNUSED
from ckptcheck.rules.file_names import stable_name
from ckptcheck.rules.roles import is_slot_name
from ckptcheck.uses import ParamRead
from ckptcheck.verdicts import verdicts

RULES = list(all_rules().values())
EACH_RULE = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])


def mine(rule: Rule, findings: List[Finding]) -> List[Finding]:
    return [finding for finding in findings if finding.rule == rule.id]


def test_there_are_rules() -> None:
    """ckptcheck finds rules by their modules. No other test would notice that there are none."""
    assert len(RULES) >= 15


def test_ids_are_sorted_and_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))


def _module(rule: Rule) -> Any:
    return importlib.import_module("ckptcheck.rules." + rule.id.replace("-", "_"))


def test_every_module_with_a_rule_is_in_the_catalogue() -> None:
    """If two rules had the same id, one would hide the other."""
    names = [info.name for info in pkgutil.iter_modules(ckptcheck.rules.__path__)]
    modules = [importlib.import_module("ckptcheck.rules." + name) for name in names]
    assert sum(hasattr(module, "RULE") for module in modules) == len(RULES)


@EACH_RULE
def test_id_explains_itself(rule: Rule) -> None:
    assert re.match(r"^[a-z]+(-[a-z]+)+$", rule.id)


@EACH_RULE
def test_severity_is_valid(rule: Rule) -> None:
    assert rule.severity in SEVERITIES


@EACH_RULE
def test_summary_is_one_short_line(rule: Rule) -> None:
    assert rule.summary.endswith(".")
    assert "\n" not in rule.summary
    assert len(f"{rule.id:26} {rule.severity:8} {rule.summary}") <= 120


@EACH_RULE
def test_explanation_says_what_to_do(rule: Rule) -> None:
    paragraphs = rule.explanation.split("\n\n")
    assert len(paragraphs) >= 2, "what goes wrong and why stands before what to do"
    assert paragraphs[-1].startswith("What to do: ")
    assert len(paragraphs[-1]) > len("What to do: nothing.")


@EACH_RULE
def test_finds_nothing_in_its_good_example(rule: Rule) -> None:
    assert list(rule.check((rule.good or made.facts)())) == []


@EACH_RULE
def test_finds_something_in_its_bad_example(rule: Rule) -> None:
    found = list(rule.check(rule.bad()))
    assert found
    assert {finding.rule for finding in found} == {rule.id}


@EACH_RULE
def test_one_cause_lights_up_one_rule(rule: Rule) -> None:
    """More notes are allowed. A second error or warning for one cause is noise."""
    loud = {finding.rule for finding in run_rules(rule.bad()) if finding.severity != "note"}
    assert loud <= {rule.id}


@EACH_RULE
def test_good_examples_are_good_for_every_rule(rule: Rule) -> None:
    assert [finding.key for finding in run_rules((rule.good or made.facts)())] == []


@EACH_RULE
def test_findings_are_well_formed(rule: Rule) -> None:
    facts = rule.bad()
    for finding in rule.check(facts):
        assert finding.severity in SEVERITIES
        assert finding.message.strip() == finding.message != ""
        assert finding.modes and set(finding.modes) <= set(MODES)
        assert set(finding.outcomes) <= set(finding.modes)
        at = {outcome.at for outcome in finding.outcomes.values() if outcome.verdict == "fails"}
        assert at <= {"restore", "run"}
        assert finding.data or finding.checkpoint or finding.model, "nothing of the message is data"
        assert finding.variable or finding.subject, "nothing tells it from the rule's others"


@EACH_RULE
def test_an_error_does_something_to_a_mode(rule: Rule) -> None:
    """An error that changes no verdict would make a check fail without a reason.

    ``no-checkpoint`` without any checkpoint is not checked at all: it has no verdicts. A model that
    restores only the global step raises no error, but the result is not reliable.
    """
    facts = rule.bad()
    if rule.id == "nothing-restored":
        assert not any(finding.outcomes for finding in rule.check(facts))
        return
    for finding in rule.check(facts):
        if finding.severity == "error" and facts.located.candidates:
            assert finding.outcomes


@EACH_RULE
def test_a_note_or_warning_leaves_the_verdicts_alone(rule: Rule) -> None:
    for finding in rule.check(rule.bad()):
        if finding.severity != "error":
            assert finding.outcomes == {}


@EACH_RULE
def test_keys_hold_no_path_and_no_step(rule: Rule) -> None:
    for finding in rule.check(rule.bad()):
        assert not re.search(r"runs/|/old|ckpt-\d", finding.key), finding.key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.ckpt-10.data-00000-of-00002", "model.ckpt-*.data-00000-of-00002"),
        ("model.ckpt-10.index.tempstate123", "model.ckpt-*.index.tempstate*"),
        ("model.ckpt-20_temp_" + "0a" * 16 + "/", "model.ckpt-*_temp_*/"),
        ("checkpoint.tmp" + "0a" * 16, "checkpoint.tmp*"),
        (".model.ckpt-10.index.Xy12ab", ".model.ckpt-*.index.*"),
        ("model.ckpt-30.data-00000-of-00001.6eF5a2b1", "model.ckpt-*.data-00000-of-00001.*"),
    ],
)
def test_names_of_files_without_what_changes(name: str, expected: str) -> None:
    assert stable_name(name) == expected


@EACH_RULE
def test_keys_are_stable_and_unique(rule: Rule) -> None:
    first = [finding.key for finding in run_rules(rule.bad())]
    again = [finding.key for finding in run_rules(rule.bad())]
    assert first == again
    assert len(first) == len(set(first))
    assert all(key.startswith(f.rule + ":") for key, f in zip(first, run_rules(rule.bad())))


@EACH_RULE
def test_the_data_of_findings_goes_to_json_and_back(rule: Rule) -> None:
    for finding in run_rules(rule.bad()):
        text = json.dumps(to_json(finding.data), allow_nan=False)
        assert json.loads(text) == to_json(finding.data)


@EACH_RULE
def test_a_finding_says_what_it_is_about(rule: Rule) -> None:
    assert rule.category in CATEGORIES
    assert {f.category for f in mine(rule, run_rules(rule.bad()))} == {rule.category}


@EACH_RULE
@pytest.mark.parametrize("lacking", ["trace", "files", "scans", "index"])
def test_rules_run_without_what_is_not_known(rule: Rule, lacking: str) -> None:
    """``inspect`` traces nothing, and a check without --deep does not read the data."""
    without: Any = {lacking: None}
    assert isinstance(rule.check(dataclasses.replace(rule.bad(), **without)), list)


def test_roles_are_known_and_taken() -> None:
    assert {rule.role for rule in RULES} == {"", FOR_CHECKS, MISSING, SHAPES, UNSOUND, UNUSED}


@EACH_RULE
def test_no_rule_imports_another(rule: Rule) -> None:
    """Code that rules share is in modules that are not rules."""
    source = inspect.getsource(_module(rule))
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    imported = {str(node.module).rpartition(".")[2] for node in nodes}
    assert imported.isdisjoint(other.id.replace("-", "_") for other in RULES)


@EACH_RULE
def test_rules_do_not_change_their_facts(rule: Rule) -> None:
    facts = rule.bad()
    before = to_json(facts)
    run_rules(facts)
    assert to_json(facts) == before


@EACH_RULE
def test_titles_and_verdicts_can_be_made_of_the_findings(rule: Rule) -> None:
    facts = rule.bad()
    findings = run_rules(facts)
    for item in group(findings):
        assert item.title and "\n" not in item.title and not item.title.endswith(".")
    made_verdicts = verdicts(facts.modes, findings, facts.trace)
    assert [verdict.mode for verdict in made_verdicts] == list(facts.modes)


@EACH_RULE
@pytest.mark.parametrize("mode", MODES)
def test_rules_keep_to_the_modes_that_are_checked(rule: Rule, mode: str) -> None:
    """With ``--mode``, findings are only about the given modes."""
    bad = rule.bad()
    trace = bad.trace
    if trace is not None:
        kept = tuple(item for item in trace.modes if item.mode == mode)
        trace = dataclasses.replace(trace, modes=kept)
    for finding in run_rules(dataclasses.replace(bad, modes=(mode,), trace=trace)):
        assert set(finding.modes) <= {mode}
        assert set(finding.outcomes) <= {mode}


def with_plans(base: Facts, *plans: RestorePlan) -> Facts:
    assert base.trace is not None
    traces = tuple(FinishedTrace(plan.mode, plan) for plan in plans)
    return dataclasses.replace(base, trace=dataclasses.replace(base.trace, modes=traces))


def test_one_key_that_two_modes_read_into_different_variables_has_unique_keys() -> None:
    """One key may have two findings.

    For example, PREDICT reads ``w/ExponentialMovingAverage`` into ``w``, and TRAIN reads it into
    the average. With another shape in the checkpoint, there are two findings. Ignores and baselines
    must be able to distinguish them.
    """
    key = "w/ExponentialMovingAverage"
    into_weight = dataclasses.replace(made.read(key, (1, 8)), variable="w")
    into_average = made.read(key, (1, 8))
    step = made.READS[1]
    facts = with_plans(
        made.facts(stored={key: ((1, 4), "float32"), "global_step": ((), "int64")}),
        RestorePlan("predict", (into_weight, step)),
        RestorePlan("eval", (into_weight, step)),
        RestorePlan("train", (into_average, step)),
    )
    keys = [finding.key for finding in run_rules(facts)]
    assert keys
    assert len(keys) == len(set(keys)), keys


def test_parts_of_a_partitioned_variable_are_one_finding() -> None:
    parts = tuple(
        dataclasses.replace(made.read("table", (8, 4), check="slice"), slice=f"8 4 {at},4:0,4")
        for at in (0, 4)
    )
    facts = made.facts(
        stored={"table": ((6, 4), "float32"), "global_step": ((), "int64")},
        reads=(*parts, made.READS[1]),
    )
    assert [finding.variable for finding in run_rules(facts)] == ["table"]


@pytest.mark.parametrize(
    ("check", "stored", "verdict"),
    [
        ("assign", (1, 32), ("fails", "restore")),
        ("slice", (1, 32), ("fails", "restore")),
        ("none", (1, 32), ("silent", "")),
        ("reshape", (1, 32), ("fails", "restore")),
        ("reshape", (64, 1), None),
        ("reshape", (64,), None),
    ],
)
def test_what_a_wrong_shape_does_follows_from_the_check_of_its_read(
    check: str, stored: Tuple[int, ...], verdict: object
) -> None:
    facts = made.facts(
        stored={"dense/kernel": (stored, "float32"), "global_step": ((), "int64")},
        reads=(made.read("dense/kernel", (1, 64), check=check), made.READS[1]),
    )
    outcomes = [finding.outcomes["predict"] for finding in run_rules(facts)]
    expected = [] if verdict is None else [verdict]
    assert [(outcome.verdict, outcome.at) for outcome in outcomes] == expected


def test_a_wrong_dtype_hides_the_wrong_shape() -> None:
    """TensorFlow raises on the dtype before it looks at a shape: one finding for one variable."""
    facts = made.facts(
        stored={"dense/kernel": ((1, 32), "float64"), "global_step": ((), "int64")},
    )
    assert [finding.rule for finding in run_rules(facts)] == ["dtype-mismatch"]


def test_slots_that_only_train_reads_are_not_unused() -> None:
    facts = made.facts(
        stored={**made.WEIGHTS, "dense/kernel/Adam": ((1, 64), "float32")},
        train_reads=(made.read("dense/kernel/Adam", (1, 64), role="slot"),),
    )
    assert run_rules(facts) == []


def test_slots_are_nothing_at_all_when_train_is_not_checked() -> None:
    base = made.facts(stored={**made.WEIGHTS, "dense/kernel/Adam": ((1, 64), "float32")})
    assert base.trace is not None
    predict = dataclasses.replace(base.trace, modes=base.trace.modes[:1])
    assert run_rules(dataclasses.replace(base, modes=("predict",), trace=predict)) == []


def test_unknown_dimensions_of_the_model_allow_any_size() -> None:
    facts = made.facts(
        stored={"dense/kernel": ((1, 32), "float32"), "global_step": ((), "int64")},
        reads=(
            dataclasses.replace(made.read("dense/kernel"), shape=(1, None)),
            made.READS[1],
        ),
    )
    assert run_rules(facts) == []


def test_a_misspelt_param_names_the_one_that_was_meant() -> None:
    (finding,) = [f for f in run_rules(all_rules()["unused-param"].bad()) if f.severity != "note"]
    assert "'unit'" in finding.message
    assert "did you mean 'units'" in finding.message


def _checked(facts: Facts, *modes: str) -> Facts:
    """Returns the same facts for some modes only."""
    assert facts.trace is not None
    traced = tuple(trace for trace in facts.trace.modes if trace.mode in modes)
    trace = dataclasses.replace(facts.trace, modes=traced)
    return dataclasses.replace(facts, modes=modes, trace=trace)


@pytest.mark.parametrize("left_out", MODES)
def test_a_key_that_an_unchecked_mode_may_read_is_not_called_unused(left_out: str) -> None:
    rule = all_rules()["unused-param"]
    modes = tuple(mode for mode in MODES if mode != left_out)
    assert list(rule.check(rule.bad()))
    assert not list(rule.check(_checked(rule.bad(), *modes)))


def test_a_key_that_other_code_names_is_not_called_unused() -> None:
    """An input_fn may read a key that looks like a misspelled one."""
    rule, read = all_rules()["unused-param"], ParamRead("batch_size", False, 32, True)
    params = {"train_batch_size": 8, "shuffle": 100, "batchsize": 8}
    found = rule.check(made.with_params(params, read, named=("shuffle", "train_batch_size")))
    assert [finding.data["param"] for finding in found] == ["batchsize"]


def test_a_model_fn_without_params_looks_at_no_key_in_any_mode() -> None:
    facts = made.with_params({"units": 8}, taken=False)
    (finding,) = all_rules()["unused-param"].check(_checked(facts, "predict"))
    assert finding.message == ("model_fn never reads 'units': it has no argument named params")


def test_a_default_is_said_of_the_modes_that_fell_back_to_it() -> None:
    facts = made.with_params({}, ParamRead("rate", False, 0.5, True))
    assert facts.trace is not None
    predict, *others = facts.trace.modes
    predict = dataclasses.replace(predict, seen=Observed())
    facts = dataclasses.replace(
        facts, trace=dataclasses.replace(facts.trace, modes=(predict, *others))
    )
    (finding,) = all_rules()["defaulted-param"].check(facts)
    assert finding.modes == ("eval", "train")


@pytest.mark.parametrize(("mode", "severity"), [("predict", "note"), ("train", "warning")])
def test_a_weight_that_train_may_restore_is_only_noted(mode: str, severity: str) -> None:
    rule = all_rules()["unused-variable"]
    (finding,) = rule.check(_checked(rule.bad(), mode))
    assert (finding.severity, finding.modes) == (severity, (mode,))


def test_params_that_were_read_as_a_whole_are_all_used() -> None:
    base = made.with_params({"units": 8})
    assert base.trace is not None
    modes = tuple(
        dataclasses.replace(mode, seen=Observed(dataclasses.replace(mode.params, bulk=True)))
        for mode in base.trace.modes
    )
    facts = dataclasses.replace(base, trace=dataclasses.replace(base.trace, modes=modes))
    assert run_rules(facts) == []


def test_reads_of_several_variables_are_one_finding_each() -> None:
    names = [f"layer_{number}/kernel" for number in range(12)]
    facts = made.facts(reads=(*made.READS, *(made.read(name, (4, 4)) for name in names)))
    findings = run_rules(facts)
    assert [finding.variable for finding in findings] == names
    assert all(finding.modes == MODES for finding in findings)
    assert all(
        finding.model == VariableSpec(finding.variable, (4, 4), "float32") for finding in findings
    )


def test_each_missing_data_file_names_its_own_tensors() -> None:
    """There may be many data files. The rule goes through the flaws only once."""
    names = [f"model.ckpt-10.data-{number:05d}-of-20000" for number in range(20000)]
    files = CheckpointFiles(
        files=tuple(DataFile(name, None, 4) for name in names),
        flaws=tuple(EntryFlaw("w" + name[-14:-9], FlawKind.NO_FILE, "", name) for name in names),
    )
    rule = all_rules()["unreadable-checkpoint"]
    start = time.process_time()
    found = list(rule.check(dataclasses.replace(made.facts(), files=files)))
    assert time.process_time() - start < 10
    assert len(found) == len(names)
    assert found[7].message == f"the data file {names[7]} is missing, so w00007 cannot be read"


def test_names_of_slots() -> None:
    names = dict.fromkeys(["a/w", "a/w/Adam", "a/b"])
    found = [name for name in names if is_slot_name(name, names)]
    assert found == ["a/w/Adam"]


def test_a_name_of_slashes_ends_soon() -> None:
    name = "a" + "/" * 300000
    start = time.process_time()
    assert not is_slot_name(name, {name: None})
    assert time.process_time() - start < 1


@pytest.mark.parametrize("newer", ["model.ckpt-9", "model.ckpt-9-?????-of-00001"])
def test_a_newer_checkpoint_of_either_format(newer: str) -> None:
    loaded, other = "runs/base/model.ckpt-5", f"runs/base/{newer}"
    located = dataclasses.replace(made.LOCATED, prefix=loaded, candidates=(loaded, other))
    (found,) = all_rules()["newer-checkpoint"].check(
        dataclasses.replace(made.facts(), located=located)
    )
    assert newer in found.message
    assert f"run ckptcheck verify {shlex.quote(other)}; if it finds no error" in found.hint


def test_a_state_file_that_cannot_be_read_is_not_called_wrong() -> None:
    state = StateFile("", problem="it cannot be read: Permission denied", unseen=True)
    located = dataclasses.replace(made.UNNAMED, state=state)
    (found,) = all_rules()["no-checkpoint"].check(made.nothing_to_restore(located))
    assert "cannot use the state file (it cannot be read: Permission denied)" in found.message
    assert found.hint == "make runs/base/checkpoint readable"


def test_a_directory_in_the_place_of_the_state_file_is_to_be_replaced() -> None:
    state = StateFile("", problem="it is a directory", unseen=True, directory=True)
    located = dataclasses.replace(made.UNNAMED, state=state)
    (found,) = all_rules()["no-checkpoint"].check(made.nothing_to_restore(located))
    assert (
        "remove the directory runs/base/checkpoint, and put only this line into "
        "runs/base/checkpoint: model_checkpoint_path: "
    ) in found.hint


@pytest.mark.parametrize("mode", ["predict", "train"])
def test_state_of_an_optimizer_of_keras_is_unused_where_train_is_checked(mode: str) -> None:
    state = ("training/Adam/dense/kernel/m", "training/Adam/iter", "training/Adam/learning_rate")
    stored = {**made.WEIGHTS, **dict.fromkeys(state, ((1, 64), "float32"))}
    facts = dataclasses.replace(made.facts(stored=stored), modes=(mode,))
    assert facts.trace is not None
    traced = tuple(item for item in facts.trace.modes if item.mode == mode)
    facts = dataclasses.replace(facts, trace=dataclasses.replace(facts.trace, modes=traced))
    found = [item.variable for item in all_rules()["unused-variable"].check(facts)]
    assert found == (sorted(state) if mode == "train" else [])


@pytest.mark.parametrize("object_based", [False, True])
def test_only_what_saves_a_graph_misses_it(object_based: bool) -> None:
    facts = made.facts(object_based=object_based)
    facts = dataclasses.replace(facts, files=CheckpointFiles(saved_graph=False))
    found = list(all_rules()["missing-saved-graph"].check(facts))
    assert len(found) == (not object_based)


@pytest.mark.parametrize("suffix", ["", "/.ATTRIBUTES/VARIABLE_VALUE"])
def test_a_fresh_batch_norm_by_any_kind_of_name(suffix: str) -> None:
    names = [f"bn/{name}{suffix}" for name in ("moving_mean", "moving_variance")]
    scans = tuple(
        TensorScan(VariableSpec(name, (8,), "float32"), "", 0, 0, value, value)
        for name, value in zip(names, (0.0, 1.0))
    )
    facts = dataclasses.replace(made.facts(), scans=scans)
    (found,) = all_rules()["untrained-batch-norm"].check(facts)
    assert found.variable == names[0]
    assert found.message == f"every value of {names[0]} is 0, and every value of {names[1]} is 1"


def test_what_to_do_about_left_over_files() -> None:
    files = CheckpointFiles(
        unreferenced=("model.ckpt-10.data-00000-of-00002",),
        remains=("model.ckpt-10.data-00000-of-00001.tempstate1", "model.ckpt-20_temp/"),
    )
    rule = all_rules()["leftover-files"]
    found = rule.check(dataclasses.replace(made.facts(), files=files))
    assert [(finding.severity, finding.hint) for finding in found] == [
        ("warning", "verify the checksums with ckptcheck verify"),
        ("note", "delete it when no training run or copy is running"),
        ("note", "delete it when no training run or copy is running"),
    ]


def test_constant_slots_are_no_constant_weights() -> None:
    names = ["w", "opt/w/Adam", "v", "v/GenAdam", "w/GenAdam", "v/ExponentialMovingAverage"]
    scans = tuple(
        TensorScan(VariableSpec(name, (2, 2), "float32"), "", 0, 0, 0.0, 0.0) for name in names
    )
    found = all_rules()["constant-variable"].check(dataclasses.replace(made.facts(), scans=scans))
    assert [finding.variable for finding in found] == ["w", "v"]


def test_a_table_with_too_few_rows_is_silent_only_as_long_as_no_id_needs_them() -> None:
    said = made.facts(
        reads=(
            made.read("fewer", (14, 4)),
            made.read("more", (10, 4)),
            made.read("wider", (14, 5)),
        ),
        stored=dict.fromkeys(("fewer", "more", "wider"), ((12, 4), "float32")),
    )
    assert said.trace is not None
    limit = DataLimit(("fewer",), DataKind.ID, 12, ("features.ids",))
    modes = tuple(
        dataclasses.replace(trace, plan=dataclasses.replace(trace.plan, data_limits=(limit,)))
        for trace in said.trace.modes
        if isinstance(trace, FinishedTrace)
    )
    said = dataclasses.replace(said, trace=dataclasses.replace(said.trace, modes=modes))
    found = {finding.variable: finding for finding in run_rules(said)}
    silent = "TensorFlow raises no error, and the model runs with the shape in the checkpoint"
    assert found["fewer"].message.endswith(
        "the run raises an error if an id of 12 or more is looked up in fewer (from features.ids); "
        "otherwise the model runs with the shape in the checkpoint"
    )
    assert found["fewer"].data["fails_where"] == (limit,)
    assert found["more"].message.endswith(silent)
    assert found["wider"].message.endswith(silent)
    limits = {verdict.data_limits for verdict in verdicts(MODES, list(found.values()), said.trace)}
    assert limits == {(limit,)}


def test_what_is_said_of_a_variable_is_true_of_each_mode_of_its_finding() -> None:
    reads = (made.read("kernel", (4, 6)),)
    said = made.facts(reads=reads, stored={"kernel": ((4, 5), "float32")})
    assert said.trace is not None
    error = RunError(("kernel",), "gradients/MatMul", "Dimensions must be equal")
    modes = tuple(
        dataclasses.replace(trace, plan=dataclasses.replace(trace.plan, run_errors=(error,)))
        if isinstance(trace, FinishedTrace) and trace.mode == "train"
        else trace
        for trace in said.trace.modes
    )
    said = dataclasses.replace(said, trace=dataclasses.replace(said.trace, modes=modes))
    found = {finding.modes: finding.message for finding in run_rules(said)}
    assert "TensorFlow raises no error" in found["predict", "eval"]
    assert "the run raises: Dimensions must be equal" in found[("train",)]


def test_only_modes_that_can_be_traced_are_advised() -> None:
    said = made.facts()
    assert said.trace is not None
    raised = {
        "eval": Failure(FailureKind.RAISED, "ValueError", "None values not supported"),
        "train": Failure(
            FailureKind.RAISED, "TypeError", "List of Tensors when single Tensor expected"
        ),
    }
    modes = tuple(
        FailedTrace(trace.mode, raised[trace.mode]) if trace.mode in raised else trace
        for trace in said.trace.modes
    )
    said = dataclasses.replace(said, trace=dataclasses.replace(said.trace, modes=modes))
    found = mine(all_rules()["model-fn-raised"], run_rules(said))
    assert [finding.hint for finding in found] == [
        "fix the error, or check only the other modes: --mode predict"
    ] * 2


def test_what_is_initialized_again_is_not_judged_by_its_stored_shape() -> None:
    again = (VariableSpec("kernel", (4, 6), "float32"),)
    reads = (made.read("kernel", (4, 6)),)
    said = made.facts(
        reads=reads,
        stored={"kernel": ((4, 5), "float32")},
        plan=RestorePlan("", reads, reinitialized=again),
    )
    assert {finding.rule for finding in run_rules(said)} == {"reinitialized-variable"}


@pytest.mark.parametrize(
    ("snapshot", "path", "said"),
    [
        (True, "runs/base/vocab.txt", True),
        (True, "vocab.txt", False),
        (False, "runs/base/v", False),
    ],
)
def test_a_file_of_the_model_dir_that_a_snapshot_has_not(
    snapshot: bool, path: str, said: bool
) -> None:
    located = dataclasses.replace(made.facts().located, model_dir="runs/base")
    text = f"[Errno 2] No such file or directory: '{path}'"
    base = made.failed(Failure(FailureKind.RAISED, "FileNotFoundError", text))
    facts = dataclasses.replace(base, located=located, files=CheckpointFiles(snapshot=snapshot))
    (found,) = mine(all_rules()["model-fn-raised"], run_rules(facts))
    assert ("files of runs/base are available" in found.hint) == said


@pytest.mark.parametrize(
    ("kind", "message", "source", "expected"),
    [
        (
            "KeyError",
            "'age'",
            "features-file",
            "if 'age' is a feature, add it to the features file",
        ),
        ("KeyError", "'age'", "input-fn", "add it to the result of the input_fn, which has x"),
        ("KeyError", "'x'", "features-file", "fix the error"),
        ("KeyError", "'age'", "saved-graph", "fix the error"),
        ("ModuleNotFoundError", "importing net: No module named 'nltk'", "", "install nltk"),
    ],
)
def test_what_to_do_about_a_missing_feature_or_module(
    kind: str, message: str, source: str, expected: str
) -> None:
    base = made.failed(Failure(FailureKind.RAISED, kind, message))
    assert base.trace is not None
    leaf = {"dtype": "float32", "shape": [None]}
    trace = dataclasses.replace(base.trace, features=Features(source, {"x": leaf}))
    (found,) = mine(
        all_rules()["model-fn-raised"], run_rules(dataclasses.replace(base, trace=trace))
    )
    assert expected in found.hint


@pytest.mark.parametrize(
    ("stored", "lost", "hint"),
    [
        (
            ["dense/kernel/Adam"],
            "dense/kernel/Momentum",
            "use the optimizer of the training run (the checkpoint has variables such as "
            "dense/kernel/Adam)",
        ),
        (
            ["Adam/dense/kernel/m"],
            "Adamax/dense/kernel/m",
            "use the optimizer of the training run (the checkpoint has variables such as "
            "Adam/dense/kernel/m)",
        ),
        (
            ["other/kernel", "other/kernel/Momentum"],
            "dense/kernel/Momentum",
            "train only the variables of the training run (the checkpoint has variables such as "
            "other/kernel/Momentum)",
        ),
        ([], "dense/kernel/Momentum", "use the optimizer of the training run"),
    ],
)
def test_what_to_do_about_missing_slots(stored: List[str], lost: str, hint: str) -> None:
    weight = ((1, 64), "float32")
    said = made.facts(
        stored={**made.WEIGHTS, **dict.fromkeys(stored, weight)},
        train_reads=(made.read(lost, (1, 64), role="slot"),),
    )
    (finding,) = mine(all_rules()["optimizer-changed"], run_rules(said))
    anew = "start a new model_dir and load the weights with warm_start_from"
    assert finding.hint == f"{hint}, or {anew}"


def test_a_missing_moving_average_is_no_variable_of_the_optimizer() -> None:
    missing = [
        made.read(f"dense/kernel/{last}", (1, 64), role="slot")
        for last in ("Adam", "ExponentialMovingAverage")
    ]
    said = run_rules(made.facts(stored=made.WEIGHTS, train_reads=tuple(missing)))
    by_rule = {item.rule: item.variable for item in said if item.severity == "error"}
    assert by_rule == {
        "optimizer-changed": "dense/kernel/Adam",
        "missing-variable": "dense/kernel/ExponentialMovingAverage",
    }
