"""tf.function, gradients of its own, and gradients that are stopped."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(8)
    x = rng.normal(size=(32, 3)).astype(np.float32)
    labels = (x.prod(axis=1) > 0).astype(np.int32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


@tf.function
def squash(x):
    return x * tf.sigmoid(1.702 * x)


@tf.function
def mixed(a, b):
    return squash(a) + 0.25 * tf.exp(-tf.square(b))


@tf.custom_gradient
def rounded(x):
    def gradient(dy):
        return dy * 1.0

    return tf.round(x * 4.0) / 4.0, gradient


def model_fn(features, labels, mode, params):
    first = tf.layers.dense(features["x"], 4, name="first")
    second = tf.layers.dense(features["x"], 4, name="second")
    net = mixed(first, second)
    net = rounded(net)
    side = tf.layers.dense(net, 4, name="side")
    net = net + side * tf.sigmoid(side)
    logits = tf.layers.dense(net, 2, name="logits")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"p": tf.nn.softmax(logits)})
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.AdamOptimizer(0.01)
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

SIDE = 'side = tf.layers.dense(net, 4, name="side")'
LOSS = "loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)"

MODEL = Model(
    id="functions",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "fn-constant-inside",
            "function body",
            MODES,
            ("1.702 * x", "1.5 * x"),
            ("1.702", "1.5"),
        ),
        silent(
            "fn-op-inside",
            "function body",
            MODES,
            ("x * tf.sigmoid(1.702 * x)", "x * tf.tanh(1.702 * x)"),
            ("sigmoid", "tanh"),
        ),
        silent(
            "fn-constant-of-the-outer",
            "function body",
            MODES,
            ("0.25 * tf.exp", "0.5 * tf.exp"),
            ("0.25", "0.5"),
        ),
        silent(
            "fn-arguments-swapped",
            "arguments swapped",
            MODES,
            ("mixed(first, second)", "mixed(second, first)"),
            ("first|second", "first|second"),
        ),
        silent(
            "fn-rounding",
            "constant",
            MODES,
            ("tf.round(x * 4.0) / 4.0", "tf.round(x * 8.0) / 8.0"),
            ("4", "8"),
        ),
        silent(
            "fn-custom-gradient",
            "gradient",
            TRAINED,
            ("return dy * 1.0", "return dy * 0.5"),
            ("1", "0.5"),
        ),
        silent(
            "fn-stopped-gradient",
            "gradient",
            TRAINED,
            (SIDE, SIDE.replace("(net,", "(tf.stop_gradient(net),")),
            ("", "stop"),
        ),
        silent(
            "fn-gradient-stopped-in-part",
            "gradient",
            TRAINED,
            ("side * tf.sigmoid(side)", "side * tf.stop_gradient(tf.sigmoid(side))"),
            ("", "stop"),
        ),
        silent(
            "fn-class-weights",
            "loss weight",
            SCORED,
            (LOSS, LOSS.replace("logits)", "logits, weights=1.0 + tf.to_float(labels))")),
            ("", "add|multiply|weight|labels"),
        ),
        silent(
            "fn-layers-swapped",
            "layers swapped",
            MODES,
            (('name="first"', 'name="@"'), ('name="second"', 'name="first"'), ('@"', 'second"')),
            ("first|second", "first|second"),
        ),
        silent(
            "fn-rate",
            "learning rate",
            TRAINED,
            ("AdamOptimizer(0.01)", "AdamOptimizer(0.003)"),
            ("0.01", "0.003"),
        ),
        innocent(
            "fn-renamed",
            "renamed Python",
            (("def squash(x)", "def gate(x)"), ("return squash(a)", "return gate(a)")),
        ),
        innocent(
            "fn-inlined",
            "function inlined",
            ("@tf.function\ndef mixed", "def mixed"),
        ),
        innocent(
            "fn-both-inlined",
            "function inlined",
            (("@tf.function\ndef mixed", "def mixed"), ("@tf.function\ndef squash", "def squash")),
        ),
        innocent(
            "fn-wrapped",
            "function inlined",
            (
                "    net = net + side * tf.sigmoid(side)\n",
                "    net = tf.function(lambda x, s: x + s * tf.sigmoid(s))(net, side)\n",
            ),
        ),
        innocent(
            "fn-own-seed",
            "seed",
            (SIDE, "tf.set_random_seed(77)\n    " + SIDE),
        ),
        innocent(
            "fn-no-op",
            "identity",
            (SIDE, "net = tf.identity(tf.identity(net, name='a'), name='b')\n    " + SIDE),
        ),
    ),
)
