"""Trains an Estimator whose checkpoints have records: recorded_training.py DIR [KEY=VALUE…].

Keys: ``steps``; ``every``, the steps between two saves; ``kill``, the number of the write of a
record in which the process ends; ``limit``, the largest record in bytes; ``record``, 0 for no
records; ``pops``, 1 for a model_fn that takes a feature out of the dict; ``strategy``, 1 for a
MirroredStrategy. It prints the warnings of ckptcheck, and ``done``.
"""

import logging
import os
import resource
import signal
import sys
from typing import Any, List, Optional

import numpy as np
import tensorflow.compat.v1 as tf

import ckptcheck
from ckptcheck.records import training, writer

VOCABULARY = "words.txt"
PARAMS = {"units": 8, "rate": 0.1}


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    if params.get("pops"):
        features.pop("id")
    initializer = tf.lookup.TextFileInitializer(
        VOCABULARY,
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    ids = tf.lookup.StaticVocabularyTable(initializer, 1).lookup(features["word"])
    x = tf.concat([features["x"], tf.one_hot(ids, 4)], 1)
    y = tf.layers.dense(tf.layers.dense(x, params["units"], tf.nn.relu), 1)
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    optimizer = tf.train.AdamOptimizer(params["rate"])
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn() -> Any:
    features = {"x": np.ones((8, 1), "float32"), "word": np.array([b"a"] * 8), "id": np.arange(8)}
    data = tf.data.Dataset.from_tensor_slices((features, np.ones((8, 1), "float32")))
    return data.repeat().batch(4, drop_remainder=True)


def _fault(kill: Optional[int], limit: Optional[int]) -> Any:
    """Lets the write of a record fail as it does in a real training run."""
    write = writer.write
    count: List[None] = []

    def dies(*arguments: Any) -> str:
        count.append(None)
        if len(count) == kill:
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            return write(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))

    return dies


def main(model_dir: str, *given: str) -> None:
    options = {key: int(value) for key, _, value in (item.partition("=") for item in given)}
    logging.getLogger("ckptcheck").addHandler(logging.StreamHandler(sys.stdout))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    setattr(training, "write", _fault(options.get("kill"), options.get("limit")))  # noqa: B010
    params = dict(PARAMS, **({"pops": True} if options.get("pops") else {}))
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"]) if options.get("strategy") else None
    config = tf.estimator.RunConfig(
        save_checkpoints_steps=options.get("every", 5),
        keep_checkpoint_max=2,
        train_distribute=strategy,
    )
    estimator = tf.estimator.Estimator(model_fn, model_dir, params=params, config=config)
    listener = ckptcheck.record_listener(model_fn, params)
    listeners = [listener] if options.get("record", 1) else []
    estimator.train(input_fn, steps=options.get("steps", 12), saving_listeners=listeners)
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
