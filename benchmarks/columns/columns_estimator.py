"""Trains the model for one step: columns_estimator.py train MODEL_DIR."""

import json
import os
import sys
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from columns_inputs import BATCH, features
from columns_model import model_fn


def main() -> None:
    """Trains."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "params.json")
    with open(path) as file:
        params = json.load(file)
    given = features(params["columns"]), np.ones([BATCH, 1], np.float32)

    def input_fn() -> Any:
        return tf.data.Dataset.from_tensor_slices(given).repeat().batch(BATCH)

    estimator = tf.estimator.Estimator(model_fn, sys.argv[2], params=params)
    estimator.train(input_fn, steps=1)


if __name__ == "__main__":
    main()
