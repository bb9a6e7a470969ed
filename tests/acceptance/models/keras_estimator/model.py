"""A Keras model turned into an Estimator by tf.keras.estimator; its checkpoint is object-based."""

import tensorflow.compat.v1 as tf


def make_estimator(model_dir, config=None, units=6, learning_rate=0.01):
    layers = [
        tf.keras.layers.Dense(units, input_shape=(4,), name="hidden"),
        tf.keras.layers.Dense(1, name="output"),
    ]
    model = tf.keras.Sequential(layers)
    model.compile(tf.keras.optimizers.SGD(learning_rate), "mse")
    return tf.keras.estimator.model_to_estimator(model, model_dir=model_dir, config=config)
