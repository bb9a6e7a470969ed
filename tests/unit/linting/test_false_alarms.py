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
        f"{TRAINED}\n{DENSE}",
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


# --- changing-name ---------------------------------------------------------------------------

IMPORTS = """
import datetime
import hashlib
import os
import random
import secrets
import tempfile
import time
import uuid

import numpy as np

import util
"""
LABEL = """
def label():
    if FLAGS.unique:
        return str(uuid.uuid4())
    return "d"
"""


def named(name: str, before: str = "") -> str:
    code = model(f"{before}\nreturn tf.layers.dense(net, 1, name={name})", LABEL)
    return IMPORTS + code


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("rng = np.random.RandomState(3)", "'d%d' % rng.randint(9)"),
        ("rng = np.random.RandomState(seed=3)", "'d%d' % rng.randint(9)"),
        ("rng = np.random.default_rng(3)", "f'd{rng.integers(9)}'"),
        ("rng = random.Random(3)", "'d%d' % rng.randint(0, 9)"),
        ("rng = random.Random(params['seed'])", "'d%d' % rng.randint(0, 9)"),
        ("rng = np.random.Generator(np.random.PCG64(3))", "'d%d' % rng.integers(9)"),
        ("rng = random.Random()\nrng.seed(3)", "'d%d' % rng.randint(0, 9)"),
        ("random.setstate(params['state'])", "'d%d' % random.randint(0, 9)"),
        ("util.set_seeds(3)", "'d%d' % random.randint(0, 9)"),
        ("tf.keras.utils.set_random_seed(3)", "'d%d' % random.randint(0, 9)"),
        ("", "'d%d' % hash(5)"),
        ("", "'d%d' % hash((1, 2))"),
        ("", "'d%d' % hash(params['units'])"),
        ("", "'d%d' % (time.time() > 0)"),
        ("", "'a' if time.time() > params['start'] else 'b'"),
        ("folders = [tempfile.mkdtemp()]", "'d%d' % len(folders)"),
        ("", "util.name_of(time.time())"),
        ("", "params.get('name') or str(uuid.uuid4())"),
        ("", "str(uuid.uuid4()) if params['unique'] else 'd'"),
        ("name = 'd' if params['x'] else label()", "name"),
        ("", "label()"),
        ("names = ['d', str(uuid.uuid4())]", "names[0]"),
        ("started = time.time()", "params.get('name', 'd')"),
    ],
)
def test_names_that_may_stay(before: str, name: str) -> None:
    assert rules(named(name, before)) == []


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("rng = np.random.RandomState()", "'d%d' % rng.randint(9)"),
        ("rng = np.random.default_rng(None)", "'d%d' % rng.integers(9)"),
        ("rng = random.Random(time.time())", "'d%d' % rng.randint(0, 9)"),
        ("rng = random.SystemRandom()", "'d%d' % rng.randint(0, 9)"),
        ("tf.set_random_seed(3)", "'d%d' % random.randint(0, 9)"),
        ("random.seed(3)", "'d_' + secrets.token_hex(4)"),
        ("", "'d%d' % hash('units')"),
        ("key = str(params['units'])", "'d%d' % hash(key)"),
        ("", "'d%d' % hash((1, 'units'))"),
        ("", "'_'.join(['d', random.choice('abc')])"),
        ("", "''.join(random.choice('abc') for _ in range(4))"),
        ("", "'d_{}'.format(datetime.datetime.now().strftime('%S'))"),
        ("", "'d_' + str(uuid.uuid4())[:8]"),
        ("token = uuid.uuid4().hex", "'d_' + token[:8]"),
        ("", "'d_%s' % hashlib.md5(str(time.time()).encode()).hexdigest()"),
        ("", "'d_%s_%d' % (params['a'], os.getpid())"),
    ],
)
def test_names_that_certainly_change(before: str, name: str) -> None:
    assert rules(named(name, before)) == ["changing-name"]


def test_a_seed_in_another_file() -> None:
    code = "import tensorflow as tf\n" + named("'d%d' % random.randint(0, 9)")
    main = "import random\nimport tensorflow as tf\nfrom model import model_fn\n"
    files: Dict[str, str] = {"model.py": code, "main.py": main}
    assert [item.partition(" ")[0] for item in found(files)] == ["changing-name"]
    files["main.py"] += "random.seed(3)\n"
    assert rules(files) == []


