"""The command ``lint``, its hook, and what TensorFlow does with code that the rules find."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import ckptcheck
from ckptcheck.linting.rules import all_rules
from tests.support import FIXTURES, PROJECT, needs_estimator, run_cli

MODELS = PROJECT / "tests" / "acceptance" / "models"

BAD = """import tensorflow as tf

estimator = tf.estimator.Estimator(model_fn)
estimator.train(input_fn)
"""


# --- The command -----------------------------------------------------------------------------


def test_fixtures_and_models_have_no_finding() -> None:
    report = ckptcheck.lint([FIXTURES, MODELS])
    assert report.ok and report.findings == () and report.not_judged == ()
    assert report.files > 40


def test_the_project_has_no_finding() -> None:
    assert ckptcheck.lint(PROJECT).findings == ()


def test_text_has_a_line_for_each_finding_and_a_count(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    run = run_cli("lint", "train.py", cwd=tmp_path)
    assert run.code == 1 and run.err == ""
    first, hint, count = run.out.splitlines()
    assert first.startswith("train.py:3:13: warning[temporary-model-dir] the weights go to")
    assert hint == "  try: pass model_dir to the Estimator or to its RunConfig"
    assert count == "Found 1 warning (1 file linted)."


def test_json_has_the_places(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    run = run_cli("lint", "--format", "json", cwd=tmp_path)
    document = json.loads(run.out)
    assert (run.code, document["command"], document["ok"], document["files"]) == (
        1,
        "lint",
        False,
        1,
    )
    (finding,) = document["findings"]
    place = {"file": "train.py", "line": 3, "column": 13, "statement": 3}
    assert finding["location"] == place and finding["category"] == "code"


@pytest.mark.parametrize(("severity", "code"), [("error", 1), ("note", 0), ("off", 0)])
def test_the_configuration_gives_a_rule_another_severity(
    severity: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(BAD)
    (tmp_path / "ckptcheck.toml").write_text(f'[severity]\ntemporary-model-dir = "{severity}"\n')
    run = run_cli("lint", "train.py", cwd=tmp_path)
    assert run.code == code, run
    assert (f"{severity}[temporary-model-dir]" in run.out) == (severity != "off")


def test_a_clone_without_the_model_dirs_of_the_checks(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    check = '[[check]]\nname = "base"\nmodel-dir = "runs/*"\nparams = "gone.json"\n'
    (tmp_path / "ckptcheck.toml").write_text(check)
    assert run_cli("lint", "train.py", cwd=tmp_path).code == 1


def test_a_configuration_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    (tmp_path / "ckptcheck.toml").write_text('[severity]\ntemporary-modeldir = "off"\n')
    run = run_cli("lint", "train.py", cwd=tmp_path)
    assert run.code == 2 and run.out == "", run
    assert "no rule 'temporary-modeldir': did you mean temporary-model-dir?" in run.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train.py"], 1),
        (["train.py", "--fail-on", "error"], 0),
        (["--exclude", "train.py", "--exclude", "other.py"], 3),
        (["train.py", "--exclude", "train.py"], 0),
        (["empty"], 3),
        (["missing.py"], 2),
        (["--fail-on", "never"], 2),
        (["other.py"], 0),
    ],
)
def test_exit_codes(words: "list[str]", code: int, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    (tmp_path / "other.py").write_text("")
    (tmp_path / "empty").mkdir()
    run = run_cli("lint", *words, cwd=tmp_path)
    assert run.code == code
    assert bool(run.err) is (code == 2)


@pytest.mark.parametrize(("fail_on", "failures"), [("warning", 1), ("error", 0)])
def test_junit_has_a_case_for_each_finding(fail_on: str, failures: int, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    run = run_cli("lint", "--format", "junit", "--fail-on", fail_on, cwd=tmp_path)
    suite = ElementTree.fromstring(run.out)[0]
    assert (suite.get("name"), suite.get("tests")) == ("lint", "1")
    assert suite.get("failures") == str(failures)


@pytest.mark.parametrize(
    ("format", "line"),
    [("github", "ckptcheck: lint: FAILS: 1 finding"), ("markdown", "## ckptcheck: lint: FAILS")],
)
def test_a_report_without_a_checkpoint_has_the_name_of_its_command(
    format: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(BAD)
    run = run_cli("lint", "--format", format, cwd=tmp_path)
    assert line in run.out.splitlines()


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.py").write_text(BAD)
    (tmp_path / "b\x1b[31m.py").write_text("import tensorflow\nprint 1\n")
    run = run_cli("lint", ".", cwd=tmp_path)
    assert run.code == 1 and "\x1b" not in run.out and "a\\x1b[31m.py:3:13" in run.out


def test_lint_imports_neither_numpy_nor_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BAD)
    code = (
        "import sys; from ckptcheck.cli import main\n"
        "try: main(['lint', 'train.py'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'tensorflow', 'google_crc32c', 'fsspec', 'asyncio', 'ssl'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=str(tmp_path), stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_the_hook_gets_the_names_of_python_files() -> None:
    hook = (PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8").partition("ckptcheck-lint")[2]
    assert "entry: ckptcheck lint\n" in hook and "types: [python]\n" in hook
    assert "pass_filenames" not in hook and "require_serial: true\n" in hook


def test_the_documents_pin_the_hooks_to_a_commit() -> None:
    for document in (PROJECT / "README.md", PROJECT / "docs" / "lint.md"):
        (revision,) = re.findall(r"^ *rev: (\S+)", document.read_text("utf-8"), re.MULTILINE)
        assert re.fullmatch("[0-9a-f]{7,40}", revision)


# --- What TensorFlow does --------------------------------------------------------------------


def example(rule: str, good: bool) -> str:
    """The code of an example that has one file."""
    (code,) = (all_rules()[rule].good if good else all_rules()[rule].bad).values()
    return str(code)


def model_fn_of(code: str) -> Any:
    """Runs code with the names of TensorFlow 1, and returns its model_fn."""
    import tensorflow.compat.v1 as tf

    names: Any = {"tf": tf}
    exec(code.replace("import tensorflow as tf", ""), names)
    return names["model_fn"]


def features() -> Any:
    import tensorflow.compat.v1 as tf

    data = {"x": [[1.0, 2.0], [3.0, 5.0]]}, [[1.0], [2.0]]
    return tf.data.Dataset.from_tensors(data).repeat()


def trained(code: str, model_dir: Path, steps: int = 3) -> Any:
    """Returns an Estimator that has run its train_op ``steps`` times.

    The global step may differ.
    """
    import tensorflow.compat.v1 as tf

    class Stop(tf.train.SessionRunHook):  # type: ignore[misc]
        runs = itertools.count(1)

        def after_run(self, context: Any, values: Any) -> None:
            if next(self.runs) == steps:
                context.request_stop()

    estimator = tf.estimator.Estimator(model_fn_of(code), str(model_dir))
    estimator.train(features, hooks=[Stop()])
    return estimator


@needs_estimator
@pytest.mark.parametrize(("good", "step"), [(False, 0), (True, 3)])
def test_the_step_stays_0_without_a_global_step(good: bool, step: int, tmp_path: Path) -> None:
    estimator = trained(example("missing-global-step", good), tmp_path)
    assert estimator.get_variable_value("global_step") == step
    assert Path(estimator.latest_checkpoint()).name == f"model.ckpt-{step}"


_NORM = """
def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    net = tf.layers.batch_normalization(features["x"], training=training)
    loss = tf.losses.mean_squared_error(labels, tf.layers.dense(net, 1))
    with tf.control_dependencies({}):
        step = tf.train.get_global_step()
        train_op = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""


