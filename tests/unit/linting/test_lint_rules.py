"""Tests for all lint rules, and tests of what each rule finds."""

import ast
import importlib
import inspect
import json
import re
import sys
from typing import Dict

import pytest

from ckptcheck.catalogue import catalogue
from ckptcheck.codec import to_json
from ckptcheck.linting.rules import LintRule, all_rules
from ckptcheck.results import SEVERITIES, Position
from ckptcheck.rules import all_rules as check_rules

from .linted import findings, found, model, rules

RULES = list(all_rules().values())
EACH_RULE = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])


@EACH_RULE
def test_the_bad_example_has_this_finding_and_no_other(rule: LintRule) -> None:
    assert set(rules(dict(rule.bad))) == {rule.id}


@EACH_RULE
def test_the_good_example_has_no_finding(rule: LintRule) -> None:
    assert rules(dict(rule.good)) == []


@EACH_RULE
def test_the_rule_explains_itself(rule: LintRule) -> None:
    assert re.match(r"^[a-z]+(-[a-z]+)+$", rule.id)
    assert rule.severity in SEVERITIES
    assert rule.summary.endswith(".")
    assert len(f"{rule.id:26} {rule.severity:8} {rule.summary}") <= 120
    assert rule.explanation.split("\n\n")[-1].startswith("What to do: ")


@EACH_RULE
def test_findings_are_well_formed(rule: LintRule) -> None:
    for finding in findings(dict(rule.bad)):
        assert finding.message and finding.hint and finding.data
        assert isinstance(finding.location, Position)
        assert finding.location.line >= 1 and finding.location.column >= 1
        assert finding.key.startswith(rule.id + ":")
        assert json.loads(json.dumps(to_json(finding.data))) == to_json(finding.data)


@EACH_RULE
def test_no_rule_imports_another(rule: LintRule) -> None:
    name = "ckptcheck.linting.rules." + rule.id.replace("-", "_")
    source = inspect.getsource(importlib.import_module(name))
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    imported = {str(node.module).rpartition(".")[2] for node in nodes}
    assert imported.isdisjoint(other.id.replace("-", "_") for other in RULES)


@EACH_RULE
def test_the_key_stays_when_lines_move(rule: LintRule) -> None:
    moved = {name: "\n\n# a comment\n" + code for name, code in rule.bad.items()}
    assert [f.key for f in findings(moved)] == [f.key for f in findings(dict(rule.bad))]


def test_one_catalogue_has_all_rules() -> None:
    assert set(catalogue()) == set(all_rules()) | set(check_rules())
    assert len(catalogue()) == len(all_rules()) + len(check_rules())
    assert len(all_rules()) >= 12


# --- Estimators ------------------------------------------------------------------------------

TEMPORARY = ["temporary-model-dir"]
TRAINED = "e.train(input_fn)"


@pytest.mark.parametrize(
    "code",
    [
        "e = tf.estimator.Estimator(model_fn)\ne.train(input_fn)",
        "tf.estimator.Estimator(model_fn, model_dir=None).train(input_fn)",
        "e = tf.estimator.Estimator(model_fn, config=tf.estimator.RunConfig(tf_random_seed=1))\n"
        + TRAINED,
        "c = tf.estimator.RunConfig().replace(tf_random_seed=1)\n"
        "e = tf.estimator.Estimator(model_fn, config=c)\n" + TRAINED,
        "e = tf.estimator.DNNClassifier([8], columns)\n"
        "tf.estimator.train_and_evaluate(e, train_spec, eval_spec)",
        "e = tf.contrib.tpu.TPUEstimator(model_fn=f, use_tpu=False)\n" + TRAINED,
        "e = tf.keras.estimator.model_to_estimator(model)\n" + TRAINED,
        "from tensorflow.estimator import Estimator as E\nE(model_fn).train(input_fn)",
        "def make(params):\n    return tf.estimator.Estimator(model_fn, params=params)",
        "def make():\n    return tf.estimator.Estimator(f)\n\n\ne = make()\n" + TRAINED,
        "class Model:\n    def __init__(self):\n        self.e = tf.estimator.Estimator(f)\n\n"
        "    def fit(self):\n        self.e.train(input_fn)",
        "def run(e):\n    e.train(input_fn)\n\n\nrun(tf.estimator.Estimator(f))",
    ],
)
def test_weights_in_a_temporary_directory(code: str) -> None:
    assert rules(code) == TEMPORARY


