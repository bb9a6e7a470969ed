"""Tests of the command line and the Python API: arguments, output and results."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

import ckptcheck
from ckptcheck.catalogue import catalogue
from ckptcheck.commands import COMMANDS
from ckptcheck.options import AgainstSpec, options_of

from .support import (
    MAJOR,
    TENSORFLOW,
    Project,
    Run,
    copy_fixture,
    needs_estimator,
    needs_tensorflow,
)

TARGET = "model.py:model_fn"
ONE = ("--mode", "predict")
QUIET = ("--format", "json", "--quiet")

# --- without TensorFlow ----------------------------------------------------------------------

BLOCKER = """\
import os
open(os.environ["IMPORTED"], "w").close()
raise SystemExit("tensorflow was imported")
"""


class Blocked:
    """An environment in which ``import tensorflow`` writes a file and ends the process."""

    def __init__(self, project: Project, folder: Path) -> None:
        (folder / "tensorflow").mkdir(parents=True)
        (folder / "tensorflow" / "__init__.py").write_text(BLOCKER)
        self.marker = folder / "imported"
        self.project = project
        path = os.pathsep.join([str(folder), project.environment()["PYTHONPATH"]])
        self.env = project.environment(PYTHONPATH=path, IMPORTED=str(self.marker))

    def run(self, *arguments: str) -> Run:
        return self.project.run(*arguments, env=self.env)

    @property
    def imported(self) -> bool:
        return self.marker.exists()


@pytest.fixture
def blocked(project: Project, tmp_path: Path) -> Blocked:
    return Blocked(project, tmp_path / "blocker")


def test_the_blocker_blocks(blocked: Blocked) -> None:
    """Otherwise, the tests below would prove nothing. A check imports TensorFlow in the tracer."""
    run = blocked.run("model_dir", TARGET, "params.json")
    assert blocked.imported
    assert run.code == 2, run


def test_help(blocked: Blocked) -> None:
    run = blocked.run("--help")
    assert run.code == 0
    assert not blocked.imported
    for word in ("MODEL_DIR TARGET PARAMS", "short for", "./check", "Exit codes", *COMMANDS):
        assert word in run.out


@pytest.mark.parametrize("words", [("check",), ("--mode", "eval")])
def test_help_of_a_check(blocked: Blocked, words: Tuple[str, ...]) -> None:
    """The help lists all options, even if the name of the command is left out."""
    run = blocked.run(*words, "--help")
    assert (run.code, blocked.imported) == (0, False)
    said = " ".join(run.out.split())
    for option in options_of(AgainstSpec).values():
        assert option.flag in said and option.metavar in said and option.help in said
    for word in ("--set", "--show-plan", "--format", "Exit codes"):
        assert word in said


def test_version(blocked: Blocked) -> None:
    run = blocked.run("--version")
    assert (run.code, run.out) == (0, f"ckptcheck {ckptcheck.__version__}\n")
    assert not blocked.imported


def test_list_rules(blocked: Blocked) -> None:
    run = blocked.run("--list-rules")
    assert run.code == 0
    assert [line.split()[:2] for line in run.out.splitlines()] == [
        [rule.id, rule.severity] for rule in catalogue().values()
    ]
    assert not blocked.imported


EXPLAIN_ALL = """\
import sys
from ckptcheck.cli import main
from ckptcheck.catalogue import catalogue
for rule in catalogue():
    try:
        main(["--explain", rule])
    except SystemExit as end:
        print("==", rule, end.code)
