"""End-to-end tests of drift: the code of a fixture was edited after the training."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

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
    "no global step": (
        MINIMIZE,
        "optimizer.minimize(loss)",
        "update of global_step: addition removed (TRAIN only)",
        TRAIN,
    ),
    "regularization": (
        LOSS,
        LOSS + " + 0.01 * tf.nn.l2_loss(tf.trainable_variables()[0])",
        "loss: + L2 (0.01) of dense/kernel",
        ["eval", "train"],
    ),
    "predictions": (
        "predictions = tf.layers.dense(hidden, 1)",
        "predictions = 2 * tf.layers.dense(hidden, 1)",
        "predictions: + multiply (2)",
        ALL,
    ),
}


LINES = {
    "activation": 8,
    "no activation": None,
    "dropout": 9,
    "learning rate": 16,
    "optimizer constant": 16,
    "no global step": None,
    "regularization": 14,
    "predictions": 10,
}
"""The line that makes the op now."""


def check(folder: Path, old: str = "", new: str = "") -> Dict[str, Any]:
    """Returns the report of a check of hidden_dropout after one replacement in its code."""
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


def test_a_param_that_explains_several_changes_is_told_once(tmp_path: Path) -> None:
    """No param has the learning rate as its value, but it follows from the dropout rate."""
    copy = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    old, new = 'params.get("learning_rate", 0.001)', 'params.get("dropout_rate", 0.2) / 300'
    assert old in code
    (copy / "model.py").write_text(code.replace(old, new), "utf-8")
    arguments = (SAVED_BY, "model:model_fn", "params_without_dropout_rate.json")
    run = run_cli(*arguments, cwd=copy, warm=True)
    assert run.code == 0, run
    before, fix, after = run.out.partition("fix: set dropout_rate to 0.3 in the params")
    assert fix and "[constant-changed]" not in before and "fix:" not in after
    text = after.replace("\n  ", " ")
    assert text.startswith(
        " (without it, model_fn uses 0.2 at model.py:9): then 2 changes are gone"
    )
    assert "note[constant-changed] dropout rate after dense: 0.3 -> 0.2 (TRAIN only)" in text
    assert "note[constant-changed] learning rate: 0.001 -> 0.000" in text


ACTIVATION, UNITS = "activation=tf.nn.relu", 'params.get("num_hidden", 64)'
FIXES = {
    "switch": (ACTIVATION, "activation=[tf.nn.tanh, tf.nn.relu][params['relu']]", "false", "true"),
    "word": (ACTIVATION, "activation=getattr(tf.nn, params['relu'])", "leaky_relu", "relu"),
    "item": (RATE, "rate=params['relu'][1]", "[0.1, 0.2]", "[0.1, 0.3]"),
    "size": (UNITS, "params['relu'][0]", "[64, 2]", "[128, 2]"),
}
"""Code with another param, its value, and the value of the fix."""


@pytest.mark.parametrize("name", FIXES)
def test_the_fix_of_a_switch_a_word_and_a_list(name: str, tmp_path: Path) -> None:
    old, new, value, fix = FIXES[name]
    copy = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    assert old in code
    (copy / "model.py").write_text(code.replace(old, new), "utf-8")
    arguments = (SAVED_BY, "model:model_fn", "params.json", "--set", f"relu={value}")
    run = run_cli(*arguments, cwd=copy, warm=True)
    assert f"fix: set relu to {fix} in the params: then " in run.out, run.out


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
    line = LINES[name]
    assert finding["location"] == (line and {"file": "model.py", "line": line})
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


INPUTS = """
import numpy as np
import tensorflow as tf


def as_trained(mode):
    x = np.zeros([10, 1], np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, x)).batch(10).repeat()


def of_tensors():
    return {"x": tf.ones([4, 1]) * 2.0}, tf.zeros([4, 1])


def of_a_queue():
    x = {"x": np.zeros([10, 1], np.float32)}
    make = tf.compat.v1.estimator.inputs.numpy_input_fn
    return make(x, np.zeros([10, 1], np.float32), shuffle=False)()


