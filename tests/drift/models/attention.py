"""An encoder layer with attention and an optimizer that is written by hand."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import math

import numpy as np
import tensorflow.compat.v1 as tf

WIDTH = 8


def input_fn(mode):
    rng = np.random.RandomState(2)
    ids = rng.randint(1, 20, size=(32, 6)).astype(np.int32)
    ids[:, 4:] *= rng.randint(0, 2, size=(32, 2)).astype(np.int32)
    labels = (ids[:, 0] % 3).astype(np.int32)
    dataset = tf.data.Dataset.from_tensor_slices(({"ids": ids}, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def gelu(x):
    return 0.5 * x * (1.0 + tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def normalize(x, name):
    with tf.variable_scope(name):
        gain = tf.get_variable("gamma", [WIDTH], initializer=tf.ones_initializer())
        bias = tf.get_variable("beta", [WIDTH], initializer=tf.zeros_initializer())
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, bias, gain, 1e-3)


def split(x, heads):
    x = tf.reshape(x, [-1, 6, heads, WIDTH // heads])
    return tf.transpose(x, [0, 2, 1, 3])


def attend(x, mask, params, training):
    query = split(tf.layers.dense(x, WIDTH, name="query"), params["heads"])
    key = split(tf.layers.dense(x, WIDTH, name="key"), params["heads"])
    value = split(tf.layers.dense(x, WIDTH, name="value"), params["heads"])
    scores = tf.matmul(query, key, transpose_b=True)
    scores = scores / math.sqrt(WIDTH // params["heads"])
    scores += (1.0 - mask[:, tf.newaxis, tf.newaxis, :]) * -4.0
    weights = tf.nn.softmax(scores)
    weights = tf.layers.dropout(weights, params["attention_dropout"], training=training, seed=3)
    context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
    return tf.layers.dense(tf.reshape(context, [-1, 6, WIDTH]), WIDTH, name="output")


def encode(ids, params, training):
    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)
    table = tf.get_variable("embedding", [20, WIDTH])
    places = tf.get_variable("positions", [6, WIDTH])
    x = tf.nn.embedding_lookup(table, ids) * math.sqrt(WIDTH)
    x += places
    x = normalize(x + attend(x, mask, params, training), "norm1")
    hidden = tf.layers.dense(x, 16, activation=gelu, name="hidden")
    hidden = tf.layers.dense(hidden, WIDTH, name="narrow")
    hidden = tf.layers.dropout(hidden, params["dropout"], training=training, seed=4)
    x = normalize(x + hidden, "norm2")
    return x[:, 0]


def adam_with_decay(loss, params):
    step = tf.train.get_global_step()
    rate = tf.train.polynomial_decay(params["rate"], step, 100, 0.0, power=1.0)
    warm = tf.cast(step, tf.float32) / 20.0
    rate = tf.where(tf.less(step, 20), params["rate"] * warm, rate)
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    updates = []
    for gradient, variable in zip(gradients, variables):
        gradient = tf.convert_to_tensor(gradient)
        name = variable.op.name
        zeros = tf.zeros_initializer()
        m = tf.get_variable(name + "/m", variable.shape, initializer=zeros, trainable=False)
        v = tf.get_variable(name + "/v", variable.shape, initializer=zeros, trainable=False)
        next_m = 0.9 * m + 0.1 * gradient
        next_v = 0.999 * v + 0.001 * tf.square(gradient)
        update = next_m / (tf.sqrt(next_v) + 1e-6)
        if "gamma" not in name and "beta" not in name:
            update += 0.01 * variable
        updates += [variable.assign(variable - rate * update), m.assign(next_m), v.assign(next_v)]
    updates.append(tf.assign_add(step, 1))
    return tf.group(*updates)


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    first = encode(features["ids"], params, training)
    pooled = tf.layers.dense(first, WIDTH, activation=tf.tanh, name="pooler")
    logits = tf.layers.dense(pooled, 3, name="logits")
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"label": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(losses)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=adam_with_decay(loss, params))
"""

