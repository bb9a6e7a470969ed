"""A suggestion is printed only if a trial with it proved that it helps."""

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

from ckptcheck.advice import with_advice
from ckptcheck.changes import Change, Drift
from ckptcheck.groups import group
from ckptcheck.protocol import (
    MODES,
    Failure,
    FailureKind,
    FinishedTrace,
    Observed,
    RestorePlan,
)
from ckptcheck.results import Report
from ckptcheck.rules import Facts, examples, run_rules
from ckptcheck.uses import ParamRead, ParamsUse
from ckptcheck.verdicts import verdicts

MISMATCH = examples.facts(
    stored={"dense/kernel": ((1, 128), "float32"), "global_step": ((), "int64")}
)


def report_of(facts: Facts) -> Report:
    findings = run_rules(facts)
    return Report(
        command="check",
        ok=not findings,
        checked=True,
        target="net:model_fn",
        model_dir="runs/base",
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=verdicts(facts.modes, findings, facts.trace),
        groups=group(findings),
        drift=facts.drift,
    )


class Trials:
    """A fake check with other params. ``fits`` says for which params the report is good."""

    def __init__(self, good: Mapping[str, Any], bad: Optional[Facts]) -> None:
        self.good = good
        self.bad = bad
        self.asked: List[Mapping[str, Any]] = []

    def __call__(self, params: Mapping[str, Any]) -> Optional[Report]:
        self.asked.append(params)
        if params == self.good:
            return report_of(examples.facts())
        return None if self.bad is None else report_of(self.bad)


def test_the_value_that_fits_is_advised() -> None:
    trials = Trials({"units": 128, "depth": 3}, MISMATCH)
    report = with_advice({"units": 64, "depth": 3}, MISMATCH, report_of(MISMATCH), trials)
    (advice,) = report.groups[0].advice
    assert advice.set == {"units": 128}
    assert advice.verified
    assert trials.asked == [{"units": 128, "depth": 3}]


@pytest.mark.parametrize(
    ("modes", "end"),
    [
        (MODES, "then all modes restore"),
        (("predict",), "then PREDICT will restore"),
        (("eval", "train"), "then EVAL and TRAIN will restore"),
    ],
)
def test_it_says_nothing_of_modes_that_are_not_checked(modes: Tuple[str, ...], end: str) -> None:
    mismatch = _only(MISMATCH, modes)
    report = report_of(mismatch)

    def trials(params: Mapping[str, Any]) -> Report:
        return report_of(_only(examples.facts(), modes))

    (advice,) = with_advice({"units": 64}, mismatch, report, trials).groups[0].advice
    assert advice.text == f"set units to 128 in the params: {end}"


def _only(facts: Facts, modes: Tuple[str, ...]) -> Facts:
    """Returns the same facts for some modes only."""
    assert facts.trace is not None
    traces = tuple(trace for trace in facts.traces if trace.mode in modes)
    return dataclasses.replace(
        facts, modes=modes, trace=dataclasses.replace(facts.trace, modes=traces)
    )


def test_a_trial_in_which_model_fn_raises_is_no_proof() -> None:
    raises = examples.failed(Failure(FailureKind.RAISED, "ValueError", "units must be 64"))
    trials = Trials({}, raises)
    report = with_advice({"units": 64}, MISMATCH, report_of(MISMATCH), trials)
    assert trials.asked
    assert report.groups[0].advice == ()


def _missing(facts: Facts, modes: Tuple[str, ...], **sizes: int) -> Facts:
    """Returns the same facts, but the checkpoint lacks vectors that some modes read."""
    assert facts.trace is not None
    traces = tuple(
        dataclasses.replace(trace, plan=_reading(trace.plan, sizes))
        if isinstance(trace, FinishedTrace) and trace.mode in modes
        else trace
        for trace in facts.trace.modes
    )
    return dataclasses.replace(facts, trace=dataclasses.replace(facts.trace, modes=traces))


