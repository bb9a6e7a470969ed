"""Tests of wrong input: one clear message, the right exit code, and no harm.

:class:`.support.Project` also verifies each run: the model_dir does not change, no file appears,
and the output has no traceback of ckptcheck.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest

from ckptcheck.commands import COMMANDS

from .support import (
    PROJECT,
    Project,
    Run,
    assert_civil,
    copy_fixture,
    digest,
    keeps_running,
    needs_estimator,
    needs_tensorflow,
    python_of_version,
    run_cli,
    said,
)

TARGET = "model.py:model_fn"
ONE = ("--mode", "predict")
"""If the mode does not matter, one mode is enough, because each mode takes a trace."""

NOTHING_IMPORTED = "raise RuntimeError('imported')\n"


def assert_refused(run: Run, *words: str) -> None:
    """Exit code 2, nothing on standard output, one message with these words."""
    assert run.code == 2, run
    assert run.out == "", run
    message = " ".join(run.err.split())
    for word in words:
        assert " ".join(word.split()) in message, (word, run)


# --- the model_dir ---------------------------------------------------------------------------


def test_no_such_directory(project: Project) -> None:
    run = project.run("no/such/dir", TARGET, "params.json")
    assert_refused(run, "ckptcheck: error: no directory no/such/dir", "expected a model_dir")


def test_a_directory_of_nearly_that_name(project: Project) -> None:
    run = project.run("modeldir", TARGET, "params.json")
    assert_refused(run, "no directory or checkpoint modeldir", "did you mean model_dir?")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("verify", "model_dir", "--deep"),
            "no option --deep: ckptcheck verify always reads all data",
        ),
        (("inspect", "--deep", "model_dir"), "no option --deep: ckptcheck verify reads the data"),
        (("inspect", "model_dir", "--json"), "no option --json: --format json writes JSON"),
        (("model_dir", "m:f", "--all-checkpoints"), "ckptcheck verify --all-checkpoints reads"),
        (("verify", "model_dir", "--all"), "--all-checkpoints verifies all checkpoints"),
        (("model_dir", "m:f", "--num_hidden=3"), "put the flags of your code after --"),
        (("inspect", "model_dir", "m:f"), "ckptcheck inspect reads only files"),
    ],
)
def test_an_option_of_another_command(
    project: Project, words: Tuple[str, ...], expected: str
) -> None:
    assert_refused(project.run(*words), expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((TARGET, "model_dir", "params.json"), "TARGET model_dir is a directory"),
        (("params.json", TARGET, "model_dir"), "PARAMS model_dir is a directory"),
        (("model_dir", "params.json"), "TARGET params.json is a file, but not Python code"),
        (("record", TARGET, "model_dir", "params.json"), "TARGET model_dir is a directory"),
        (
            ("model_dir", "params.json", TARGET),
            "PARAMS model.py:model_fn looks like a TARGET, not a params file",
        ),
        (
            ("model:model_fn", "x:y"),
            "MODEL_DIR model:model_fn looks like a TARGET, not a directory",
        ),
    ],
)
def test_arguments_in_another_order(
    project: Project, words: Tuple[str, ...], expected: str
) -> None:
    order = "expected MODEL_DIR TARGET PARAMS, in this order"
    assert_refused(project.run(*words), expected, order)


def test_an_option_without_its_dashes(project: Project) -> None:
    run = project.run("explain", "step-mismatch")
    assert_refused(run, "did you mean ckptcheck --explain step-mismatch?")


def test_nearly_a_rule(project: Project) -> None:
    run = project.run("--explain", "step_mismatched")
    assert_refused(run, "did you mean step-mismatch?", "ckptcheck --list-rules lists all rules")


def test_what_follows_two_dashes_is_an_argument_of_a_file_command(project: Project) -> None:
    assert_refused(project.run("inspect", "model_dir", "--", "x"), "unexpected extra argument")
    assert project.run("inspect", "--", "model_dir").code == 0


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("params.yaml", "convert it from YAML to JSON"),
        ("config.py", "with json.dump"),
        ('{"units": 3}', "pipe it to ckptcheck and give -"),
        ("units=3", "--set units=3"),
    ],
)
def test_params_of_another_form(project: Project, params: str, expected: str) -> None:
    project.write("params.yaml", "units: 3\n")
    project.write("config.py", "UNITS = 3\n")
    assert_refused(project.check(TARGET, params), f"PARAMS {params}", expected)


def test_params_from_a_standard_input_that_is_closed(project: Project) -> None:
    script = f"exec {shlex.quote(sys.executable)} -m ckptcheck model_dir {TARGET} - <&-"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=str(project.root),
        env=project.environment(),
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 2
    assert b"PARAMS standard input: it is closed" in done.stderr


def test_nearly_a_command(project: Project) -> None:
    run = project.run("verfy", "model_dir")
    assert_refused(run, "did you mean ckptcheck verify model_dir?")
    run = project.run("inspect", "modeldir")
    assert_refused(run, "did you mean model_dir?")
    assert "did you mean ckptcheck" not in said(run)


def test_a_checkpoint_that_is_not_there_names_those_that_are(project: Project) -> None:
    run = project.run("model_dir/model.ckpt-99", TARGET, "params.json")
    assert_refused(run, "model_dir/model.ckpt-99", "model_dir holds model.ckpt-10")


def test_a_file_that_is_no_checkpoint(project: Project) -> None:
    run = project.run("params.json", TARGET, "params.json")
    assert_refused(run, "params.json is a file, but not a checkpoint")


def test_an_empty_directory_is_not_checked(project: Project) -> None:
    """A gate in CI must not pass if the path is wrong."""
    shutil.rmtree(str(project.model_dir))
    project.model_dir.mkdir()
    for form in ("text", "json"):
        run = project.check(TARGET, "params.json", "--format", form)
        assert run.code == 3, run
    assert run.json["ok"] is False
    assert run.json["modes"] == {}
    (finding,) = run.json["findings"]
    assert finding["rule"] == "no-checkpoint"


def test_no_state_file_is_silent(project: Project) -> None:
    """Estimator raises no error and starts with random weights, although the files exist."""
    (project.model_dir / "checkpoint").unlink()
    run = project.check(TARGET, "params.json", "--format", "json")
    assert run.code == 1, run
    assert {mode["verdict"] for mode in run.json["modes"].values()} == {"silent"}
    (finding,) = [f for f in run.json["findings"] if f["severity"] != "note"]
    assert finding["rule"] == "no-checkpoint"
    assert "there is no state file" in finding["message"]


@needs_tensorflow
def test_a_state_file_that_names_a_missing_checkpoint(project: Project) -> None:
    (project.model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-99"\n')
    run = project.check(TARGET, "params.json", "--format", "json")
    assert run.code == 1, run
    train = {"verdict": "fails", "at": "restore", "reads": 0, "drift": "unknown"}
    assert run.json["modes"]["train"] == train
    (finding,) = [f for f in run.json["findings"] if f["severity"] != "note"]
    assert finding["rule"] == "checkpoint-moved"
    assert "model.ckpt-99, which does not exist" in finding["message"]


@needs_tensorflow
@pytest.mark.parametrize("damage", ["index", "shard"])
def test_a_checkpoint_that_is_not_whole(project: Project, damage: str) -> None:
    prefix = project.root / project.prefix
    if damage == "index":
        Path(str(prefix) + ".index").write_bytes(b"not an index at all" * 10)
    else:
        Path(str(prefix) + ".data-00000-of-00001").unlink()
    run = project.check(TARGET, "params.json", "--format", "json", *ONE)
    assert run.code == 1, run
    assert run.json["modes"]["predict"]["verdict"] == "fails"
    assert [f["rule"] for f in run.json["findings"] if f["severity"] == "error"] == [
        "unreadable-checkpoint"
    ]


@needs_tensorflow
def test_a_model_dir_that_cannot_be_written(project: Project) -> None:
    """The model_dir may be a mounted archive. Each run verifies that nothing in it has changed."""
    for path in [*project.model_dir.iterdir(), project.model_dir]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        run = project.check(TARGET, "params.json")
    finally:
        project.model_dir.chmod(0o755)
    assert run.code == 0, run


# --- the params ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["PARAMS params.json: no such file", "- for standard input"]),
        ("", ["PARAMS params.json: it is empty"]),
        ('{"num_hidden": 128,\n "dropout_rate" 0.3}', ["PARAMS params.json:2:17: not JSON"]),
        ("[1, 2]", ["PARAMS params.json: expected a JSON object, found an array"]),
        ('{"a": 1, "a": 2}', ["PARAMS params.json: the key 'a' occurs twice"]),
        ("[" * 100000, ["PARAMS params.json: it is nested too deeply"]),
    ],
    ids=["missing", "empty", "no JSON", "array", "twice", "deep"],
)
def test_params_that_cannot_be_read(project: Project, text: Any, words: List[str]) -> None:
    """The error comes before the import of TensorFlow."""
    path = project.root / "params.json"
    path.unlink()
    if text is not None:
        path.write_text(text, "utf-8")
    start = time.monotonic()
    assert_refused(project.check(TARGET, "params.json"), "ckptcheck: error:", *words)
    assert time.monotonic() - start < 20


@needs_tensorflow
@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ('{"num_hidden": 3, "a": ' + '{"b": ' * 99 + "1" + "}" * 100, ""),
        ('{"num_hidden": 3, "a": ' + "[" * 99 + "]" * 99 + "}", ""),
        ('{"a": ' * 101 + "1" + "}" * 101, "it is nested deeper than 100 levels"),
        ('{"a": ' * 900 + "1" + "}" * 900, "it is nested deeper than 100 levels"),
        ('{"num_hidden": 3, "a": ' + "1" * 4000 + "}", ""),
        ('{"num_hidden": 3, "a": NaN, "b": 1e999}', ""),
    ],
    ids=["objects", "arrays", "deeper", "much deeper", "many digits", "no numbers"],
)
def test_params_that_are_strange(project: Project, text: str, refused: str) -> None:
    """ckptcheck refuses them with a message, or passes them to the code like other params."""
    project.write("params.json", text)
    run = project.check(TARGET, "params.json", *ONE)
    if refused:
        assert_refused(run, "PARAMS[", refused)
    else:
        assert "untraceable" not in run.out.lower(), run
        assert run.code == project.check(TARGET, "-", *ONE, stdin='{"num_hidden": 3}').code


@pytest.mark.parametrize("word", ["help", "version", "list-rules", "explain"])
def test_a_word_that_is_an_option(project: Project, word: str) -> None:
    assert_refused(project.run(word), f"did you mean ckptcheck --{word}?")


@pytest.mark.parametrize("word", ["--version", "--list-rules", "--explain"])
@pytest.mark.parametrize("words", [("model_dir", TARGET), ("inspect", "model_dir")])
def test_an_option_of_ckptcheck_itself_comes_first(
    project: Project, words: Tuple[str, ...], word: str
) -> None:
    assert_refused(project.run(*words, word), f"{word} has to come first: ckptcheck {word}")


@pytest.mark.parametrize("name", ["check", "inspect", "lint"])
def test_a_command_after_options(project: Project, name: str) -> None:
    run = project.run("--quiet", name, "model_dir")
    assert_refused(run, f"{name} has to come first: ckptcheck {name} --quiet model_dir")
    (project.root / name).mkdir()
    run = project.run("--quiet", name, TARGET, "params.json")
    assert "has to come first" not in run.err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_model_dir_with_the_name_of_a_command(project: Project, name: str) -> None:
    project.model_dir.rename(project.root / name)
    hint = f"{name} is a command. To check a MODEL_DIR of this name, write ./{name}"
    assert_refused(project.run(name, "no_such:fn", "params.json"), hint)
    for words in ((f"./{name}",), ("check", f"./{name}"), ("check", name)):
        run = project.run(*words, "no_such:fn", "params.json")
        assert hint not in run.err and "TARGET no_such:fn: no module 'no_such'" in run.err, run
    assert run_cli("inspect", name, cwd=project.root).code == 0


def test_a_model_dir_alone(project: Project) -> None:
    assert_refused(project.run("model_dir"), "TARGET is missing", "ckptcheck inspect model_dir")


def test_a_prefix_with_a_colon(project: Project) -> None:
    for path in (project.root / "model_dir").glob("model.ckpt-10.*"):
        path.rename(project.root / path.name.replace("model.ckpt-10", "exp:model"))
    assert run_cli("inspect", "exp:model", cwd=project.root).code == 0
    run = project.run("exp:model", "no_such_module_xyz:model_fn", "params.json", *ONE)
    assert "looks like a TARGET" not in run.err + run.out


def test_the_command_line_in_a_thread(project: Project) -> None:
    """Python cannot handle signals in another thread."""
    code = (
        "import threading\n"
        "from ckptcheck.cli import main\n"
        "threading.Thread(target=main, args=(['inspect', 'model_dir'],)).start()\n"
    )
    words = [sys.executable, "-c", code]
    found = subprocess.run(words, cwd=str(project.root), capture_output=True)
    assert b"Estimator loads model.ckpt-10" in found.stdout and found.stderr == b""


def test_an_error_that_nobody_can_read_is_one(project: Project) -> None:
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "ckptcheck", "inspect", "nothing"]
        assert subprocess.run(words, cwd=str(project.root), stderr=full).returncode == 2


def test_params_of_no_name(project: Project) -> None:
    """An unset shell variable leads to an empty name."""
    assert_refused(project.run("model_dir", TARGET, ""), "PARAMS is empty")
    hive = project.run("model_dir", TARGET, "lr=0.1/a.json")
    assert_refused(hive, "lr=0.1/a.json: no such file")
    assert "--set" not in hive.err
    assert_refused(project.run("model_dir", TARGET, "lr=0.1"), "--set lr=0.1")


def test_params_on_standard_input_that_are_no_text(project: Project) -> None:
    env = project.environment(PYTHONIOENCODING="utf-8")  # as in a UTF-8 locale
    run = project.check(TARGET, "-", stdin=b'{"a": "\xff\xfe"}', env=env)
    assert_refused(run, "PARAMS")


@pytest.mark.parametrize("override", ["num_hidden", "=3", "a..b=1"])
def test_a_set_that_is_none(project: Project, override: str) -> None:
    run = project.check(TARGET, "params.json", "--set", override)
    assert_refused(run, "--set " + override, "expected key=value or key.sub=value")


# --- the options -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mode", "nonsense"], ["--mode nonsense", "expected predict, eval, train or export"]),
        (["--format", "nonsense"], ["--format nonsense", "junit, markdown, sarif or text"]),
        (["--behavior", "nonsense"], ["--behavior nonsense", "expected auto, v1 or v2"]),
        (["--fail-on", "nonsense"], ["--fail-on nonsense", "expected note, warning or error"]),
        (["--timeout", "0"], ["--timeout 0"]),
        (["--timeout", "nonsense"], ["--timeout"]),
        (["--app-dir", "nonsense"], ["--app-dir nonsense: no such directory"]),
        (
            ["--params-type", "nonsense"],
            ["--params-type 'nonsense': expected dict, attr, module:attr", "nonsense:make_params"],
        ),
        (["--input-fn", "nonsense"], ["module:attr", "such as nonsense:input_fn"]),
        (["--features", "nonsense"], ["--features nonsense: no such file"]),
        (["--explain", "nonsense"], ["has to come first: ckptcheck --explain nonsense"]),
        (["--nonsense"], ["--nonsense"]),
        (["params.json", "four"], ["four"]),
    ],
    ids=lambda value: value[0].strip("-") if value[0].startswith("--") else "",
)
def test_options_that_are_none(project: Project, arguments: List[str], words: List[str]) -> None:
    run = project.check(
        TARGET, *(["params.json"] if arguments[0] != "params.json" else []), *arguments
    )
    assert_refused(run, *words)


def test_arguments_that_are_missing(project: Project) -> None:
    assert_refused(project.run(), "expected MODEL_DIR TARGET PARAMS", "ckptcheck --help")
    assert_refused(project.run("model_dir/model.ckpt-10"), "TARGET is missing")


@pytest.mark.parametrize(
    "target", ["model", "model:", ":model_fn", "model.py", "a/b:model_fn", "model:model-fn", ""]
)
def test_a_target_without_an_attribute(project: Project, target: str) -> None:
    run = project.check(target, "params.json")
    assert_refused(run, f"TARGET {target!r}: ")


FEATURES_WRONG: List[Any] = [
    ('{"features": {"x": 3}}', "features.x"),
    ('{"feature": {}}', "unknown key 'feature'"),
    ('{"features": {"x": {"dtype": "float32", "shape": [-1]}}}', "features.x.shape"),
    ("{", "features.json:1:2"),
    ("", "it is empty"),
]


@pytest.mark.parametrize(("text", "word"), FEATURES_WRONG)
def test_a_features_file_that_is_wrong(project: Project, text: str, word: str) -> None:
    project.write("features.json", text)
    run = project.check(TARGET, "params.json", "--features", "features.json")
    assert_refused(run, "--features", word)


@needs_tensorflow
def test_a_dtype_that_tensorflow_does_not_have(project: Project) -> None:
    project.write("features.json", '{"features": {"x": {"dtype": "float3", "shape": [null, 1]}}}')
    run = project.check(TARGET, "params.json", "--features", "features.json", *ONE)
    assert_refused(run, "TensorFlow has no dtype 'float3'")


@needs_tensorflow
def test_a_timeout_without_end(project: Project) -> None:
    """ckptcheck refuses the timeout, or waits without a limit."""
    run = project.check(TARGET, "params.json", "--timeout", "inf", *ONE)
    assert run.code in (0, 2), run


# --- the interpreter -------------------------------------------------------------------------


def test_an_interpreter_that_does_not_exist(project: Project) -> None:
    run = project.check(TARGET, "params.json", "--python", "/no/such/python")
    assert_refused(run, "cannot run /no/such/python (No such file or directory)", "--python takes")


def test_an_interpreter_that_cannot_be_run(project: Project) -> None:
    run = project.check(TARGET, "params.json", "--python", "./params.json")
    assert_refused(run, "./params.json", "--python takes")


@pytest.mark.parametrize("command", ["true", "cat", "false", "sh -c 'exit 7'", "'", ""])
def test_an_interpreter_that_is_no_python(project: Project, command: str) -> None:
    run = project.check(TARGET, "params.json", "--python", command)
    assert_refused(run, "--python")


def test_an_interpreter_that_never_answers(project: Project) -> None:
    """ckptcheck also does not wait for a child process of the command."""
    start = time.monotonic()
    run = project.check(TARGET, "params.json", "--python", "sh -c 'sleep 15'", "--timeout", "2")
    assert_refused(run, "did not answer within 2 s", "--timeout")
    assert time.monotonic() - start < 12, "the interpreter's own child was waited for"


def test_an_interpreter_without_tensorflow(project: Project) -> None:
    """Without site-packages, a Python has only the standard library."""
    bare = f"{sys.executable} -I -S"
    run = project.check(TARGET, "params.json", "--python", bare)
    assert_refused(run, "has no TensorFlow", "--python", "pip install")


def test_a_virtual_environment_without_tensorflow(project: Project, tmp_path: Path) -> None:
    """The environment must not see ckptcheck's own packages, such as TensorFlow."""
    folder = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    run = project.check(TARGET, "params.json", "--python", folder / "bin" / "python")
    assert_refused(run, str(folder / "bin" / "python") + " has no TensorFlow")


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_an_interpreter_that_is_too_old(project: Project, version: str) -> None:
    old = python_of_version(version)
    if old is None:
        pytest.skip(f"NOT TESTED: there is no Python {version} here")
    run = project.check(TARGET, "params.json", "--python", old)
    assert_refused(run, f"is Python {version}; the tracer needs 3.7 or later")


