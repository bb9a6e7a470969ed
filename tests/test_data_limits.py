"""The data may decide whether a run after a restore raises. ckptcheck reports which data.

The real Estimator runs each model with data that fits and with data that fails.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from tests.support import PROJECT, environment, needs_estimator, run_cli

pytestmark = needs_estimator

BATCH = "4"
"""The batch size of the real run."""
MODULE = "tests/data_limits/models.py"
DAILY = (
    "lookup",
    "lookup_in_branch",
    "two_lookups",
    "classes",
    "few_positions",
    "gathered_positions",
    "column",
)
NIGHTLY = (
    "lookup_of_one_row",
    "lookup_in_loop",
    "lookup_in_loop_of_one_row",
    "lookup_in_branch_of_one_row",
    "product_in_branch",
    "lookup_of_low_ids",
    "one_class",
    "positions",
    "few_gathered_positions",
    "hashed",
)
NAMES = [*DAILY, *(pytest.param(name, marks=pytest.mark.nightly) for name in NIGHTLY)]

Estimators = Callable[[str], Dict[str, Any]]


@pytest.fixture(scope="module")
def estimator() -> Iterator[Estimators]:
    """Returns what the real Estimator does with a model, and where its checkpoint is."""
    with tempfile.TemporaryDirectory() as root:
        found: Dict[str, Dict[str, Any]] = {}

        def ran(name: str) -> Dict[str, Any]:
            if name not in found:
                done = subprocess.run(
                    [sys.executable, "-m", "tests.data_limits.estimator", root, name],
                    cwd=str(PROJECT),
                    env=environment(),
                    stdout=subprocess.PIPE,
                    check=True,
                    timeout=600,
                )
                said = json.loads(done.stdout.decode("utf-8"))[name]
                found[name] = {**said, "model_dir": f"{root}/{name}"}
            return found[name]

        yield ran


def checked(model: Dict[str, Any], tmp_path: Path, *words: str) -> Any:
    params = tmp_path / "params.json"
    params.write_text(json.dumps(model["params"]))
    target = f"{MODULE}:{model['model_fn']}"
    return run_cli(model["model_dir"], target, params, "-q", *words, cwd=PROJECT, warm=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_limit_is_that_of_the_estimator(
    estimator: Estimators, name: str, tmp_path: Path
) -> None:
    model = estimator(name)
    modes = checked(model, tmp_path, "--format", "json").json["modes"]
    for mode, answer in modes.items():
        limits: List[Dict[str, Any]] = answer.get("fails_where", [])
        if model["fits"][mode]:
            assert answer["verdict"] == "fails", (mode, model["fits"][mode])
            assert answer["at"] == "run"
            assert not limits
            continue
        assert answer["verdict"] == "silent", mode
        assert len(limits) == bool(model["fails"][mode]), (mode, limits, model["fails"][mode])
        for limit in limits:
            if limit["kind"] == "value":
                assert limit["least"] is None
                assert limit["message"].replace("?", BATCH) in model["fails"][mode]
                continue
            assert limit["least"] == model["stored"][0] + (limit["kind"] == "length")


def test_the_text_names_the_data(estimator: Estimators, tmp_path: Path) -> None:
    said = " ".join(checked(estimator("two_lookups"), tmp_path).out.split())
    assert (
        "PREDICT, EVAL, TRAIN fail if an id of 4 or more is looked up in words (from "
        "features.word)" in said
    )
    said = " ".join(checked(estimator("classes"), tmp_path).out.split())
    assert "EVAL, TRAIN fail if a label of 5 or more occurs" in said
    said = " ".join(checked(estimator("gathered_positions"), tmp_path).out.split())
    assert "PREDICT, EVAL, TRAIN fail if an input has a length of 41 or more" in said


def test_an_error_that_any_data_raises_is_shown(estimator: Estimators, tmp_path: Path) -> None:
    found = checked(estimator("few_positions"), tmp_path, "--format", "json").json["findings"]
    errors = {finding["data"].get("error", "") for finding in found if "train" in finding["modes"]}
    assert any("var and grad do not have the same shape" in error for error in errors)
    messages = {finding["message"] for finding in found if "predict" in finding["modes"]}
    assert any("if an input has a length of 6 or more" in message for message in messages)