assert "tensorflow" not in sys.modules
"""


def test_explain_every_rule(blocked: Blocked) -> None:

    out = subprocess.run(
        [sys.executable, "-c", EXPLAIN_ALL], env=blocked.env, stdout=subprocess.PIPE, check=True
    ).stdout.decode("utf-8")
    assert not blocked.imported
    for rule in catalogue().values():
        assert f"{rule.id} ({rule.severity})\n\n{rule.explanation}\n== {rule.id} 0\n" in out


def test_what_needs_no_tensorflow_is_refused_without_it(blocked: Blocked) -> None:
    """Mistakes in the arguments are reported before the import of TensorFlow."""
    assert blocked.run("model_dir", "model", "params.json").code == 2
    assert blocked.run("model_dir", TARGET, "no-such.json").code == 2
    assert blocked.run("no-such", TARGET, "params.json").code == 2
    assert not blocked.imported


def test_the_script_and_the_module_are_the_same_command(project: Project) -> None:
    """``python -m ckptcheck`` has the same name in its help."""
    assert "Usage: ckptcheck " in project.run("--help").out


# --- a check ---------------------------------------------------------------------------------


@needs_tensorflow
def test_all_three_modes_restore(project: Project) -> None:
    run = project.check(TARGET, "params.json", *QUIET)
    assert run.code == 0, run
    report = run.json
    assert report["ok"] is True
    assert [mode.pop("drift") for mode in report["modes"].values()] == ["none"] * 3
    assert report["modes"] == {
        "predict": {"verdict": "restores", "reads": 5},
        "eval": {"verdict": "restores", "reads": 15},
        "train": {"verdict": "restores", "reads": 15},
    }
    assert report["checkpoint"] == {
        "model_dir": "model_dir",
        "prefix": "model_dir/model.ckpt-10",
        "step": 10,
        "variables": 15,
        "data": None,
    }
    assert report["environment"]["tensorflow"] == TENSORFLOW
    assert report["environment"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert report["features"]["source"] == "saved-graph"
    assert report["features"]["spec"] == {"x": {"dtype": "float32", "shape": [None, 1]}}
    assert not [f for f in report["findings"] if f["severity"] != "note"]


@needs_tensorflow
def test_a_deep_check_says_what_it_read(project: Project) -> None:
    pytest.importorskip("numpy")
    (verified,) = project.run("verify", "model_dir", *QUIET[:-1]).json["checkpoints"]
    run = project.check(TARGET, "params.json", "--deep", *QUIET)
    data = run.json["checkpoint"]["data"]
    assert data == {"tensors": verified["tensors"], "size": verified["size"]}
    assert data["tensors"] == run.json["checkpoint"]["variables"]
    text = project.check(TARGET, "params.json", "--deep").out
    assert "  data read: {} tensors, ".format(data["tensors"]) in text


@needs_tensorflow
@pytest.mark.parametrize("plain", [False, True])
def test_a_snapshot_serves_as_model_dir(plain: bool, project: Project) -> None:
    """The graph of a snapshot is compressed.

    Snapshots of older versions have an uncompressed graph.
    """
    snapshot = project.root.parent / "snapshot"
    project.run("snapshot", "model_dir", snapshot)
    packed = snapshot / "model.ckpt-10.meta.gz"
    if plain:
        (snapshot / "model.ckpt-10.meta").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    here = project.check(TARGET, "params.json", *QUIET).json
    run = project.run(snapshot, TARGET, "params.json", *QUIET)
    assert (run.code, run.json["modes"]) == (0, here["modes"])
    assert run.json["features"] == here["features"]
    assert str(project.temporary) not in run.out
    assert "a snapshot has no data files" in run.json["not_judged"][-1]


@needs_tensorflow
def test_the_exit_code_does_not_depend_on_the_format(project: Project) -> None:
    """For a shape mismatch, the text and the JSON document have the same verdicts."""
    params = "params_without_num_hidden.json"
    text = project.check(TARGET, params, "--quiet")
    document = project.check(TARGET, params, *QUIET)
    assert text.code == document.code == 1
    words = {"fails": "FAILS", "silent": "SILENTLY WRONG"}
    for mode, verdict in document.json["modes"].items():
        (line,) = [s for s in text.out.splitlines() if s.strip().startswith(mode.upper() + "  ")]
        assert words[verdict["verdict"]] in line
    wrong = {f["variable"]: f for f in document.json["findings"] if f["rule"] == "shape-mismatch"}
    assert wrong["dense/kernel"]["checkpoint"] == {"shape": [1, 128], "dtype": "float32"}
    assert wrong["dense/kernel"]["model"] == {"shape": [1, 64], "dtype": "float32"}
    assert "float32 [1, 128]" in text.out
    assert "\x1b" not in text.out
    assert max(map(len, text.out.splitlines())) <= 80


@needs_tensorflow
@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("note", 1)])
def test_fail_on(project: Project, fail_on: str, code: int) -> None:
    """The model_fn uses a default dropout rate, which is a note."""
    params = project.params({"num_hidden": 128})
    run = project.check(TARGET, params, *QUIET, "--fail-on", fail_on, *ONE)
    assert run.code == code, run
    assert run.json["ok"] is (code == 0)


@needs_tensorflow
def test_set_overrides_a_param(project: Project) -> None:
    run = project.check(
        TARGET, "params_without_num_hidden.json", *QUIET, "--set", "num_hidden=128", *ONE
    )
    assert run.code == 0, run


@needs_tensorflow
def test_params_from_standard_input(project: Project) -> None:
    run = project.check(TARGET, "-", *QUIET, *ONE, stdin='{"num_hidden": 128}')
    assert run.code == 0, run


@needs_tensorflow
def test_without_params_they_are_empty(project: Project) -> None:
    run = project.check(TARGET, *QUIET, *ONE)
    assert run.code == 1, run
    assert "shape-mismatch" in [finding["rule"] for finding in run.json["findings"]]


@needs_tensorflow
@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_a_prefix_or_one_of_its_files(project: Project, suffix: str) -> None:
    run = project.run(project.prefix + suffix, TARGET, "params.json", *QUIET, *ONE)
    assert run.code == 0, run
    assert run.json["checkpoint"]["prefix"] == project.prefix
    assert run.json["features"]["source"] == "saved-graph"


@needs_tensorflow
def test_one_mode(project: Project) -> None:
    run = project.check(TARGET, "params.json", *QUIET, "--mode", "predict")
    assert list(run.json["modes"]) == ["predict"]
    assert all(finding["modes"] == ["predict"] for finding in run.json["findings"])


@needs_tensorflow
def test_two_modes(project: Project) -> None:
    run = project.check(TARGET, "params.json", *QUIET, "--mode", "train", "--mode", "eval")
    assert sorted(run.json["modes"]) == ["eval", "train"]
    assert run.code == 0, run


@needs_tensorflow
def test_a_misspelt_param_is_named_with_what_was_meant(project: Project) -> None:
    params = project.params({"num_hiden": 128, "dropout_rate": 0.3})
    run = project.check(TARGET, params, *QUIET)
    (finding,) = [f for f in run.json["findings"] if f["rule"] == "unused-param"]
    assert finding["severity"] == "warning"
    assert "'num_hiden'" in finding["message"]
    assert "did you mean 'num_hidden'" in finding["message"]
    lines = (project.root / "model.py").read_text("utf-8").splitlines()
    assert finding["location"]["file"] == "model.py"
    assert "num_hidden" in lines[finding["location"]["line"] - 1]


@needs_tensorflow
def test_a_default_counts_although_the_code_looks_for_the_key_first(project: Project) -> None:
    code = (project.root / "model.py").read_text("utf-8")
    first = '    hidden = tf.layers.dense(features["x"]'
    looks = (
        '    if "num_hidden" in params:\n        params["num_hidden"] = int(params["num_hidden"])\n'
    )
    project.write("model.py", code.replace(first, looks + first, 1))
    run = project.check(TARGET, "params_without_num_hidden.json", "--quiet")
    text = run.out.replace("\n    ", " ")
    assert "fix: set num_hidden to 128 in the params (without it, model_fn uses 64 at" in text
    assert "num_hidden is not in the params; model_fn used 64" in text


@needs_tensorflow
@pytest.mark.parametrize("mode", ["predict", "export"])
def test_a_param_that_another_mode_reads_is_not_called_unused(project: Project, mode: str) -> None:
    """Only TRAIN and EVAL read learning_rate."""
    params = project.params({"num_hidden": 128, "dropout_rate": 0.3, "learning_rate": 0.01})
    run = project.check(TARGET, params, *QUIET, "--mode", mode)
    assert run.code == 0, run
    assert [f for f in run.json["findings"] if f["rule"] == "unused-param"] == []


INPUT_FN = """

