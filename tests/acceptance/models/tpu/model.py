"""A TPUEstimator's model_fn, on a CPU: it reads the batch size that TPUEstimator adds to params."""

import tensorflow as tf

tpu = tf.estimator.tpu


def model_fn(features, labels, mode, params):
    x = tf.reshape(features["x"], [params["batch_size"], 4])
    hidden = tf.layers.dense(x, params["units"], name="hidden")
    predictions = tf.layers.dense(hidden, 1, name="output")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tpu.TPUEstimatorSpec(mode, predictions={"y": predictions})

    loss = tf.losses.mean_squared_error(labels, predictions)
    if mode == tf.estimator.ModeKeys.EVAL:
        metrics = (
            lambda y, p: {"mae": tf.metrics.mean_absolute_error(y, p)},
            [labels, predictions],
        )
        return tpu.TPUEstimatorSpec(mode, loss=loss, eval_metrics=metrics)

    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    if params["use_tpu"]:
        optimizer = tf.tpu.CrossShardOptimizer(optimizer)
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op)


def make_estimator(model_dir, config=None, **params):
    config = tpu.RunConfig(model_dir=model_dir, tf_random_seed=1, save_checkpoints_steps=1000)
    return tpu.TPUEstimator(
        model_fn,
        model_dir,
        config,
        params,
        use_tpu=False,
        train_batch_size=8,
        eval_batch_size=8,
        predict_batch_size=8,
    )