def _reading(plan: RestorePlan, sizes: Mapping[str, int]) -> RestorePlan:
    more = (examples.read(name, (size,)) for name, size in sizes.items())
    return dataclasses.replace(plan, reads=(*plan.reads, *more))


@pytest.mark.parametrize(
    ("before", "after", "helps"),
    [
        (_missing(MISMATCH, (), scale=1), _missing(examples.facts(), MODES, scale=1), False),
        (_missing(MISMATCH, (), scale=1), _missing(examples.facts(), ("eval",), scale=1), False),
        (
            _missing(MISMATCH, ("eval",), scale=1),
            _missing(examples.facts(), ("eval", "train"), scale=1),
            False,
        ),
        (
            _missing(MISMATCH, MODES, scale=1),
            _missing(examples.facts(), MODES, scale=1, shift=1),
            False,
        ),
        (_missing(MISMATCH, MODES, scale=1), _missing(examples.facts(), MODES, scale=2), True),
        (_missing(MISMATCH, MODES, scale=1), _missing(examples.facts(), ("eval",), scale=1), True),
    ],
)
def test_a_trial_that_makes_a_mode_worse_is_no_proof(
    before: Facts, after: Facts, helps: bool
) -> None:
    trials = Trials({}, after)
    report = with_advice({"units": 64}, before, report_of(before), trials)
    assert trials.asked[0] == {"units": 128}
    advised = {advice.text for group in report.groups for advice in group.advice}
    assert advised == ({"set units to 128 in the params: then the shapes fit"} if helps else set())


def test_a_trial_that_cannot_be_made_is_no_proof() -> None:
    trials = Trials({}, None)
    report = with_advice({"units": 64}, MISMATCH, report_of(MISMATCH), trials)
    assert trials.asked
    assert report == report_of(MISMATCH)


def test_params_that_no_size_follows_from_are_not_tried() -> None:
    trials = Trials({}, MISMATCH)
    with_advice({"depth": 3, "rate": 0.5, "name": "x"}, MISMATCH, report_of(MISMATCH), trials)
    assert trials.asked == []


EMPTY = examples.facts(
    stored={"dense/kernel": ((1, 128), "float32"), "global_step": ((), "int64")},
    reads=tuple(
        dataclasses.replace(read, shape=(1, 0)) if read.key == "dense/kernel" else read
        for read in examples.READS
    ),
)


def test_a_dimension_of_zero_is_no_multiple() -> None:
    trials = Trials({}, EMPTY)
    report = with_advice({"units": 64}, EMPTY, report_of(EMPTY), trials)
    assert report.groups[0].advice == ()
    assert trials.asked == []


def test_a_key_with_a_dot_beside_a_number() -> None:
    """A read of ``params["a.b"]`` looks like a read of ``params["a"]["b"]``."""
    reads = ParamsUse((ParamRead("a.b", False, 64, True),))
    traces = tuple(dataclasses.replace(item, seen=Observed(reads)) for item in MISMATCH.traces)
    assert MISMATCH.trace is not None
    facts = dataclasses.replace(MISMATCH, trace=dataclasses.replace(MISMATCH.trace, modes=traces))
    trials = Trials({}, facts)
    with_advice({"a": 3}, facts, report_of(facts), trials)
    assert trials.asked == []


RECORDED = {"units": 128, "depth": 3, "layers": [2, 4], "rate": 0.1}


def recorded(facts: Facts, **values: Any) -> Facts:
    """Returns the same facts with a record of the training run."""
    return dataclasses.replace(facts, record=examples.with_record(values=values).record)


def test_a_record_has_the_value_of_a_param_of_any_kind() -> None:
    facts = recorded(MISMATCH, **RECORDED)
    trials = Trials({**RECORDED}, MISMATCH)
    given = {**RECORDED, "layers": [2, 5]}
    (advice,) = with_advice(given, facts, report_of(facts), trials).groups[0].advice
    assert advice.text == "set layers to [2, 4] in the params: then all modes restore"
    assert advice.set == {"layers": [2, 4]}


