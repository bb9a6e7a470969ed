"""The verdict of a mode is the worst outcome of its findings."""

import itertools
from typing import Dict, List, Optional, Sequence, Tuple

import pytest

from ckptcheck.protocol import MODES, Failure, FailureKind
from ckptcheck.results import Finding, Outcome, Restores, Trace
from ckptcheck.rules import examples as made
from ckptcheck.verdicts import verdicts

SILENT = Outcome.SILENTLY_WRONG
AT_RESTORE = Outcome.FAILS_AT_RESTORE
UNTRACEABLE = Outcome.UNTRACEABLE


def finding(outcomes: Dict[str, Outcome], severity: str = "error") -> Finding:
    return Finding("a-rule", severity, "message", MODES, outcomes)


TRACED = made.facts().trace
FAILED = made.failed(Failure(FailureKind.RAISED, "", "")).trace


def said(modes: Sequence[str], findings: Sequence[Finding]) -> List[Tuple[str, str, str]]:
    """The verdicts of a model that was traced in every mode."""
    return [(v.mode, v.verdict, v.at) for v in verdicts(modes, findings, TRACED)]


def predict(*outcomes: Outcome) -> Tuple[str, str]:
    (verdict,) = verdicts(("predict",), [finding({"predict": o}) for o in outcomes], TRACED)
    return verdict.verdict, verdict.at


def test_nothing_found_restores() -> None:
    assert said(MODES, []) == [(mode, "restores", "") for mode in MODES]


@pytest.mark.parametrize("trace", [None, FAILED], ids=["not traced", "no plan"])
def test_nothing_restores_without_a_plan(trace: Optional[Trace]) -> None:
    with pytest.raises(ValueError, match="predict has no restore plan"):
        verdicts(MODES, [], trace)


def test_a_plan_that_is_missing_cannot_restore() -> None:
    """Only a finished plan leads to the verdict ``restores``. No outcome means ``restores``."""
    assert all(outcome.verdict != "restores" for outcome in Outcome)
    with pytest.raises(TypeError):
        Restores()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Restores(mode="predict")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("mild", "bad"),
    list(itertools.combinations(Outcome, 2)),
    ids=lambda o: o.name,
)
def test_the_worst_outcome_wins_in_any_order(mild: Outcome, bad: Outcome) -> None:
    """If the restore raises, there is no run.

    If the model cannot be built, there is no restore. If an error comes before the call of
    model_fn, model_fn does not run.
    """
    assert predict(mild, bad) == (bad.verdict, bad.at)
    assert predict(bad, mild) == (bad.verdict, bad.at)


def test_each_mode_has_its_own_verdict() -> None:
    found = [finding({"predict": SILENT}), finding({"train": AT_RESTORE, "predict": SILENT})]
    assert said(MODES, found) == [
        ("predict", "silent", ""),
        ("eval", "restores", ""),
        ("train", "fails", "restore"),
    ]


def test_modes_that_are_not_checked_have_no_verdict() -> None:
    assert said(("eval",), [finding({"train": AT_RESTORE})]) == [("eval", "restores", "")]


@pytest.mark.parametrize("severity", ["note", "warning"])
def test_a_finding_without_outcomes_changes_nothing(severity: str) -> None:
    assert predict() == ("restores", "")
    assert said(("predict",), [finding({}, severity)]) == [("predict", "restores", "")]


def test_reads_are_counted_where_there_is_a_plan() -> None:
    assert [verdict.reads for verdict in verdicts(MODES, [], TRACED)] == [2, 2, 2]
    failing = [finding(dict.fromkeys(MODES, UNTRACEABLE))]
    assert [verdict.reads for verdict in verdicts(MODES, failing, FAILED)] == [0, 0, 0]
