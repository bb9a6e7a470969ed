"""Standardization with ``tf.nn.moments``, and dropouts that are on in all modes."""

from ..entries import MODES, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(21)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.sin(x.sum(axis=1, keepdims=True)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def standardized(x):
    mean, variance = tf.nn.moments(x, [1], keepdims=True)
    return (x - mean) / tf.sqrt(variance + 0.001)


def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], 8, name="first")
    net = standardized(net)
    net = tf.layers.dropout(tf.nn.tanh(net), params["first"], seed=3, training=True)
    net = tf.layers.dense(net, 8, activation=tf.nn.tanh, name="second")
    net = tf.layers.dropout(net, params["second"], seed=4, training=True)
    y = tf.layers.dense(net, 1, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="standardized",
    source=SOURCE,
    params={"first": 0.5, "second": 0.5},
    edits=(
        silent(
            "std-gone",
            "normalization removed",
            MODES,
            ("    net = standardized(net)\n", ""),
            ("moments|normalization|mean", ""),
        ),
        silent(
            "std-added",
            "normalization added",
            MODES,
            ("    y = tf.layers.dense(net,", "    y = tf.layers.dense(standardized(net),"),
            ("", "moments|normalization|mean"),
        ),
        param("std-dropout", "dropout rate", MODES, {"second": 0.2}, ("0.5", "0.2")),
        silent(
            "std-dropout-and-activation",
            "dropout rate",
            MODES,
            (
                ('tf.nn.tanh(net), params["first"]', 'tf.nn.relu(net), params["first"]'),
                ('net, params["second"]', "net, 0.1"),
            ),
            ("0.5|tanh", "0.1|relu"),
        ),
        innocent(
            "std-identity", "identity", ("standardized(net)\n", "tf.identity(standardized(net))\n")
        ),
    ),
)