@pytest.mark.parametrize(
    "code",
    [
        "e = tf.estimator.Estimator(model_fn, 'runs/base')\n" + TRAINED,
        "e = tf.estimator.Estimator(model_fn, config=tf.estimator.RunConfig(model_dir=d))\n"
        + TRAINED,
        "e = tf.estimator.Estimator(model_fn, config=make_config())\n" + TRAINED,
        "def make(config):\n    e = tf.estimator.Estimator(f, config=config)\n    " + TRAINED,
        "e = tf.estimator.Estimator(model_fn, **arguments)\n" + TRAINED,
        "e = tf.estimator.Estimator(model_fn, *arguments)\n" + TRAINED,
        "c = tf.estimator.RunConfig()\nc = c.replace(model_dir='runs')\n"
        "e = tf.estimator.Estimator(model_fn, config=c)\n" + TRAINED,
        "e = tf.estimator.Estimator(f)\ne.predict(input_fn, checkpoint_path='runs/model.ckpt-1')",
        "e = tf.estimator.Estimator(f)\ne.train(input_fn)\ne.export_saved_model('out', fn)",
        "e = tf.estimator.Estimator(f)\ne.train(input_fn)\nprint(e.model_dir)",
        "e = tf.estimator.Estimator(f)\nkeep(e)",
        "def make():\n    return tf.estimator.Estimator(f)\n\n\nmake().predict(input_fn)",
        "import os\nos.environ['TF_CONFIG'] = config\ntf.estimator.Estimator(f).train(input_fn)",
        "class EstimatorTest(tf.test.TestCase):\n    def test(self):\n"
        "        tf.estimator.Estimator(f).train(input_fn)",
        "from sklearn import Estimator\nEstimator(f).train(input_fn)",
    ],
)
def test_weights_that_are_kept_or_not_known_to_be_lost(code: str) -> None:
    assert rules(code) == []


def pair(first: str, second: str, between: str = "") -> str:
    return f"""
def one(features, labels, mode):
    pass


def two(features, labels, mode):
    return features


a = tf.estimator.Estimator({first})
{between}b = tf.estimator.Estimator({second})
"""


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ("one, 'runs/a'", "two, 'runs/a'", "model_fns one and two"),
        ("one, 'runs/a', params={'n': 1}", "one, 'runs/a/', params={'n': 2}", "'n': 1 and 2"),
        ("one, 'a', params=dict(n=1, k=3)", "one, 'a', params=dict(n=2, m=2)", "1 and 2"),
        (
            "one, config=tf.estimator.RunConfig(model_dir='a'), params={'n': [1, 2]}",
            "one, 'a', params={'n': [1]}",
            "[1, 2] and [1]",
        ),
    ],
)
def test_two_models_in_one_directory(first: str, second: str, word: str) -> None:
    (finding,) = findings(pair(first, second) + "\na.train(f)\nb.train(f)\n")
    assert finding.rule == "shared-model-dir" and word in finding.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("one, 'runs/a'", "one, 'runs/a'"),
        ("one, 'runs/a'", "two, 'runs/b'"),
        ("one, 'a', params={'n': 1}", "one, 'a', params={'n': 1}"),
        ("one, 'a', params={'n': 1}", "one, 'a', params=params"),
        ("one, 'a', params={'n': 1, 'learning_rate': 0.1}", "one, 'a', params={'n': 1}"),
        ("one, 'a', params={'batch_size': 32}", "one, 'a', params={'batch_size': 1}"),
        ("one, 'a', params={'is_training': True}", "one, 'a', params={'is_training': False}"),
        ("one, 'a', params={'data_dir': 'x'}", "one, 'a', params={'data_dir': 'y'}"),
        ("one, 'a', params={'n': n}", "one, 'a', params={'n': 2}"),
        ("one, 'a'", "make(two), 'a'"),
        ("one, FLAGS.a", "two, FLAGS.a"),
    ],
)
def test_one_model_or_two_directories(first: str, second: str) -> None:
    assert rules(pair(first, second) + "\na.train(f)\nb.train(f)\n") == []