QUERY = 'query = split(tf.layers.dense(x, WIDTH, name="query"), params["heads"])\n'
KEY = '    key = split(tf.layers.dense(x, WIDTH, name="key"), params["heads"])\n'
VALUE = '    value = split(tf.layers.dense(x, WIDTH, name="value"), params["heads"])\n'
LOSS = "    loss = tf.reduce_mean(losses)\n"

MODEL = Model(
    id="attention",
    source=SOURCE,
    params={"heads": 2, "attention_dropout": 0.1, "dropout": 0.2, "rate": 0.02},
    edits=(
        param("att-heads", "attention heads", MODES, {"heads": 4}, ("2", "4")),
        silent(
            "att-scale",
            "attention scale",
            MODES,
            (
                'scores / math.sqrt(WIDTH // params["heads"])',
                "scores / math.sqrt(WIDTH)",
            ),
            ("2.0|2", "2.828"),
        ),
        silent("att-mask", "attention mask", MODES, ("* -4.0", "* -1e4"), ("-4", "-10000")),
        silent(
            "att-mask-gone",
            "attention mask",
            MODES,
            ("    scores += (1.0 - mask[:, tf.newaxis, tf.newaxis, :]) * -4.0\n", ""),
            ("-4|subtract|mask", ""),
        ),
        silent(
            "att-keys-and-values-swapped",
            "layers swapped",
            MODES,
            (('name="key"', 'name="@"'), ('name="value"', 'name="key"'), ("@", "value")),
            ("key|value", "key|value"),
        ),
        silent(
            "att-activation",
            "activation",
            MODES,
            ("activation=gelu", "activation=tf.nn.relu"),
            ("tanh|gelu", "relu"),
        ),
        silent(
            "att-gelu-formula",
            "activation",
            MODES,
            (
                "tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))",
                "tf.erf(x / math.sqrt(2))",
            ),
            ("gelu|Tanh", "gelu|Erf"),
        ),
        silent(
            "att-pooler-activation",
            "activation",
            MODES,
            ("activation=tf.tanh", "activation=tf.sigmoid"),
            ("tanh", "sigmoid"),
        ),
        silent("att-gelu-factor", "constant", MODES, ("0.044715", "0.04"), ("0.044715", "0.04")),
        silent("att-epsilon", "epsilon", MODES, ("gain, 1e-3)", "gain, 1e-2)"), ("0.001", "0.01")),
        silent(
            "att-embedding-scale",
            "constant",
            MODES,
            (" * math.sqrt(WIDTH)\n", "\n"),
            ("2.828|multiply", ""),
        ),
        silent(
            "att-residual-gone",
            "residual connection",
            MODES,
            ("normalize(x + hidden,", "normalize(hidden,"),
            ("Add|+", ""),
        ),
        silent(
            "att-positions-subtracted",
            "sign",
            MODES,
            ("    x += places\n", "    x -= places\n"),
            ("Add|+", "Sub|-"),
        ),
        silent(
            "att-last-instead-of-first",
            "slice",
            MODES,
            ("return x[:, 0]", "return x[:, 5]"),
            ("0", "5"),
        ),
        silent(
            "att-mean-instead-of-first",
            "reduction",
            MODES,
            ("return x[:, 0]", "return tf.reduce_mean(x, axis=1)"),
            ("StridedSlice|slice", "Mean"),
        ),
        param(
            "att-dropout-of-weights",
            "dropout rate",
            TRAINED,
            {"attention_dropout": 0.4},
            ("0.1", "0.4"),
        ),
        param("att-dropout", "dropout rate", TRAINED, {"dropout": 0.0}, ("0.2|dropout", "")),
        silent(
            "att-loss-sum",
            "loss reduction",
            SCORED,
            ("tf.reduce_mean(losses)", "tf.reduce_sum(losses)"),
            ("Mean", "Sum"),
        ),
        silent(
            "att-loss-masked",
            "loss kind",
            SCORED,
            (LOSS, "    losses *= tf.cast(labels > 0, tf.float32)\n" + LOSS),
            ("", "Mul|Greater"),
        ),
        param("att-rate", "learning rate", TRAINED, {"rate": 0.01}, ("0.02", "0.01")),
        silent("att-warmup", "schedule", TRAINED, ("/ 20.0", "/ 40.0"), ("20", "40")),
        silent(
            "att-power", "schedule", TRAINED, (("less(step, 20)", "less(step, 2)"),), ("20", "2")
        ),
        silent(
            "att-beta1",
            "optimizer constant",
            TRAINED,
            ("0.9 * m + 0.1 * gradient", "0.8 * m + 0.2 * gradient"),
            ("0.9", "0.8"),
        ),
        silent(
            "att-beta2",
            "optimizer constant",
            TRAINED,
            ("0.999 * v + 0.001 *", "0.99 * v + 0.01 *"),
            ("0.999", "0.99"),
        ),
        silent(
            "att-adam-epsilon",
            "optimizer constant",
            TRAINED,
            ("+ 1e-6)", "+ 1e-3)"),
            ("1e-06|0.000001", "0.001"),
        ),
        silent(
            "att-weight-decay",
            "weight decay",
            TRAINED,
            ("0.01 * variable", "0.1 * variable"),
            ("0.01", "0.1"),
        ),
        silent(
            "att-weight-decay-of-all",
            "weight decay",
            TRAINED,
            ('if "gamma" not in name and "beta" not in name:', "if True:"),
            ("", "0.01|multiply"),
        ),
        silent(
            "att-clip",
            "gradient clipping",
            TRAINED,
            ("variables), 1.0)", "variables), 0.1)"),
            ("1", "0.1"),
        ),
        innocent(
            "att-reordered",
            "reordered code",
            (QUERY + KEY + VALUE, VALUE.strip() + "\n" + KEY + "    " + QUERY),
        ),
        innocent(
            "att-renamed-python",
            "renamed Python",
            (("def gelu(x)", "def smooth(x)"), ("activation=gelu", "activation=smooth")),
        ),
        innocent(
            "att-name-scope",
            "op scope",
            (
                "    weights = tf.nn.softmax(scores)\n",
                "    with tf.name_scope('weights'):\n        weights = tf.nn.softmax(scores)\n",
            ),
        ),
        innocent(
            "att-assertion",
            "assertion",
            (
                "    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)\n",
                "    with tf.control_dependencies([tf.assert_less(ids, 20)]):\n"
                "        ids = tf.identity(ids)\n"
                "    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)\n",
            ),
        ),
        innocent(
            "att-metrics",
            "metrics",
            (
                "        return tf.estimator.EstimatorSpec(mode, loss=loss)\n",
                "        accuracy = tf.metrics.accuracy(labels, tf.argmax(logits, 1))\n"
                "        return tf.estimator.EstimatorSpec(\n"
                "            mode, loss=loss, eval_metric_ops={'accuracy': accuracy}\n"
                "        )\n",
            ),
        ),
        innocent(
            "att-helper",
            "helper function",
            (
                '    logits = tf.layers.dense(pooled, 3, name="logits")\n',
                '    def head(x):\n        return tf.layers.dense(x, 3, name="logits")\n\n'
                "    logits = head(pooled)\n",
            ),
        ),
        innocent(
            "att-initializer",
            "initializer",
            (
                'tf.get_variable("embedding", [20, WIDTH])',
                'tf.get_variable("embedding", [20, WIDTH], initializer=tf.ones_initializer())',
            ),
        ),
        innocent(
            "att-print",
            "logging",
            (
                LOSS,
                LOSS + "    print('the loss is', loss)\n    tf.logging.info('built %s', loss)\n",
            ),
        ),
        innocent(
            "att-ungrouped",
            "train op",
            (
                "return tf.group(*updates)",
                "with tf.control_dependencies(updates):\n        return tf.no_op(name='trained')",
            ),
        ),
    ),
)