def test_several_params_of_a_record_are_tried_together() -> None:
    facts = recorded(MISMATCH, **RECORDED)
    trials = Trials({**RECORDED}, MISMATCH)
    given = {**RECORDED, "units": 64, "depth": 2}
    (advice,) = with_advice(given, facts, report_of(facts), trials).groups[0].advice
    assert advice.set == {"units": 128, "depth": 3}
    assert advice.text.startswith("set units to 128 and depth to 3 in the params: then")
    assert trials.asked[0] == {**given, "units": 128}, "what sets the size comes first"


def test_no_other_value_than_that_of_a_record_is_tried() -> None:
    facts = recorded(MISMATCH, units=64)
    trials = Trials({"units": 128}, MISMATCH)
    with_advice({"units": 64}, facts, report_of(facts), trials)
    assert trials.asked == []


def drifted(now: int) -> Facts:
    """Returns facts about a model whose heads had 8 units and have ``now`` units now."""
    facts = examples.with_params({"heads": 4}, ParamRead("heads", True))
    then, text = {"value": 8}, f"units of a head: 8 -> {now}"
    change = Change("constant-changed", text, then, {"value": now}, MODES)
    return dataclasses.replace(facts, drift=Drift((change,), dict.fromkeys(MODES, "changed")))


def test_another_change_is_no_proof() -> None:
    """16 units are 4 heads of 4; 8 heads would have 2 each."""
    trials = Trials({}, drifted(2))
    report = with_advice({"heads": 4}, drifted(4), report_of(drifted(4)), trials)
    assert trials.asked == [{"heads": 8}]
    assert [group.advice for group in report.groups] == [()]


def _unlike(facts: Facts) -> Facts:
    """Returns the same facts, with PREDICT not compared."""
    states = {**facts.drift.states, "predict": "unknown"}
    return dataclasses.replace(facts, drift=dataclasses.replace(facts.drift, states=states))


def _same(*unknown: str) -> Facts:
    """Returns facts about a model without drift. Some modes could not be compared."""
    states = {mode: "unknown" if mode in unknown else "none" for mode in MODES}
    return dataclasses.replace(drifted(2), drift=Drift((), states))


@pytest.mark.parametrize(
    ("unknown", "helps"),
    [((), True), (("predict",), True), (("eval",), True), (("train",), False), (MODES, False)],
)
def test_a_mode_that_was_never_compared_does_not_hide_a_fix(
    unknown: Tuple[str, ...], helps: bool
) -> None:
    facts = _unlike(drifted(4))
    trials = Trials({}, _same(*unknown))
    report = with_advice({"heads": 4}, facts, report_of(facts), trials)
    assert trials.asked == [{"heads": 8}]
    assert [bool(group.advice) for group in report.groups] == [helps]


def test_the_arguments_of_a_factory_are_causes_although_nothing_watches_their_reads() -> None:
    facts = dataclasses.replace(drifted(4), trace=examples.facts().trace)
    trials = Trials({}, _same())
    report = with_advice({"head": {"units": 4}, "x": 1}, facts, report_of(facts), trials)
    (advice,) = report.groups[0].advice
    assert advice.set == {"head.units": 8}


def test_params_that_nobody_reads_are_not_tried() -> None:
    reads = examples.with_params({"width": 64}, ParamRead("depth", True))
    for facts in (dataclasses.replace(MISMATCH, trace=reads.trace), drifted(64)):
        facts = dataclasses.replace(facts, trace=reads.trace)
        trials = Trials({"width": 128, "depth": 3}, MISMATCH)
        with_advice({"width": 64, "depth": 3}, facts, report_of(facts), trials)
        assert trials.asked == []