@needs_estimator
@pytest.mark.parametrize(
    ("updates", "moves"), [("[]", False), ("tf.get_collection(tf.GraphKeys.UPDATE_OPS)", True)]
)
def test_statistics_stay_without_update_ops(updates: str, moves: bool, tmp_path: Path) -> None:
    code = _NORM.format(updates)
    (tmp_path / "model.py").write_text("import tensorflow as tf\n" + code)
    assert ckptcheck.lint(tmp_path / "model.py").ok is moves
    estimator = trained(code, tmp_path / "runs")
    mean = estimator.get_variable_value("batch_normalization/moving_mean")
    assert bool((mean != 0).any()) is moves


def variables(code: str, mode: str) -> "dict[str, list[int]]":
    """The variables of a model_fn's graph, with their shapes."""
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default():
        x, params = {"x": tf.zeros([2, 2])}, {"hidden_units": [8]}
        model_fn_of(code)(features=x, labels=None, mode=mode, params=params)
        return {item.op.name: item.shape.as_list() for item in tf.global_variables()}


@needs_estimator
def test_a_branch_shifts_the_numbers_of_later_layers() -> None:
    bad, good = (example("unnamed-layer-in-branch", good) for good in (False, True))
    extra = {"dense_2/kernel", "dense_2/bias"}
    assert set(variables(bad, "train")) - set(variables(bad, "infer")) == extra
    extra = {"noise/kernel", "noise/bias"}
    assert set(variables(good, "train")) - set(variables(good, "infer")) == extra


