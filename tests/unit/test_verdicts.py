"""The verdict of a mode is the worst that any finding does to it."""

import itertools
from typing import Dict, Optional, Tuple

import pytest

from ckptcheck.rules import examples as made
from ckptcheck.spec import MODES, Failure, Finding, Outcome, Verdict
from ckptcheck.verdicts import verdicts

RESTORES = Outcome("restores")
SILENT = Outcome("silent")
AT_RUN = Outcome("fails", "run")
AT_RESTORE = Outcome("fails", "restore")
UNTRACEABLE = Outcome("untraceable")
FROM_MILD_TO_BAD = [RESTORES, SILENT, AT_RUN, AT_RESTORE, UNTRACEABLE]


def finding(outcomes: Dict[str, Outcome], severity: str = "error") -> Finding:
    return Finding("a-rule", severity, "message", MODES, outcomes)


def predict(*outcomes: Outcome) -> Tuple[str, str]:
    (verdict,) = verdicts(("predict",), [finding({"predict": o}) for o in outcomes], None)
    return verdict.verdict, verdict.at


def test_nothing_found_restores() -> None:
    assert verdicts(MODES, [], None) == tuple(Verdict(mode, "restores") for mode in MODES)


@pytest.mark.parametrize(
    ("mild", "bad"),
    list(itertools.combinations(FROM_MILD_TO_BAD, 2)),
    ids=lambda o: o.verdict + o.at,
)
def test_the_worst_outcome_wins_in_any_order(mild: Outcome, bad: Outcome) -> None:
    """A restore that raises never comes to the run; a model that cannot be built, to neither."""
    assert predict(mild, bad) == (bad.verdict, bad.at)
    assert predict(bad, mild) == (bad.verdict, bad.at)


def test_each_mode_has_its_own_verdict() -> None:
    found = [finding({"predict": SILENT}), finding({"train": AT_RESTORE, "predict": SILENT})]
    assert verdicts(MODES, found, None) == (
        Verdict("predict", "silent"),
        Verdict("eval", "restores"),
        Verdict("train", "fails", "restore"),
    )


def test_modes_that_are_not_checked_have_no_verdict() -> None:
    assert verdicts(("eval",), [finding({"train": AT_RESTORE})], None) == (
        Verdict("eval", "restores"),
    )


@pytest.mark.parametrize("severity", ["note", "warning"])
def test_a_finding_without_outcomes_changes_nothing(severity: str) -> None:
    assert predict() == ("restores", "")
    (verdict,) = verdicts(("predict",), [finding({}, severity)], None)
    assert verdict.verdict == "restores"


def test_reads_are_counted_where_there_is_a_plan() -> None:
    trace = made.facts().trace
    assert [verdict.reads for verdict in verdicts(MODES, [], trace)] == [2, 2, 2]
    failed: Optional[object] = made.failed(Failure("raised", "ValueError", "no")).trace
    assert [verdict.reads for verdict in verdicts(MODES, [], failed)] == [0, 0, 0]  # type: ignore[arg-type]
