"""Imports TensorFlow and builds the model in the three modes, each in a graph of its own.

It uses no checkpoint, no saver and no session. No check of the model's code in all modes can take
less time.
"""

import json
import os
from typing import Any, Dict

import tensorflow.compat.v1 as tf
from model import model_fn

BATCH, LENGTH = 2, 16


def main() -> None:
    """Builds PREDICT, EVAL and TRAIN one after the other."""
    modes = tf.estimator.ModeKeys
    params = _params()
    for mode in (modes.PREDICT, modes.EVAL, modes.TRAIN):
        with tf.Graph().as_default():
            labels = None if mode == modes.PREDICT else tf.placeholder(tf.int32, [BATCH])
            model_fn(_features(), labels, mode, params)


def _params() -> Dict[str, Any]:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "params.json")
    with open(path) as file:
        params: Dict[str, Any] = json.load(file)
    return params


def _features() -> Dict[str, Any]:
    names = ("input_ids", "input_mask", "segment_ids")
    return {name: tf.placeholder(tf.int32, [BATCH, LENGTH]) for name in names}


if __name__ == "__main__":
    main()
