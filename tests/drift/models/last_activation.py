"""A model whose loss and predictions come from one activation, the last op of the model."""

from ..entries import MODES, SCORED, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(3)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = (x[:, :1] > 0).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def model_fn(features, labels, mode, params):
    hidden = tf.layers.dense(features["x"], 6, activation=tf.nn.tanh, name="hidden")
    score = tf.layers.dense(hidden, 1, name="score")
    y = tf.sigmoid(score)
    y = tf.layers.dense(y, 1, activation=tf.nn.softplus, name="y")
    doubled = 2.0 * y
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": doubled})
    loss = tf.reduce_mean(tf.square(labels - doubled))
    loss = loss + 0.01 * tf.nn.l2_loss(score)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="last_activation",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "last-op-gone",
            "last op",
            MODES,
            ("doubled = 2.0 * y", "doubled = y"),
            ("multiply", ""),
            unsure=("predict",),
        ),
        silent(
            "last-term-of-the-loss-gone",
            "last op",
            SCORED,
            ("loss + 0.01 * tf.nn.l2_loss(score)", "tf.identity(loss)"),
            ("L2", ""),
            unsure=("eval",),
        ),
        silent(
            "last-op-of-the-loss-gone",
            "last op",
            SCORED,
            ("tf.square(labels - doubled)", "tf.abs(labels - doubled)"),
            ("square", "abs"),
        ),
        silent(
            "last-activation-gone",
            "last op",
            MODES,
            (
                ("activation=tf.nn.softplus, ", ""),
                ("doubled = 2.0 * y", "doubled = tf.identity(2.0 * y)"),
            ),
            ("softplus", "none"),
        ),
        silent(
            "last-op-in-the-middle-gone",
            "last op",
            MODES,
            ("y = tf.sigmoid(score)", "y = score"),
            ("sigmoid", "none"),
        ),
        innocent(
            "last-identity", "identity", ("doubled = 2.0 * y", "doubled = tf.identity(2.0 * y)")
        ),
    ),
)