# --- the target ------------------------------------------------------------------------------

BROKEN = """
import functools
import os
import sys
import tensorflow as tf

number = 3


def wrong_signature(features, labels, mode, hidden_units, batch):
    return None


def wrong_name(inputs, labels, mode):
    return None


def factory(num_hidden, depth):
    def model_fn(features, labels, mode):
        return None
    return model_fn


def factory_of_nothing(num_hidden, dropout_rate):
    return 3


def raising_factory(num_hidden, dropout_rate):
    raise ValueError(f"{raising_factory} has no vocabulary")
"""


@needs_tensorflow
@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "modle:model_fn",
            ["TARGET modle:model_fn: no module", "--app-dir", "did you mean 'model'?"],
        ),
        ("nets.modle:model_fn", ["no module 'nets.modle'", "did you mean 'nets.model'?"]),
        ("missing.py:model_fn", ["no file missing.py"]),
        ("modl.py:model_fn", ["no file modl.py", "did you mean 'model'"]),
        ("broken:number", ["broken:number", "not callable"]),
        (
            "broken:factroy",
            ["the module 'broken' has no attribute 'factroy'", "did you mean 'factory'"],
        ),
        ("broken:wrong_signature", ["does not pass to a model_fn", "hidden_units, batch"]),
        ("broken:wrong_name", ["no argument named features", "inputs, labels, mode"]),
        ("broken:factory", ["no argument named features", "does not take 'dropout_rate'"]),
        ("broken:factory_of_nothing", ["It returned int", "expected a model_fn or an Estimator"]),
    ],
    ids=lambda value: value.rpartition(":")[2] + value[:3] if isinstance(value, str) else "",
)
def test_a_target_that_is_not_there_or_is_no_model_fn(
    project: Project, target: str, words: List[str]
) -> None:
    project.write("broken.py", BROKEN)
    project.write("nets/model.py", "")
    assert_refused(project.check(target, "params.json", "--quiet", *ONE), *words)