@needs_estimator
def test_the_last_layer_after_a_loop_is_numbered_by_the_params() -> None:
    bad, good = (example("unnamed-layer-in-loop", good) for good in (False, True))
    assert "dense_1/kernel" in variables(bad, "train")
    assert "dense_2/kernel" in variables(bad.replace("enumerate(", "enumerate([4] + "), "train")
    assert "dense/kernel" in variables(good, "train")
    assert "dense/kernel" in variables(good.replace("enumerate(", "enumerate([4] + "), "train")


_TWICE = """
def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], 1, name="out")
    loss = tf.losses.mean_squared_error(labels, net)
    {}
    step = tf.train.get_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.0).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""


@needs_estimator
def test_warm_start_from_replaces_what_init_from_checkpoint_loads(tmp_path: Path) -> None:
    import tensorflow.compat.v1 as tf

    first, second = (trained(_TWICE.format(""), tmp_path / name) for name in ("a", "b"))
    kernels = [e.get_variable_value("out/kernel").tolist() for e in (first, second)]
    assert kernels[0] != kernels[1]
    init = f"tf.train.init_from_checkpoint({str(tmp_path / 'a')!r}, {{'out/': 'out/'}})"
    for given, kernel in ((None, kernels[0]), (str(tmp_path / "b"), kernels[1])):
        runs = str(tmp_path / f"new-{given is None}")
        estimator = tf.estimator.Estimator(
            model_fn_of(_TWICE.format(init)), runs, warm_start_from=given
        )
        estimator.train(features, steps=1)
        assert estimator.get_variable_value("out/kernel").tolist() == kernel


@needs_estimator
def test_a_warm_start_of_all_variables_leaves_out_those_that_are_not_trainable(
    tmp_path: Path,
) -> None:
    import tensorflow.compat.v1 as tf

    code = _TWICE.format("tf.get_variable('state', [], trainable=False)")
    trained(code, tmp_path / "a", steps=1)
    settings = tf.estimator.WarmStartSettings(str(tmp_path / "a"))
    other = model_fn_of(code.replace("'state'", "'other'"))
    estimator = tf.estimator.Estimator(other, str(tmp_path / "b"), warm_start_from=settings)
    estimator.train(features, steps=1)  # the checkpoint has no such variable
    assert "other" in estimator.get_variable_names()


_SCOPE = """
def model_fn(features, labels, mode, params):
    with tf.name_scope("run"):
        with tf.name_scope("in"):
            tf.Variable(0.0, name="v")
        with tf.variable_scope("block"):
            tf.Variable(0.0, name="v")
        with tf.name_scope(None):
            tf.Variable(0.0, name="w")
        tf.keras.layers.Dense(1, name="keras")(features["x"])
        tf.layers.dense(features["x"], 1, name="layer")
        tf.get_variable("got", [])
        tf.get_variable("local", [], collections=[tf.GraphKeys.LOCAL_VARIABLES])
"""


@needs_estimator
def test_name_scope_names_only_variables_of_objects() -> None:
    assert set(variables(_SCOPE, "train")) == {
        *("run/in/v", "run/block/v", "w", "run/keras/kernel", "run/keras/bias"),
        *("layer/kernel", "layer/bias", "got"),
    }


@needs_estimator
def test_the_first_argument_of_a_run_config_is_its_model_dir() -> None:
    import tensorflow.compat.v1 as tf

    assert tf.estimator.RunConfig("runs/a").model_dir.endswith("runs/a")