def input_fn(params):
    '''Reads params["old"].'''
    # It no longer reads params["older"] and params.lerning_rate.
    return params['files'], params.data.shuffle, params["low_learning_rate"]
"""


@needs_tensorflow
def test_a_param_of_an_input_fn_is_not_called_unused(project: Project) -> None:
    code = (project.root / "model.py").read_text("utf-8")
    code += INPUT_FN
    project.write("model.py", code)
    params = {"files": "*.csv", "data": {"shuffle": 9}, "old": 1, "older": 1, "num_hidden": 128}
    params.update(dropout_rate=0.3, low_learning_rate=0.1, lerning_rate=0.1)
    run = project.check(TARGET, project.params(params), *QUIET)
    unused = [f["data"] for f in run.json["findings"] if f["rule"] == "unused-param"]
    assert unused == [
        {"param": "old", "meant": None},
        {"param": "older", "meant": None},
        {"param": "lerning_rate", "meant": "learning_rate"},
    ]


@needs_tensorflow
def test_show_plan(project: Project) -> None:
    text = project.check(TARGET, "params.json", "--quiet", "--show-plan")
    rows = {line.split()[0]: line.split() for line in text.out.splitlines() if "float32" in line}
    assert rows["dense/kernel"][-1] == "PET"
    assert rows["dense/kernel/Adam"][-1] == "ET"
    document = project.check(TARGET, "params.json", *QUIET, "--show-plan").json
    assert [plan["mode"] for plan in document["plans"]] == ["predict", "eval", "train"]
    assert len(document["plans"][2]["reads"]) == 15


# --- targets ---------------------------------------------------------------------------------

TARGETS = """\
import functools
from model import model_fn as plain


