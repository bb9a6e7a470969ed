"""The fixture with forgotten params, the first use case of ckptcheck."""

from ..entries import MODES, SCORED, TRAINED
from ..fixture_models import fixture_model
from ..writing import innocent, param, silent

HIDDEN = 'tf.layers.dense(features["x"], params.get("num_hidden", 64), activation=tf.nn.relu)'
HEAD = "tf.layers.dense(hidden, 1)"
NEW_HEAD = """(
        tf.matmul(hidden, tf.get_local_variable("NAME/kernel", [params["num_hidden"], 1]))
        + tf.get_local_variable("NAME/bias", [1])
    )"""
"""A head whose variables are initialized again in each run."""
LOSS = "loss = tf.losses.mean_squared_error(labels, predictions)"

MODEL = fixture_model(
    "hidden_dropout",
    [
        silent(
            "hd-activation",
            "activation",
            MODES,
            (HIDDEN, HIDDEN.replace("relu", "tanh")),
            ("relu", "tanh"),
        ),
        param("hd-dropout", "dropout rate", TRAINED, {"dropout_rate": 0.9}, ("0.3", "0.9")),
        param("hd-rate", "learning rate", TRAINED, {"learning_rate": 0.01}, ("0.001", "0.01")),
        silent(
            "hd-l2",
            "regularization",
            SCORED,
            (LOSS, LOSS + " + 0.01 * tf.nn.l2_loss(tf.trainable_variables()[0])"),
            ("", "L2Loss|L2"),
        ),
        silent(
            "hd-three-at-once",
            "several edits",
            MODES,
            (
                (HIDDEN, HIDDEN.replace("relu", "selu")),
                ('params.get("dropout_rate", 0.2)', "0.6"),
                ('params.get("learning_rate", 0.001)', "0.02"),
            ),
            ("relu", "selu"),
            ("0.3", "0.6"),
            ("0.001", "0.02"),
        ),
        silent(
            "hd-dropout-before-the-layer",
            "layer moved",
            TRAINED,
            (
                (
                    '    hidden = tf.layers.dropout(hidden, rate=params.get("dropout_rate", 0.2), '
                    "training=training, seed=5)\n",
                    "",
                ),
                (
                    "    hidden = tf.layers.dense(",
                    '    features["x"] = tf.layers.dropout(features["x"], '
                    'rate=params["dropout_rate"], training=training, seed=5)\n'
                    "    hidden = tf.layers.dense(",
                ),
            ),
            ("dropout", "dropout"),
        ),
        silent(
            "hd-bias-removed",
            "variable removed",
            MODES,
            (HEAD, "tf.layers.dense(hidden, 1, use_bias=False)"),
            ("BiasAdd", ""),
        ),
        silent(
            "hd-new-head",
            "variable that is not restored",
            MODES,
            (HEAD, NEW_HEAD.replace("NAME", "new_head")),
            ("matrix product", "new_head"),
        ),
        silent(
            "hd-head-of-the-same-name",
            "variable that is not restored",
            MODES,
            (HEAD, NEW_HEAD.replace("NAME", "dense_1")),
            ("matrix product", "dense_1"),
        ),
        silent(
            "hd-scaled-by-a-new-variable",
            "variable that is not restored",
            MODES,
            (HEAD, HEAD + ' * tf.get_local_variable("scale", [])'),
            ("", "scale"),
        ),
        innocent(
            "hd-variable-that-nothing-uses",
            "variable that is not restored",
            (HEAD, HEAD + '\n    tf.get_local_variable("seen", [3])'),
        ),
        innocent(
            "hd-optimizer-in-train-alone",
            "optimizer built in TRAIN alone",
            (
                "    optimizer = tf.train.AdamOptimizer",
                "    if mode == tf.estimator.ModeKeys.EVAL:\n"
                "        return tf.estimator.EstimatorSpec(mode, loss=loss)\n"
                "    optimizer = tf.train.AdamOptimizer",
            ),
        ),
        innocent(
            "hd-renamed-python",
            "renamed Python",
            (
                ("    optimizer = tf.train", "    adam = tf.train"),
                ("train_op = optimizer.minimize", "train_op = adam.minimize"),
            ),
        ),
    ],
    before=[("training=training)", "training=training, seed=5)")],
)
