"""The user gives features and labels in another structure than model_fn uses.

Each case changes the input_fn, or the keys that model_fn asks for, after the training run. The
check gets the input_fn with ``--input-fn``. TensorFlow alone then decides what fits.
"""

from typing import List

from . import edits as e
from .cases import INPUT_FN, Case

_PAIR = '({"x": x}, 3 * x + 1)'
_LABELS = "tf.losses.mean_squared_error(labels, predictions)"
_LAYER = 'tf.layers.dense(features["x"], 1)'
_UNPACKED = "    net, other = features\n    predictions = tf.layers.dense(net + other, 1)"
_TAKES = "model_fn(features, labels, mode, params)"


def _given(name: str, *edits: e.Edit) -> Case:
    return Case(name, "linear", edits, INPUT_FN)


def _gives(pair: str) -> e.Edit:
    return e.replace_input(_PAIR, pair)


GIVEN_CASES: List[Case] = [
    _given("given-dict"),
    _given("given-tensor-for-dict", _gives("(x, 3 * x + 1)")),
    _given(
        "given-tensor-for-dict-and-shape",
        _gives("(x, 3 * x + 1)"),
        e.replace(_LAYER, _LAYER[:-2] + "2)"),
    ),
    _given("given-other-key", _gives('({"y": x}, 3 * x + 1)')),
    _given("given-tuple-for-dict", _gives("((x, x), 3 * x + 1)")),
    _given("given-dict-for-tensor", e.replace(_LAYER, "tf.layers.dense(features, 1)")),
    _given(
        "given-tensor-for-tuple",
        e.replace("    predictions = " + _LAYER, _UNPACKED),
        _gives("(x, 3 * x + 1)"),
    ),
    _given(
        "given-three-for-two",
        e.replace("    predictions = " + _LAYER, _UNPACKED),
        _gives("((x, x, x), 3 * x + 1)"),
    ),
    _given("given-labels-dict-for-tensor", _gives('({"x": x}, {"y": 3 * x + 1})')),
    _given(
        "given-labels-tensor-for-dict",
        e.replace("(labels, predictions)", '(labels["y"], predictions)'),
    ),
    _given("given-no-labels", _gives('{"x": x}')),
    _given(
        "given-labels-unwanted",
        e.replace(_TAKES, "model_fn(features, mode, params)"),
        e.replace(_LABELS, "tf.reduce_mean(predictions)"),
    ),
    _given("given-triple", _gives('({"x": x}, 3 * x + 1, x)')),
    _given(
        "given-spec-of-predict",
        e.replace("if mode == tf.estimator.ModeKeys.PREDICT:", "if True:"),
        e.replace(
            'EstimatorSpec(mode, predictions={"y"', 'EstimatorSpec("infer", predictions={"y"'
        ),
    ),
]