@needs_tensorflow
def test_a_factory_that_lacks_an_argument(project: Project) -> None:
    project.write("broken.py", BROKEN)
    params = project.params({"num_hidden": 128})
    run = project.check("broken:factory", params, "--quiet", *ONE)
    assert_refused(run, "The params lack depth", "--set")


@needs_tensorflow
def test_a_factory_that_raises_does_not_depend_on_features(project: Project) -> None:
    project.write("broken.py", BROKEN)
    run = project.check("broken:raising_factory", "params.json", "--quiet", "--format", "json")
    message = "calling broken:raising_factory: <function raising_factory> has no vocabulary"
    errors = [item["message"] for item in run.json["findings"] if item["severity"] != "note"]
    assert errors == [f"ValueError: {message}"]
    assert {mode["verdict"] for mode in run.json["modes"].values()} == {"untraceable"}


@needs_tensorflow
@needs_estimator
def test_an_estimator_with_params_of_ours(project: Project) -> None:
    """The Estimator has its own params.

    If ckptcheck ignored the given ones, it would check another model.
    """
    project.write(
        "made.py",
        "import tensorflow as tf\n"
        "from model import model_fn\n"
        "ESTIMATOR = tf.compat.v1.estimator.Estimator(model_fn, params={'num_hidden': 128})\n",
    )
    run = project.check("made:ESTIMATOR", "params.json", "--quiet", *ONE)
    assert_refused(run, "made:ESTIMATOR is an Estimator and already has params")


