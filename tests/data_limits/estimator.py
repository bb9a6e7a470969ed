"""The real Estimator on some models: estimator.py DIR NAME...

It trains each model with the params of the checkpoint, in a directory of its own. Then it restores
in each mode with the params of the code, with the data that fits and the data that fails. It prints
what each run raises, and how to check the model.
"""

import json
import os
import shutil
import sys
import tempfile
from typing import Any, Dict

import tensorflow.compat.v1 as tf

from tests.data_limits.models import MODELS, Data, Model, input_fn


def main(root: str, *names: str) -> None:
    tf.logging.set_verbosity("ERROR")
    found = {}
    for name in names:
        model = MODELS[name]
        model_dir = os.path.join(root, name)
        estimator = tf.estimator.Estimator(model.model_fn, model_dir, params=model.stored)
        estimator.train(input_fn(model.fits), steps=1)
        found[name] = {
            "model_fn": model.model_fn.__name__,
            "params": model.code,
            "stored": list(model.stored.values()),
            "fits": _raised(model, model_dir, model.fits),
            "fails": _raised(model, model_dir, model.fails),
        }
    print(json.dumps(found))


def _raised(model: Model, model_dir: str, data: Data) -> Dict[str, str]:
    """What each mode raises; "" for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "model_dir")
        shutil.copytree(model_dir, copy)
        estimator = tf.estimator.Estimator(model.model_fn, copy, params=model.code)
        runs = {
            "predict": lambda: next(estimator.predict(input_fn(data))),
            "eval": lambda: estimator.evaluate(input_fn(data), steps=1),
            "train": lambda: estimator.train(input_fn(data), steps=1),
        }
        return {mode: _error_of(run) for mode, run in runs.items()}


def _error_of(run: Any) -> str:
    try:
        run()
    except tf.errors.OpError as error:
        return str(error.message)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
