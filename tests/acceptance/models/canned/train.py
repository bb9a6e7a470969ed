"""A vector `x`, a string `tag`, one of at least two classes."""

import os
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import _train

STEPS = 2


def input_fn(mode):
    rng = np.random.RandomState(_train.SEED)
    features = {
        "x": rng.uniform(-1, 1, size=(16, 4)).astype(np.float32),
        "tag": rng.choice(["a", "b", "c"], size=(16, 1)).astype("S"),
    }
    labels = rng.randint(0, 2, size=(16, 1)).astype(np.int64)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels)).batch(8)
    return dataset.repeat() if mode == "train" else dataset


def make_estimator(model_dir, params, model_module):
    return model_module.make_estimator(model_dir=model_dir, config=_train.run_config(), **params)