@needs_tensorflow
@pytest.mark.parametrize(
    ("flag", "word"), [("--no_such_flag=1", "no_such_flag"), ("word", "not a flag: word")]
)
def test_a_flag_that_the_code_does_not_have(project: Project, flag: str, word: str) -> None:
    run = project.check(TARGET, "params.json", "--quiet", *ONE, "--", flag)
    assert_refused(run, word, "after --")


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_input_fn", ["--input-fn broken:no_input_fn", "has no attribute 'no_input_fn'"]),
        ("number", ["number"]),
    ],
)
def test_an_input_fn_that_is_none(project: Project, name: str, words: List[str]) -> None:
    project.write("broken.py", BROKEN)
    run = project.check(TARGET, "params.json", "--quiet", "--input-fn", "broken:" + name, *ONE)
    assert_refused(run, *words)


# --- what the user's code does ---------------------------------------------------------------


@needs_tensorflow
@pytest.mark.parametrize(
    ("code", "rule", "word"),
    [
        ("raise RuntimeError('no data server')", "model-fn-raised", "RuntimeError"),
        ("import no_such_package_xyz", "model-fn-raised", "no_such_package_xyz"),
        ("def (", "model-fn-raised", "SyntaxError"),
        ("import sys; sys.exit(3)", "model-fn-crashed", "sys.exit(3)"),
        ("import os; os._exit(3)", "model-fn-crashed", "exit code 3"),
    ],
    ids=["raises", "imports what is not there", "no Python", "sys.exit", "os._exit"],
)
def test_a_module_that_does_not_import(project: Project, code: str, rule: str, word: str) -> None:
    project.write("broken.py", "# one line above\n" + code + "\n")
    run = project.check("broken:model_fn", "params.json", "--format", "json", "--quiet", *ONE)
    assert run.code == 1, run
    (finding,) = [item for item in run.json["findings"] if item["severity"] != "note"]
    assert finding["rule"] == rule
    assert word in finding["message"]
    assert run.json["modes"]["predict"]["verdict"] == "untraceable"
    if rule == "model-fn-raised":
        assert finding["location"] == {"file": "broken.py", "line": 2}


