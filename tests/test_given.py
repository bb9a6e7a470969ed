"""The model_fn gets the features that the user gives. TensorFlow decides whether they fit."""

from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from .support import Project, copy_fixture, needs_estimator, needs_tensorflow

pytestmark = needs_tensorflow

HEAD = """
import tensorflow as tf

tf = tf.compat.v1
export = tf.estimator.export
"""
MODEL = (
    HEAD
    + """

def model_fn(features, labels, mode, params):
    predictions = tf.layers.dense(features["x"], 1)
    {first}
    loss = tf.losses.mean_squared_error(labels, predictions)
    train_op = tf.train.AdamOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(
        mode, predictions={{"y": predictions}}, loss=loss, train_op=train_op, **more
    )
"""
)
INPUTS = (
    HEAD
    + """

def train():
    return tf.data.Dataset.from_tensors(({"x": tf.zeros([4, 1])}, tf.zeros([4, 1])))


def serving():
    x = tf.placeholder(tf.float32, [None, 1])
    return export.ServingInputReceiver({"x": x}, {"x": x})


def serving_tensor():
    x = tf.placeholder(tf.float32, [None, 1])
    return export.TensorServingInputReceiver(x, {"x": x})
"""
)
PREDICTS = """more = {}
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})"""


@pytest.fixture
def linear(tmp_path: Path) -> Project:
    project = copy_fixture("linear", tmp_path)
    project.write("net.py", MODEL.format(first=PREDICTS))
    project.write("inputs.py", INPUTS)
    return project


def _verdict(project: Project, mode: str, inputs: str) -> "tuple[str, list[str], int]":
    run = project.check("net:model_fn", "--mode", mode, "--input-fn", inputs, "--format", "json")
    not_judged = [
        line for line in run.json["not_judged"] if "the computation has changed" not in line
    ]
    return run.json["modes"][mode]["verdict"], not_judged, run.code


def test_an_export_takes_a_serving_input_receiver_fn(linear: Project) -> None:
    assert _verdict(linear, "export", "inputs:serving") == ("restores", [], 0)
    assert _verdict(linear, "export", "inputs:serving_tensor") == ("untraceable", [], 1)


def test_the_other_kind_of_input_fn_is_said(linear: Project) -> None:
    verdict, not_judged, code = _verdict(linear, "export", "inputs:train")
    assert (verdict, code) == ("restores", 0)
    assert "whether the serving_input_receiver_fn fits model_fn: EXPORT" in not_judged[0]
    verdict, not_judged, code = _verdict(linear, "predict", "inputs:serving")
    assert (verdict, code) == ("restores", 0)
    assert "whether the input_fn of PREDICT fits model_fn" in not_judged[0]


def test_an_export_without_a_serving_input_receiver_fn_says_what_it_took(linear: Project) -> None:
    run = linear.check("net:model_fn", "--mode", "export", "--format", "json")
    assert run.json["modes"]["export"]["verdict"] == "restores"
    assert any("traced EXPORT with the features of TRAIN" in x for x in run.json["not_judged"])


def test_a_report_shows_what_was_given_where_nothing_can_be_traced(linear: Project) -> None:
    linear.write("features.json", '{"features": {"dtype": "float32", "shape": [4, 1]}}')
    run = linear.check("net:model_fn", "--features", "features.json", "--mode", "predict")
    assert run.code == 1, run
    assert "features from --features: float32 [4, 1]" in run.out, run
    assert "PREDICT  untraceable" in run.out, run


NAMED_LABELS = (
    INPUTS
    + """

def named_labels():
    labels = {"y": tf.zeros([4, 1])}
    return tf.data.Dataset.from_tensors(({"x": tf.zeros([4, 1])}, labels))


def needs_a_path(path, params):
    return train()


def raises():
    raise OSError("no data here")


def leaves():
    raise SystemExit(3)
"""
)


def test_a_report_shows_the_labels_that_the_code_refuses(linear: Project) -> None:
    linear.write("inputs.py", NAMED_LABELS)
    run = linear.check("net:model_fn", "--input-fn", "inputs:named_labels")
    assert "features from --input-fn: x float32 [4, 1]; labels: y float32 [4, 1]" in run.out, run
    assert "PREDICT  restores" in run.out and "EVAL     untraceable" in run.out, run


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        (
            "needs_a_path",
            "TypeError: needs_a_path() missing 1 required positional argument: 'path'",
            "write a function that passes the other arguments, and name that function",
        ),
        ("raises", "OSError: no data here", "fix the error, then check again"),
    ],
)
def test_an_input_fn_that_raises_is_not_taken_for_the_model_fn(
    linear: Project, name: str, message: str, hint: str
) -> None:
    linear.write("inputs.py", NAMED_LABELS)
    run = linear.check("net:model_fn", "--input-fn", "inputs:" + name)
    said = " ".join(run.out.split())
    assert run.code == 1 and "PREDICT untraceable" in said, run
    assert "error[input-fn-raised] the input_fn raised an error in PREDICT, EVAL, TRAIN" in said, (
        run
    )
    assert message in said and hint in said, run
    assert "model_fn raised" not in said and "features from" not in said, run


