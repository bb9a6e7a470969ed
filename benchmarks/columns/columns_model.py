"""A model with many feature columns, as TensorFlow 1 code writes one."""

from typing import Any, Dict, List

import tensorflow.compat.v1 as tf


def columns(count: int) -> List[Any]:
    """Numbers, words in buckets, and embedded words, in turn."""
    made: List[Any] = []
    for place in range(count):
        key = f"feature_{place:02}"
        if place % 3 == 0:
            made.append(tf.feature_column.numeric_column(key, shape=[1 + place % 4]))
            continue
        words = tf.feature_column.categorical_column_with_hash_bucket(key, 10 + place)
        made.append(
            tf.feature_column.indicator_column(words)
            if place % 3 == 1
            else tf.feature_column.embedding_column(words, 4)
        )
    return made


def model_fn(features: Dict[str, Any], labels: Any, mode: str, params: Dict[str, Any]) -> Any:
    """Builds the graph of one mode."""
    net = tf.feature_column.input_layer(features, columns(params["columns"]))
    net = tf.layers.dense(net, 16, tf.nn.relu, name="hidden")
    y = tf.layers.dense(net, 1, name="output")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
