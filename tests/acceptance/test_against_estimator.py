"""For every case and mode, ckptcheck must predict what the real Estimator does."""

import json
import re
from typing import Any, Dict, List, Optional, Set

import pytest

from .all_cases import CASES
from .cases import Case
from .daily import is_daily
from .hard_cases import NAMEDTUPLE, UNKNOWABLE
from .harness import Check, Checker, Oracle, ask_estimator, prepare, verdict_text

MARKED = [
    pytest.param(case, id=case.id, marks=() if is_daily(case) else pytest.mark.nightly)
    for case in CASES
]


def _wrong_variables(answer: Dict[str, Any]) -> List[Set[str]]:
    """Return the variables with wrong values, each with all names that a finding may use."""
    wrong = [{m["variable"], m["key"]} for m in answer["mismatches"]]
    missing = re.search(r"Key (\S+) not found in checkpoint", answer["error"] or "")
    if missing:
        wrong.append({missing.group(1)})
    return wrong


def _agree(case: Case, truth: str, said: Optional[str]) -> bool:
    """Whether ckptcheck predicted what happened. Data-dependent verdicts count as equal."""
    if case.data_decides and truth in ("silent", "fails at run"):
        return said in ("silent", "fails at run")
    return truth == said


def _unnamed(answer: Dict[str, Any], findings: List[str]) -> List[List[str]]:
    """The wrong variables that no finding mentions."""
    wrong = _wrong_variables(answer)
    return [sorted(names) for names in wrong if not any(n in f for n in names for f in findings)]


def _disagreements(case: Case, check: Check, modes: Dict[str, Dict[str, Any]]) -> List[str]:
    """Return the differences between ckptcheck's report and what happened."""
    lines = []
    for mode in case.modes:
        truth, said = verdict_text(modes[mode]), check.verdict(mode)
        if not _agree(case, truth, said):
            lines.append(f"{mode}: TensorFlow: {truth}; ckptcheck: {said}")
        elif truth != "restores":
            unnamed = _unnamed(modes[mode], check.findings(mode))
            if unnamed:
                lines.append(f"{mode}: no finding names {unnamed}")
    return lines


def test_what_cannot_be_known_is_asked(oracle: Oracle, checker: Checker, tmp_path: Any) -> None:
    check = Check(UNKNOWABLE, prepare(UNKNOWABLE, str(tmp_path), oracle), checker)
    assert check.code == 2, check.describe()
    message, _, template = check.message.partition("{")
    assert "keys of its features" in message
    asked = json.loads("{" + template)
    assert set(asked) == {"features", "labels"}


def test_a_namedtuple_is_asked_for(oracle: Oracle, checker: Checker, tmp_path: Any) -> None:
    workspace = prepare(NAMEDTUPLE, str(tmp_path), oracle)
    check = Check(NAMEDTUPLE, workspace, checker)
    assert check.code == 2, check.describe()
    assert "the model_fn reads features.x like a field of a namedtuple" in check.message
    modes = ask_estimator(NAMEDTUPLE, workspace, oracle)
    assert {modes[mode]["verdict"] for mode in NAMEDTUPLE.modes} == {"restores"}


@pytest.mark.parametrize("case", MARKED)
def test_verdicts(case: Case, oracle: Oracle, checker: Checker, tmp_path: Any) -> None:
    if case.major not in (None, oracle.major):
        pytest.skip(f"needs TensorFlow {case.major}")
    workspace = prepare(case, str(tmp_path), oracle)
    # ckptcheck runs first, because TRAIN may delete a checkpoint in another directory.
    check = Check(case, workspace, checker)
    modes = ask_estimator(case, workspace, oracle)
    problems = _disagreements(case, check, modes)
    if any(modes[mode]["verdict"] != "restores" for mode in case.modes) and check.code == 0:
        problems.append("exit code 0, although not every mode restores")
    if len(check.kinds) > 1:
        problems.append(f"inspect and the check read different kinds of variables: {check.kinds}")
    truth = json.dumps(modes, indent=1)
    assert not problems, "\n".join([*problems, "", truth, "", check.describe()])