def test_only_one_of_two_models_is_made() -> None:
    code = """
    def make(large):
        if large:
            return tf.estimator.Estimator(model_fn, "runs", params={"n": 2})
        return tf.estimator.Estimator(model_fn, "runs", params={"n": 1})
    """
    assert rules(code) == []


def test_a_constant_of_another_file_is_followed() -> None:
    model = "import tensorflow as tf\n\n\ndef model_fn(features, labels, mode):\n    pass\n"
    code = """
    import tensorflow as tf
    from . import settings
    from .model import model_fn

    estimator = tf.estimator.Estimator(model_fn, settings.FOLDER + "/{}")
    estimator.{}(input_fn)
    """
    files: Dict[str, str] = {
        "app/__init__.py": "",
        "app/settings.py": "FOLDER = 'runs'",
        "app/model.py": model,
        "app/train.py": code.format("v2", "train"),
        "app/serve.py": code.format("v1", "predict"),
    }
    assert found(files) == ["model-dir-mismatch app/serve.py:6"]
    files["app/serve.py"] = code.format("v2", "predict")
    assert found(files) == []


# --- Training --------------------------------------------------------------------------------


def training(line: str, head: str = "") -> str:
    return f"""
def model_fn(features, labels, mode, params):
    loss = tf.reduce_mean(features)
    step = tf.train.get_global_step()
    {line}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


{head}
"""


ADAM = "tf.train.AdamOptimizer(0.1)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"train_op = {ADAM}.minimize(loss)", True),
        (f"train_op = {ADAM}.minimize(loss, global_step=None)", True),
        (f"opt = {ADAM}; train_op = opt.apply_gradients(opt.compute_gradients(loss))", True),
        (f"opt = {ADAM} if params['adam'] else {ADAM}; train_op = opt.minimize(loss)", True),
        ("opt = tf.compat.v1.train.FtrlOptimizer(1); train_op = opt.minimize(loss)", True),
        (f"train_op = {ADAM}.minimize(loss, step)", False),
        (f"train_op = {ADAM}.minimize(loss, global_step=step)", False),
        (f"train_op = {ADAM}.minimize(loss, **options)", False),
        (f"train_op = tf.group({ADAM}.minimize(loss), tf.assign_add(step, 1))", False),
        (
            "gs = tf.train.get_or_create_global_step(); add = tf.assign_add(gs, 1); "
            f"train_op = tf.group({ADAM}.minimize(loss), add)",
            False,
        ),
        (
            "gs = tf.train.get_global_step(); n = gs; "
            f"train_op = tf.group({ADAM}.minimize(loss), n.assign_add(1))",
            False,
        ),
        (f"n = tf.Variable(0); train_op = tf.group({ADAM}.minimize(loss), n.assign_add(1))", True),
        (f"train_op = [{ADAM}.minimize(loss), {ADAM}.minimize(loss, step)]", False),
        ("train_op = tf.keras.optimizers.Adam().minimize(loss, variables)", False),
        ("train_op = make_optimizer().minimize(loss)", False),
    ],
)
def test_the_global_step_is_increased(line: str, expected: bool) -> None:
    assert rules(training(line)) == ["missing-global-step"] * expected


def test_a_helper_of_a_model_fn_is_part_of_it() -> None:
    helper = f"def make_op(loss):\n    return {ADAM}.minimize(loss)"
    assert rules(training("train_op = make_op(loss)", helper)) == ["missing-global-step"]
    assert rules(helper) == []


def test_a_session_needs_no_global_step() -> None:
    assert rules(f"def main():\n    train_op = {ADAM}.minimize(loss)") == []


NORM = "net = tf.layers.batch_normalization(features, training={}); "
STEP = f"train_op = {ADAM}.minimize(loss, step)"


@pytest.mark.parametrize(
    ("line", "head", "expected"),
    [
        (NORM.format("True") + STEP, "", True),
        (NORM.format("mode == 'train'") + STEP, "", True),
        (NORM.format("False") + STEP, "", False),
        (NORM.format("True") + STEP, "GROUP = tf.GraphKeys.UPDATE_OPS", False),
        (NORM.format("True") + "train_op = tf.contrib.layers.optimize_loss(loss, step)", "", False),
        ("net = tf.layers.batch_normalization(features); " + STEP, "", False),
    ],
)
def test_statistics_are_updated(line: str, head: str, expected: bool) -> None:
    assert rules(training(line, head)) == ["missing-update-ops"] * expected


