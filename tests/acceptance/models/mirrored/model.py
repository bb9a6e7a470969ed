"""A model that is trained under MirroredStrategy, on CPUs."""

import tensorflow as tf

DEVICES = ["/cpu:0"]


def model_fn(features, labels, mode, params):
    hidden = tf.layers.dense(features["x"], params["units"], name="hidden")
    predictions = tf.layers.dense(hidden, 1, name="output")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})

    loss = tf.losses.mean_squared_error(labels, predictions)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)

    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def make_estimator(model_dir, config=None, **params):
    strategy = tf.distribute.MirroredStrategy(DEVICES)
    session_config = tf.ConfigProto(device_count={"CPU": 2}, allow_soft_placement=True)
    config = tf.estimator.RunConfig(
        model_dir=model_dir,
        tf_random_seed=1,
        train_distribute=strategy,
        session_config=session_config,
        save_checkpoints_steps=1000,
    )
    return tf.estimator.Estimator(model_fn, model_dir, config, params)