def test_names_in_tests_are_not_restored() -> None:
    code = "import tensorflow as tf\n" + named("str(uuid.uuid4())")
    assert rules({"model_test.py": code}) == []


NAME = "'run_%s' % uuid.uuid4()"


@pytest.mark.parametrize(
    ("scope", "inner", "expected"),
    [
        ("name_scope", "net = net + 1", False),
        ("name_scope", DENSE, False),
        ("name_scope", "net = tf.get_variable('w', [])", False),
        ("name_scope", "net = tf.Variable(0)", True),
        ("name_scope", "net = tf.keras.layers.Dense(8)(net)", True),
        ("name_scope", "net = variable()", True),
        ("name_scope", "net = variables.make()", False),
        ("name_scope", "tf.Variable(0, collections=[tf.GraphKeys.LOCAL_VARIABLES])", False),
        ("variable_scope", "net = net + 1", False),
        ("variable_scope", "net = tf.metrics.mean(net)", False),
        ("variable_scope", "net = tf.get_local_variable('w', [])", False),
        ("variable_scope", f"with tf.name_scope('x'):\n        {DENSE}", True),
        ("variable_scope", f"with tf.variable_scope(outer):\n        {DENSE}", False),
        ("variable_scope", f"with tf.Graph().as_default():\n        {DENSE}", False),
        ("name_scope", "with tf.name_scope('x'):\n        tf.Variable(0)", True),
        ("name_scope", "with tf.name_scope('x/'):\n        tf.Variable(0)", False),
        ("name_scope", "with tf.name_scope(None):\n        tf.Variable(0)", False),
        ("variable_scope", DENSE, True),
        ("variable_scope", "net = tf.layers.Dense(8)(net)", True),
        ("variable_scope", "net = tf.get_variable('w', [])", True),
        ("variable_scope", "net = variable()", True),
        ("variable_scope", "tf.get_variable('w', [], collections=['local_variables'])", False),
    ],
)
def test_scopes_that_name_no_variable(scope: str, inner: str, expected: bool) -> None:
    helper = "def variable():\n    return tf.Variable(0)\n"
    code = model(f"with tf.{scope}({NAME}):\n    {inner}\n{TRAINED}", helper)
    assert rules("import uuid\nimport variables\n\n\n" + code) == ["changing-name"] * expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("tf.get_variable({}, [])", True),
        ("tf.get_variable({}, [], collections=[tf.GraphKeys.LOCAL_VARIABLES])", False),
        ("tf.get_variable({}, [], collections=params['c'])", False),
        ("tf.get_variable({}, [], **params)", False),
        ("tf.get_variable({}, [], collections=[tf.GraphKeys.GLOBAL_VARIABLES, 'mine'])", True),
        ("tf.Variable(0, collections=[tf.GraphKeys.LOCAL_VARIABLES], name={})", False),
        ("tf.Variable(0, name={})", True),
        ("tf.get_local_variable({}, [])", False),
    ],
)
def test_variables_that_are_not_saved(call: str, expected: bool) -> None:
    code = model(f"v = {call.format(NAME)}\n{TRAINED}")
    assert rules("import uuid\n\n\n" + code) == ["changing-name"] * expected


@pytest.mark.parametrize("call", ["tf.Variable(0, name={})", "tf.keras.layers.Dense(8, name={})"])
def test_checkpoints_of_objects_have_no_such_names(call: str) -> None:
    assert rules(f"import uuid\n\n\ndef build():\n    return {call.format(NAME)}\n") == []


# --- missing-global-step ---------------------------------------------------------------------

