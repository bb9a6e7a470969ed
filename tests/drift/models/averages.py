"""Moving averages of the variables, restored in PREDICT and EVAL; batch normalization."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(6)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.abs(x).sum(axis=1, keepdims=True).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def network(x, params, training):
    net = tf.layers.dense(x, 4, use_bias=False, name="first")
    net = tf.layers.batch_normalization(
        net, momentum=params["momentum"], epsilon=1e-3, training=training, name="norm"
    )
    net = tf.nn.leaky_relu(net, alpha=0.1)
    net = tf.layers.dense(net, 4, activation=tf.nn.relu, name="second")
    return tf.layers.dense(net, 1, name="y")


def averages_of(params):
    step = tf.train.get_global_step()
    return tf.train.ExponentialMovingAverage(params["decay"], num_updates=step)


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    y = network(features["x"], params, training)
    averages = averages_of(params)
    scaffold = None
    if not training:
        saver = tf.train.Saver(averages.variables_to_restore(tf.trainable_variables()))
        names = {v.op.name: v for v in tf.global_variables() if "moving_" in v.op.name}
        names.update(averages.variables_to_restore(tf.trainable_variables()))
        names["global_step"] = tf.train.get_global_step()
        scaffold = tf.train.Scaffold(saver=tf.train.Saver(names))
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y}, scaffold=scaffold)
    loss = tf.reduce_mean(tf.square(labels - y))
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, scaffold=scaffold)
    rate = tf.train.exponential_decay(tf.constant(0.01), tf.train.get_global_step(), 100, 0.9)
    optimizer = tf.train.GradientDescentOptimizer(rate)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        step_op = optimizer.minimize(loss, tf.train.get_global_step())
    with tf.control_dependencies([step_op]):
        train_op = averages.apply(tf.trainable_variables())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

LOSS = "loss = tf.reduce_mean(tf.square(labels - y))"

MODEL = Model(
    id="averages",
    source=SOURCE,
    params={"momentum": 0.9, "decay": 0.99},
    edits=(
        silent(
            "ema-decay",
            "average decay",
            TRAINED,
            ('Average(params["decay"], num_updates=step)', "Average(0.05, num_updates=step)"),
            ("0.99", "0.05"),
        ),
        silent(
            "ema-num-updates",
            "average decay",
            TRAINED,
            (", num_updates=step", ""),
            ("minimum|step", ""),
        ),
        silent(
            "ema-not-updated",
            "update removed",
            TRAINED,
            (
                "        train_op = averages.apply(tf.trainable_variables())",
                "        averages.apply(tf.trainable_variables())\n        train_op = tf.no_op()",
            ),
            ("average", ""),
        ),
        silent(
            "ema-before-the-step",
            "order of updates",
            TRAINED,
            (
                (
                    "        step_op = optimizer.minimize(loss, tf.train.get_global_step())",
                    "        step_op = averages.apply(tf.trainable_variables())",
                ),
                (
                    "        train_op = averages.apply(tf.trainable_variables())",
                    "        train_op = optimizer.minimize(loss, tf.train.get_global_step())",
                ),
            ),
        ),
        param("bn-momentum", "batch norm momentum", TRAINED, {"momentum": 0.5}, ("0.9|0.1", "0.5")),
        silent("bn-epsilon", "epsilon", MODES, ("epsilon=1e-3", "epsilon=1e-2"), ("0.001", "0.01")),
        silent(
            "bn-always-inference",
            "batch norm mode",
            TRAINED,
            ("training=training, name", "training=False, name"),
            ("", "moving|false"),
        ),
        silent(
            "bn-always-training",
            "batch norm mode",
            ("predict", "eval"),
            ("training=training, name", "training=True, name"),
            comparable=False,
        ),
        silent(
            "bn-no-updates",
            "update removed",
            TRAINED,
            ("with tf.control_dependencies(updates):", "with tf.control_dependencies([]):"),
            ("moving", ""),
        ),
        silent("bn-leak", "activation constant", MODES, ("alpha=0.1", "alpha=0.3"), ("0.1", "0.3")),
        silent(
            "ema-activation",
            "activation",
            MODES,
            ("tf.nn.relu, name", "tf.nn.swish, name"),
            ("relu", "sigmoid|swish"),
        ),
        silent(
            "ema-loss-power",
            "loss kind",
            SCORED,
            (LOSS, LOSS.replace("tf.square(labels - y)", "tf.pow(tf.abs(labels - y), 1.5)")),
            ("square", "pow|1.5"),
        ),
        silent(
            "ema-loss-log",
            "target transformed",
            SCORED,
            (LOSS, LOSS.replace("labels", "tf.log1p(labels)")),
            ("", "log"),
        ),
        silent(
            "ema-rate",
            "learning rate",
            TRAINED,
            ("constant(0.01)", "constant(0.005)"),
            ("0.01", "0.005"),
        ),
        silent(
            "ema-raw-weights-in-predict",
            "variables restored",
            ("predict", "eval"),
            ("scaffold = tf.train.Scaffold(saver=tf.train.Saver(names))", "scaffold = None"),
            comparable=False,
        ),
        silent(
            "bn-scale-of-features",
            "constant",
            MODES,
            ('network(features["x"],', 'network(features["x"] * 2.0 + 1.0,'),
            ("", "2"),
        ),
        innocent(
            "bn-fixed-initializer",
            "initializer",
            ("epsilon=1e-3,", "epsilon=1e-3, moving_variance_initializer=tf.zeros_initializer(),"),
        ),
        innocent(
            "ema-averages-name",
            "op scope",
            (
                LOSS,
                "with tf.name_scope('objective'):\n        " + LOSS,
            ),
        ),
        innocent(
            "ema-max-to-keep",
            "saver options",
            ("tf.train.Saver(names)", "tf.train.Saver(names, max_to_keep=1)"),
        ),
        innocent(
            "ema-dead-saver",
            "unused code",
            (
                "        saver = tf.train.Saver(averages.variables_to_restore("
                "tf.trainable_variables()))\n",
                "",
            ),
        ),
        innocent(
            "ema-sorted",
            "reordered code",
            (
                "train_op = averages.apply(tf.trainable_variables())",
                "train_op = averages.apply(tf.trainable_variables()[::-1])",
            ),
        ),
        innocent(
            "bn-check-numerics",
            "assertion",
            (
                LOSS,
                "check = tf.debugging.assert_rank(y, 2)\n"
                "    with tf.control_dependencies([check]):\n        " + LOSS,
            ),
        ),
    ),
)
