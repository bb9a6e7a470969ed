"""Uses the real Estimator to make the model_dir, or to restore it in the three modes.

Its arguments are ``train MODEL_DIR`` or ``restore MODEL_DIR``.
"""

import json
import os
import sys
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from model import model_fn

BATCH, LENGTH = 2, 16


def main() -> None:
    """Runs the command in the first argument, with the model_dir in the second argument."""
    doing, model_dir = sys.argv[1:]
    tf.logging.set_verbosity("ERROR")
    if doing == "train":
        train(model_dir)
    elif doing == "restore":
        restore(model_dir)
    else:
        sys.exit(f"expected train or restore, not {doing}")


def train(model_dir: str) -> None:
    """Trains one step, and saves one checkpoint and its graph."""
    config = tf.estimator.RunConfig(
        model_dir=model_dir,
        tf_random_seed=1,
        save_summary_steps=None,
        save_checkpoints_steps=1000,
        keep_checkpoint_max=1,
    )
    _estimator(config).train(input_fn, steps=1)


def restore(model_dir: str) -> None:
    """Restores in each mode, and runs one step. It does not save, because a save takes longer."""
    config = tf.estimator.RunConfig(
        model_dir=model_dir,
        save_summary_steps=None,
        save_checkpoints_steps=None,
        save_checkpoints_secs=None,
    )
    estimator = _estimator(config)
    next(estimator.predict(lambda: input_fn().map(lambda features, _: features)))
    estimator.evaluate(input_fn, steps=1)
    estimator.train(input_fn, steps=1)


def input_fn() -> Any:
    """Batches of random token ids, and random labels."""
    random = np.random.RandomState(0)
    ids = random.randint(0, 1000, (BATCH, LENGTH)).astype(np.int32)
    features = {
        "input_ids": ids,
        "input_mask": np.ones_like(ids),
        "segment_ids": np.zeros_like(ids),
    }
    labels = random.randint(0, 3, (BATCH,)).astype(np.int32)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    return dataset.repeat().batch(BATCH, drop_remainder=True)


def _estimator(config: Any) -> Any:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "params.json")
    with open(path) as file:
        params = json.load(file)
    return tf.estimator.Estimator(model_fn, config=config, params=params)


if __name__ == "__main__":
    main()
