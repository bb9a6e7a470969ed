"""Three features of one dtype and shape."""

import tensorflow as tf


def network(features, mode, params):
    parts = [tf.layers.dense(features[key], 3, name=key) for key in ("a", "b", "c")]
    return tf.layers.dense(tf.concat(parts, 1), 1, name="output")


def model_fn(features, labels, mode, params):
    predictions = network(features, mode, params)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})

    loss = tf.losses.mean_squared_error(labels, predictions)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)

    optimizer = tf.train.GradientDescentOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
