"""A model with loops and branches, and its edits, for both kinds of control flow.

Both models have the same code, but different calls at the import. Loops and branches of TensorFlow
1 are ops in the graph; those of TensorFlow 2 are functions.
"""

from .entries import MODES, SCORED, TRAINED, Model
from .writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf

tf.SWITCH_control_flow_v2()


def input_fn(mode):
    rng = np.random.RandomState(7)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    labels = np.cumsum(x, axis=1).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def weights():
    make = tf.glorot_uniform_initializer(seed=1)
    return tf.get_variable("recurrent", [4, 4], initializer=make, use_resource=True)


def unrolled(x, kernel, params):
    def body(i, state):
        return i + 1, tf.tanh(0.9 * tf.matmul(state, kernel) + x)

    def more(i, state):
        return i < params["steps"]

    _, state = tf.while_loop(more, body, [tf.constant(0), tf.zeros_like(x)])
    return state


def gated(state):
    mean = tf.reduce_mean(tf.square(state))
    return tf.cond(mean > 0.1, lambda: state * 0.5, lambda: state + 1.0)


def smoothed(state):
    columns = tf.transpose(state)
    start = tf.zeros_like(columns[0])
    scanned = tf.scan(lambda a, x: 0.7 * a + 0.3 * x, columns, initializer=start)
    return tf.transpose(scanned)


def scored(state):
    return tf.map_fn(lambda row: row / (1.0 + tf.reduce_max(tf.abs(row))), state)


def model_fn(features, labels, mode, params):
    kernel = weights()
    state = unrolled(features["x"], kernel, params)
    state = gated(state)
    state = smoothed(state)
    state = scored(state)
    y = tf.layers.dense(state, 4, name="y")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.reduce_mean(tf.square(labels - y))
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    rate = tf.cond(step < 5, lambda: 0.05, lambda: 0.02)
    optimizer = tf.train.AdagradOptimizer(rate)
    train_op = optimizer.minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

COND = "tf.cond(mean > 0.1, lambda: state * 0.5, lambda: state + 1.0)"


def control_flow(prefix: str, switch: str) -> Model:
    """The model with one kind of control flow.

    Args:
        prefix: the prefix of the ids.
        switch: ``enable`` or ``disable``, for TensorFlow 2's control flow.
    """
    return Model(
        id=f"control_flow_{prefix}",
        source=SOURCE.replace("SWITCH", switch),
        params={"steps": 3},
        edits=(
            param(f"{prefix}-iterations", "loop", MODES, {"steps": 4}, ("3", "4")),
            silent(
                f"{prefix}-constant-in-body",
                "loop",
                MODES,
                ("0.9 * tf.matmul", "0.8 * tf.matmul"),
                ("0.9", "0.8"),
            ),
            silent(
                f"{prefix}-op-in-body",
                "loop",
                MODES,
                ("tf.tanh(0.9", "tf.sigmoid(0.9"),
                ("tanh", "sigmoid"),
            ),
            silent(
                f"{prefix}-start",
                "loop",
                MODES,
                ("tf.constant(0), tf.zeros_like(x)", "tf.constant(0), tf.ones_like(x)"),
                ("0|zeros", "1|ones"),
            ),
            silent(
                f"{prefix}-condition-of-the-loop",
                "loop",
                MODES,
                ('i < params["steps"]', 'i <= params["steps"]'),
                ("less", "lessequal|less_equal"),
            ),
            silent(
                f"{prefix}-branch",
                "branch",
                MODES,
                (COND, COND.replace("0.5", "0.25")),
                ("0.5", "0.25"),
            ),
            silent(
                f"{prefix}-branches-swapped",
                "branch",
                MODES,
                (COND, "tf.cond(mean > 0.1, lambda: state + 1.0, lambda: state * 0.5)"),
                ("multiply", "add"),
            ),
            silent(
                f"{prefix}-predicate",
                "branch",
                MODES,
                (COND, COND.replace("> 0.1", "> 10.0")),
                ("0.1", "10"),
            ),
            silent(
                f"{prefix}-scan",
                "loop",
                MODES,
                ("0.7 * a + 0.3 * x", "0.7 * a - 0.3 * x"),
                ("add", "sub"),
            ),
            silent(
                f"{prefix}-map",
                "loop",
                MODES,
                ("tf.reduce_max(tf.abs(row))", "tf.reduce_sum(tf.abs(row))"),
                ("max", "sum"),
            ),
            silent(
                f"{prefix}-loss",
                "loss kind",
                SCORED,
                ("tf.square(labels - y)", "tf.abs(labels - y)"),
                ("square", "abs"),
            ),
            silent(
                f"{prefix}-rate-in-branch",
                "schedule",
                TRAINED,
                ("lambda: 0.02", "lambda: 0.04"),
                ("0.02", "0.04"),
            ),
            innocent(
                f"{prefix}-named-functions",
                "renamed Python",
                (
                    ("    def body(i, state):", "    def one_step(i, state):"),
                    ("(more, body,", "(more, one_step,"),
                ),
            ),
            innocent(
                f"{prefix}-loop-name",
                "op name",
                ("tf.zeros_like(x)])", "tf.zeros_like(x)], name='unroll')"),
            ),
            innocent(
                f"{prefix}-parallel",
                "execution hint",
                ("tf.zeros_like(x)])", "tf.zeros_like(x)], parallel_iterations=2)"),
            ),
            innocent(
                f"{prefix}-identity-in-branch",
                "identity",
                (COND, COND.replace("state * 0.5", "tf.identity(state) * 0.5")),
            ),
            innocent(
                f"{prefix}-dead-loop",
                "unused code",
                (
                    "    kernel = weights()\n",
                    "    kernel = weights()\n"
                    "    tf.while_loop(lambda i: i < 9, lambda i: i + 1, [tf.constant(0)])\n",
                ),
            ),
        ),
    )
