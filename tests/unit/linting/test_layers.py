"""Tests of the rules about layers and names of variables."""

from typing import List, Sequence

import pytest

from .linted import findings, model, rules

TRAIN = "mode == tf.estimator.ModeKeys.TRAIN"
DENSE = "net = tf.layers.dense(net, 8)"


@pytest.mark.parametrize(
    "body",
    [
        f"if {TRAIN}:\n    {DENSE}\n{DENSE}",
        f"training = {TRAIN}\nif training and params['noise']:\n    {DENSE}\n{DENSE}",
        f"net = tf.layers.dense(net, 8) if {TRAIN} else net\n{DENSE}",
        f"if mode != 'infer':\n    {DENSE}\nwith tf.device('/cpu:0'):\n    {DENSE}",
        f"if not ({TRAIN}):\n    pass\nelse:\n    {DENSE}\n{DENSE}",
        f"if {TRAIN}:\n    {DENSE}\n    {DENSE}\nelse:\n    {DENSE}\n{DENSE}",
        "if mode in ('train', 'eval'):\n    v = tf.Variable(0)\nw = tf.Variable(0)",
    ],
)
def test_a_layer_of_some_modes_shifts_later_numbers(body: str) -> None:
    assert set(rules(model(body))) == {"unnamed-layer-in-branch"}


@pytest.mark.parametrize(
    "body",
    [
        f"if {TRAIN}:\n    {DENSE}",  # the last one shifts nothing
        f"if {TRAIN}:\n    {DENSE}\nelse:\n    {DENSE}\n{DENSE}",
        f"if {TRAIN}:\n    net = tf.layers.dense(net, 8, name='noise')\n{DENSE}",
        f"if {TRAIN}:\n    net = tf.layers.conv1d(net, 8, 3)\n{DENSE}",
        f"if {TRAIN}:\n    net = tf.layers.dropout(net)\n{DENSE}",
        f"if {TRAIN}:\n    {DENSE}\nnet = tf.layers.dense(net, 8, name='output')",
        f"if {TRAIN}:\n    with tf.variable_scope('aux'):\n        {DENSE}\n{DENSE}",
        f"if params['deep']:\n    {DENSE}\n{DENSE}",
        f"if {TRAIN}:\n    {DENSE}\n    return net\n{DENSE}",
        f"{DENSE}\nif mode == 'infer':\n    return net\n{DENSE}",
        f"if {TRAIN}:\n    net = tf.layers.dense(net, **options)\n{DENSE}",
    ],
)
def test_layers_that_shift_no_number(body: str) -> None:
    assert rules(model(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        f"for units in params['units']:\n    {DENSE}\n{DENSE}",
        "deep = params['deep']\nif deep:\n    for units in params['units']:\n"
        f"        {DENSE}\n    deep = False\nif not deep:\n    {DENSE}",
        f"count = params.get('layers', 2)\nfor _ in range(count):\n    {DENSE}\n{DENSE}",
        f"nets = [tf.layers.dense(net, n) for n in params.units]\n{DENSE}",
    ],
)
def test_a_loop_over_params_shifts_later_numbers(body: str) -> None:
    assert rules(model(body)) == ["unnamed-layer-in-loop"]


@pytest.mark.parametrize(
    "body",
    [
        f"for units in params['units']:\n    {DENSE}",
        f"for units in params['units']:\n    {DENSE}\nnet = tf.layers.dense(net, 1, name='out')",
        "deep = params['deep']\nif deep:\n    for units in params['units']:\n"
        f"        {DENSE}\nif not deep:\n    {DENSE}",
        f"for units in (8, 16):\n    {DENSE}\n{DENSE}",
        "for n in params['n']:\n    with tf.variable_scope(f'l{n}'):\n"
        f"        {DENSE}\n        {DENSE}\n{DENSE}",
        "for n in params['n']:\n    net = tf.layers.dense(net, 8, name=f'l{n}')\n" + DENSE,
        "for n in params['n']:\n    net = tf.keras.layers.Dense(n)(net)\n"
        "net = tf.keras.layers.Dense(1)(net)",
    ],
)
def test_loops_that_shift_no_number(body: str) -> None:
    assert rules(model(body)) == []


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("set(params['keys'])", ["unordered-layers"]),
        ("{'a', 'b'}", ["unordered-layers"]),
        ("sorted(set(params['keys']))", []),
        ("['a', 'b']", []),
        ("{1, 2}", []),
    ],
)
def test_a_loop_over_a_set_has_no_order(items: str, expected: List[str]) -> None:
    code = model(f"keys = {items}\nfor key in keys:\n    {DENSE}")
    assert rules(code) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"if mode == 'infer':\n    {DENSE}", ["layer-not-trained"]),
        (f"if not {TRAIN}:\n    {DENSE}", ["layer-not-trained"]),
        (f"print(len(net))\nif mode == 'infer':\n    {DENSE}", ["layer-not-trained"]),
        (f"if mode == 'infer':\n    {DENSE}\nelse:\n    net = head(net)", []),
        (f"if mode == 'infer':\n    {DENSE}\nelse:\n    {DENSE}", []),
        ("if mode == 'infer':\n    v = tf.Variable(0)", []),
        (f"if {TRAIN}:\n    net = heads.build(net)\nelse:\n    {DENSE}", []),
        (f"if {TRAIN}:\n    net = tf.make_template('a', f)(net)\nelse:\n    {DENSE}", []),
        (f"if {TRAIN}:\n    net = net.build(params)\nelse:\n    {DENSE}", []),
        (
            "n = params.get('n', 8)\nx = tf.reshape(features['x'], np.shape('{}'.format(n)))\n"
            "op = tf.train.AdamOptimizer(0.1)\nop.minimize(x, tf.train.get_global_step())\n"
            f"if mode == 'infer':\n    {DENSE}",
            ["layer-not-trained"],
        ),
    ],
)
def test_a_layer_that_train_does_not_have(body: str, expected: List[str]) -> None:
    body += "\nreturn net"
    assert rules("import heads\nimport numpy as np\n\n\n" + model(body)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("str(time.time())", True),
        ("f'layer_{uuid.uuid4().hex}'", True),
        ("'layer_%d' % random.randint(0, 9)", True),
        ("PREFIX + suffix()", True),
        ("'layer_%s' % hash(str(params['key']))", True),
        ("time.strftime('%Y', (2020,))", False),
        ("f'layer_{number}'", False),
        ("params['time']", False),
    ],
)
def test_names_that_change(name: str, expected: bool) -> None:
    code = f"""
    import random
    import time
    import uuid

    PREFIX = "layer"


    def suffix():
        return uuid.uuid4().hex


    def model_fn(features, labels, mode, params):
        name = {name}
        with tf.variable_scope(name):
            return tf.get_variable("w", [])
    """
    assert rules(code) == ["changing-name"] * expected


@pytest.mark.parametrize(
    ("branches", "line", "modes"),
    [
        ((TRAIN, "mode == 'eval'", f"not {TRAIN}"), 7, ["eval"]),
        (("mode != 'infer'", f"not {TRAIN}"), 5, ["eval", "train"]),
        ((TRAIN, f"not {TRAIN}", "mode == 'infer'", "True"), 9, ["predict"]),
    ],
)
def test_only_the_layer_that_shifts_a_number_is_reported(
    branches: Sequence[str], line: int, modes: List[str]
) -> None:
    body = "\n".join(f"if {branch}:\n    {DENSE}" for branch in branches)
    (finding,) = findings(model(body))
    assert (finding.location and finding.location.line, finding.data["modes"]) == (line, modes)