MODEL = """
import tensorflow as tf
from util import inc
import far
import own


def model_fn(features, labels, mode, params):
    loss = tf.reduce_mean(features)
    opt = tf.train.AdamOptimizer(0.1)
    {}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""
STEP = "import tensorflow as tf\n\n\ndef inc(op):\n    with tf.control_dependencies([op]):\n"
STEP += "        return tf.train.get_global_step().assign_add(1)\n"
OTHER = "def inc(op):\n    return op\n\n\ndef hide(op):\n    return own.inc(op)\n"


def step_rules(lines: str, util: str, after: str = "") -> List[str]:
    code = MODEL.format(lines.replace("\n", "\n    ")) + "\n\n" + after
    return rules({"model.py": code, "util.py": util})


def test_a_helper_in_another_file_increases_the_step() -> None:
    assert step_rules("train_op = inc(opt.minimize(loss))", STEP) == []
    assert step_rules("train_op = inc(opt.minimize(loss))", OTHER) == ["missing-global-step"]


@pytest.mark.parametrize(
    "lines",
    [
        "train_op = far.inc(opt.minimize(loss))",
        "train_op = opt.minimize(loss)\ntrain_op = far.inc(train_op)",
        "train_op = tf.group(far.inc(), opt.minimize(loss))",
        "add = far.inc()\ntrain_op = tf.group(opt.minimize(loss), add)",
        "train_op = far.inc(op=tf.group([opt.minimize(loss)]))",
        "with tf.control_dependencies([opt.minimize(loss)]):\n    train_op = far.inc()",
        "with tf.control_dependencies([far.inc()]):\n    train_op = opt.minimize(loss)",
        "train_op = params['wrap'](opt.minimize(loss))",
        "ops = {}\nops['train'] = opt.minimize(loss)\ntrain_op = far.inc(ops)",
        "self.op = opt.minimize(loss)\ntrain_op = far.inc(self)",
        "train_op = helper(opt.minimize(loss))",
        "train_op = tf.group(opt.minimize(loss), add_one(tf.train.get_global_step()))",
        "n = tf.get_variable('global_step', [])\n"
        "train_op = tf.group(opt.minimize(loss), tf.assign_add(n, 1))",
        "keras = tf.keras.optimizers.Adam()\nkeras.iterations = tf.train.get_global_step()\n"
        "train_op = tf.group(opt.minimize(loss), keras.get_updates(loss, [])[0])",
        "def work():\n    return opt.minimize(loss)\ntrain_op = tf.cond(loss > 0, work, far.inc)",
    ],
)
def test_an_unknown_function_may_increase_the_step(lines: str) -> None:
    after = "def helper(op):\n    return far.inc(op)\n\n\n"
    after += "def add_one(n):\n    return tf.assign_add(n, 1)\n"
    assert step_rules(lines, OTHER, after if "helper" in lines or "add_one" in lines else "") == []


SPEC_OF_OP = "tf.estimator.EstimatorSpec(mode, loss=loss, train_op=opt.minimize(loss))"


@pytest.mark.parametrize(
    ("lines", "after", "expected"),
    [
        (f"return {SPEC_OF_OP}", "", True),
        (f"spec = {SPEC_OF_OP}\nreturn spec", "", True),
        (f"return {SPEC_OF_OP}", "e = tf.estimator.Estimator(model_fn, 'a')", True),
        (f"return far.step({SPEC_OF_OP})", "", False),
        (f"spec = {SPEC_OF_OP}\nreturn far.step(spec)", "", False),
        (f"return {SPEC_OF_OP[:-1]}, training_hooks=[far.StepHook()])", "", False),
        (f"return {SPEC_OF_OP[:-1]}, training_hooks=[tf.train.StepCounterHook()])", "", True),
        (f"return {SPEC_OF_OP}", "e = tf.estimator.Estimator(far.step(model_fn), 'a')", False),
        (f"return {SPEC_OF_OP}", "e = far.Estimator(model_fn=model_fn)", False),
        (
            "train_op = make(loss)",
            "@far.step\ndef make(loss):\n    return {}.minimize(loss)",
            False,
        ),
        (
            "train_op = make(loss)",
            "@tf.function\ndef make(loss):\n    return {}.minimize(loss)",
            True,
        ),
    ],
)
def test_what_gets_the_spec_may_increase_the_step(lines: str, after: str, expected: bool) -> None:
    after = after.replace("{}", "tf.train.AdamOptimizer(0.1)")
    assert step_rules(lines, OTHER, after) == ["missing-global-step"] * expected


@pytest.mark.parametrize(
    "lines",
    [
        "train_op = opt.minimize(loss)\nprint(train_op)",
        "train_op = tf.group(opt.minimize(loss), tf.no_op())",
        "ema = tf.train.ExponentialMovingAverage(0.9)\n"
        "with tf.control_dependencies([opt.minimize(loss)]):\n    train_op = ema.apply([])",
        "loss = far.loss(loss)\ntrain_op = opt.minimize(loss)",
        "with tf.name_scope(params['scope']):\n    train_op = opt.minimize(loss)",
        "with tf.name_scope(far.name()):\n    train_op = opt.minimize(loss)",
        "train_op = inc(opt.minimize(loss))\nfar.log(loss)",
    ],
)
def test_known_functions_do_not_increase_the_step(lines: str) -> None:
    assert step_rules(lines, OTHER) == ["missing-global-step"]


# --- double-warm-start -----------------------------------------------------------------------


def warm(given: str, init: str = "{'logits/': 'logits/'}", lines: str = "", after: str = "") -> str:
    call = f"tf.train.init_from_checkpoint('runs/base', {init})"
    body = (lines or "{}").format(call)
    estimator = f"e = tf.estimator.Estimator(model_fn, 'runs/new', warm_start_from={given})\n"
    return model(body, f"{after}\n\n{estimator}")


SETTINGS = "tf.estimator.WarmStartSettings({})"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("'runs/old'", True),
        ("'runs/old', '.*'", True),
        ("'runs/old', vars_to_warm_start='.*'", True),
        ("'runs/old', 'encoder/.*'", False),
        ("'runs/old', vars_to_warm_start='encoder.*'", False),
        ("'runs/old', vars_to_warm_start=['.*encoder.*']", False),
        ("'runs/old', vars_to_warm_start=NAMES", False),
        ("'runs/old', vars_to_warm_start=None", False),
        ("'runs/old', **OPTIONS", False),
        ("*OPTIONS", False),
    ],
)
def test_warm_start_settings_of_some_variables(arguments: str, expected: bool) -> None:
    assert rules(warm(SETTINGS.format(arguments))) == ["double-warm-start"] * expected


@pytest.mark.parametrize("init", ["{}", "found(params)", "{'a/moving_mean': 'a/moving_mean'}"])
def test_an_initialization_of_other_variables(init: str) -> None:
    assert rules(warm("'runs/old'", init)) == []


@pytest.mark.parametrize(
    "lines",
    [
        "if mode == 'infer':\n    {}",  # Estimator warm-starts in TRAIN only
        "if params['x']:\n    return net\n{}",
        "for name in params['names']:\n    {}",
        "try:\n    {}\nexcept ValueError:\n    pass",
        "params['x'] and {}",
        "if params['x']:\n    init()",
        "v = tf.get_variable('v', [], trainable=False)\n{}",
    ],
)
def test_an_initialization_that_may_not_happen(lines: str) -> None:
    call = "tf.train.init_from_checkpoint('runs/base', {'logits/': 'logits/'})"
    after = f"def init():\n    {call}\n" if "init()" in lines else ""
    assert rules(warm("'runs/old'", lines=lines, after=after)) == []


def test_an_initialization_in_a_helper() -> None:
    call = "tf.train.init_from_checkpoint('runs/base', {'logits/': 'logits/'})"
    after = f"def init():\n    {call}\n"
    code = warm("'runs/old'", lines="init()", after=after)
    assert rules(code) == ["double-warm-start"]


# --- conflicting-param-default ---------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        "if params.get('n', -1) == -1:\n    raise ValueError",
        "if not params.get('n', 0):\n    raise ValueError",
        "if params.get('n', 0):\n    net = net + 1",
        "assert params.get('n', 0)",
        "net = net if params.get('n', 0) else net + 1",
        "n = params.get('n', 0) or 3",
        "n = [x for x in net if params.get('n', 0)]",
        "n = bool(params.get('n', 0))",
        "while params.get('n', 0):\n    break",
        "n = params.get('n', -1)\nif n == -1:\n    n = 3",
        "n = params.get('n', 0)\nif n:\n    net = net + n",
        "self.n = params.get('n', 0)\nif self.n < 0:\n    raise ValueError",
    ],
)
def test_a_default_that_is_only_tested(first: str) -> None:
    assert rules(model(f"{first}\nm = params.get('n', 2)")) == []


@pytest.mark.parametrize("first", ["n = params.get('n', 1)", "n = int(params.get('n', 1)) + 1"])
def test_a_default_that_is_used(first: str) -> None:
    assert rules(model(f"{first}\nm = params.get('n', 2)")) == ["conflicting-param-default"]
