"""Compares the stand-in for tf.estimator with the real one, and tests its errors."""

import json
import subprocess
import sys
from typing import Any, Dict

import pytest

from ckptcheck.tracer.estimator_stand_in import FROM_TRAIN
from docs.generate_stand_in import MISSING, STOOD_IN

from .support import (
    MAJOR,
    TENSORFLOW,
    Project,
    environment,
    needs_estimator,
    needs_tensorflow,
)

pytestmark = needs_tensorflow

HAS_ESTIMATOR = TENSORFLOW is not None and tuple(map(int, TENSORFLOW.split(".")[:2])) < (2, 16)

LOOK = """
import json, sys, types
import numpy as np
import tensorflow as tf
from ckptcheck.tracer import estimator_stand_in


def names(module, prefix=""):
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_"):
            continue
        if isinstance(value, types.ModuleType):
            if "estimator" in value.__name__:
                yield from names(value, prefix + name + ".")
        else:
            yield prefix + name


def attributes(value):
    found = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    return {name: str(item) for name, item in found.items() if not callable(item)}


def inputs(module):
    with tf.Graph().as_default():
        x, y = {"a": np.zeros([9, 3], np.float32)}, np.zeros([9], np.int64)
        features, labels = module.inputs.numpy_input_fn(x, y, 4, shuffle=False)()
        return [str(t.dtype) + str(t.shape.as_list()[1:]) for t in (features["a"], labels)]


def facts(module):
    spec = module.tpu.RunConfig(model_dir="/d", tpu_config=module.tpu.TPUConfig(7, num_shards=8))
    given = module.RunConfig("/d", save_checkpoints_steps=5).replace(save_summary_steps=3)
    return {
        "config": attributes(module.RunConfig()),
        "given": attributes(given),
        "tpu": {k: v for k, v in attributes(spec).items() if k not in ("tpu_config", "cluster")},
        "tpu_config": {n: str(getattr(spec.tpu_config, n)) for n in ("iterations_per_loop",
                       "num_shards", "per_host_input_for_training", "tpu_job_name")},
        "modes": attributes(module.ModeKeys),
        "inputs": inputs(module),
    }


built = estimator_stand_in.build(tf)
found = {"built": sorted(names(built)), "stand_in": facts(built)}
if len(sys.argv) > 1:
    real = tf.compat.v1.estimator
    found.update(real=sorted(set(names(real)) | set(names(tf.estimator))), facts=facts(real))
print("FOUND" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> Dict[str, Any]:
    """Returns a script's results about the stand-in and, if there is one, the real tf.estimator."""
    command = [sys.executable, "-c", LOOK, *(["real"] if HAS_ESTIMATOR else [])]
    done = subprocess.run(command, capture_output=True, env=environment())
    assert done.returncode == 0, done.stderr.decode("utf-8")
    value: Dict[str, Any] = json.loads(done.stdout.decode("utf-8").rpartition("FOUND")[2])
    return value


def test_the_tables_are_what_is_built(found: Dict[str, Any]) -> None:
    """docs/stand-in.md is made from these tables."""
    assert found["built"] == sorted([*FROM_TRAIN, *STOOD_IN])
    assert not set(found["built"]) & set(MISSING)


@needs_estimator
def test_every_name_of_the_real_one_is_in_a_table(found: Dict[str, Any]) -> None:
    assert len(found["real"]) > 70
    assert sorted(set(found["real"]) - {*FROM_TRAIN, *STOOD_IN, *MISSING}) == []


@needs_estimator
def test_it_answers_as_the_real_one_does(found: Dict[str, Any]) -> None:
    """Only attributes of this TensorFlow count, because 1.15 lacks some attributes of 2.15."""
    for name, value in found["facts"].items():
        mine = found["stand_in"][name]
        if isinstance(value, dict):
            mine = {key: mine.get(key) for key in value}
        assert mine == value, name


TOUCHES = """
import tensorflow as tf
import model
from tensorflow.estimator import EstimatorSpec
from tensorflow.estimator.export import PredictOutput

estimator = tf.estimator


def model_fn(features, labels, mode, params, config):
    assert isinstance(config.save_summary_steps, int) and config.is_chief
    assert config.session_config.allow_soft_placement and config.model_dir
    spec = model.model_fn(features, labels, mode, params)
    hooks = [
        estimator.LoggingTensorHook({"step": tf.compat.v1.train.get_global_step()}, 10),
        estimator.StepCounterHook(10, output_dir=config.model_dir),
    ]
    if mode == estimator.ModeKeys.TRAIN:
        return spec._replace(training_hooks=hooks)
    if mode == estimator.ModeKeys.EVAL:
        return spec._replace(evaluation_hooks=hooks)
    outputs = {"serving_default": PredictOutput(spec.predictions)}
    return EstimatorSpec(mode, predictions=spec.predictions, export_outputs=outputs)


def metric_fn(predictions, config):
    variable = tf.compat.v1.get_variable("kept", [], initializer=tf.compat.v1.zeros_initializer)
    return {"kept": (variable.read_value(), variable.assign_add(1.0))}


def make_estimator(config, **params):
    made = estimator.Estimator(model_fn, params=params, config=config)
    return estimator.add_metrics(made, metric_fn)
"""


def test_a_model_fn_that_touches_much_of_it(project: Project) -> None:
    """Up to TensorFlow 2.15, the real one has the same result, with add_metrics' variable."""
    project.write("touches.py", TOUCHES)
    run = project.check(
        "touches:make_estimator", "params.json", "--format", "json", "--quiet", "--set", "unused=1"
    )
    assert run.code == 1, run
    assert run.json["modes"]["predict"]["verdict"] == "restores", run
    assert run.json["modes"]["train"]["verdict"] == "restores", run
    assert run.json["modes"]["eval"]["verdict"] == "fails", run
    missing = [f for f in run.json["findings"] if f["rule"] == "missing-variable"]
    assert [(f["variable"], f["modes"]) for f in missing] == [("kept", ["eval"])]


LACKS = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    features["x"]
    if mode == "infer":
        return tf.estimator.DNNClassifier([1], [])
    if mode == "eval":
        return tf.estimator.tpu.TPUEstimator(model_fn)
    return tf.contrib.layers.fully_connected(features["x"], 1)
"""


@pytest.mark.skipif(MAJOR < 2, reason="TensorFlow 1 has all of it")
def test_what_is_not_there_is_named(project: Project) -> None:
    """Each missing name has one message, which says what to do."""
    project.write("lacks.py", LACKS)
    modes = ("--mode", "train") if HAS_ESTIMATOR else ()
    run = project.check("lacks:model_fn", "params.json", "--quiet", *modes)
    assert run.code == 1, run
    text = " ".join(run.out.split())
    assert "tf.contrib exists in TensorFlow 1 only" in text
    if HAS_ESTIMATOR:
        return
    for name in ("tf.estimator.DNNClassifier", "tf.estimator.tpu.TPUEstimator"):
        assert text.count(f"{name} is not in ckptcheck's stand-in for tf.estimator") == 1
    assert "trace with TensorFlow 2.15 or earlier (--python)" in text
    assert "or name its model_fn as TARGET" in text
