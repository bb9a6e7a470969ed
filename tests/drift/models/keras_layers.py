"""Layers of tf.keras inside a model_fn: convolution, GRU, normalization, regularizers."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf

layers = tf.keras.layers


def input_fn(mode):
    rng = np.random.RandomState(5)
    series = rng.uniform(-1, 1, size=(32, 6, 2)).astype(np.float32)
    labels = (series[:, -1, 0] > series[:, 0, 0]).astype(np.float32)[:, None]
    dataset = tf.data.Dataset.from_tensor_slices((series, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    net = layers.Conv1D(4, 3, padding="causal", name="conv")(features)
    net = layers.LeakyReLU(alpha=params["leak"])(net)
    net = layers.LayerNormalization(epsilon=1e-3, name="norm")(net)
    net = layers.SpatialDropout1D(params["dropout"], seed=11)(net, training=training)
    net = layers.GRU(4, recurrent_activation="hard_sigmoid", name="gru")(net)
    wide = layers.Dense(
        4, activation="relu", name="wide", kernel_regularizer=tf.keras.regularizers.l2(params["l2"])
    )
    net = wide(net)
    net = layers.GaussianNoise(0.1)(net, training=False)
    logits = layers.Dense(1, name="logits")(net)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=tf.sigmoid(logits))
    losses = tf.keras.losses.binary_crossentropy(labels, logits, from_logits=True)
    loss = tf.reduce_mean(losses) + tf.add_n(wide.losses)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.RMSPropOptimizer(params["rate"], decay=0.9, momentum=0.1, epsilon=1e-4)
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

GRU = 'layers.GRU(4, recurrent_activation="hard_sigmoid", name="gru")'
CONV = 'layers.Conv1D(4, 3, padding="causal", name="conv")'

MODEL = Model(
    id="keras_layers",
    portable=False,  # in TensorFlow 2, the variables of a GRU have one more scope
    source=SOURCE,
    params={"leak": 0.2, "dropout": 0.2, "l2": 0.01, "rate": 0.01},
    edits=(
        param("keras-leak", "activation constant", MODES, {"leak": 0.3}, ("0.2", "0.3")),
        silent(
            "keras-padding",
            "padding",
            MODES,
            (CONV, CONV.replace("causal", "same")),
            ("pad|causal", "same"),
        ),
        silent(
            "keras-dilation",
            "dilation",
            MODES,
            (CONV, CONV.replace("padding", "dilation_rate=2, padding")),
            ("1", "2"),
        ),
        silent(
            "keras-epsilon",
            "epsilon",
            MODES,
            ("epsilon=1e-3", "epsilon=1e-1"),
            ("0.001", "0.1"),
        ),
        silent(
            "keras-gate",
            "recurrent activation",
            MODES,
            (GRU, GRU.replace("hard_sigmoid", "sigmoid")),
            ("", "sigmoid"),
        ),
        silent(
            "keras-backwards",
            "recurrent direction",
            MODES,
            (GRU, GRU.replace("name", "go_backwards=True, name")),
            ("", "reverse"),
        ),
        silent(
            "keras-gru-activation",
            "activation",
            MODES,
            (GRU, GRU.replace("name", 'activation="relu", name')),
            ("tanh", "relu"),
        ),
        silent(
            "keras-activation",
            "activation",
            MODES,
            ('activation="relu"', 'activation="elu"'),
            ("relu", "elu"),
        ),
        param("keras-dropout", "dropout rate", TRAINED, {"dropout": 0.5}, ("0.2", "0.5")),
        silent(
            "keras-dropout-kind",
            "dropout kind",
            TRAINED,
            ("SpatialDropout1D", "Dropout"),
        ),
        silent(
            "keras-noise-on",
            "noise",
            TRAINED,
            (
                "GaussianNoise(0.1)(net, training=False)",
                "GaussianNoise(0.1)(net, training=training)",
            ),
            ("", "0.1"),
        ),
        param("keras-l2", "regularization", SCORED, {"l2": 0.1}, ("0.01|0.02", "0.1|0.2")),
        silent(
            "keras-l1",
            "regularization",
            SCORED,
            ("regularizers.l2(", "regularizers.l1("),
            ("square|L2", "abs"),
        ),
        silent(
            "keras-l2-gone",
            "regularization",
            SCORED,
            (" + tf.add_n(wide.losses)", ""),
            ("0.01|0.02|L2|square", ""),
            unsure=("eval",),
        ),
        silent(
            "keras-smoothing",
            "label smoothing",
            SCORED,
            ("from_logits=True", "from_logits=True, label_smoothing=0.2"),
            ("", "0.2|0.8|0.1"),
        ),
        silent(
            "keras-decay",
            "optimizer constant",
            TRAINED,
            ("decay=0.9,", "decay=0.8,"),
            ("0.9", "0.8"),
        ),
        silent(
            "keras-momentum",
            "momentum",
            TRAINED,
            ("momentum=0.1", "momentum=0.2"),
            ("0.1", "0.2"),
        ),
        silent(
            "keras-optimizer-epsilon",
            "optimizer constant",
            TRAINED,
            ("epsilon=1e-4", "epsilon=1e-2"),
            ("0.0001", "0.01"),
        ),
        innocent(
            "keras-kernel-initializer",
            "initializer",
            (CONV, CONV.replace("padding", 'kernel_initializer="he_normal", padding')),
        ),
        innocent(
            "keras-function-activation",
            "equal rewrite",
            ('activation="relu"', "activation=tf.nn.relu"),
        ),
        innocent(
            "keras-layer-name",
            "op name",
            ('LeakyReLU(alpha=params["leak"])', 'LeakyReLU(alpha=params["leak"], name="leaky")'),
        ),
        innocent(
            "keras-dead-layer",
            "unused code",
            (
                "    if mode == tf.estimator.ModeKeys.PREDICT:\n",
                "    tf.reduce_max(net, name='debug')\n"
                "    if mode == tf.estimator.ModeKeys.PREDICT:\n",
            ),
        ),
        innocent(
            "keras-lambda",
            "identity",
            ("    net = wide(net)\n", "    net = layers.Lambda(lambda x: x)(wide(net))\n"),
        ),
    ),
)