def with_units(features, labels, mode, params, units, config=None):
    params["num_hidden"] = units
    return plain(features, labels, mode, params)


partial = functools.partial(with_units, units=128)


class Net:
    def __init__(self, units):
        self.units = units

    def model_fn(self, features, labels, mode, params):
        return with_units(features, labels, mode, params, self.units)


class Callable(Net):
    def __call__(self, features, mode, labels, params):
        return self.model_fn(features, labels, mode, params)


net = Net(128)
wrong = Net(64)
callable_object = Callable(128)


def builder(num_hidden, dropout_rate, config=None, model_dir=None):
    def model_fn(features, labels, mode):
        params = {"num_hidden": num_hidden, "dropout_rate": dropout_rate}
        return plain(features, labels, mode, params)

    return model_fn


def make_estimator(params, model_dir, config):
    import tensorflow as tf

    estimator = tf.compat.v1.estimator.Estimator
    return estimator(plain, model_dir=model_dir, params=dict(params), config=config)
"""


@needs_tensorflow
@pytest.mark.parametrize(
    "name",
    [
        "partial",
        "net.model_fn",
        "callable_object",
        "builder",
        pytest.param("make_estimator", marks=needs_estimator),
    ],
)
def test_what_a_target_can_be(project: Project, name: str) -> None:
    project.write("targets.py", TARGETS)
    run = project.check("targets:" + name, "params.json", *QUIET, *ONE)
    assert run.code == 0, run
    predict = run.json["modes"]["predict"]
    assert (predict["verdict"], predict["reads"]) == ("restores", 5)


@needs_tensorflow
def test_a_bound_method_is_that_of_its_object(project: Project) -> None:
    """The opposite of the test above: another object has another shape."""
    project.write("targets.py", TARGETS)
    run = project.check("targets:wrong.model_fn", "params.json", *QUIET, *ONE)
    assert run.code == 1, run
    assert "shape-mismatch" in [finding["rule"] for finding in run.json["findings"]]


@needs_tensorflow
@needs_estimator
def test_an_estimator_has_its_own_params(project: Project) -> None:
    project.write(
        "made.py",
        TARGETS + "\nestimator = make_estimator({'num_hidden': 128}, None, None)\n",
    )
    run = project.check("made:estimator", *QUIET, *ONE)
    assert run.code == 0, run


@needs_tensorflow
def test_app_dir(project: Project) -> None:
    """The code is in ``src``, as a package and as a path. The working directory is another one."""
    (project.root / "src" / "nets").mkdir(parents=True)
    shutil.move(str(project.root / "model.py"), str(project.root / "src" / "nets" / "model.py"))
    run = project.check("nets.model:model_fn", "params.json", *QUIET, *ONE, "--app-dir", "src")
    assert run.code == 0, run
    by_path = project.check("src/nets/model.py:model_fn", "params.json", *QUIET, *ONE)
    assert by_path.code == 0, by_path


@needs_tensorflow
def test_a_file_in_a_package_is_imported_as_its_part(project: Project) -> None:
    """Otherwise, its relative imports would fail."""
    project.write("nets/__init__.py", "")
    project.write("nets/sizes.py", "UNITS = 128\n")
    text = (project.root / "model.py").read_text("utf-8")
    project.write(
        "nets/model.py", text.replace("import tensorflow", "from . import sizes\nimport tensorflow")
    )
    run = project.check("nets/model.py:model_fn", "params.json", *QUIET, *ONE)
    assert run.code == 0, run


@needs_tensorflow
def test_the_init_file_of_a_package_is_imported_as_the_package(project: Project) -> None:
    """The code may import modules by the name of its own."""
    text = (project.root / "model.py").read_text("utf-8")
    check = "import importlib\nimportlib.import_module(__name__ + '.sizes')\nimport tensorflow"
    project.write("nets/sizes.py", "UNITS = 128\n")
    project.write("nets/__init__.py", text.replace("import tensorflow", check))
    run = project.check("nets/__init__.py:model_fn", "params.json", *QUIET, *ONE)
    assert run.code == 0, run


# --- params, flags and features --------------------------------------------------------------


@needs_tensorflow
@pytest.mark.parametrize(
    ("params_type", "code"), [("model:Params", 0), ("attr", 1), ("dict", 1), ("model:Parms", 2)]
)
def test_params_type(tmp_path: Path, params_type: str, code: int) -> None:
    """The class has defaults for keys that are missing in the file. A plain object has none."""
    project = copy_fixture("attr_params", tmp_path)
    run = project.check(
        TARGET, "params.json", "--quiet", "--params-type", params_type, "--format", "json"
    )
    assert run.code == code, run
    if code == 0:
        assert {mode["verdict"] for mode in run.json["modes"].values()} == {"restores"}
        assert set(run.json["features"]["spec"]) == {"tuple"}
    if params_type == "attr":
        (raised,) = {f["message"] for f in run.json["findings"] if f["rule"] == "model-fn-raised"}
        assert "hash_buckets" in raised
    if params_type == "dict":
        assert any("--params-type attr" in f["message"] for f in run.json["findings"])


@needs_tensorflow
def test_params_as_attributes(tmp_path: Path) -> None:
    project = copy_fixture("attr_params", tmp_path)
    params = project.params(
        {
            "num_hidden": 12,
            "embedding_dim": 6,
            "hash_buckets": 20,
            "num_tags": 5,
            "learning_rate": 1,
        }
    )
    run = project.check(TARGET, params, *QUIET, "--params-type", "attr")
    assert run.code == 0, run


@needs_tensorflow
def test_flags_stand_behind_two_dashes(tmp_path: Path) -> None:
    project = copy_fixture("flags", tmp_path)
    argv = json.loads((project.root / "argv.json").read_text("utf-8"))
    right = project.check(TARGET, *QUIET, *ONE, "--", *argv)
    assert right.code == 0, right
    default = project.check(TARGET, *QUIET, *ONE)
    assert default.code == 1, default
    assert "shape-mismatch" in [finding["rule"] for finding in default.json["findings"]]
    wrong = project.check(TARGET, *ONE, "--", "--hidden_units=many")
    assert wrong.code == 2 and "flag --hidden_units=many: invalid literal for int()" in wrong.err


@needs_tensorflow
def test_the_params_of_a_factory(tmp_path: Path) -> None:
    project = copy_fixture("factory", tmp_path)
    run = project.check("model:model_fn_builder", "params.json", *QUIET)
    assert run.code == 0, run
    assert sorted(run.json["features"]["spec"]) == [
        "input_ids",
        "input_mask",
        "label_ids",
        "segment_ids",
    ]


INPUTS = """\
import numpy as np
import tensorflow as tf