@pytest.mark.parametrize(
    ("then", "now", "value", "wanted"),
    [
        (0.1, 0.3, [0.5, 0.3], [0.5, 0.1]),
        (0.1, 0.3, [0.3, 0.3], [0.1, 0.1]),
        ([18, 30], [18, 35], [18, 35], [18, 30]),
        ("relu", "leaky relu", "leaky_relu", "relu"),
        ("leaky relu", "relu", "relu", "leaky_relu"),
        ("a", "b", True, False),
    ],
)
def test_lists_words_and_switches_may_be_the_cause(
    then: Any, now: Any, value: Any, wanted: Any
) -> None:
    facts = examples.with_params({"param": value, "other": "x"}, ParamRead("param", True))
    change = Change("constant-changed", f"{then} -> {now}", {"value": then}, {"value": now}, MODES)
    facts = dataclasses.replace(facts, drift=Drift((change,), dict.fromkeys(MODES, "changed")))
    tried: List[Mapping[str, Any]] = []

    def trial(params: Mapping[str, Any]) -> Report:
        tried.append(params)
        return report_of(_same() if params["param"] == wanted else facts)

    report = with_advice({"param": value, "other": "x"}, facts, report_of(facts), trial)
    assert [advice.set for group in report.groups for advice in group.advice] == [{"param": wanted}]
    assert len(tried) <= 3


def test_the_items_of_a_list_of_sizes_are_tried_one_by_one_and_together() -> None:
    good = {"hidden_units": [64, 128]}
    trials = Trials(good, MISMATCH)
    report = with_advice({"hidden_units": [64, 64]}, MISMATCH, report_of(MISMATCH), trials)
    assert [advice.set for group in report.groups for advice in group.advice] == [good]
    assert trials.asked == [{"hidden_units": units} for units in ([128, 64], [64, 128])]


def _with_changes(now: int, *others: str) -> Facts:
    """Returns the facts of :func:`drifted`, with other changes that no number of a param shows."""
    facts = drifted(now)
    more = tuple(
        Change("op-changed", text, {"op": "a"}, {"op": "b"}, MODES, (text,), (text,))
        for text in others
    )
    changes = (*facts.drift.changes, *more)
    return dataclasses.replace(facts, drift=dataclasses.replace(facts.drift, changes=changes))


def test_a_change_that_a_fix_of_another_change_undoes_has_this_fix() -> None:
    before = _with_changes(4, "first", "second", "third")
    after = dataclasses.replace(
        _same(),
        drift=Drift(before.drift.changes[-1:], dict.fromkeys(MODES, "changed")),
    )
    trials = Trials({}, after)
    report = with_advice({"heads": 4}, before, report_of(before), trials)
    assert set(map(str, trials.asked)) == {"{'heads': 8}"}
    advised = {
        group.findings[0].subject: [advice.text for advice in group.advice]
        for group in report.groups
    }
    fix = ["set heads to 8 in the params: then 3 changes are gone"]
    assert advised == {"units of a head: 8 -> 4": fix, "first": fix, "second": fix, "third": []}


def test_a_fix_of_the_shapes_is_no_further_change() -> None:
    facts = dataclasses.replace(drifted(4), index=MISMATCH.index, trace=MISMATCH.trace)
    facts = dataclasses.replace(facts, params={"units": 64, "heads": 4})
    facts = recorded(facts, units=128, heads=4)
    trials = Trials({"units": 128, "heads": 4}, None)
    report = with_advice({"units": 64, "heads": 4}, facts, report_of(facts), trials)
    advised = [advice.text for group in report.groups for advice in group.advice]
    assert sorted(advised) == [
        "set units to 128 in the params: then all modes restore",
        "set units to 128 in the params: then the change is gone",
    ]