@pytest.mark.parametrize(
    ("given", "condition", "expected"),
    [
        ("'runs/old'", "True:", False),  # undecided: a condition
        ("'runs/old'", "mode == 'train':", True),
        ("tf.estimator.WarmStartSettings('runs/old')", "mode == 'train':", True),
        ("FLAGS.warm_start", "mode == 'train':", False),
        ("None", "mode == 'train':", False),
        ("'runs/old'", "params['init']:", False),
    ],
)
def test_variables_are_initialized_twice(given: str, condition: str, expected: bool) -> None:
    code = f"""
    def model_fn(features, labels, mode, params):
        if {condition}
            tf.train.init_from_checkpoint("runs/base", {{"a/": "a/"}})


    e = tf.estimator.Estimator(model_fn, "runs/new", warm_start_from={given})
    """
    assert rules(code) == ["double-warm-start"] * expected


# --- Params ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a = params.get('n', 1)\nb = params.get('n', 2)", True),
        ("a = params.get('n', 1)\nb = params.get('n', 1.0)", False),
        ("a = params.get('n', 1)\nb = params.get('m', 2)", False),
        ("a = params.get('n', 1)\nb = params.get('n')", False),
        ("a = params.get('n', None)\nb = params.get('n', 2)", False),
        ("a = params.get('n', DEFAULT)\nb = params.get('n', 2)", False),
        (
            "if mode == 'train':\n    a = params.get('n', 1)\nelse:\n    a = params.get('n', 2)",
            False,
        ),
        (
            "if mode == 'train':\n    a = params.get('n', 1)\n"
            "if mode == 'eval':\n    a = params.get('n', 2)",
            False,
        ),
        (
            "if mode == 'train':\n    a = params.get('n', 1)\n"
            "if mode != 'eval':\n    a = params.get('n', 2)",
            True,
        ),
        ("params = params or {}\na = params.get('n', 1)\nb = params.get('n', 2)", True),
        ("a = params.get('n', 1)\nb = other.get('n', 2)", False),
    ],
)
def test_defaults_in_one_function(body: str, expected: bool) -> None:
    assert rules(model(body)) == ["conflicting-param-default"] * expected


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 has no match")
def test_only_one_case_of_match_runs() -> None:
    body = """
match mode:
    case "train":
        a = params.get('n', 1)
        b = {}
    case _:
        a = params.get('n', 2)
"""
    assert rules(model(body.format("1"))) == []
    assert rules(model(body.format("params.get('n', 2)"))) == ["conflicting-param-default"]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 has no match")
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("'train'", False),
        ("'train' | 'infer'", False),
        ("'eval' | 'infer'", True),
        ("'infer' if params['x']", False),
        ("str()", True),
        ("_", True),
    ],
)
def test_a_case_of_match_runs_in_its_modes(case: str, expected: bool) -> None:
    body = f"""
match mode:
    case {case}:
        a = params.get('n', 1)
if mode == 'eval':
    a = params.get('n', 2)
"""
    assert rules(model(body)) == ["conflicting-param-default"] * expected
    body = body.replace(f"    case {case}:", f"    case 'eval':\n        pass\n    case {case}:")
    assert rules(model(body)) == []


def test_defaults_of_functions_that_get_the_same_params() -> None:
    code = """
    def model_fn(features, labels, mode, params):
        return decode(encode(features, params), params)


    def encode(net, params):
        return params.get("n", 1)


    def decode(net, params):
        return params.get("n", 2)
    """
    assert rules(code) == []  # two calls in one statement may be alternatives
    code = code.replace("return decode(encode(features, params), params)", "net = {}")
    code = code.format("encode(features, params)\n        return decode(net, params)")
    assert found(code) == ["conflicting-param-default model.py:13"]


def test_defaults_of_a_model_fn_and_its_input_fn() -> None:
    code = model("return params.get('n', 1)") + (
        "\n\ndef train_input_fn(params):\n    return params.get('n', 2)\n"
    )
    assert rules(code) == ["conflicting-param-default"]


def test_defaults_of_two_models_may_differ() -> None:
    one = "def one(features, mode, params):\n    return params.get('n', 1)\n\n\n"
    assert rules(one + one.replace("one", "two").replace("1", "2")) == []
