"""Drift, end to end: code of a fixture that was edited after the real Estimator trained it."""

import shutil
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from tests.support import FIXTURES, SAVED_BY, needs_estimator, run_cli

pytestmark = needs_estimator

ALL, TRAIN = ["eval", "predict", "train"], ["train"]
RATE = 'rate=params.get("dropout_rate", 0.2)'
MINIMIZE = "optimizer.minimize(loss, global_step=tf.train.get_global_step())"
LOSS = "tf.losses.mean_squared_error(labels, predictions)"

EDITS: Dict[str, Tuple[str, str, str, List[str]]] = {
    "activation": ("tf.nn.relu", "tf.nn.tanh", "activation after dense: relu -> tanh", ALL),
    "no activation": (
        ", activation=tf.nn.relu",
        "",
        "activation after dense: relu -> none",
        ALL,
    ),
    "dropout": (RATE, "rate=0.1", "dropout rate after dense: 0.3 -> 0.1 (TRAIN only)", TRAIN),
    "learning rate": (
        'params.get("learning_rate", 0.001)',
        "0.01",
        "learning rate: 0.001 -> 0.01 (TRAIN only)",
        TRAIN,
    ),
    "optimizer constant": (
        'params.get("learning_rate", 0.001)',
        "0.001, beta1=0.8",
        "Adam beta1: 0.9 -> 0.8 (TRAIN only)",
        TRAIN,
    ),
    "regularization": (
        LOSS,
        LOSS + " + 0.01 * tf.nn.l2_loss(tf.trainable_variables()[0])",
        "loss: + L2 (0.01) of dense/kernel",
        ["eval", "train"],
    ),
}


def check(folder: Path, old: str = "", new: str = "") -> Dict[str, Any]:
    """The report of a check of hidden_dropout, in whose code one text was replaced."""
    copy = folder / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    assert old in code
    (copy / "model.py").write_text(code.replace(old, new) if old else code, "utf-8")
    arguments = (SAVED_BY, "model:model_fn", "params.json")
    run = run_cli("--format", "json", "--show-drift", *arguments, cwd=copy, warm=True)
    assert run.code == 0, run
    return run.json


def drift_of(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [finding for finding in report["findings"] if finding["category"] == "drift"]


def test_unchanged_code_has_no_drift(tmp_path: Path) -> None:
    report = check(tmp_path)
    assert drift_of(report) == report["drift"] == []
    assert {mode["drift"] for mode in report["modes"].values()} == {"none"}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told(name: str, tmp_path: Path) -> None:
    old, new, what, modes = EDITS[name]
    report = check(tmp_path, old, new)
    (finding,) = drift_of(report)
    assert finding["data"]["what"] == what
    assert finding["modes"] == modes
    assert finding["severity"] == ("note" if modes == TRAIN else "warning")
    drifted = [mode for mode, said in report["modes"].items() if said["drift"] == "changed"]
    assert sorted(drifted) == modes
    assert {said["verdict"] for said in report["modes"].values()} == {"restores"}


INNOCENT = {
    "identity": (
        "predictions = tf.layers.dense(hidden, 1)",
        "hidden = tf.identity(hidden)\n    predictions = tf.layers.dense(hidden, 1)",
    ),
    "summary": ("    optimizer =", '    tf.summary.scalar("again", loss)\n    optimizer ='),
    "assertion": (
        "    optimizer =",
        "    with tf.control_dependencies([tf.debugging.assert_greater_equal(loss, 0.0)]):\n"
        "        loss = tf.identity(loss)\n    optimizer =",
    ),
    "scope": ("    loss =", '    with tf.name_scope("other"):\n        loss ='),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_edit_is_not_reported(name: str, tmp_path: Path) -> None:
    report = check(tmp_path, *INNOCENT[name])
    assert drift_of(report) == []
    assert {mode["drift"] for mode in report["modes"].values()} == {"none"}


def test_two_edits_are_two_findings(tmp_path: Path) -> None:
    dropout = "    hidden = tf.layers.dropout(hidden, " + RATE + ", training=training)\n"
    report = check(tmp_path, ", activation=tf.nn.relu)\n" + dropout, ")\n")
    found = {finding["data"]["what"]: finding["modes"] for finding in drift_of(report)}
    assert found == {
        "activation after dense: relu -> none": ALL,
        "dropout (0.3) removed after dense (TRAIN only)": TRAIN,
    }


def test_text_never_says_alone_that_it_will_restore(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    (copy / "model.py").write_text(code.replace("tf.nn.relu", "tf.nn.tanh"), "utf-8")
    run = run_cli(SAVED_BY, "model:model_fn", "params.json", cwd=copy, warm=True)
    assert "TRAIN    restores, computes something else" in run.out
    assert "will restore. PREDICT, EVAL, TRAIN compute something else" in run.out
    strict = run_cli(
        "--fail-on", "warning", SAVED_BY, "model:model_fn", "params.json", cwd=copy, warm=True
    )
    assert strict.code == 1


def test_the_param_that_explains_a_change_is_named_and_tried(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    (copy / "forgotten.json").write_text('{"num_hidden": 128}', "utf-8")
    arguments = (SAVED_BY, "model:model_fn", "forgotten.json")
    run = run_cli("--format", "json", *arguments, cwd=copy, warm=True)
    (finding,) = drift_of(run.json)
    assert (finding["then"], finding["now"]) == ({"value": 0.3}, {"value": 0.2})
    (group,) = [item for item in run.json["groups"] if finding["key"] in item["keys"]]
    (advice,) = group["advice"]
    assert advice["set"] == {"dropout_rate": 0.3}
    assert advice["verified"]


def test_ops_of_predict_alone_are_not_compared(tmp_path: Path) -> None:
    """The saved graph is that of TRAIN."""
    report = check(tmp_path, 'predictions={"y": predictions}', 'predictions={"y": -predictions}')
    assert drift_of(report) == []
    drift = {mode: item["drift"] for mode, item in report["modes"].items()}
    assert drift == {"predict": "unknown", "eval": "none", "train": "none"}
    assert [line for line in report["not_judged"] if "whether the computation of PREDICT" in line]


def test_a_record_tells_what_predict_computed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(project))
    arguments = (SAVED_BY, "model:model_fn", "params.json")
    assert run_cli("record", *arguments, cwd=project).code == 0
    same = run_cli("--format", "json", *arguments, cwd=project).json
    assert {mode["drift"] for mode in same["modes"].values()} == {"none"}
    code = (project / "model.py").read_text("utf-8")
    edited = code.replace('predictions={"y": predictions}', 'predictions={"y": -predictions}')
    assert edited != code
    (project / "model.py").write_text(edited, "utf-8")
    report = run_cli("--format", "json", *arguments, cwd=project).json
    drift = {mode: item["drift"] for mode, item in report["modes"].items()}
    assert drift == {"predict": "changed", "eval": "none", "train": "none"}
    assert [finding["modes"] for finding in drift_of(report)] == [["predict"]]
