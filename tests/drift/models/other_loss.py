"""An optimizer that minimizes another loss than the EstimatorSpec has, and a local variable."""

from ..entries import MODES, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(12)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.sin(x.sum(axis=1, keepdims=True)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def model_fn(features, labels, mode, params):
    temperature = tf.get_variable(
        "temperature",
        [],
        initializer=tf.constant_initializer(2.0),
        trainable=False,
        collections=[tf.GraphKeys.LOCAL_VARIABLES],
    )
    net = tf.layers.dense(features["x"], 4, activation=tf.nn.tanh, name="body")
    y = tf.layers.dense(net / temperature, 1, name="head")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    decay = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
    total = loss + params["decay"] * decay
    reported = loss
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=reported)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(total, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=reported, train_op=train_op)
"""

MODEL = Model(
    id="other_loss",
    source=SOURCE,
    params={"decay": 0.01},
    edits=(
        param("loss-decay", "loss that is minimized", TRAINED, {"decay": 0.5}, ("0.01", "0.5")),
        silent(
            "loss-without-decay",
            "loss that is minimized",
            TRAINED,
            ("minimize(total,", "minimize(loss,"),
            ("L2", ""),
        ),
        silent(
            "loss-scaled",
            "loss that is minimized",
            TRAINED,
            ("minimize(total,", "minimize(3.0 * total,"),
            ("", "3"),
        ),
        silent(
            "loss-reported",
            "loss that is reported",
            ("eval",),
            ("reported = loss", "reported = total"),
            ("loss|mean", "add"),
        ),
        silent(
            "local-initial-value",
            "initial value of a local variable",
            MODES,
            ("tf.constant_initializer(2.0)", "tf.constant_initializer(1.5)"),
            ("2", "1.5"),
        ),
        innocent("loss-identity", "identity", ("minimize(total,", "minimize(tf.identity(total),")),
    ),
)
