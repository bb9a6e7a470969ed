"""A finding about a variable names the line of the user's code that creates it."""

from pathlib import Path

import pytest

from .support import FIXTURES, SAVED_BY, needs_tensorflow, run_cli

MODEL = """\
import tensorflow as tf

tf = tf.compat.v1


def layer(x):
    return tf.layers.dense(x, 3, name="by_layers")


def model_fn(features, labels, mode):
    hidden = layer(features["x"])
    hidden *= tf.get_variable("by_name", [3])
    keras = tf.keras.layers.Dense(2, name="by_keras")
    loss = tf.reduce_sum(keras(hidden) * tf.get_variable("left_out", []))
    table = tf.get_variable("parts", [4, 2], partitioner=tf.fixed_size_partitioner(2))
    loss += tf.reduce_sum(tf.convert_to_tensor(table))
    step = tf.train.get_global_step()
    optimizer = tf.train.AdamOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=step)
    kept = [item for item in tf.global_variables() if item.op.name != "left_out"]
    scaffold = tf.train.Scaffold(saver=tf.train.Saver(kept))
    return tf.estimator.EstimatorSpec(
        mode, predictions=hidden, loss=loss, train_op=train_op, scaffold=scaffold
    )
"""

LINES = {
    "by_layers/kernel": "tf.layers.dense",
    "by_layers/bias": "tf.layers.dense",
    "by_name": "hidden *=",
    "by_keras/kernel": "keras(hidden)",
    "left_out": '"left_out", []',
    "parts": "table =",
    "by_name/Adam": "optimizer.minimize",
    "by_layers/kernel/Adam_1": "optimizer.minimize",
}
"""A text in the line that creates each variable."""


@needs_tensorflow
@pytest.mark.parametrize("behavior", ["v1", "v2"])
def test_the_line_that_creates_a_variable(behavior: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODEL, "utf-8")
    run = run_cli(
        *(FIXTURES / "linear" / SAVED_BY, "net:model_fn", "--format", "json"),
        *("--behavior", behavior),
        cwd=tmp_path,
        warm=True,
    )
    places = {item["variable"]: item["location"] for item in run.json["findings"]}
    lines = MODEL.splitlines()
    assert {name: (places[name] or {}).get("file") for name in LINES} == dict.fromkeys(
        LINES, "net.py"
    )
    shown = {name: lines[places[name]["line"] - 1] for name in LINES}
    assert {name: text for name, text in shown.items() if LINES[name] not in text} == {}


@needs_tensorflow
def test_the_text_names_the_lines(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODEL, "utf-8")
    words = (FIXTURES / "linear" / SAVED_BY, "net:model_fn", "--mode", "predict")
    text = run_cli(*words, cwd=tmp_path, warm=True).out
    assert "  created at net.py:7, net.py:12, net.py:14, net.py:15\n" in text
