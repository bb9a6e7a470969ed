"""Three features of four numbers each, one number to predict."""

import os
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import _train

STEPS = 2


def input_fn(mode):
    rng = np.random.RandomState(_train.SEED)
    x = rng.uniform(-1, 1, size=(3, 16, 4)).astype(np.float32)
    features = {"a": x[0], "b": x[1], "c": x[2]}
    y = x.sum(axis=(0, 2))[:, None]
    dataset = tf.data.Dataset.from_tensor_slices((features, y)).batch(8)
    return dataset.repeat() if mode == "train" else dataset


def make_estimator(model_dir, params, model_module):
    return tf.estimator.Estimator(
        model_module.model_fn, model_dir, config=_train.run_config(), params=params
    )
