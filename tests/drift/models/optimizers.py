"""Several optimizers, schedules and moving averages that are written by hand."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(11)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.sin(x.sum(axis=1, keepdims=True)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def slot(name, shape):
    zeros = tf.zeros_initializer()
    return tf.get_variable(name, shape, initializer=zeros, trainable=False)


def lion(gradients, variables, rate):
    updates = []
    for gradient, variable in zip(gradients, variables):
        m = slot(variable.op.name + "/lion", variable.shape)
        direction = tf.sign(0.9 * m + 0.1 * gradient)
        updates.append(tf.assign_sub(variable, rate * direction))
        with tf.control_dependencies([direction]):
            updates.append(tf.assign(m, 0.99 * m + 0.01 * gradient))
    return tf.group(*updates)


def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], 4, activation=tf.nn.tanh, name="body")
    y = tf.layers.dense(net, 1, name="head")
    typical = slot("typical", [4])
    y += tf.reduce_sum(typical * net, axis=1, keepdims=True) * 0.1
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    error = tf.abs(labels - y)
    loss = tf.reduce_mean(tf.where(error < 0.5, tf.square(error), error))
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    body = tf.trainable_variables("body")
    head = tf.trainable_variables("head")
    rate = tf.train.cosine_decay(params["rate"], step, 50, alpha=0.1)
    slow = tf.train.inverse_time_decay(0.05, step, 10, 0.5)
    gradients = tf.tuple(tf.gradients(loss, body + head))
    mean = tf.reduce_mean(net, 0)
    with tf.control_dependencies(gradients):
        average = tf.assign(typical, 0.9 * typical + 0.1 * mean)
    first = lion(gradients, body, rate)
    noisy = tf.train.AdadeltaOptimizer(slow, rho=0.9, epsilon=1e-4)
    scaled = [params["head_weight"] * gradient for gradient in gradients[len(body) :]]
    second = noisy.apply_gradients(zip(scaled, head))
    with tf.control_dependencies([average, first, second]):
        train_op = tf.assign_add(step, 1)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="optimizers",
    source=SOURCE,
    params={"rate": 0.02, "head_weight": 1.5},
    edits=(
        silent(
            "opt-sign-gone",
            "hand-written update",
            TRAINED,
            ("tf.sign(0.9 * m + 0.1 * gradient)", "(0.9 * m + 0.1 * gradient)"),
            ("sign", ""),
        ),
        silent(
            "opt-direction",
            "hand-written update",
            TRAINED,
            ("tf.sign(0.9 * m + 0.1 * gradient)", "tf.sign(0.9 * m - 0.1 * gradient)"),
            ("add|+", "sub|-"),
        ),
        silent(
            "opt-memory",
            "optimizer constant",
            TRAINED,
            ("0.99 * m + 0.01 * gradient", "0.95 * m + 0.05 * gradient"),
            ("0.99", "0.95"),
        ),
        silent(
            "opt-memory-not-updated",
            "update removed",
            TRAINED,
            ("updates.append(tf.assign(m, 0.99 * m + 0.01 * gradient))", "pass"),
            ("lion", ""),
        ),
        silent(
            "opt-ascent",
            "sign",
            TRAINED,
            ("tf.assign_sub(variable, rate", "tf.assign_add(variable, rate"),
            ("sub", "add"),
        ),
        param("opt-rate", "learning rate", TRAINED, {"rate": 0.01}, ("0.02", "0.01")),
        silent("opt-cosine-steps", "schedule", TRAINED, ("step, 50,", "step, 25,"), ("50", "25")),
        silent("opt-cosine-floor", "schedule", TRAINED, ("alpha=0.1", "alpha=0.5"), ("0.1", "0.5")),
        silent(
            "opt-schedule-kind",
            "schedule",
            TRAINED,
            ('tf.train.cosine_decay(params["rate"], step, 50, alpha=0.1)', 'params["rate"]'),
            ("cos", ""),
        ),
        silent(
            "opt-inverse-time",
            "schedule",
            TRAINED,
            ("step, 10, 0.5)", "step, 10, 0.9)"),
            ("0.5", "0.9"),
        ),
        silent("opt-rho", "optimizer constant", TRAINED, ("rho=0.9", "rho=0.5"), ("0.9", "0.5")),
        silent(
            "opt-adadelta-epsilon",
            "optimizer constant",
            TRAINED,
            ("epsilon=1e-4", "epsilon=1e-2"),
            ("0.0001", "0.01"),
        ),
        silent(
            "opt-variables-of-the-first",
            "frozen variables",
            TRAINED,
            ("lion(gradients, body, rate)", "lion(gradients, body[:1], rate)"),
            ("bias|lion", ""),
        ),
        silent(
            "opt-average-decay",
            "average decay",
            TRAINED,
            ("0.9 * typical + 0.1 * mean", "0.5 * typical + 0.5 * mean"),
            ("0.9", "0.5"),
        ),
        silent(
            "opt-average-weight",
            "constant",
            MODES,
            ("keepdims=True) * 0.1", "keepdims=True) * 0.2"),
            ("0.1", "0.2"),
        ),
        silent(
            "opt-loss-threshold",
            "loss kind",
            SCORED,
            ("error < 0.5", "error < 0.25"),
            ("0.5", "0.25"),
        ),
        silent(
            "opt-body-activation",
            "activation",
            MODES,
            ("activation=tf.nn.tanh", "activation=tf.math.sin"),
            ("tanh", "sin"),
        ),
        innocent(
            "opt-updates-in-two-lists",
            "reordered code",
            (
                (
                    "        updates.append(tf.assign_sub(variable, rate * direction))\n",
                    "        late = tf.assign_sub(variable, rate * direction)\n",
                ),
                (
                    "updates.append(tf.assign(m, 0.99 * m + 0.01 * gradient))\n",
                    "updates.append(tf.assign(m, 0.99 * m + 0.01 * gradient))\n"
                    "        updates.append(late)\n",
                ),
            ),
        ),
        innocent(
            "opt-method-assign",
            "equal rewrite",
            ("tf.assign_sub(variable, rate * direction)", "variable.assign_sub(rate * direction)"),
        ),
        innocent(
            "opt-optimizer-name",
            "op scope",
            (
                "    first = lion(gradients, body, rate)\n",
                "    with tf.name_scope('lion'):\n        first = lion(gradients, body, rate)\n",
            ),
        ),
        innocent(
            "opt-rate-summary",
            "summary",
            (
                "    slow = tf.train",
                "    tf.summary.scalar('rate', rate)\n    slow = tf.train",
            ),
        ),
        innocent(
            "opt-helper",
            "helper function",
            (
                '    body = tf.trainable_variables("body")\n',
                "    def of(scope):\n        return tf.trainable_variables(scope)\n\n"
                '    body = of("body")\n',
            ),
        ),
    ),
)
