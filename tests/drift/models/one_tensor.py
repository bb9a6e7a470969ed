"""A model whose features are one tensor. PREDICT's iterator then has a single output."""

from ..entries import MODES, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(9)
    x = rng.normal(size=(32, 3)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((x, np.sin(x[:, :1]))).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def model_fn(features, labels, mode, params):
    net = features
    y = tf.layers.dense(net, 1, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.reduce_mean(tf.square(labels - y))
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""
BY_MODE = "net = features * (2.0 if mode == tf.estimator.ModeKeys.TRAIN else 0.5)"

MODEL = Model(
    id="one_tensor",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "one-scaled-by-mode",
            "preprocessing",
            MODES,
            ("net = features", BY_MODE),
            ("", "multiply|2.0"),
        ),
        innocent("one-identity", "identity", ("net = features", "net = tf.identity(features)")),
    ),
)
