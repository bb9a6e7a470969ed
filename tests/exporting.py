"""Trains an Estimator and exports it as a SavedModel, twice: exporting.py DIR.

It prints the directory of the export whose serving function takes the features themselves, and that
of the export whose serving function parses examples.
"""

import json
import os
import sys
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    with tf.variable_scope("", use_resource=True):
        words = tf.get_variable("words", [params["rows"], 3])
        net = tf.concat([features["zoom"], tf.nn.embedding_lookup(words, features["area"])], 1)
        y = tf.layers.dense(net, params["units"])
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    train_op = tf.train.AdamOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn() -> Any:
    features = {"zoom": np.ones((4, 2), "float32"), "area": np.arange(4)}
    data = tf.data.Dataset.from_tensor_slices((features, np.ones((4, 1), "float32")))
    return data.repeat().batch(4)


def of_features() -> Any:
    """A serving function with features as inputs. The signature's keys have another order."""
    zoom = tf.placeholder(tf.float32, [None, 2])
    area = tf.placeholder(tf.int64, [None])
    given = {"area": area, "zoom": zoom}
    return tf.estimator.export.ServingInputReceiver(given, given)


def of_examples() -> Any:
    """Features that the serving function parses."""
    spec = {
        "area": tf.FixedLenFeature([], tf.int64),
        "zoom": tf.FixedLenFeature([2], tf.float32),
    }
    return tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)()


def main(root: str) -> None:
    tf.logging.set_verbosity("ERROR")
    params = {"rows": 10, "units": 1}
    estimator = tf.estimator.Estimator(model_fn, os.path.join(root, "model_dir"), params=params)
    estimator.train(input_fn, steps=1)
    made = [
        estimator.export_saved_model(os.path.join(root, "export", name), receiver).decode("utf-8")
        for name, receiver in (("raw", of_features), ("parsing", of_examples))
    ]
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