def test_a_size_that_did_not_change_is_no_cause() -> None:
    params = {"batch": 2, "depth": 2, "heads": 4, "width": 2, "layers": 2}
    facts = examples.with_params(params, *(ParamRead(key, True) for key in params))
    then, now = {"value": [2, 16, 2, 4]}, {"value": [2, 16, 4, 2]}
    change = Change("constant-changed", "shape of reshape", then, now, MODES)
    other = Change("constant-changed", "units", {"value": 2}, {"value": 4}, MODES)
    drift = Drift((change, other), dict.fromkeys(MODES, "changed"))
    facts = dataclasses.replace(facts, drift=drift)
    trials = Trials({}, _same())
    report = with_advice(params, facts, report_of(facts), trials)
    assert trials.asked == [{**params, "heads": 2}], "it may explain both changes"
    (text,) = {advice.text for group in report.groups for advice in group.advice}
    assert text == "set heads to 2 in the params: then 2 changes are gone"


def _with_numbers(params: Dict[str, Any], *values: float) -> Facts:
    """Facts with a change to each value from 0.99."""
    facts = examples.with_params(params, *(ParamRead(key, True) for key in params))
    changes = tuple(
        Change("constant-changed", f"constant {value}", {"value": 0.99}, {"value": value}, MODES)
        for value in values
    )
    return dataclasses.replace(facts, drift=Drift(changes, dict.fromkeys(MODES, "changed")))


def test_after_some_trials_in_vain_only_the_best_guess_for_each_change_is_tried() -> None:
    params = {f"{name}{number}": number / 10 for number in (1, 2, 3, 4) for name in "abcd"}
    facts = _with_numbers(params, 0.1, 0.2, 0.3, 0.4)
    trials = Trials({}, facts)
    with_advice(params, facts, report_of(facts), trials)
    tried = [key for asked in trials.asked for key in asked if asked[key] != params[key]]
    assert tried == ["a1", "b1", "c1", "d1", "a2", "b2", "a3", "a4"]


def test_after_twenty_trials_in_vain_no_guess_is_tried() -> None:
    params = {f"rate{number}": number / 100 for number in range(1, 40)}
    facts = _with_numbers(params, *params.values())
    trials = Trials({}, facts)
    with_advice(params, facts, report_of(facts), trials)
    assert len(trials.asked) == 20


def test_an_attempt_is_made_once() -> None:
    params = {"k": 4, "j": 4, "m": 4}
    facts = examples.with_params(params, *(ParamRead(key, True) for key in params))
    change = Change("constant-changed", "shape", {"value": [8, 8]}, {"value": [4, 4]}, MODES)
    facts = dataclasses.replace(facts, drift=Drift((change,), dict.fromkeys(MODES, "changed")))
    trials = Trials({}, facts)
    with_advice(params, facts, report_of(facts), trials)
    assert trials.asked == [{**params, key: 8} for key in ("k", "j", "m")]


def test_a_switch_is_tried_after_numbers_in_vain() -> None:
    params: Dict[str, Any] = {
        f"{name}{number}": number / 10 for number in (1, 2) for name in "abcd"
    }
    params["on"] = False
    facts = _with_numbers(params, 0.1, 0.2)

    def trial(tried: Mapping[str, Any]) -> Report:
        return report_of(_same() if tried["on"] else facts)

    report = with_advice(params, facts, report_of(facts), trial)
    texts = {advice.text for group in report.groups for advice in group.advice}
    assert texts == {"set on to true in the params: then 2 changes are gone"}


def test_a_recorded_param_with_the_value_of_a_change_is_tried_before_others() -> None:
    now = {"seed": 2, "rounds": 20, "alpha": 7.5, "scale": 8.5, "dropout": 0.5}
    then = {"seed": 1, "rounds": 10, "alpha": 0.99, "scale": 0.99, "dropout": 0.99}
    facts = recorded(_with_numbers(now, 7.5, 8.5, 0.5), **then)

    def trial(tried: Mapping[str, Any]) -> Report:
        values = [7.5, 8.5, *([] if tried["dropout"] == 0.99 else [0.5])]
        return report_of(_with_numbers(now, *values))

    report = with_advice(now, facts, report_of(facts), trial)
    texts = [advice.text for group in report.groups for advice in group.advice]
    assert texts == ["set dropout to 0.99 in the params: then the change is gone"]
