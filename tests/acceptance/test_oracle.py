"""Tests of the oracle alone, on cases with known verdicts."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from .all_cases import CASES
from .cases import Case
from .harness import HERE, Oracle, ask_estimator, prepare, verdict_text

EXPECTED = [case for case in CASES if case.expect]


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case.id)
def test_known_outcome(case: Case, oracle: Oracle, tmp_path: Any) -> None:
    workspace = prepare(case, str(tmp_path), oracle)
    modes = ask_estimator(case, workspace, oracle)
    found = " / ".join(verdict_text(modes[mode]) for mode in ("predict", "eval", "train"))
    assert found == case.expect[oracle.major], json.dumps(modes, indent=1)


def test_the_model_dir_is_left_alone(oracle: Oracle, tmp_path: Any) -> None:
    case = CASES[0]
    workspace = prepare(case, str(tmp_path), oracle)
    before = {name: _content(workspace.model_dir, name) for name in os.listdir(workspace.model_dir)}
    ask_estimator(case, workspace, oracle)
    after = {name: _content(workspace.model_dir, name) for name in os.listdir(workspace.model_dir)}
    assert after == before


def _content(folder: str, name: str) -> bytes:
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def test_needs_nothing_of_ckptcheck() -> None:
    with open(os.path.join(HERE, "estimator_oracle.py")) as f:
        lines = f.read().splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports
    assert not [line for line in imports if "ckptcheck" in line]


def test_a_dead_oracle_is_an_error_and_no_verdict(oracle: Oracle, tmp_path: Any) -> None:
    case = Case("dead", "linear", (_die_in_model_fn,))
    workspace = prepare(case, str(tmp_path), oracle)
    with pytest.raises(RuntimeError, match="the oracle itself failed"):
        ask_estimator(case, workspace, oracle)


def _die_in_model_fn(workspace: Any) -> None:
    with open(workspace.path("model.py"), "a") as f:
        f.write("\nimport os\nos._exit(3)\n")


def test_one_request_without_a_server(oracle: Oracle, tmp_path: Any) -> None:
    """The file can be run by hand, to look into one case."""
    case = CASES[0]
    workspace = prepare(case, str(tmp_path), oracle)
    ask_estimator(case, workspace, oracle)
    for name in os.listdir(workspace.scratch):
        if not name.endswith("-request.json"):
            _remove(os.path.join(workspace.scratch, name))
    script = os.path.join(HERE, "estimator_oracle.py")
    request = os.path.join(workspace.scratch, "judge-request.json")
    subprocess.run(
        [sys.executable, script, request],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(os.path.join(workspace.scratch, "judge-answer.json")) as f:
        assert {mode["verdict"] for mode in json.load(f)["modes"].values()} == {"restores"}


def _remove(path: str) -> None:
    if os.path.isdir(path):
        for name in os.listdir(path):
            _remove(os.path.join(path, name))
        os.rmdir(path)
    else:
        os.remove(path)
