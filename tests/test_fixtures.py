"""Checks every unchanged fixture with the installed TensorFlow: no finding, and the known plan.

The plans in ``tests/plans`` were made with TensorFlow 1.15.5 and 2.15.1 (``python -m
tests.test_fixtures`` writes them again). Newer versions of TensorFlow, without tf.estimator, must
lead to the plans of 2.15.1.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.support import FIXTURES, MAJOR, SAVED_BY, needs_tensorflow, run_cli

PLANS = Path(__file__).parent / "plans"

ARGUMENTS: Dict[str, List[str]] = {
    "linear": ["model:model_fn", "params.json"],
    "hidden_dropout": ["model:model_fn", "params.json"],
    "feature_columns": ["model:model_fn", "params.json"],
    "batch_norm": ["model:model_fn", "params.json"],
    "ema": ["model:model_fn", "params.json"],
    "partitioned": ["model:model_fn", "params.json"],
    "keras_model": ["model:model_fn", "params.json"],
    "factory": ["model:model_fn_builder", "params.json"],
    "attr_params": ["model:model_fn", "params.json", "--params-type", "model:Params"],
    "flags": ["model:model_fn", "--", "--hidden_units=48"],
    "sparse_input": ["model:model_fn", "params.json"],
    "raw_tensors": ["model:model_fn", "params.json"],
}
"""The arguments after MODEL_DIR, by fixture."""

COMPAT = ("linear", "hidden_dropout", "batch_norm", "ema")
"""Fixtures that are written for tensorflow.compat.v1 too."""


def report_of(name: str, arguments: List[str], folder: Path) -> Dict[str, Any]:
    """The JSON report of a fixture's copy."""
    copy = folder / name
    shutil.copytree(str(FIXTURES / name), str(copy))
    run = run_cli("--format", "json", "--show-plan", SAVED_BY, *arguments, cwd=copy, warm=True)
    assert run.code == 0, run
    return run.json


def summary(report: Dict[str, Any]) -> Dict[str, Any]:
    """Returns the parts of a report that must stay the same: features, labels, and plans."""
    return {
        "features": report["features"]["spec"],
        "labels": report["features"]["labels"],
        "plans": report["plans"],
    }


def plan_file(name: str) -> Path:
    """Where the known plan of a fixture is."""
    return PLANS / f"tf{MAJOR}" / f"{name}.json"


@needs_tensorflow
@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_unchanged_fixture_restores_without_alarm(name: str, tmp_path: Path) -> None:
    report = report_of(name, ARGUMENTS[name], tmp_path)
    assert {mode: found["verdict"] for mode, found in report["modes"].items()} == {
        "predict": "restores",
        "eval": "restores",
        "train": "restores",
    }
    assert [f for f in report["findings"] if f["severity"] != "note"] == []
    known = json.loads(plan_file(name).read_text("utf-8"))
    assert summary(report) == known


@needs_tensorflow
@pytest.mark.parametrize("name", COMPAT)
def test_code_for_compat_v1_has_the_same_plan(name: str, tmp_path: Path) -> None:
    """The plan does not depend on whether ckptcheck replaces the names of TensorFlow."""
    report = report_of(name, ["model_compat:model_fn", "params.json"], tmp_path)
    assert summary(report) == json.loads(plan_file(name).read_text("utf-8"))
    if MAJOR >= 2:
        assert not [s for s in report["environment"]["stand_ins"] if s.startswith("tensorflow:")]


def test_every_fixture_is_tested() -> None:
    folders = {path.parent.name for path in FIXTURES.glob("*/model.py")}
    assert folders == set(ARGUMENTS)


def write_plans() -> None:
    """Writes the known plans with the installed TensorFlow."""
    import tempfile

    for name, arguments in ARGUMENTS.items():
        with tempfile.TemporaryDirectory() as folder:
            known = summary(report_of(name, arguments, Path(folder)))
        plan_file(name).parent.mkdir(parents=True, exist_ok=True)
        plan_file(name).write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    write_plans()
