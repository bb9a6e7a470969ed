"""Rules about model_dirs: code that is right or may be right, and similar code that is not."""

from typing import Dict, List

import pytest

from .linted import findings, found, rules

TF = "import tensorflow as tf\n"
ONE = "def {}(features, labels, mode):\n    return features\n\n\n"
TWO = "def {}(features, labels, mode):\n    return labels\n\n\n"


# --- shared-model-dir ------------------------------------------------------------------------


def pair(first: str, second: str, head: str = "", after: str = "") -> str:
    made = "{} = tf.estimator.Estimator({}, 'runs/a')\n"
    return (
        head
        + ONE.format("one")
        + TWO.format("two")
        + made.format("a", "one")
        + f"{first}\n{after}\n"
        + made.format("b", "two")
        + second
    )


TRAIN = "tf.estimator.train_and_evaluate({}, train_spec, eval_spec)"
SHARED = ["shared-model-dir"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a.train(f)", "b.train(f)", True),
        (TRAIN.format("a"), "b.train(f)\nb.predict(f)", True),
        ("a.train(f)", "b.predict(f)", False),
        ("a.evaluate(f)", "b.train(f)", False),
        ("a.train(f)", "b.export_saved_model('out', g)", False),
        ("a.train(f)", "print(b.evaluate(f))", False),
        ("a.train(f)", "serve(b)", False),
        ("a.train(f)", "", False),
    ],
)
def test_a_model_that_only_serves(first: str, second: str, expected: bool) -> None:
    assert rules(pair(first, second)) == SHARED * expected


def two_files(first: str, second: str, model: str = TWO) -> Dict[str, str]:
    code = TF + "{}e = tf.estimator.Estimator(model_fn, 'runs/a')\n{}\n"
    return {
        "train.py": code.format(ONE.format("model_fn"), first),
        "serve.py": code.format(model.format("model_fn"), second),
    }


@pytest.mark.parametrize("use", ["e.predict(f)", "e.export_savedmodel('out', g)", "e.evaluate(f)"])
def test_a_serving_script_with_its_own_model_fn(use: str) -> None:
    assert rules(two_files("e.train(f)", use)) == []
    assert rules(two_files(use, "e.train(f)")) == []


def test_two_training_scripts_with_model_fns_of_one_name() -> None:
    (finding,) = findings(two_files("e.train(f)", "e.train(f)"))
    assert finding.rule == "shared-model-dir"
    assert "the model_fns at train.py:2 and line 2" in finding.message, finding.message
    assert rules(two_files("e.train(f)", "e.train(f)", ONE)) == []


def test_one_function_may_have_two_names() -> None:
    code = TF + "from {} import model_fn\n"
    code += "e = tf.estimator.Estimator(model_fn, 'runs/a')\ne.train(f)\n"
    assert rules({"a.py": code.format("nets"), "b.py": code.format("nets.deep")}) == []


PARAMS = """
a = tf.estimator.Estimator(one, 'runs/a', params={{{0!r}: 1}})
b = tf.estimator.Estimator(one, 'runs/a', params={{{0!r}: 2}})
"""


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        *((key, False) for key in ("beam_width", "temperature", "score_threshold", "top_k")),
        *((key, False) for key in ("length_penalty", "topK", "beamSize", "learningRate", "lr")),
        *((key, False) for key in ("sampling_temperature", "l2_weight", "label_smoothing")),
        *((key, True) for key in ("units", "stop_units", "hiddenUnits", "n")),
    ],
)
def test_params_that_make_no_variables(key: str, expected: bool) -> None:
    assert rules(ONE.format("one") + PARAMS.format(key)) == SHARED * expected


@pytest.mark.parametrize(
    "line",
    [
        "shutil.rmtree('runs/a')",
        "shutil.move('runs/a', 'runs/old')",
        "shutil.copytree('runs/a', 'runs/old')",
        "os.chdir('other')",
        "os.rename('runs/a', 'runs/old')",
        "os.replace('runs/a', 'runs/old')",
        "Path('runs/a').rename('runs/old')",
        "Path('runs/a').replace('runs/old')",
        "tf.gfile.DeleteRecursively('runs/a')",
        "tf.io.gfile.rmtree('runs/a')",
        "tf.gfile.Rename('runs/a', 'runs/old')",
        "tf.io.gfile.rename('runs/a', 'runs/old')",
        "rmtree('runs/a')",
        "os.system('rm -r runs/a')",
        "subprocess.run(['rm', '-r', 'runs/a'])",
        "list(map(shutil.rmtree, folders))",
    ],
)
def test_a_file_that_changes_directories(line: str) -> None:
    head = "import os\nimport shutil\nimport subprocess\nfrom pathlib import Path\n"
    head += "from shutil import rmtree\n\n\n"
    assert rules(pair("a.train(f)", "b.train(f)", head, line)) == []
    other = "names.remove('a')\nname.replace('a', 'b')\nshutil.which('a')\ntf.gfile.Exists('a')"
    assert rules(pair("a.train(f)", "b.train(f)", head, other)) == SHARED
    params = ONE.format("one") + PARAMS.format("n")
    assert rules(head + params + f"\n\ndef clean():\n    {line}\n") == []


