"""Two layers, saved and restored by a saver of its own in every mode."""

import tensorflow as tf


def make_saver(params):
    return None


def make_scaffold(params):
    return tf.train.Scaffold(saver=make_saver(params))


def network(x, params):
    hidden = tf.layers.dense(x, params["units"], name="hidden")
    return tf.layers.dense(hidden, 1, name="output")


def model_fn(features, labels, mode, params):
    predictions = network(features["x"], params)
    if mode == tf.estimator.ModeKeys.PREDICT:
        scaffold = make_scaffold(params)
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions}, scaffold=scaffold)

    loss = tf.losses.mean_squared_error(labels, predictions)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, scaffold=make_scaffold(params))

    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    scaffold = make_scaffold(params)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, scaffold=scaffold)
