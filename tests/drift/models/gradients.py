"""A model whose code defines gradients: with tf.custom_gradient, and in place of TensorFlow's."""

from ..entries import MODES, TRAINED, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(5)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.sin(x[:, :2]).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


@tf.custom_gradient
def limited(x):
    def gradient(dy):
        return tf.clip_by_value(dy * tf.exp(x), -0.001, 0.001)

    return tf.exp(x), gradient


@tf.custom_gradient
def rounded(x):
    return tf.round(x * 10.0) / 10.0, lambda dy: dy


def model_fn(features, labels, mode, params):
    hidden = tf.layers.dense(features["x"], 6, name="hidden")
    hidden = rounded(limited(hidden))
    with tf.get_default_graph().gradient_override_map({"Relu": "Identity"}):
        hidden = tf.nn.relu(hidden - 1.0)
    y = tf.layers.dense(hidden, 2, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.reduce_mean(tf.square(labels - y))
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="gradients",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "grad-constant",
            "custom gradient",
            TRAINED,
            ("-0.001, 0.001)", "-0.0001, 0.0001)"),
            ("clip by value (0.001", "clip by value (0.0001"),
        ),
        silent(
            "grad-ops",
            "custom gradient",
            TRAINED,
            ("tf.clip_by_value(dy * tf.exp(x), -0.001, 0.001)", "0.5 * dy * tf.exp(x)"),
            ("clip by value", "multiply"),
        ),
        silent(
            "grad-passed-on",
            "custom gradient",
            TRAINED,
            ("lambda dy: dy", "lambda dy: 3.0 * dy"),
            ("identity", "multiply"),
        ),
        silent(
            "grad-of-exp-is-plain",
            "custom gradient",
            TRAINED,
            ("rounded(limited(hidden))", "rounded(tf.exp(hidden))"),
            comparable=False,
        ),
        silent(
            "grad-override-removed",
            "gradient override",
            TRAINED,
            ('{"Relu": "Identity"}', "{}"),
            ("Identity", "TensorFlow's own"),
        ),
        silent(
            "grad-override-of-another-kind",
            "gradient override",
            TRAINED,
            ('{"Relu": "Identity"}', '{"Relu": "Tanh"}'),
            ("Identity", "Tanh"),
        ),
        silent(
            "grad-and-forward",
            "several edits",
            MODES,
            (
                ("-0.001, 0.001)", "-0.0001, 0.0001)"),
                ("tf.nn.relu(hidden - 1.0)", "tf.nn.relu(hidden - 2.0)"),
            ),
            ("clip by value (0.001", "clip by value (0.0001"),
            ("1.0", "2.0"),
        ),
        innocent(
            "grad-renamed-python",
            "renamed Python",
            (
                ("def gradient(dy)", "def backwards(dy)"),
                ("tf.exp(x), gradient\n", "tf.exp(x), backwards\n"),
            ),
        ),
        innocent(
            "grad-in-a-scope",
            "other scope",
            (
                "        return tf.clip",
                '        with tf.name_scope("g"):\n            return tf.clip',
            ),
        ),
        innocent(
            "grad-of-an-identity",
            "identity",
            ("rounded(limited(hidden))", "rounded(tf.identity(limited(tf.identity(hidden))))"),
        ),
    ),
)