IN_ITS_OWN_WAY = """
import os
import signal
import sys
import time
import tensorflow as tf


def helper(params):
    return params["no_such_key"]


def model_fn(features, labels, mode, params):
    {use}
    if mode == "infer":
        {predict}
    if mode == "eval":
        {eval}
    {train}
"""


def failing(predict: str, eval_: str, train: str) -> str:
    """Returns a model_fn that ends in a different way in each mode."""
    return IN_ITS_OWN_WAY.format(
        use='tf.compat.v1.layers.dense(features["x"], 1)', predict=predict, eval=eval_, train=train
    )


@needs_tensorflow
def test_each_mode_ends_in_its_own_way(project: Project) -> None:
    """A crash affects only its own mode.

    The message has the line of the user's code, if there is one.
    """
    project.write(
        "broken.py",
        failing(
            "return helper(params)",
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "return None",
        ),
    )
    run = project.check("broken:model_fn", "params.json", "--format", "json", "--quiet")
    assert run.code == 1, run
    found = {finding["rule"]: finding for finding in run.json["findings"]}
    raised, crashed = found["model-fn-raised"], found["model-fn-crashed"]
    assert raised["modes"] == ["predict"]
    assert raised["message"].startswith("KeyError: ")
    assert "no_such_key" in raised["message"]
    assert raised["location"] == {"file": "broken.py", "line": 10}
    assert any("in model_fn: return helper(params)" in line for line in raised["detail"])
    assert (crashed["modes"], crashed["message"]) == (
        ["eval"],
        "the signal SIGSEGV ended the process",
    )
    none = found["invalid-estimator-spec"]
    assert none["modes"] == ["train"]
    assert "model_fn returned None, not an EstimatorSpec" in none["message"]
    assert {mode["verdict"] for mode in run.json["modes"].values()} == {"untraceable"}


