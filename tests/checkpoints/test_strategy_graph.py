"""Tests what the start of a graph shows if a real distribution strategy built the graph."""

import subprocess
import sys
from pathlib import Path

from ckptcheck.checkpoint.graph_file import read_graph_summary

from ..support import environment, needs_estimator

TRAIN = """
import sys
import tensorflow as tf

v1 = tf.compat.v1


def input_fn():
    batch = {"x": tf.ones([4, 2])}, tf.ones([4, 1])
    return v1.data.Dataset.from_tensors(batch).repeat()


def model_fn(features, labels, mode):
    loss = v1.losses.mean_squared_error(labels, v1.layers.dense(features["x"], 1))
    train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_global_step())
    return v1.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


strategies = {
    "none": None,
    "one": tf.distribute.OneDeviceStrategy("/cpu:0"),
    "mirrored": tf.distribute.MirroredStrategy(["/cpu:0"]),
    "two": tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]),
}
devices = v1.ConfigProto(device_count={"CPU": 2})
for name, strategy in strategies.items():
    config = v1.estimator.RunConfig(train_distribute=strategy, session_config=devices)
    v1.estimator.Estimator(model_fn, name, config=config).train(input_fn, steps=1)
"""


@needs_estimator
def test_strategies(tmp_path: Path) -> None:
    run = [sys.executable, "-c", TRAIN]
    subprocess.run(run, cwd=str(tmp_path), env=environment(), check=True, capture_output=True)
    for name in ("none", "one", "mirrored", "two"):
        found = read_graph_summary(str(tmp_path / name / "model.ckpt-1"))
        assert found is not None
        assert found.strategy == (name != "none"), name
        assert [(item.shape, item.dtype) for item in found.inputs] == [
            ((4, 2), "float32"),
            ((4, 1), "float32"),
        ], name
