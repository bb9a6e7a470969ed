"""A TPUEstimatorSpec, run by a TPUEstimator on the CPU."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(10)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = (x[:, 0] > x[:, 1]).astype(np.int32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels))
    dataset = dataset.batch(16, drop_remainder=True)
    return dataset.repeat() if mode == "train" else dataset


def metric_fn(labels, logits):
    return {"accuracy": tf.metrics.accuracy(labels, tf.argmax(logits, 1))}


def model_fn(features, labels, mode, params):
    batch = params["batch_size"]
    net = tf.reshape(features["x"], [batch, 2, 2])
    net = tf.layers.dense(net, 3, activation=tf.nn.relu, name="hidden")
    net = tf.reshape(net, [batch, 6])
    net = tf.layers.dropout(
        net, rate=params["dropout"], training=mode == tf.estimator.ModeKeys.TRAIN, seed=13
    )
    logits = tf.layers.dense(net, 2, name="logits")
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"p": tf.nn.softmax(logits)}
        return tf.estimator.tpu.TPUEstimatorSpec(mode, predictions=predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    for variable in tf.trainable_variables():
        if "bias" not in variable.op.name:
            loss += 1e-3 * tf.nn.l2_loss(variable)
    train_op = None
    if mode == tf.estimator.ModeKeys.TRAIN:
        step = tf.train.get_global_step()
        rate = tf.train.piecewise_constant(step, [4, 100], [0.1, params["rate"], 0.001])
        optimizer = tf.train.MomentumOptimizer(rate, 0.9)
        if params.get("use_tpu"):
            optimizer = tf.tpu.CrossShardOptimizer(optimizer)
        train_op = optimizer.minimize(loss, global_step=step)
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode, loss=loss, train_op=train_op, eval_metrics=(metric_fn, [labels, logits])
    )
"""

MODEL = Model(
    id="tpu",
    source=SOURCE,
    params={"dropout": 0.2, "rate": 0.05},
    tpu=True,
    edits=(
        silent(
            "tpu-activation",
            "activation",
            MODES,
            ("tf.nn.relu", "tf.nn.tanh"),
            ("relu", "tanh"),
        ),
        silent(
            "tpu-transposed",
            "transpose",
            MODES,
            (
                'tf.reshape(features["x"], [batch, 2, 2])',
                'tf.transpose(tf.reshape(features["x"], [batch, 2, 2]), [0, 2, 1])',
            ),
            ("", "transpose"),
        ),
        param("tpu-dropout", "dropout rate", TRAINED, {"dropout": 0.6}, ("0.2", "0.6")),
        silent("tpu-l2", "regularization", SCORED, ("1e-3 * tf", "1e-2 * tf"), ("0.001", "0.01")),
        silent(
            "tpu-l2-of-biases",
            "regularization",
            SCORED,
            ('if "bias" not in variable.op.name:', "if True:"),
            ("", "bias|L2Loss"),
        ),
        param("tpu-rate", "schedule", TRAINED, {"rate": 0.02}, ("0.05", "0.02")),
        silent("tpu-boundary", "schedule", TRAINED, ("[4, 100]", "[40, 100]"), ("4", "40")),
        silent(
            "tpu-momentum",
            "momentum",
            TRAINED,
            ("MomentumOptimizer(rate, 0.9)", "MomentumOptimizer(rate, 0.95)"),
            ("0.9", "0.95"),
        ),
        innocent(
            "tpu-metric",
            "metrics",
            (
                'return {"accuracy"',
                'return {"mean": tf.metrics.mean(logits), "accuracy"',
            ),
        ),
        innocent(
            "tpu-no-shards",
            "equal rewrite",
            ('if params.get("use_tpu"):', 'if params.get("shards"):'),
        ),
        innocent(
            "tpu-host-call",
            "summary",
            (
                "eval_metrics=(metric_fn, [labels, logits])",
                "eval_metrics=(metric_fn, [labels, logits]),\n"
                "        host_call=(lambda t: tf.identity(t), [tf.reshape(loss, [1])]),",
            ),
        ),
        innocent(
            "tpu-log",
            "logging",
            (
                '    batch = params["batch_size"]\n',
                '    batch = params["batch_size"]\n    tf.logging.info("batch %d", batch)\n',
            ),
        ),
    ),
)
