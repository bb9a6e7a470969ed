"""An LSTM over sequences of several lengths, run by tf.nn.dynamic_rnn."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(3)
    features = {
        "x": rng.uniform(-1, 1, size=(32, 5, 3)).astype(np.float32),
        "length": rng.randint(2, 6, size=32).astype(np.int32),
    }
    labels = features["x"].sum(axis=(1, 2)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def cell_of(params):
    return tf.nn.rnn_cell.LSTMCell(6, forget_bias=params["forget_bias"], name="cell")


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    cell = cell_of(params)
    x = features["x"]
    length = features["length"]
    outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=length, dtype=tf.float32)
    last = state.h
    last = tf.layers.dropout(last, rate=params["dropout"], training=training, seed=5)
    y = tf.layers.dense(last, 1, name="y")[:, 0]
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.AdamOptimizer(params["rate"], beta1=0.9, beta2=0.999, epsilon=1e-8)
    pairs = optimizer.compute_gradients(loss)
    pairs = [(tf.clip_by_value(gradient, -1.0, 1.0), variable) for gradient, variable in pairs]
    train_op = optimizer.apply_gradients(pairs, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

CELL = 'tf.nn.rnn_cell.LSTMCell(6, forget_bias=params["forget_bias"], name="cell")'
RUN = "    outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=length, dtype=tf.float32)\n"
LOSS = "tf.losses.mean_squared_error(labels, y)"

MODEL = Model(
    id="recurrent",
    source=SOURCE,
    params={"forget_bias": 1.0, "dropout": 0.25, "rate": 0.01},
    edits=(
        param("rnn-forget-bias", "recurrent constant", MODES, {"forget_bias": 0.0}, ("1", "0")),
        silent(
            "rnn-cell-activation",
            "activation",
            MODES,
            (CELL, CELL.replace("6,", "6, activation=tf.nn.relu,")),
            ("tanh", "relu"),
        ),
        silent(
            "rnn-cell-clip",
            "recurrent constant",
            MODES,
            (CELL, CELL.replace("6,", "6, cell_clip=0.1,")),
            ("", "0.1"),
        ),
        silent(
            "rnn-lengths-ignored",
            "sequence length",
            MODES,
            ("sequence_length=length, ", ""),
            ("length|GreaterEqual|Select", ""),
        ),
        silent(
            "rnn-reversed",
            "preprocessing",
            MODES,
            ('x = features["x"]', 'x = tf.reverse(features["x"], axis=[1])'),
            ("", "reverse"),
        ),
        silent(
            "rnn-mean-of-outputs",
            "reduction",
            MODES,
            ("last = state.h", "last = tf.reduce_mean(outputs, axis=1)"),
            ("", "mean"),
        ),
        silent(
            "rnn-cell-state",
            "output chosen",
            MODES,
            ("last = state.h", "last = state.c"),
        ),
        silent(
            "rnn-residual-input",
            "residual connection",
            MODES,
            ("last = state.h", "last = state.h + tf.reduce_mean(x)"),
            ("", "add|mean"),
        ),
        silent(
            "rnn-state-dropout",
            "dropout added",
            TRAINED,
            (
                "    cell = cell_of(params)\n",
                "    cell = cell_of(params)\n"
                "    if training:\n"
                "        cell = tf.nn.rnn_cell.DropoutWrapper(cell, state_keep_prob=0.6, seed=2)\n",
            ),
            ("", "0.6|0.4"),
        ),
        param("rnn-dropout", "dropout rate", TRAINED, {"dropout": 0.5}, ("0.25", "0.5")),
        silent(
            "rnn-absolute-loss",
            "loss kind",
            SCORED,
            (LOSS, LOSS.replace("mean_squared_error", "absolute_difference")),
            ("SquaredDifference|squared", "Abs|absolute"),
        ),
        silent(
            "rnn-huber-loss",
            "loss kind",
            SCORED,
            (LOSS, LOSS.replace("mean_squared_error", "huber_loss")),
            ("SquaredDifference|squared", "Abs|Minimum|huber"),
        ),
        silent(
            "rnn-loss-weight",
            "loss weight",
            SCORED,
            (LOSS, LOSS.replace("labels, y", "labels, y, weights=0.5")),
            ("", "0.5"),
        ),
        silent(
            "rnn-beta1", "optimizer constant", TRAINED, ("beta1=0.9,", "beta1=0.8,"), ("0.9", "0.8")
        ),
        silent(
            "rnn-beta2",
            "optimizer constant",
            TRAINED,
            ("beta2=0.999", "beta2=0.98"),
            ("0.999", "0.98"),
        ),
        silent(
            "rnn-epsilon",
            "optimizer constant",
            TRAINED,
            ("epsilon=1e-8", "epsilon=1e-2"),
            ("1e-08|1e-8", "0.01"),
        ),
        silent(
            "rnn-optimizer",
            "optimizer kind",
            TRAINED,
            (
                'tf.train.AdamOptimizer(params["rate"], beta1=0.9, beta2=0.999, epsilon=1e-8)',
                'tf.train.GradientDescentOptimizer(params["rate"])',
            ),
            ("Adam", "GradientDescent"),
        ),
        param("rnn-rate", "learning rate", TRAINED, {"rate": 0.02}, ("0.01", "0.02")),
        silent(
            "rnn-clip-value",
            "gradient clipping",
            TRAINED,
            ("gradient, -1.0, 1.0", "gradient, -0.01, 0.01"),
            ("1|-1", "0.01|-0.01"),
        ),
        silent(
            "rnn-frozen",
            "frozen variables",
            TRAINED,
            ("compute_gradients(loss)", "compute_gradients(loss, tf.trainable_variables('y'))"),
            ("cell|kernel", ""),
        ),
        innocent(
            "rnn-dropout-of-unused-outputs",
            "unused code",
            (
                "    cell = cell_of(params)\n",
                "    cell = cell_of(params)\n"
                "    if training:\n"
                "        wrapped = tf.nn.rnn_cell.DropoutWrapper\n"
                "        cell = wrapped(cell, output_keep_prob=0.6, seed=2)\n",
            ),
        ),
        innocent(
            "rnn-scope-name",
            "op name",
            (
                RUN,
                RUN.replace(")\n", ", swap_memory=False)\n")
                + "    state = tf.nest.map_structure(tf.identity, state)\n",
            ),
        ),
        innocent(
            "rnn-parallel",
            "execution hint",
            (RUN, RUN.replace("dtype=", "parallel_iterations=4, dtype=")),
        ),
        innocent(
            "rnn-prefetch",
            "input pipeline",
            (
                "from_tensor_slices((features, labels)).batch(16)",
                "from_tensor_slices((features, labels)).repeat(1).batch(16).prefetch(2)",
            ),
        ),
        innocent(
            "rnn-comment",
            "comment",
            ("    last = state.h\n", "    # The state after the last step.\n    last = state.h\n"),
        ),
        innocent("rnn-literal", "equal literal", ("beta2=0.999", "beta2=1 - 0.001")),
        innocent(
            "rnn-no-summary-hook",
            "hook",
            (
                "    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)\n",
                "    hook = tf.train.LoggingTensorHook({'loss': loss}, every_n_iter=10)\n"
                "    return tf.estimator.EstimatorSpec(\n"
                "        mode, loss=loss, train_op=train_op, training_hooks=[hook]\n"
                "    )\n",
            ),
        ),
    ),
)
