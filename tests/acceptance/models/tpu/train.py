"""One feature `x` of four numbers, one number to predict."""

import os
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import _train

STEPS = 2


def input_fn(mode, params=None):  # TPUEstimator needs the argument params
    rng = np.random.RandomState(_train.SEED)
    x = rng.uniform(-1, 1, size=(16, 4)).astype(np.float32)
    y = x.sum(axis=1, keepdims=True)
    dataset = tf.data.Dataset.from_tensor_slices(({"x": x}, y)).batch(8, drop_remainder=True)
    return dataset.repeat() if mode == "train" else dataset


def make_estimator(model_dir, params, model_module):
    return model_module.make_estimator(model_dir, **params)