@needs_tensorflow
def test_exits_and_a_model_fn_that_never_returns(project: Project, tmp_path: Path) -> None:
    """ckptcheck ends a process that never returns, before the command ends."""
    pid = tmp_path / "pid"
    project.write(
        "broken.py",
        failing(
            "sys.exit('enough')",
            "os._exit(0)",
            f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n    time.sleep(1000)",
        ),
    )
    start = time.monotonic()
    run = project.check(
        "broken:model_fn", "params.json", "--format", "json", "--quiet", "--timeout", "10"
    )
    took = time.monotonic() - start
    assert run.code == 1, run
    messages = {tuple(f["modes"]): (f["rule"], f["message"]) for f in run.json["findings"]}
    assert messages[("predict",)] == ("model-fn-crashed", "SystemExit: called sys.exit('enough')")
    assert messages[("eval",)] == ("model-fn-crashed", "the process ended with exit code 0")
    rule, message = messages[("train",)]
    assert rule == "model-fn-timeout"
    assert "still running after 5 s, so ckptcheck stopped it (--timeout 10)" in message
    assert not keeps_running(int(pid.read_text()))
    assert took < 35, "each guess of the features waited for the whole timeout again"


NOISE = """
import os
import sys
from model import model_fn as quiet_model_fn

print("{" * 100)


def model_fn(features, labels, mode, params):
    for line in range(80):
        print(line, "o" * 65535)
        sys.stderr.write(str(line) + "e" * 65535 + "\\n")
    sys.stdout.flush()
    os.write(1, b"straight to descriptor 1\\n")
    os.system("echo from a process")
    return quiet_model_fn(features, labels, mode, params)
"""


