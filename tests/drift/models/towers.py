"""Two towers of one shape, a ranking loss, and post-processing."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(12)
    features = {
        "user": rng.normal(size=(32, 4)).astype(np.float32),
        "item": rng.normal(size=(32, 4)).astype(np.float32),
        "weight": rng.uniform(0.5, 2, size=32).astype(np.float32),
    }
    labels = (features["user"][:, 0] * features["item"][:, 0] > 0).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def tower(x, name, drop):
    with tf.variable_scope(name):
        net = tf.layers.dense(x, 4, activation=tf.nn.elu)
        net = drop(net)
        net = tf.layers.dense(net, 3)
    return tf.nn.l2_normalize(net, axis=1, epsilon=1e-6)


def model_fn(features, labels, mode, params):
    def drop(x):
        if mode != tf.estimator.ModeKeys.TRAIN:
            return x
        return tf.nn.dropout(x, rate=params["dropout"], seed=17)

    user = tower(features["user"], "user", drop)
    item = tower(features["item"], "item", drop)
    temperature = params["temperature"]
    logits = tf.reduce_sum(user * item, axis=1) / temperature
    if mode == tf.estimator.ModeKeys.PREDICT:
        best = tf.nn.top_k(tf.reshape(logits, [1, -1]), k=3)
        chosen = tf.gather(logits, tf.nn.top_k(logits, k=16).indices)
        predictions = {"score": tf.sigmoid(logits), "sorted": chosen}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    shifted = tf.roll(logits, shift=1, axis=0)
    signs = 2.0 * labels - 1.0
    hinge = tf.nn.relu(0.5 - signs * (logits - shifted))
    weighted = hinge * features["weight"]
    pointwise = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(weighted) + params["mix"] * tf.reduce_mean(pointwise)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.AdamOptimizer(0.01)
    gradients = optimizer.compute_gradients(loss)
    gradients = [
        (gradient * (0.1 if variable.op.name.startswith("item") else 1.0), variable)
        for gradient, variable in gradients
    ]
    gradients = [(tf.clip_by_norm(gradient, 0.5), variable) for gradient, variable in gradients]
    train_op = optimizer.apply_gradients(gradients, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="towers",
    source=SOURCE,
    params={"dropout": 0.2, "temperature": 0.5, "mix": 0.3},
    edits=(
        silent(
            "tow-features-swapped",
            "features swapped",
            MODES,
            (
                ('tower(features["user"], "user"', 'tower(features["@"], "user"'),
                ('tower(features["item"], "item"', 'tower(features["user"], "item"'),
                ('features["@"]', 'features["item"]'),
            ),
            ("user|item", "user|item"),
        ),
        silent(
            "tow-scopes-swapped",
            "layers swapped",
            MODES,
            (
                ('features["user"], "user"', 'features["user"], "@"'),
                ('features["item"], "item"', 'features["item"], "user"'),
                ('"@"', '"item"'),
            ),
            ("user|item", "user|item"),
        ),
        silent(
            "tow-shared-weights",
            "weights shared",
            MODES,
            (
                ('tower(features["item"], "item"', 'tower(features["item"], "user"'),
                ("tf.variable_scope(name)", "tf.variable_scope(name, reuse=tf.AUTO_REUSE)"),
            ),
            ("item", "user"),
        ),
        silent(
            "tow-not-normalized",
            "normalization",
            MODES,
            ("return tf.nn.l2_normalize(net, axis=1, epsilon=1e-6)", "return net"),
            ("rsqrt|square|normalize", ""),
        ),
        silent(
            "tow-normalized-axis",
            "axis",
            MODES,
            ("l2_normalize(net, axis=1", "l2_normalize(net, axis=0"),
            ("1", "0"),
        ),
        param("tow-temperature", "constant", MODES, {"temperature": 1.0}, ("0.5", "1")),
        silent(
            "tow-distance",
            "similarity",
            MODES,
            (
                "tf.reduce_sum(user * item, axis=1)",
                "-tf.reduce_sum(tf.squared_difference(user, item), axis=1)",
            ),
            ("mul", "SquaredDifference|squared"),
        ),
        param("tow-dropout", "dropout rate", TRAINED, {"dropout": 0.5}, ("0.2", "0.5")),
        silent(
            "tow-margin",
            "loss constant",
            SCORED,
            ("tf.nn.relu(0.5 - signs", "tf.nn.relu(1.0 - signs"),
            ("0.5", "1"),
        ),
        silent(
            "tow-soft-margin",
            "loss kind",
            SCORED,
            ("tf.nn.relu(0.5 - signs", "tf.nn.softplus(0.5 - signs"),
            ("relu", "softplus"),
        ),
        silent("tow-roll", "negative sampling", SCORED, ("shift=1", "shift=2"), ("1", "2")),
        silent(
            "tow-unweighted",
            "loss weight",
            SCORED,
            ('hinge * features["weight"]', "hinge"),
            ("multiply|weight", ""),
        ),
        param("tow-mix", "loss weight", SCORED, {"mix": 0.6}, ("0.3", "0.6")),
        silent(
            "tow-gradient-scale",
            "gradient scale",
            TRAINED,
            ("gradient * (0.1 if", "gradient * (0.5 if"),
            ("0.1", "0.5"),
        ),
        silent(
            "tow-clip-norm",
            "gradient clipping",
            TRAINED,
            ("clip_by_norm(gradient, 0.5)", "clip_by_norm(gradient, 0.001)"),
            ("0.5", "0.001"),
        ),
        silent(
            "tow-clip-kind",
            "gradient clipping",
            TRAINED,
            ("tf.clip_by_norm(gradient, 0.5)", "tf.clip_by_value(gradient, -0.001, 0.001)"),
            ("0.5|clip by norm", "0.001|clip by value"),
        ),
        silent(
            "tow-sorted-ascending",
            "predict only",
            ("predict",),
            ("tf.nn.top_k(logits, k=16)", "tf.nn.top_k(-logits, k=16)"),
            comparable=False,
        ),
        silent(
            "tow-three-at-once",
            "several edits",
            MODES,
            (
                ("tf.nn.elu", "tf.nn.relu"),
                ("signs * (logits - shifted)", "signs * (logits - 2.0 * shifted)"),
                ("AdamOptimizer(0.01)", "AdamOptimizer(0.02)"),
            ),
            ("elu", "relu"),
            ("", "2"),
            ("0.01", "0.02"),
        ),
        innocent(
            "tow-item-first",
            "reordered code",
            (
                (
                    '    user = tower(features["user"], "user", drop)\n',
                    "",
                ),
                (
                    '    temperature = params["temperature"]\n',
                    '    user = tower(features["user"], "user", drop)\n'
                    '    temperature = params["temperature"]\n',
                ),
            ),
        ),
        innocent(
            "tow-dead-prediction",
            "unused code",
            ("        best = tf.nn.top_k(tf.reshape(logits, [1, -1]), k=3)\n", ""),
        ),
        innocent(
            "tow-seed",
            "seed",
            ("seed=17", "seed=18"),
            random=True,
        ),
        innocent(
            "tow-keyword",
            "equal rewrite",
            ("tf.reduce_sum(user * item, axis=1)", "tf.reduce_sum(tf.multiply(user, item), 1)"),
        ),
        innocent(
            "tow-device",
            "device",
            (
                '    item = tower(features["item"], "item", drop)\n',
                "    with tf.device('/device:CPU:0'):\n"
                '        item = tower(features["item"], "item", drop)\n',
            ),
        ),
        innocent(
            "tow-map-of-features",
            "input pipeline",
            (
                "from_tensor_slices((features, labels)).batch(16)",
                "from_tensor_slices((features, labels)).batch(8).unbatch().batch(16)",
            ),
        ),
    ),
)
