"""Code that is right, or that may be right: no rule finds anything in it.

Beside it stands similar code that is certainly wrong.
"""

from typing import Dict, List

import pytest

from .linted import found, rules

PREDICT = "mode == tf.estimator.ModeKeys.PREDICT"
DENSE = "net = tf.layers.dense(net, 8)"
SPEC = "return tf.estimator.EstimatorSpec(mode, predictions=net)"
TRAINED = "return tf.estimator.EstimatorSpec(mode, net, loss, train_op=op)"


def model(body: str, after: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"def model_fn(features, labels, mode, params):\n    net = features\n{lines}\n\n{after}"


# --- layer-not-trained -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        f"if mode != 'infer':\n    raise ValueError(mode)\n{DENSE}\n{SPEC}",
        f"assert {PREDICT}\n{DENSE}\n{SPEC}",
        f"if not ({PREDICT}):\n    sys.exit('for serving')\n{DENSE}\n{SPEC}",
        f"with tf.device('/cpu:0'):\n    if mode != 'infer':\n        raise E\n{DENSE}\n{SPEC}",
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}\nraise NotImplementedError",
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}\nassert False",
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}\nreturn None",
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}\nreturn",
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}",
        f"if {PREDICT}:\n    {DENSE}\n{SPEC}",  # a spec without a train_op cannot train
        f"if mode == 'train':\n    raise ValueError\nif {PREDICT}:\n    {DENSE}\n{SPEC}",
        f"if mode == 'train':\n    raise E\nelif mode == 'eval':\n    return net\n{DENSE}\n{SPEC}",
    ],
)
def test_a_model_fn_that_never_trains_needs_no_layer_of_train(body: str) -> None:
    assert rules("import sys\n\n\n" + model(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        f"if {PREDICT}:\n    {DENSE}\n    {SPEC}\n{TRAINED}",
        f"if {PREDICT}:\n    {DENSE}\nif mode == 'eval':\n    raise ValueError\n{TRAINED}",
        f"if mode == 'train':\n    {TRAINED}\n{DENSE}\n{SPEC}",
        f"if {PREDICT}:\n    {DENSE}\nreturn net",
    ],
)
def test_a_model_fn_that_trains_needs_the_layer(body: str) -> None:
    assert rules(model(body)) == ["layer-not-trained"]


HEAD = f"def head(net, mode):\n    if {PREDICT}:\n        {DENSE}\n    return net\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"net = head(net, mode)\n{TRAINED}", True),
        (f"if mode != 'infer':\n    raise ValueError\nnet = head(net, mode)\n{SPEC}", False),
        (f"if {PREDICT}:\n    net = head(net, mode)\n{TRAINED}", False),
    ],
)
def test_a_helper_that_train_never_calls(body: str, expected: bool) -> None:
    assert rules(model(body, HEAD)) == ["layer-not-trained"] * expected