@needs_tensorflow
def test_five_megabytes_of_prints(project: Project) -> None:
    """Standard output is still one JSON document, and standard error is limited."""
    project.write("noisy.py", NOISE)
    run = project.check("noisy:model_fn", "params.json", "--format", "json", *ONE)
    assert run.code == 0, run
    assert run.json["ok"] is True
    assert len(run.err) < 1200000
    assert "more output of the traced code is not shown" in run.err


def _wait_for(happens: Callable[[], object]) -> None:
    for _ in range(600):
        if happens():
            return
        time.sleep(0.1)
    pytest.fail("the traced code did not begin within a minute")


def _heed_interrupts() -> None:
    """Restores the default for interrupts.

    Processes that a shell starts in the background ignore them.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@needs_tensorflow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="NOT TESTED: this needs /proc")
def test_an_interrupt_ends_everything(project: Project, tmp_path: Path) -> None:
    """Control-C ends everything.

    There is no traceback, no process and no temporary directory, and the exit code is that of an
    interrupt.
    """
    pid = tmp_path / "pid"
    project.write(
        "slow.py",
        "import os, time\n"
        "def model_fn(features, labels, mode, params):\n"
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(1000)\n",
    )
    before = digest(project.model_dir)
    command = [sys.executable, "-m", "ckptcheck", "model_dir", "slow:model_fn", "params.json", *ONE]
    process = subprocess.Popen(
        command,
        cwd=str(project.root),
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_heed_interrupts,
    )
    _wait_for(lambda: pid.exists() and pid.read_text())
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    tracing = int(pid.read_text())
    left = keeps_running(tracing)
    if left:
        os.kill(tracing, signal.SIGKILL)
    run = Run(process.returncode, out.decode("utf-8"), err.decode("utf-8"))
    assert not left, "the traced code goes on running"
    assert_civil(run)
    assert (run.code, "ckptcheck: interrupted" in run.err) == (130, True), run
    assert project.left_behind() == [], "a temporary directory was left"
    assert digest(project.model_dir) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_temporary_directory(
    project: Project, tmp_path: Path, number: signal.Signals
) -> None:
    """``timeout`` and CI systems end a command with such a signal."""
    assert run_cli("snapshot", "model_dir", "small", cwd=project.root).code == 0
    project.write("slow.py", "open('started', 'w').close(); import time; time.sleep(600)\n")
    command = [sys.executable, "-m", "ckptcheck", "small", "slow:model_fn", "params.json", *ONE]
    process = subprocess.Popen(
        command,
        cwd=str(project.root),
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    _wait_for(lambda: (project.root / "started").exists())
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    assert project.left_behind() == []


@needs_tensorflow
def test_a_python_that_does_not_see_the_files(project: Project) -> None:
    """For example, a Python in a container that has other files."""
    hidden = project.write(
        "hidden.py",
        "import os, sys\n"
        "os.chdir('/')\n"
        "code = sys.argv[sys.argv.index('-c') + 1]\n"
        "sys.argv = ['-c', *sys.argv[sys.argv.index('-c') + 2 :]]\n"
        "exec(code, {'__name__': '__main__'})\n",
    )
    target = f"{project.root / 'model.py'}:model_fn"
    run = project.run("model_dir", target, "params.json", "--python", f"{sys.executable} {hidden}")
    where = str(project.environment().get("TMPDIR", "temporary"))
    assert_refused(run, "cannot read", f"temporary directory {where} (set TMPDIR")


# --- the terminal ----------------------------------------------------------------------------


@needs_tensorflow
def test_output_that_cannot_be_encoded(project: Project) -> None:
    """In an old encoding, the report is escaped, and there is no UnicodeEncodeError."""
    shutil.copy(str(project.root / "model.py"), str(project.root / "größe.py"))
    env = project.environment(PYTHONIOENCODING="ascii")
    run = project.check("größe.py:model_fn", "params.json", *ONE, env=env)
    assert run.code == 0, run


def test_a_message_about_a_name_that_steers_the_terminal(project: Project) -> None:
    run = project.run("model_dir/\x1b[31mred\u202e", TARGET, "params.json")
    assert_refused(run, "\\x1b[31mred\\u202e")
    assert "\x1b" not in run.err


def test_a_reader_that_went_away(project: Project) -> None:
    """``ckptcheck … | head -1``: no traceback about a broken pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ckptcheck", "--list-rules"],
            cwd=str(project.root),
            env=project.environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    finally:
        os.close(writing)
    text = done.stderr.decode("utf-8")
    assert "BrokenPipeError" not in text
    assert "Traceback" not in text


def test_the_project_is_not_touched_by_its_tests() -> None:
    """Tests work on copies of the fixtures."""
    before = digest(PROJECT / "fixtures" / "hidden_dropout")
    run = run_cli("fixtures/hidden_dropout/no-such", TARGET, cwd=PROJECT)
    assert said(run).startswith("ckptcheck: error: no directory or checkpoint")
    assert digest(PROJECT / "fixtures" / "hidden_dropout") == before


@needs_tensorflow
def test_a_param_that_is_not_there(tmp_path: Path) -> None:
    """The finding names the key and the line that asked for it."""
    linear = copy_fixture("linear", tmp_path)
    run = linear.check(TARGET, linear.params({}), "--format", "json", "--quiet")
    assert run.code == 1, run
    raised = [f for f in run.json["findings"] if f["rule"] == "model-fn-raised"]
    assert len(raised) == 1
    assert raised[0]["modes"] == ["train"]
    assert raised[0]["message"] == "KeyError: 'learning_rate'"
    line = (linear.root / "model.py").read_text("utf-8").splitlines()
    assert "params[" in line[raised[0]["location"]["line"] - 1]
    assert json.dumps(run.json["modes"]["predict"]["verdict"]) == '"restores"'