def dataset(mode, params):
    assert params["num_hidden"] == 128
    assert mode in ("infer", "eval", "train")
    x = np.zeros([4, 1], np.float32)
    return tf.compat.v1.data.Dataset.from_tensor_slices(({"x": x}, x)).batch(2)


def unbatched(mode):
    # On TensorFlow 1.15, it is no Dataset of TensorFlow 1.
    x = np.zeros([4, 2, 1], np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, x)).unbatch().batch(2)


def tensors():
    x = tf.zeros([2, 1])
    return {"x": x}, x


def of_float64():
    return {"x": tf.zeros([2, 1], tf.float64)}, tf.zeros([2, 1], tf.float64)
"""


@needs_tensorflow
@pytest.mark.parametrize("name", ["dataset", "unbatched", "tensors"])
def test_input_fn(project: Project, name: str) -> None:
    """With an input_fn, no saved graph is needed."""
    project.write("inputs.py", INPUTS)
    Path(str(project.root / project.prefix) + ".meta").unlink()
    (project.model_dir / "graph.pbtxt").unlink()
    run = project.check(TARGET, "params.json", *QUIET, "--input-fn", "inputs:" + name)
    assert run.code == 0, run
    assert run.json["features"]["source"] == "input-fn"
    assert run.json["features"]["spec"]["x"]["dtype"] == "float32"


@needs_tensorflow
def test_an_input_fn_decides_the_dtype_of_the_weights(project: Project) -> None:
    """float64 features make float64 layers: the restore raises."""
    project.write("inputs.py", INPUTS)
    run = project.check(TARGET, "params.json", *QUIET, *ONE, "--input-fn", "inputs:of_float64")
    assert run.code == 1, run
    assert "dtype-mismatch" in [finding["rule"] for finding in run.json["findings"]]


@needs_tensorflow
def test_features_file(project: Project) -> None:
    leaf = {"dtype": "float32", "shape": [None, 1]}
    project.write("features.json", json.dumps({"features": {"x": leaf}, "labels": leaf}))
    run = project.check(TARGET, "params.json", *QUIET, "--features", "features.json")
    assert run.code == 0, run
    assert run.json["features"] == {"source": "features-file", "spec": {"x": leaf}, "labels": leaf}


@needs_tensorflow
def test_without_a_saved_graph_a_features_file_is_printed(project: Project) -> None:
    """The message has a file to fill in, with the key that the code asks for."""
    Path(str(project.root / project.prefix) + ".meta").unlink()
    (project.model_dir / "graph.pbtxt").unlink()
    run = project.check(TARGET, "params.json", "--quiet")
    assert run.code == 2, run
    assert "--input-fn" in run.err and "--features" in run.err
    document: Dict[str, Any] = json.loads(run.err[run.err.index("{") :])
    assert list(document["features"]) == ["x"]
    project.write("features.json", json.dumps(document))
    again = project.check(TARGET, "params.json", *QUIET, "--features", "features.json")
    assert again.code == 2 and "features.x: replace '?'" in again.err, again
    filled = json.dumps(document).replace('"?", "shape": null', '"float32", "shape": [null, 1]')
    project.write("features.json", filled)
    again = project.check(TARGET, "params.json", *QUIET, "--features", "features.json")
    assert again.code == 0, again


@needs_tensorflow
@pytest.mark.parametrize("content", [b"", b"\xff" * 100], ids=["empty", "damaged"])
def test_a_saved_graph_that_cannot_be_read_yields_to_the_other(
    project: Project, content: bytes
) -> None:
    Path(str(project.root / project.prefix) + ".meta").write_bytes(content)
    run = project.check(TARGET, "params.json", *QUIET)
    assert run.code == 0, run
    assert run.json["features"]["source"] == "saved-graph"


@needs_tensorflow
@pytest.mark.skipif(MAJOR == 1, reason="tf115's model_dir has reference variables anyway")
def test_behavior_decides_between_silent_and_fails(project: Project) -> None:
    """With TensorFlow 2, the launch script decides whether the restore verifies shapes."""
    params = "params_without_num_hidden.json"
    auto = project.check(TARGET, params, *QUIET, *ONE).json
    v1 = project.check(TARGET, params, *QUIET, *ONE, "--behavior", "v1").json
    assert auto["modes"]["predict"]["verdict"] == "silent"
    assert v1["modes"]["predict"]["verdict"] == "fails"
    assert v1["environment"]["behavior"] == "v1"


@needs_tensorflow
def test_moving_averages_of_another_shape_have_unique_keys(tmp_path: Path) -> None:
    """PREDICT and TRAIN restore one key into different variables."""
    project = copy_fixture("ema", tmp_path)
    params = json.loads((project.root / "params.json").read_text("utf-8"))
    sizes = {key: value + 1 for key, value in params.items() if isinstance(value, int)}
    run = project.check(TARGET, project.params({**params, **sizes}), *QUIET)
    assert run.code == 1, run
    keys = [finding["key"] for finding in run.json["findings"]]
    assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)
