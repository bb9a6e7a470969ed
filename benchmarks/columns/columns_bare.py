"""Imports TensorFlow and builds the model in the three modes, each in a graph of its own."""

import json
import os
from typing import Any

import tensorflow.compat.v1 as tf
from columns_inputs import features
from columns_model import model_fn


def main() -> None:
    """Builds PREDICT, EVAL and TRAIN one after the other."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "params.json")
    with open(path) as file:
        params = json.load(file)
    modes = tf.estimator.ModeKeys
    for mode in (modes.PREDICT, modes.EVAL, modes.TRAIN):
        with tf.Graph().as_default():
            tf.train.get_or_create_global_step()
            given = {key: _placeholder(it) for key, it in features(params["columns"]).items()}
            labels = None if mode == modes.PREDICT else tf.placeholder(tf.float32, [None, 1])
            model_fn(given, labels, mode, params)


def _placeholder(value: Any) -> Any:
    dtype = tf.float32 if value.dtype == "float32" else tf.string
    return tf.placeholder(dtype, [None, value.shape[1]])


if __name__ == "__main__":
    main()