def test_a_helper_that_changes_directories() -> None:
    files = two_files("e.train(f)", "e.train(f)")
    files["clean.py"] = "import shutil\n\n\ndef clean(folder):\n    shutil.rmtree(folder)\n"
    assert rules(files) == SHARED
    files["train.py"] = "from clean import clean\n" + files["train.py"]
    assert rules(files) == []


# --- model-dir-mismatch ----------------------------------------------------------------------

MODEL = TF + "\n\ndef model_fn(features, labels, mode):\n    return features\n"
USE = TF + "from model import model_fn\n{}\ne = tf.estimator.Estimator(model_fn, {})\ne.{}(f)\n"
MISMATCH = ["model-dir-mismatch"]


def project(serve: str, train: str = "'runs/a'", head: str = "", **files: str) -> Dict[str, str]:
    return {
        "model.py": MODEL,
        "train.py": USE.format("", train, "train"),
        "serve.py": USE.format(head, serve, "predict"),
        **{f"{name}.py": code for name, code in files.items()},
    }


@pytest.mark.parametrize(
    ("serve", "head", "expected"),
    [
        ("'runs/b'", "", True),
        ("'runs/b', warm_start_from='runs/a'", "", False),
        ("'runs/b', warm_start_from=settings", "", False),
        ("config=config", "config = tf.estimator.RunConfig('runs/b')", True),
        ("config=config", "config = tf.estimator.RunConfig(model_dir='runs/b')", True),
        ("config=config", "config = tf.estimator.RunConfig('runs/a')", False),
        ("config=config", "config = tf.contrib.tpu.RunConfig('runs/b')", False),
        ("FOLDER", "FOLDER = 'runs/b'", True),
        ("FOLDER", "FOLDER = 'runs/b'\nfetch(FOLDER)", False),
        ("FOLDER", "FOLDER = 'runs/b'\nos.system(f'rsync host:a {FOLDER}')", False),
        ("'runs/b'", "'''Serves runs/b.'''", True),
        ("'runs/b'", "fetch('runs/b')", False),
        ("'runs/b'", "fetch('runs/bb')", True),
        ("'runs/b'", "fetch(to=os.path.join('runs', 'b'))", False),
    ],
)
def test_directories_of_a_serving_script(serve: str, head: str, expected: bool) -> None:
    assert rules(project(serve, head="import os\n" + head)) == MISMATCH * expected


@pytest.mark.parametrize(
    "line",
    [
        "shutil.copytree('runs/a', 'runs/b')",
        "shutil.copytree('runs/a', os.path.join('runs', 'b'))",
        "subprocess.run(['rsync', '-a', 'runs/a/', 'runs/b/'])",
        "os.system('cp -r runs/a runs/b')",
        "os.system(f'cp -r {folder} /data/runs/b')",
        "FOLDERS = {'new': 'runs/b'}",
    ],
)
def test_a_script_that_copies_the_checkpoint(line: str) -> None:
    code = TF + f"import os\nimport shutil\nimport subprocess\n\n{line}\n"
    assert rules(project("'runs/b'", copy=code)) == []


def test_a_training_script_that_copies_any_directory() -> None:
    files = project("'runs/b'")
    assert found(files) == ["model-dir-mismatch serve.py:4"]
    files["train.py"] += "import shutil\nshutil.copytree(e_dir, target)\n"
    assert rules(files) == []


# --- temporary-model-dir ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["RunConfig()", "c.replace(tf_random_seed=1)"], True),
        (["RunConfig()", "c.replace(tf_random_seed=1)", "c.replace(log_step_count_steps=1)"], True),
        (["RunConfig(None)"], True),
        (["RunConfig('runs/a')", "c.replace(tf_random_seed=1)"], False),
        (["RunConfig(folder)"], False),
        (["RunConfig()", "c.replace(model_dir='runs/a')"], False),
        (["RunConfig()", "c.replace(**options)"], False),
        (["RunConfig()", "c.replace(tf_random_seed=1)", "change(c)"], False),
    ],
)
def test_configs_that_replace_another(lines: List[str], expected: bool) -> None:
    code = "".join(f"c = {line}\n" for line in lines)
    code = "from tensorflow.estimator import RunConfig\n" + code
    code += "e = tf.estimator.Estimator(model_fn, config=c)\ne.train(f)\n"
    assert rules(code) == ["temporary-model-dir"] * expected