def with_another_feature():
    x = tf.ones([4, 1])
    return tf.data.Dataset.from_tensors(({"x": x, "unused": x}, x))
"""
FEATURES = {
    "features": {"x": {"dtype": "float32", "shape": [None, 1]}},
    "labels": {"dtype": "float32", "shape": [None, 1]},
}
GIVEN = {
    "the input_fn as trained": ["--input-fn", "inputs:as_trained"],
    "a queue": ["--input-fn", "inputs:of_a_queue"],
    "a file": ["--features", "features.json"],
}


def check_given(folder: Path, given: Sequence[str], code: str) -> Dict[str, Any]:
    """The report of a check of edited code with features that are given."""
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(folder))
    (folder / "model.py").write_text(code, "utf-8")
    (folder / "inputs.py").write_text(INPUTS, "utf-8")
    (folder / "features.json").write_text(json.dumps(FEATURES), "utf-8")
    arguments = (SAVED_BY, "model:model_fn", "params.json")
    return run_cli("--format", "json", *given, *arguments, cwd=folder, warm=True).json


@pytest.mark.parametrize("name", GIVEN)
def test_features_that_are_given_are_compared(name: str, tmp_path: Path) -> None:
    code = (FIXTURES / "hidden_dropout" / "model.py").read_text("utf-8")
    same = check_given(tmp_path / "same", GIVEN[name], code)
    assert {mode["drift"] for mode in same["modes"].values()} == {"none"}
    assert drift_of(same) == []
    edited = check_given(tmp_path / "edited", GIVEN[name], code.replace("tf.nn.relu", "tf.nn.tanh"))
    (finding,) = drift_of(edited)
    assert finding["data"]["what"] == "activation after dense: relu -> tanh"
    assert finding["modes"] == ALL


@pytest.mark.parametrize(
    "name, why",
    [
        (
            "with_another_feature",
            "the saved graph does not show the tensors of the features that you gave",
        ),
        (
            "of_tensors",
            "the features that you gave have another batch size than those in the saved graph",
        ),
    ],
)
def test_other_features_than_the_saved_ones_are_not_compared(
    name: str, why: str, tmp_path: Path
) -> None:
    code = (FIXTURES / "hidden_dropout" / "model.py").read_text("utf-8")
    report = check_given(tmp_path / "project", ["--input-fn", "inputs:" + name], code)
    assert {mode["drift"] for mode in report["modes"].values()} == {"unknown"}
    assert drift_of(report) == []
    assert [line for line in report["not_judged"] if why in line]


def test_two_edits_are_two_findings(tmp_path: Path) -> None:
    dropout = "    hidden = tf.layers.dropout(hidden, " + RATE + ", training=training)\n"
    report = check(tmp_path, ", activation=tf.nn.relu)\n" + dropout, ")\n")
    found = {finding["data"]["what"]: finding["modes"] for finding in drift_of(report)}
    assert found == {
        "activation after dense: relu -> none": ALL,
        "dropout (0.3) removed after dense (TRAIN only)": TRAIN,
    }


def test_variables_that_train_does_not_restore_make_it_unknown(tmp_path: Path) -> None:
    """TRAIN and EVAL keep initial values, as findings report. PREDICT restores everything."""
    saver = "tf.train.Saver([v for v in tf.global_variables() if 'dense_1' not in v.name])"
    nothing = "tf.constant([], tf.string)"
    scaffold = (
        f"tf.train.Scaffold(saver={saver}, ready_op={nothing}, ready_for_local_init_op={nothing})"
    )
    copy = tmp_path / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    edited = code.replace("train_op=train_op)", f"train_op=train_op, scaffold={scaffold})")
    assert edited != code
    (copy / "model.py").write_text(edited, "utf-8")
    report = run_cli(
        "--format", "json", SAVED_BY, "model:model_fn", "params.json", cwd=copy, warm=True
    ).json
    assert {said["drift"] for said in report["modes"].values()} == {"unknown"}
    assert drift_of(report) == []
    assert any("TRAIN does not restore dense_1/" in line for line in report["not_judged"])
    missed = {f["variable"] for f in report["findings"] if f["rule"] == "uninitialized-variable"}
    assert {"dense_1/bias", "dense_1/kernel"} <= missed


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


CONSTANT = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn():
    identity = tf.SparseTensor([[0, 0], [1, 1]], [1.0, 1.0], [2, 2])
    data = tf.data.Dataset.from_tensors((np.eye(2, dtype="float32"), np.ones([2, 1], "float32")))
    x, y = tf.data.make_one_shot_iterator(data.repeat()).get_next()
    return {"identity": identity, "x": x}, y


def model_fn(features, labels, mode):
    y = tf.layers.dense(features["x"], 1)
    y = tf.sparse_tensor_dense_matmul(features["identity"], y)
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions=y)
    loss = tf.losses.mean_squared_error(labels, y)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


if __name__ == "__main__":
    tf.estimator.Estimator(model_fn, "runs").train(input_fn, steps=1)
"""