def test_the_import_of_an_input_fn_that_raises(linear: Project) -> None:
    linear.write("inputs.py", "import no_such_package_xyz")
    run = linear.check("net:model_fn", "--input-fn", "inputs:train", "--format", "json")
    (found,) = [f for f in run.json["findings"] if f["severity"] == "error"]
    assert found["rule"] == "input-fn-raised"
    assert "importing inputs: No module named 'no_such_package_xyz'" in found["message"]


def test_an_input_fn_that_exits_is_named(linear: Project) -> None:
    linear.write("inputs.py", NAMED_LABELS)
    run = linear.check("net:model_fn", "--input-fn", "inputs:leaves", "--mode", "eval")
    assert "calling input_fn: called sys.exit(3)" in " ".join(run.out.split()), run


def test_an_input_fn_of_names_of_tensorflow_1(linear: Project) -> None:
    """If names of TensorFlow 1 are missing in an input_fn, ckptcheck tries these names."""
    text = INPUTS.replace("tf = tf.compat.v1\n", "")
    asks = "def train():\n    tf.get_default_graph()\n"
    linear.write("inputs.py", text.replace("def train():\n", asks))
    run = linear.check("net:model_fn", "--input-fn", "inputs:train")
    assert run.code == 0 and "TRAIN    restores" in run.out, run


def test_a_guess_that_the_code_found_wrong_is_no_trace(linear: Project) -> None:
    """A bare except catches the error about the wrong guess, and the code makes another layer."""
    swallows = """
    try:
        predictions = tf.layers.dense(features * 1.0, 1)
    except:
        predictions = tf.layers.dense(tf.zeros([4, 1]), 1, name="other")"""
    text = MODEL.format(first=PREDICTS)
    call = '    predictions = tf.layers.dense(features["x"], 1)'
    linear.write("net.py", text.replace(call, swallows))
    run = linear.check("net:model_fn", "--mode", "predict", "--format", "json")
    assert run.json["features"]["spec"] == {"dtype": "float32", "shape": [None, 1]}, run
    assert run.json["modes"]["predict"]["verdict"] == "restores", run


OF_EVAL = 'more, mode = {}, "eval"'
"""With this text, PREDICT returns no predictions, and TRAIN returns no train_op."""


@needs_estimator
def test_a_spec_has_to_have_what_its_mode_needs(linear: Project) -> None:
    """Estimator also raises. In PREDICT and TRAIN, it raises only after the restore."""
    import tensorflow as tf

    text = MODEL.format(first=OF_EVAL).replace('predictions={"y": predictions}, loss', "loss")
    text = text.replace("losses.mean_squared_error(labels, ", "reduce_mean(")
    linear.write("net.py", text.replace("train_op=train_op, ", ""))
    run = linear.check("net:model_fn", "--input-fn", "inputs:train", "--format", "json")
    verdicts = {mode: found["verdict"] for mode, found in run.json["modes"].items()}
    assert verdicts == {"predict": "untraceable", "eval": "restores", "train": "untraceable"}
    messages = [found["message"] for found in run.json["findings"] if found["severity"] == "error"]
    assert "without predictions, which Estimator needs in PREDICT" in messages[0]
    assert "without train_op, which Estimator needs in TRAIN" in messages[1]

    spaces: Tuple[Dict[str, Any], Dict[str, Any]] = ({}, {})
    for name, space in zip(("net.py", "inputs.py"), spaces):
        exec((linear.root / name).read_text(), space)
    estimator = tf.compat.v1.estimator.Estimator(
        spaces[0]["model_fn"], str(linear.model_dir), params={}
    )
    with pytest.raises(TypeError):
        next(estimator.predict(spaces[1]["train"]))
    assert "loss" in estimator.evaluate(spaces[1]["train"], steps=1)
    with pytest.raises(TypeError):
        estimator.train(spaces[1]["train"], steps=1)


def test_a_model_that_uses_nothing_of_the_checkpoint_is_never_green(linear: Project) -> None:
    text = MODEL.format(first="more = {}").replace('tf.layers.dense(features["x"], 1)', "labels")
    text = text.replace("tf.train.AdamOptimizer(0.1).minimize(loss, ", "tf.assign_add(")
    text = text.replace("get_global_step())", "get_global_step(), 1)")
    linear.write("net.py", text)
    run = linear.check("net:model_fn", "--input-fn", "inputs:train", "--mode", "eval")
    assert run.code == 1, run
    assert "EVAL  restores  1 tensor to restore" in run.out, run
    assert "error[nothing-restored]" in run.out, run
    assert "unused-variable" not in run.out, run
    assert "EVAL will restore, but the check fails." in run.out, run


