"""Tests of the score: missed edits, missing words and false alarms."""

from typing import Any, Dict, List, Sequence

import pytest

from .entries import MODES, TRAINED, Edit, Told
from .scoring import problems, says

RATE = Edit("rate", "learning rate", modes=TRAINED, told=(Told("0.1", "0.2"),))
RENAMED = Edit("renamed", "renamed Python")
IN_PREDICT = Edit("post", "predict only", modes=("predict",), comparable=False)


def _finding(then: Any, now: Any, modes: Sequence[str] = TRAINED) -> Dict[str, Any]:
    sides = {"then": then, "now": now}
    return {"category": "drift", "message": "differs", "modes": list(modes), **sides}


def _report(*findings: Dict[str, Any], **drift: str) -> Dict[str, Any]:
    """Returns a report in which all modes restore. The drift of a mode is ``none`` by default."""
    modes = {mode: {"verdict": "restores", "drift": drift.get(mode, "none")} for mode in MODES}
    return {"modes": modes, "findings": list(findings)}


def _kinds(edit: Edit, report: Dict[str, Any]) -> List[str]:
    return [problem.partition(":")[0] for problem in problems(edit, report)]


TOLD = _finding({"value": 0.1}, {"value": 0.2})


@pytest.mark.parametrize(
    ("edit", "report", "expected"),
    [
        (RATE, _report(TOLD, train="changed"), []),
        (RATE, _report(), ["missed"]),
        (RATE, _report(train="unknown"), ["unknown"]),
        (RATE, _report(predict="unknown"), ["missed"]),
        (RATE, _report(_finding({"value": 0.1}, {"op": "Mul"}), train="changed"), ["untold"]),
        (RATE, _report(TOLD, train="changed", eval="changed"), ["modes"]),
        (
            RATE,
            _report(_finding({"value": 1}, {"value": 1}), predict="changed"),
            ["modes", "untold"],
        ),
        (RENAMED, _report(), []),
        (RENAMED, _report(predict="unknown"), []),
        (RENAMED, _report(TOLD, train="changed"), ["false alarm"]),
        (RENAMED, _report(eval="changed"), ["false alarm"]),
        (IN_PREDICT, _report(predict="unknown"), []),
        (IN_PREDICT, _report(), ["undecided"]),
        (IN_PREDICT, _report(TOLD, predict="unknown"), ["false alarm"]),
    ],
)
def test_problems(edit: Edit, report: Dict[str, Any], expected: List[str]) -> None:
    assert _kinds(edit, report) == expected


def test_a_restore_that_fails_is_a_problem() -> None:
    report = _report()
    report["modes"]["eval"]["verdict"] = "fails"
    assert _kinds(RENAMED, report) == ["verdict"]


@pytest.mark.parametrize(
    ("side", "words", "expected"),
    [
        ({"op": "Relu"}, "relu", True),
        ({"op": "Relu"}, "tanh|relu", True),
        ({"op": "Relu"}, "tanh", False),
        ({"value": 0.30000001}, "0.3", True),
        ({"value": [2, 8]}, "8", True),
        ({"value": 0.3}, "3", False),
        ({"text": "dropout rate 0.3"}, "0.3", True),
        ({"value": 1e-06}, "0.000001", True),
        (None, "relu", False),
        (None, "", True),
    ],
)
def test_says(side: Any, words: str, expected: bool) -> None:
    assert says(side, words) is expected
