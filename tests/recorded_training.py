"""Trains an Estimator whose checkpoints have records: recorded_training.py DIR [KEY=VALUE…].

Keys: ``steps``; ``every``, the steps between two saves; ``kill``, the number of the record during
whose write the process ends; ``limit``, the largest record in bytes; ``pops``, 1 for a model_fn
that takes a feature out of the dict; ``strategy``, 1 for a MirroredStrategy; ``session``, 1 for a
MonitoredTrainingSession instead of an Estimator; ``cluster``, 1 for ``train_and_evaluate`` with the
cluster in TF_CONFIG. It prints the warnings of ckptcheck, and ``done``.
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


def trained_in_session(model_dir: str, steps: int, every: int) -> None:
    """Trains without an Estimator."""
    with tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        features, labels = tf.data.make_one_shot_iterator(input_fn()).get_next()
        spec = model_fn(features, labels, "train", PARAMS)
        hooks = [ckptcheck.RecordHook(PARAMS, model_fn), tf.train.StopAtStepHook(steps)]
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=model_dir, hooks=hooks, save_checkpoint_steps=every
        ) as session:
            while not session.should_stop():
                session.run(spec.train_op)


def main(model_dir: str, *given: str) -> None:
    options = {key: int(value) for key, _, value in (item.partition("=") for item in given)}
    steps, every = options.get("steps", 12), options.get("every", 5)
    logging.getLogger("ckptcheck").addHandler(logging.StreamHandler(sys.stdout))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    setattr(training, "write", _fault(options.get("kill"), options.get("limit")))  # noqa: B010
    params = dict(PARAMS, **({"pops": True} if options.get("pops") else {}))
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"]) if options.get("strategy") else None
    config = tf.estimator.RunConfig(
        save_checkpoints_steps=every, keep_checkpoint_max=2, train_distribute=strategy
    )
    estimator = tf.estimator.Estimator(model_fn, model_dir, params=params, config=config)
    hook = ckptcheck.RecordHook()
    if options.get("session"):
        trained_in_session(model_dir, steps, every)
    elif options.get("cluster"):
        train = tf.estimator.TrainSpec(input_fn, max_steps=steps, hooks=[hook])
        evaluate = tf.estimator.EvalSpec(
            input_fn, steps=1, hooks=[hook], start_delay_secs=0, throttle_secs=0
        )
        tf.estimator.train_and_evaluate(estimator, train, evaluate)
    elif options.get("listener"):
        listener = ckptcheck.RecordListener()
        estimator.train(input_fn, steps=steps, saving_listeners=[listener])
    else:
        estimator.train(input_fn, steps=steps, hooks=[hook])
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
