"""Feature columns of most kinds, with Ftrl."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf

JOBS = ["cook", "nurse", "smith"]
AGES = [20.0, 40.0, 60.0]


def input_fn(mode):
    rng = np.random.RandomState(4)
    features = {
        "age": rng.uniform(10, 70, size=(32, 1)).astype(np.float32),
        "jobs": rng.choice(["cook", "nurse", "smith", "clown"], size=(32, 2)).astype(object),
        "city": rng.choice(list("abcdefghij"), size=(32, 1)).astype(object),
    }
    labels = (features["age"] > 40).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def scaled(age):
    return (age - 40.0) / 20.0


def columns():
    column = tf.feature_column
    age = column.numeric_column("age", normalizer_fn=scaled)
    raw_age = column.numeric_column("age")
    buckets = column.bucketized_column(raw_age, AGES)
    job = column.categorical_column_with_vocabulary_list("jobs", JOBS, default_value=0)
    city = column.categorical_column_with_hash_bucket("city", 8)
    crossed = column.crossed_column(["jobs", "city"], 10, hash_key=1)
    job_vector = column.embedding_column(job, 3, combiner="mean")
    city_vector = column.embedding_column(city, 3, combiner="mean")
    return [age, buckets, job_vector, city_vector, column.indicator_column(crossed)]


def model_fn(features, labels, mode, params):
    net = tf.feature_column.input_layer(features, columns())
    net = tf.layers.dense(net, 4, activation=tf.nn.softplus, name="hidden")
    logits = tf.layers.dense(net, 1, name="logits")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"p": tf.sigmoid(logits)})
    loss = tf.losses.sigmoid_cross_entropy(labels, logits)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    wide, deep = tf.trainable_variables("logits"), tf.trainable_variables("(?!logits)")
    gradients = tf.tuple(tf.gradients(loss, wide + deep))
    ftrl = tf.train.FtrlOptimizer(0.1, initial_accumulator_value=0.1)
    first = ftrl.apply_gradients(zip(gradients, wide), global_step=tf.train.get_global_step())
    adagrad = tf.train.AdagradOptimizer(0.3)
    second = adagrad.apply_gradients(zip(gradients[len(wide) :], deep))
    train_op = tf.group(first, second)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

FTRL = "FtrlOptimizer(0.1, initial_accumulator_value=0.1)"
JOB_VECTOR = 'embedding_column(job, 3, combiner="mean")'
CITY_VECTOR = 'embedding_column(city, 3, combiner="mean")'

MODEL = Model(
    id="columns",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "col-boundaries",
            "bucket boundaries",
            MODES,
            ("AGES = [20.0, 40.0, 60.0]", "AGES = [25.0, 40.0, 60.0]"),
            ("20", "25"),
        ),
        silent(
            "col-vocabulary-order",
            "vocabulary",
            MODES,
            ('JOBS = ["cook", "nurse", "smith"]', 'JOBS = ["nurse", "cook", "smith"]'),
            ("cook", "nurse"),
        ),
        silent(
            "col-vocabulary-word",
            "vocabulary",
            MODES,
            ('JOBS = ["cook", "nurse", "smith"]', 'JOBS = ["cook", "clown", "smith"]'),
            ("nurse", "clown"),
        ),
        silent(
            "col-default",
            "lookup default",
            MODES,
            ("default_value=0", "default_value=1"),
            ("0", "1"),
        ),
        silent(
            "col-combiner",
            "combiner",
            MODES,
            (JOB_VECTOR, JOB_VECTOR.replace("mean", "sum")),
            ("mean", "sum"),
        ),
        silent(
            "col-max-norm",
            "clipped embedding",
            MODES,
            (CITY_VECTOR, CITY_VECTOR.replace("combiner", "max_norm=0.1, combiner")),
            ("", "0.1"),
        ),
        silent("col-hash-key", "hash", MODES, ("hash_key=1", "hash_key=2"), ("1", "2")),
        silent(
            "col-normalizer",
            "preprocessing",
            MODES,
            ("(age - 40.0) / 20.0", "(age - 35.0) / 20.0"),
            ("40", "35"),
        ),
        silent(
            "col-normalizer-gone",
            "preprocessing",
            MODES,
            ('("age", normalizer_fn=scaled)', '("age")'),
            ("40|20|subtract", ""),
        ),
        silent(
            "col-activation",
            "activation",
            MODES,
            ("tf.nn.softplus", "tf.nn.softsign"),
            ("softplus", "softsign"),
        ),
        silent(
            "col-loss",
            "loss kind",
            SCORED,
            (
                "tf.losses.sigmoid_cross_entropy(labels, logits)",
                "tf.losses.hinge_loss(labels, logits)",
            ),
            ("sigmoid|cross entropy", "hinge|relu"),
        ),
        silent(
            "col-positive-weight",
            "loss weight",
            SCORED,
            (
                "sigmoid_cross_entropy(labels, logits)",
                "sigmoid_cross_entropy(labels, logits, weights=1.0 + labels)",
            ),
            ("", "add|multiply|labels"),
        ),
        silent(
            "col-l2",
            "regularization",
            TRAINED,
            (FTRL, FTRL.replace("0.1, ", "0.1, l2_regularization_strength=0.5, ")),
            ("0", "0.5"),
        ),
        silent(
            "col-l1",
            "regularization",
            TRAINED,
            (FTRL, FTRL.replace("0.1, ", "0.1, l1_regularization_strength=0.3, ")),
            ("0", "0.3"),
        ),
        silent(
            "col-power",
            "optimizer constant",
            TRAINED,
            (FTRL, FTRL.replace("0.1, ", "0.1, learning_rate_power=-0.4, ")),
            ("-0.5", "-0.4"),
        ),
        innocent(
            "col-accumulator",
            "initializer",
            ("initial_accumulator_value=0.1", "initial_accumulator_value=0.2"),
        ),
        innocent(
            "col-reordered",
            "reordered code",
            (
                "return [age, buckets, job_vector, city_vector, column.indicator_column(crossed)]",
                "return [column.indicator_column(crossed), city_vector, job_vector, buckets, age]",
            ),
        ),
        innocent(
            "col-embedding-initializer",
            "initializer",
            (CITY_VECTOR, CITY_VECTOR.replace(")", ", initializer=tf.zeros_initializer())")),
        ),
        innocent(
            "col-tuple", "equal literal", ("AGES = [20.0, 40.0, 60.0]", "AGES = (20, 40, 60)")
        ),
        innocent(
            "col-lambda",
            "renamed Python",
            ("normalizer_fn=scaled", "normalizer_fn=lambda years: (years - 40.0) / 20.0"),
        ),
        innocent(
            "col-cached-dataset",
            "input pipeline",
            (
                "from_tensor_slices((features, labels)).batch(16)",
                "from_tensor_slices((features, labels)).cache().batch(16)",
            ),
        ),
        innocent(
            "col-metrics",
            "metrics",
            (
                "    if mode == tf.estimator.ModeKeys.EVAL:\n"
                "        return tf.estimator.EstimatorSpec(mode, loss=loss)",
                "    auc = tf.metrics.auc(labels, tf.sigmoid(logits))\n"
                "    if mode == tf.estimator.ModeKeys.EVAL:\n"
                "        return tf.estimator.EstimatorSpec(mode, loss=loss, "
                "eval_metric_ops={'auc': auc})",
            ),
        ),
    ),
)