TPU = """
import tensorflow as tf

tf = tf.compat.v1


def input_fn(params):
    x = tf.zeros([params["batch_size"], 1])
    return tf.data.Dataset.from_tensors(({"x": x}, x))


def model_fn(features, labels, mode, params):
    spec = tf.estimator.tpu.TPUEstimatorSpec
    y = tf.layers.dense(features["x"], 1)
    if mode == "infer":
        return spec(mode, predictions={"y": y})
    loss = tf.losses.mean_squared_error(labels, y)
    train_op = tf.train.AdamOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return spec(mode, loss=loss, train_op=train_op)


def estimator():
    config = tf.estimator.tpu.RunConfig(model_dir="model_dir")
    sizes = {"train_batch_size": 2, "eval_batch_size": 3, "predict_batch_size": 4}
    return tf.estimator.tpu.TPUEstimator(model_fn, config=config, use_tpu=False, **sizes)
"""


@needs_estimator
@pytest.mark.parametrize(("target", "size"), [("tpu:estimator", 3), ("tpu:model_fn", 8)])
def test_an_input_fn_gets_the_batch_size_of_a_tpu_estimator(
    target: str, size: int, linear: Project
) -> None:
    linear.write("tpu.py", TPU)
    run = linear.check(target, "--input-fn", "tpu:input_fn", "--format", "json")
    assert run.code == 0, run
    assert run.json["features"]["labels"]["shape"] == [size, 1]


def test_a_saver_with_a_restore_of_its_own_is_said(linear: Project) -> None:
    own = """
class Own(tf.train.Saver):
    def restore(self, sess, save_path):
        pass


def model_fn("""
    scaffold = 'more = {"scaffold": tf.train.Scaffold(saver=Own())}'
    text = MODEL.format(first=scaffold).replace("\ndef model_fn(", own)
    linear.write("net.py", text)
    run = linear.check(
        "net:model_fn", "--input-fn", "inputs:train", "--mode", "eval", "--format", "json"
    )
    assert any("what Own.restore does" in item for item in run.json["not_judged"]), run


def _doubts(name: str, tmp_path: Path) -> "list[str]":
    project = copy_fixture(name, tmp_path)
    run = project.check("model:model_fn", "params.json", "--mode", "train", "--format", "json")
    return [item for item in run.json["not_judged"] if "went by the order of features" in item]


def test_keys_that_nothing_in_the_saved_graph_names_are_said(tmp_path: Path) -> None:
    (doubt,) = _doubts("linear", tmp_path)
    assert doubt.startswith("whether x is the tensor IteratorGetNext:0 in the saved graph")


def test_keys_that_feature_columns_name_are_certain(tmp_path: Path) -> None:
    assert _doubts("feature_columns", tmp_path) == []


@needs_estimator
def test_a_key_that_took_the_tensor_of_another_is_said(tmp_path: Path) -> None:
    """One of three features is gone, and another one is new.

    The saved graph does not show which.
    """
    import numpy as np
    import tensorflow as tf

    tf = tf.compat.v1
    project = copy_fixture("linear", tmp_path)
    code = HEAD + (
        "\n\ndef model_fn(features, labels, mode):\n"
        '    net = tf.concat([features[key] for key in ("age", "height", "KEY")], 1)\n'
        "    predictions = tf.layers.dense(net, 1)\n"
        '    spec = {"predictions": {"y": predictions}}\n'
        '    if mode != "infer":\n'
        "        loss = tf.losses.mean_squared_error(labels, predictions)\n"
        "        step = tf.train.get_global_step()\n"
        "        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)\n"
        "        spec.update(loss=loss, train_op=train_op)\n"
        "    return tf.estimator.EstimatorSpec(mode, **spec)\n"
    )

    def made(key: str, width: int) -> "tuple[object, object]":
        space: dict[str, object] = {}
        exec(code.replace("KEY", key), space)
        sizes = {"age": 1, "height": 2, key: width}
        features = {name: np.ones([4, size], "float32") for name, size in sizes.items()}
        return space["model_fn"], lambda: tf.data.Dataset.from_tensors(
            (features, np.ones([4, 1], "float32"))
        )

    model_dir = str(tmp_path / "runs")
    model_fn, input_fn = made("speed", 3)
    tf.estimator.Estimator(model_fn, model_dir).train(input_fn, steps=1)
    model_fn, input_fn = made("weight", 5)
    with pytest.raises(Exception, match=r"[Ss]hape|Matrix size"):
        next(tf.estimator.Estimator(model_fn, model_dir).predict(input_fn))
    project.write("net.py", code.replace("KEY", "weight"))
    run = project.run(model_dir, "net:model_fn", "--format", "json")
    (doubt,) = [item for item in run.json["not_judged"] if "went by the order of features" in item]
    assert "weight is IteratorGetNext:2" in doubt, run
