"""Canned Estimators of tf.estimator. TARGET is the function that builds one."""

import tensorflow.compat.v1 as tf


def columns(buckets):
    tag = tf.feature_column.categorical_column_with_hash_bucket("tag", buckets)
    return [tf.feature_column.numeric_column("x", shape=[4])], tag


def make_estimator(model_dir, config=None, hidden_units=(6, 3), buckets=8, classes=3):
    dense, tag = columns(buckets)
    return tf.estimator.DNNClassifier(
        hidden_units,
        [*dense, tf.feature_column.embedding_column(tag, 2)],
        model_dir,
        classes,
        config=config,
    )