def test_a_constant_sparse_feature_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(CONSTANT)
    subprocess.run([sys.executable, "net.py"], cwd=str(tmp_path), check=True)
    words = ("runs", "net:model_fn", "--input-fn", "net:input_fn", "--format", "json")
    run = run_cli(*words, cwd=tmp_path)
    assert run.code == 0, run
    assert {mode["drift"] for mode in run.json["modes"].values()} == {"unknown"}
    assert any("a constant SparseTensor" in text for text in run.json["not_judged"]), run


PART_OF_THE_LOSS = """
import tensorflow.compat.v1 as tf


def input_fn():
    dataset = tf.data.Dataset.from_tensors(({"x": [[1.0], [2.0]]}, [[1.0], [3.0]])).repeat()
    return tf.data.make_one_shot_iterator(dataset).get_next()


def model_fn(features, labels, mode):
    y = tf.layers.dense(features["x"], 1, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=y)
    loss = tf.losses.mean_squared_error(labels, y) + 0.1 * tf.reduce_sum(tf.square(y))
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


if __name__ == "__main__":
    tf.disable_eager_execution()
    tf.train.create_global_step()
    spec = model_fn(*input_fn(), "train")
    save = {"checkpoint_dir": "runs", "save_checkpoint_steps": 1}
    with tf.train.MonitoredTrainingSession(**save) as session:
        session.run(spec.train_op)
"""


def test_a_graph_that_estimator_did_not_save_may_not_name_the_loss(tmp_path: Path) -> None:
    """The last of the collection of losses is then the last one that tf.losses made."""
    (tmp_path / "net.py").write_text(PART_OF_THE_LOSS)
    subprocess.run([sys.executable, "net.py"], cwd=str(tmp_path), check=True)
    run = run_cli("runs", "net:model_fn", "--format", "json", cwd=tmp_path)
    assert run.code == 0 and drift_of(run.json) == [], run


SAME_SCOPE = """
import tensorflow.compat.v1 as tf


def input_fn():
    dataset = tf.data.Dataset.from_tensors(([[1.0], [2.0]], [[1.0], [3.0]])).repeat()
    x, y = tf.data.make_one_shot_iterator(dataset).get_next()
    with tf.name_scope("input_layer"):
        x = (x - 40.0) / 20.0
    return {"x": x}, y


def model_fn(features, labels, mode):
    with tf.variable_scope("input_layer"):
        net = tf.layers.dense(features["x"], 2, name="first", activation=tf.nn.relu)
    y = tf.layers.dense(net, 1, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=y)
    loss = tf.losses.mean_squared_error(labels, y)
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


if __name__ == "__main__":
    tf.estimator.Estimator(model_fn, "runs").train(input_fn, steps=1)
"""


def test_an_input_fn_may_use_the_name_of_a_scope_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SAME_SCOPE)
    (tmp_path / "params.json").write_text("{}")
    subprocess.run([sys.executable, "net.py"], cwd=str(tmp_path), check=True)
    run = run_cli("runs", "net:model_fn", "params.json", "--format", "json", cwd=tmp_path)
    report = json.loads(run.out)
    assert run.code == 0 and report["findings"] == [], run
    assert "changed" not in [mode["drift"] for mode in report["modes"].values()], run
