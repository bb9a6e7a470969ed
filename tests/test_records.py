"""Records of real training runs, and what checks and the command ``record`` do with them."""

import collections
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest

import ckptcheck
from ckptcheck.records.estimator import saved_prefix
from ckptcheck.records.inputs import known_inputs, recorded_mode
from ckptcheck.records.reader import read_record
from ckptcheck.records.value import Record

from .support import (
    FIXTURES,
    PROJECT,
    SAVED_BY,
    Project,
    Run,
    copy_fixture,
    environment,
    needs_estimator,
    needs_tensorflow,
    once,
    run_cli,
    said,
)

pytestmark = needs_tensorflow

SCRIPT = PROJECT / "tests" / "recorded_training.py"
TARGET = "model.py:model_fn"


# --- in training -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: Any) -> Path:
    """Returns a project. The checkpoints in its model_dir ``base`` have records."""
    return once(tmp_path_factory, "recorded", make_trained)


def make_trained(root: Path) -> None:
    make_project(root)
    assert train(root, "base") == ["done"]


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    root = tmp_path / "project"
    shutil.copytree(str(trained), str(root))
    return root


def make_project(root: Path) -> None:
    shutil.copy(str(SCRIPT), str(root / "net.py"))
    (root / "words.txt").write_text("a\nb\nc\n")


def started(root: Path, *words: str, **variables: str) -> "subprocess.Popen[bytes]":
    env = environment(**variables)
    return subprocess.Popen(
        [sys.executable, "net.py", *words],
        cwd=str(root),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def train(root: Path, *words: str) -> List[str]:
    """Trains; returns the lines that ckptcheck and the script print."""
    process = started(root, *words)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out
    return out.decode("utf-8").splitlines()


def record_of(prefix: Path) -> Record:
    found = read_record(str(prefix))
    assert found.record is not None, found
    return found.record


def files(folder: Path, ending: str) -> Set[str]:
    return {path.name[: -len(ending)] for path in folder.glob("*" + ending)}


@needs_estimator
def test_each_checkpoint_that_is_kept_has_a_record(trained: Path) -> None:
    base = trained / "base"
    assert files(base, ".index") == files(base, ".ckptcheck.json")
    assert files(base, ".index") == {"model.ckpt-10", "model.ckpt-12"}
    record = record_of(base / "model.ckpt-12")
    assert (record.step, record.writer, record.target) == (12, "training", "net:model_fn")
    assert record.params is not None and record.params.values == {"units": 8, "rate": 0.1}
    mode = record.modes["train"]
    assert {key: leaf["dtype"] for key, leaf in mode.features.items()} == {
        "id": "int64",
        "word": "string",
        "x": "float32",
    }
    assert mode.labels == {"dtype": "float32", "shape": [4, 1]}
    assert "IteratorGetNext" in mode.taken_names and "dense/kernel" not in mode.taken_names
    assert [source.module for source in record.origins.sources] == ["net"]
    assert [(file.path, file.words) for file in record.origins.data_files] == [
        ("words.txt", ("a", "b", "c"))
    ]


@needs_estimator
def test_a_recorded_directory_needs_no_other_arguments(trained: Path) -> None:
    done = run_cli("check", "base", "--format", "json", cwd=trained)
    assert done.code == 0, done
    document = done.json
    assert document["target"] == "net:model_fn"
    assert document["record"]["used"] == ["target", "params"]
    assert document["features"]["source"] == "record"
    assert {mode["verdict"] for mode in document["modes"].values()} == {"restores"}
    assert changes_in(document) == []
    assert {mode["drift"] for mode in document["modes"].values()} == {"none"}


def changes_in(document: Dict[str, Any]) -> List[Any]:
    return [
        (found["rule"], found["severity"], found["message"])
        for found in document["findings"]
        if found["rule"].endswith("-changed") and found["category"] != "drift"
    ]


def checked(root: Path, *words: str) -> Dict[str, Any]:
    return run_cli("check", *words, "--format", "json", cwd=root).json


@needs_estimator
def test_what_has_changed_since_is_said(project: Path) -> None:
    path = project / "net.py"
    text = path.read_text("utf-8").replace("tf.nn.relu", "tf.nn.tanh").replace("# a", "# b")
    path.write_text(text + "\n\ndef more():\n    pass\n")
    (project / "words.txt").write_text("b\na\nd\n")
    (project / "params.json").write_text('{"units": 8, "rate": 0.2, "extra": 1}')
    found = changes_in(checked(project, "base", "net:model_fn", "params.json"))
    assert found == [
        ("data-file-changed", "warning", "words.txt: 1 line ('d') added, 1 line ('c') removed, "
         "the lines are in another order"),
        ("params-changed", "warning", "rate was 0.1 in training, and is 0.2 now"),
        ("params-changed", "note", "extra is 1; the params of the training run did not have it"),
        ("source-changed", "note", "net.py: model_fn changed; more added"),
    ]  # fmt: skip


@needs_estimator
def test_a_comment_is_no_change(project: Path) -> None:
    path = project / "net.py"
    path.write_text("# another comment\n" + path.read_text("utf-8"))
    assert changes_in(checked(project, "base")) == []


@needs_estimator
def test_features_that_do_not_fit_any_more_are_searched(project: Path) -> None:
    """The record has other features than the code asks for now."""
    path = project / "base" / "model.ckpt-12.ckptcheck.json"
    document = json.loads(path.read_text())
    document["modes"]["train"]["features"]["other"] = document["modes"]["train"]["features"].pop(
        "x"
    )
    path.write_text(json.dumps(document))
    report = checked(project, "base")
    assert report["features"]["source"] == "saved-graph"
    assert {mode["verdict"] for mode in report["modes"].values()} == {"restores"}
    assert any("model_fn does not work with the features" in item for item in report["not_judged"])


@needs_estimator
def test_code_that_raises_with_exact_features_is_judged(project: Path) -> None:
    path = project / "net.py"
    text = path.read_text("utf-8").replace('mode == "infer"', 'mode == "infer" or [][1]')
    path.write_text(text)
    report = checked(project, "base")
    assert {m: found["verdict"] for m, found in report["modes"].items()} == {
        "predict": "restores",
        "eval": "untraceable",
        "train": "untraceable",
    }


@needs_estimator
@pytest.mark.parametrize("damage", ["cut", "foreign", "stale"])
def test_a_record_that_cannot_be_used_is_one_line(project: Path, damage: str) -> None:
    path = project / "base" / "model.ckpt-12.ckptcheck.json"
    if damage == "stale":
        shutil.copy(str(project / "base" / "model.ckpt-10.ckptcheck.json"), str(path))
        path.write_text(path.read_text().replace("model.ckpt-10", "model.ckpt-12"))
    else:
        path.write_text(path.read_text()[:1000] if damage == "cut" else '{"format": "x"}')
    (project / "params.json").write_text('{"units": 8, "rate": 0.2}')
    report = checked(project, "base", "net:model_fn", "params.json")
    of_record = [item for item in report["not_judged"] if item.startswith("the record ")]
    assert len(of_record) == 1 and report["record"] is None
    assert changes_in(report) == []
    assert {mode["verdict"] for mode in report["modes"].values()} == {"restores"}
    alone = run_cli("check", "base", cwd=project)
    assert alone.code == 2 and "TARGET is missing" in alone.err and "cannot be used" in alone.err


@needs_estimator
def test_the_command_completes_the_record_of_a_training_run(project: Path) -> None:
    done = run_cli("record", "base", cwd=project)
    assert done.code == 0 and done.out.startswith("base/model.ckpt-12.ckptcheck.json: ")
    record = record_of(project / "base" / "model.ckpt-12")
    assert (record.writer, sorted(record.modes)) == ("training", ["eval", "predict", "train"])
    assert all(mode.plan is not None and mode.graph for mode in record.modes.values())
    (project / "params.json").write_text('{"units": 8, "rate": 0.2}')
    refused = run_cli("record", "base", "net:model_fn", "params.json", cwd=project)
    assert refused.code == 1 and "No record was written" in refused.err
    assert record_of(project / "base" / "model.ckpt-12") == record
    assert (
        run_cli("record", "base", "net:model_fn", "params.json", "--force", cwd=project).code == 0
    )
    replaced = record_of(project / "base" / "model.ckpt-12")
    assert replaced.params is not None and replaced.params.values["rate"] == 0.2


@needs_estimator
def test_a_snapshot_has_the_record(project: Path) -> None:
    assert run_cli("snapshot", "base", "small", cwd=project).code == 0
    report = checked(project, "small")
    assert report["record"]["file"] == "small/model.ckpt-12.ckptcheck.json"
    assert report["features"]["source"] == "record"


@needs_estimator
def test_features_that_model_fn_takes_out_are_not_recorded(tmp_path: Path) -> None:
    """After the model_fn, the dict lacks a feature, so a record of it would be wrong."""
    make_project(tmp_path)
    assert train(tmp_path, "base", "pops=1") == ["done"]
    assert record_of(tmp_path / "base" / "model.ckpt-12").modes == {}
    report = checked(tmp_path, "base")
    assert report["features"]["source"] == "saved-graph"
    assert {mode["verdict"] for mode in report["modes"].values()} == {"restores"}


@needs_estimator
def test_inputs_are_described_only_if_that_is_exact() -> None:
    import numpy as np
    import tensorflow.compat.v1 as tf

    x, leaf = np.ones((2, 3), "float32"), {"dtype": "float32", "shape": [2, 3]}
    sparse = tf.SparseTensorValue([[0, 0]], np.ones(1, "float32"), [2, 2])
    named = collections.namedtuple("named", "a b")

    def given(features: Any, *labels: Any) -> Any:
        data = tf.data.Dataset.from_tensors((features, *labels) if labels else features)
        return tf.data.make_one_shot_iterator(data).get_next()

    with tf.Graph().as_default() as graph:
        tf.train.create_global_step()
        found = known_inputs(*given({"a": x, "b": (x, {"c": x})}, x))
        assert found is not None
        assert found.features == {"a": leaf, "b": {"tuple": [leaf, {"c": leaf}]}}
        mode = recorded_mode(graph, found, True)
        assert [item.path for item in mode.inputs][2:] == [("features", "b", 1, "c"), ("labels",)]
        assert mode.taken_names[-1] == "IteratorGetNext" and mode.graph
        assert not any(name.startswith("global_step") for name in mode.taken_names)
        for key in ("s", "d"):
            features = given({"s": sparse, "d": x})
            whole = known_inputs(features, None)
            assert whole is not None and whole.features["s"]["sparse"]
            del features[key]
            assert known_inputs(features, None) is None
        for features in (given(named(x, x)), {3: tf.ones(2)}, {"x": x}, {}, None, object()):
            assert known_inputs(features, None) is None


FLAGS = """
import sys
sys.path.insert(0, {fixtures!r})
import _train
with _train.tf1_names():
    import model
import tensorflow as tf
import ckptcheck
tf.compat.v1.flags.DEFINE_string("of_the_script", "", "Not a flag of the model.")
model.FLAGS(sys.argv)
train = _train.load_train("flags")
estimator = tf.estimator.Estimator(model.model_fn, "base")
hooks = [ckptcheck.RecordHook(redact=["learning_rate"])]
estimator.train(lambda: train.input_fn("train"), steps=2, hooks=hooks)
"""


@needs_estimator
def test_flags_are_recorded(tmp_path: Path) -> None:
    shutil.copy(str(FIXTURES / "flags" / "model.py"), str(tmp_path))
    (tmp_path / "script.py").write_text(FLAGS.format(fixtures=str(FIXTURES)))
    flags = ["--hidden_units=48", "--of_the_script=x", "--learning_rate=0.5"]
    words = [sys.executable, "script.py", *flags]
    subprocess.run(
        words, cwd=str(tmp_path), env=environment(), stderr=subprocess.DEVNULL, check=True
    )
    assert record_of(tmp_path / "base" / "model.ckpt-2").flags == ("--hidden_units=48",)
    report = checked(tmp_path, "base")
    assert report["record"]["used"] == ["target", "params", "flags"]
    assert {mode["verdict"] for mode in report["modes"].values()} == {"restores"}
    other = run_cli("check", "base", "--format", "json", "--", "--hidden_units=32", cwd=tmp_path)
    assert other.code == 1 and other.json["record"]["used"] == ["target", "params"]


@needs_estimator
def test_training_under_a_strategy(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert train(tmp_path, "base", "strategy=1") == ["done"]
    assert record_of(tmp_path / "base" / "model.ckpt-12").target == "net:model_fn"
    assert run_cli("check", "base", cwd=tmp_path).code == 0


@needs_estimator
def test_a_listener_writes_the_same_records_as_the_hook(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert train(tmp_path, "base") == train(tmp_path, "listened", "listener=1") == ["done"]
    assert files(tmp_path / "listened", ".ckptcheck.json") == files(tmp_path / "base", ".index")
    hooked, listened = (
        record_of(tmp_path / name / "model.ckpt-12") for name in ("base", "listened")
    )
    assert hooked.params is not None and listened.params is not None
    assert (listened.target, listened.modes) == (hooked.target, hooked.modes)
    assert listened.params.values == hooked.params.values
    assert checked(tmp_path, "listened")["record"]["used"] == ["target", "params"]


def test_a_listener_outside_of_a_training_run_is_one_warning(caplog: Any) -> None:
    listener = ckptcheck.RecordListener()
    listener.begin()
    listener.after_save(None, 1)
    (line,) = caplog.messages
    assert "RecordListener belongs in the saving_listeners of a training run" in line


@needs_estimator
def test_training_without_an_estimator(tmp_path: Path) -> None:
    """Without an Estimator, the hook does not know features and labels."""
    make_project(tmp_path)
    assert train(tmp_path, "base", "session=1") == ["done"]
    base = tmp_path / "base"
    assert files(base, ".index") == files(base, ".ckptcheck.json")
    record = record_of(base / "model.ckpt-12")
    assert (record.target, record.modes) == ("net:model_fn", {})
    assert record.params is not None and record.params.values == {"units": 8, "rate": 0.1}
    assert checked(tmp_path, "base")["record"]["used"] == ["target", "params"]


@needs_estimator
def test_a_cluster_with_a_parameter_server(tmp_path: Path) -> None:
    """All processes have the hook. The chief writes the records."""
    make_project(tmp_path)
    cluster = {task: [f"localhost:{free_port()}"] for task in ("chief", "ps", "worker")}
    tasks = {
        task: started(
            tmp_path,
            *("base", "cluster=1", "steps=1500", "every=500"),
            TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": task, "index": 0}}),
        )
        for task in ("ps", "chief", "worker", "evaluator")
    }
    try:
        for task in ("chief", "worker", "evaluator"):
            out, _ = tasks[task].communicate(timeout=240)
            assert (out.decode("utf-8"), tasks[task].returncode) == ("done\n", 0), task
    finally:
        for process in tasks.values():  # the parameter server never ends
            process.kill()
            process.communicate()
    base = tmp_path / "base"
    assert files(base, ".index") == files(base, ".ckptcheck.json")
    assert record_of(newest(base)).modes["train"].features["x"]["shape"] == [4, 1]
    assert checked(tmp_path, "base")["features"]["source"] == "record"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        port: int = listener.getsockname()[1]
        return port


def newest(folder: Path) -> Path:
    return max(
        (folder / name for name in files(folder, ".index")),
        key=lambda prefix: int(prefix.name.rpartition("-")[2]),
    )


NETWORK = """
import tensorflow.compat.v1 as tf

def network(x, units):
    return tf.matmul(x, tf.get_variable("w", [2, units]))

def model_fn(features, mode, params):
    tf.train.get_or_create_global_step()
    y = network(features["x"], params["units"])
    return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
"""
LOOP = """
import tensorflow.compat.v1 as tf
import ckptcheck, net

params = {"units": 3}
with tf.Graph().as_default(), tf.Session() as session:
    tf.train.get_or_create_global_step()
    net.network(tf.placeholder("float32", [None, 2], "x"), **params)
    session.run(tf.global_variables_initializer())
    prefix = tf.train.Saver().save(session, "base/model.ckpt", 7)
    ckptcheck.write_record(prefix, net.model_fn, params, step=7)
"""


def test_a_loop_without_hooks(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    (tmp_path / "loop.py").write_text(LOOP)
    words = [sys.executable, "loop.py"]
    subprocess.run(
        words, cwd=str(tmp_path), env=environment(), stderr=subprocess.DEVNULL, check=True
    )
    assert record_of(tmp_path / "base" / "model.ckpt-7").step == 7
    features = {"x": {"dtype": "float32", "shape": [None, 2]}}
    (tmp_path / "features.json").write_text(json.dumps({"features": features}))
    report = checked(tmp_path, "base", "--features", "features.json", "--mode", "predict")
    assert report["record"]["used"] == ["target", "params"]
    assert report["modes"]["predict"]["verdict"] == "restores"


# --- what goes wrong in training -------------------------------------------------------------


@needs_estimator
def test_a_full_disk_is_one_warning(tmp_path: Path) -> None:
    """Writes of records fail as on a full disk; the weights are saved."""
    make_project(tmp_path)
    warning, done = train(tmp_path, "base", "limit=1000")
    assert done == "done"
    assert warning.startswith("ckptcheck: no record of the checkpoint was written (OSError: ")
    assert files(tmp_path / "base", ".index") == {"model.ckpt-10", "model.ckpt-12"}
    assert not [name for name in os.listdir(str(tmp_path / "base")) if "ckptcheck" in name]


@needs_estimator
def test_a_process_that_is_killed_while_it_writes(tmp_path: Path) -> None:
    """No check reads half a record. The next training run removes the remaining file."""
    make_project(tmp_path)
    process = started(tmp_path, "base", "kill=2")
    process.communicate(timeout=240)
    assert process.returncode == -9
    base = tmp_path / "base"
    (left,) = [name for name in os.listdir(str(base)) if name.endswith(".tmp")]
    assert left.startswith("model.ckpt-5.ckptcheck.json.")
    assert read_record(str(base / "model.ckpt-5")).file == ""
    assert checked(tmp_path, "base/model.ckpt-0")["ok"]
    assert train(tmp_path, "base", "steps=20") == ["done"]
    assert not [name for name in os.listdir(str(base)) if name.endswith(".tmp")]
    assert files(base, ".index") == files(base, ".ckptcheck.json")


def test_a_remote_directory_has_no_records() -> None:
    import tensorflow.compat.v1 as tf

    saver = tf.train.CheckpointSaverHook("gs://bucket/base", save_steps=1)
    with pytest.raises(ValueError, match="gs://bucket/base is remote"):
        saved_prefix(saver, 1)


def test_a_hook_outside_of_a_training_run_is_one_warning(caplog: Any) -> None:
    hook = ckptcheck.RecordHook()
    hook.begin()
    hook.begin()
    (line,) = caplog.messages
    assert line.endswith("(ValueError: RecordHook belongs in the hooks of a training run)")


@needs_estimator
def test_two_training_runs_of_one_directory(tmp_path: Path) -> None:
    """A check beside them reads one complete record, and none of their files counts as changed."""
    make_project(tmp_path)
    processes = [started(tmp_path, "base", "steps=400", "every=20") for _ in range(2)]
    while not list((tmp_path / "base").glob("*.ckptcheck.json")):
        assert processes[0].poll() is None or processes[1].poll() is None
        time.sleep(0.1)
    outs = [process.communicate(timeout=240)[0].decode("utf-8") for process in processes]
    base = tmp_path / "base"
    assert any(out.endswith("done\n") for out in outs), outs
    for prefix in files(base, ".ckptcheck.json"):
        found = read_record(str(base / prefix))
        assert found.record is not None or "another save" in found.problem
    assert not [name for name in os.listdir(str(base)) if name.endswith(".tmp")]


# --- the fixture with a record ---------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The code of a fixture; ``recorded`` is its model_dir."""
    copy = tmp_path / "hidden_dropout"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    (copy / "recorded" / SAVED_BY).rename(copy / "base")
    return copy


def test_the_fixture_was_recorded_in_training(recorded: Path) -> None:
    record = record_of(recorded / "base" / "model.ckpt-10")
    assert (record.writer, record.target, record.step) == ("training", "model:model_fn", 10)
    report = checked(recorded, "base")
    assert report["record"]["used"] == ["target", "params"]
    assert {m: (it["verdict"], it["drift"]) for m, it in report["modes"].items()} == dict.fromkeys(
        ("predict", "eval", "train"), ("restores", "none")
    )
    assert [found for found in changes_in(report) if found[0] != "version-changed"] == []


def test_a_forgotten_param_that_sets_a_shape(recorded: Path) -> None:
    report = checked(recorded, "base", "model:model_fn", "params_without_num_hidden.json")
    assert not report["ok"]
    advice = [item["set"] for group in report["groups"] for item in group["advice"]]
    assert advice == [{"num_hidden": 128}]
    end = "in training; now the params do not have it, and model_fn uses its default 64"
    assert ("params-changed", "warning", f"num_hidden was 128 {end}") in changes_in(report)


def test_a_forgotten_param_that_only_training_feels(recorded: Path) -> None:
    report = checked(recorded, "base", "model:model_fn", "params_without_dropout_rate.json")
    assert report["ok"]
    (found,) = [item for item in report["findings"] if item["rule"] == "params-changed"]
    end = "in training; now the params do not have it, and model_fn uses its default 0.2"
    assert found["message"] == f"dropout_rate was 0.3 {end}"
    assert (found["severity"], found["modes"]) == ("note", ["train"])


LINES = "top secret\n"


def naming(root: Path, *paths: str) -> None:
    """Makes the record name files, as an untrusted record could."""
    path = root / "base" / "model.ckpt-10.ckptcheck.json"
    document = json.loads(path.read_text())
    then = {"size": 2, "digest": "0" * 32, "words": ["a"]}
    document["origins"]["data_files"] = [{"path": path, **then} for path in paths]
    document["params"]["values"]["path"] = paths[0]
    path.write_text(json.dumps(document))


def test_a_record_cannot_show_a_file_of_another_place(recorded: Path) -> None:
    outside, hidden = recorded.parent / "outside.txt", recorded / ".env"
    for path in (outside, hidden):
        path.write_text(LINES)
    (recorded / "link.txt").symlink_to(outside)
    names = [str(outside), "../outside.txt", "link.txt", ".env"]
    naming(recorded, *names)
    for words in (("base",), ("base", "model:model_fn", "params.json")):
        text = run_cli("check", *words, cwd=recorded)
        run = run_cli("check", *words, "--format", "json", cwd=recorded)
        assert "secret" not in text.out + text.err + run.out + run.err
        assert {message for rule, _, message in changes_in(run.json) if "file" in rule} == {
            f"{name}: 1 line added, 1 line removed" for name in names
        }


def test_a_file_that_the_user_names_is_shown(recorded: Path) -> None:
    outside, inside = str(recorded.parent / "outside.txt"), "words.txt"
    for name in (outside, inside):
        (recorded / name).write_text(LINES)
    naming(recorded, outside, inside)
    (recorded / "mine.json").write_text(json.dumps({"num_hidden": 128, "path": outside}))
    found = changes_in(checked(recorded, "base", "model:model_fn", "mine.json"))
    said = "1 line ('top secret') added, 1 line ('a') removed"
    for name in (outside, inside):
        assert ("data-file-changed", "warning", f"{name}: {said}") in found


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def fixture(tmp_path: Path) -> Project:
    return copy_fixture("hidden_dropout", tmp_path)


def run_in(project: Project, *words: str, stdin: str = "") -> Run:
    return run_cli(*words, cwd=project.root, stdin=stdin)


def test_the_command_records_what_fits(fixture: Project) -> None:
    before = set(os.listdir(str(fixture.model_dir)))
    done = run_in(fixture, "record", "model_dir", TARGET, "params.json")
    assert done.code == 0, done
    assert set(os.listdir(str(fixture.model_dir))) - before == {"model.ckpt-10.ckptcheck.json"}
    again = run_in(fixture, "check", "model_dir", "--format", "json")
    assert again.code == 0 and again.json["features"]["source"] == "record"
    forgotten = run_in(fixture, "check", "model_dir", TARGET, "-", "--format", "json", stdin="{}")
    messages = {found["message"] for found in forgotten.json["findings"]}
    end = "in training; now the params do not have it, and model_fn uses its default"
    assert {f"num_hidden was 128 {end} 64", f"dropout_rate was 0.3 {end} 0.2"} <= messages


def test_the_command_refuses_code_that_does_not_fit(fixture: Project) -> None:
    done = run_in(fixture, "record", "model_dir", TARGET, "-", stdin='{"num_hidden": 64}')
    assert done.code == 1 and "No record was written" in done.err
    assert not list(fixture.model_dir.glob("*.ckptcheck.json"))
    words = ("record", "model_dir", TARGET, "-", "--force")
    assert run_in(fixture, *words, stdin='{"num_hidden": 64}').code == 0
    assert list(fixture.model_dir.glob("*.ckptcheck.json"))


def test_the_command_refuses_code_that_the_saved_graph_contradicts(fixture: Project) -> None:
    code = (fixture.root / "model.py").read_text()
    assert "tf.nn.relu" in code
    fixture.write("model.py", code.replace("tf.nn.relu", "tf.nn.tanh"))
    done = run_in(fixture, "record", "model_dir", TARGET, "params.json")
    assert done.code == 1 and "relu -> tanh" in done.err and "--force" in done.err
    assert not list(fixture.model_dir.glob("*.ckptcheck.json"))
    assert run_in(fixture, "record", "model_dir", TARGET, "params.json", "--force").code == 0


def test_outputs_of_predict_that_changed_places(fixture: Project) -> None:
    code = (fixture.root / "model.py").read_text()
    one, two = '{"y": predictions', '{"y": predictions, "z": -predictions'
    assert one in code
    fixture.write("model.py", code.replace(one, two))
    assert run_in(fixture, "record", "model_dir", TARGET, "params.json").code == 0
    fixture.write("model.py", code.replace(one, '{"z": -predictions, "y": predictions'))
    same = run_in(fixture, "check", "model_dir", "--format", "json").json
    assert {mode["drift"] for mode in same["modes"].values()} == {"none"}
    fixture.write("model.py", code.replace(one, '{"z": predictions, "y": -predictions'))
    found = run_in(fixture, "check", "model_dir", "--format", "json").json
    drift = {mode: said["drift"] for mode, said in found["modes"].items()}
    assert drift == {"predict": "changed", "eval": "none", "train": "none"}
    (finding,) = [item for item in found["findings"] if item["category"] == "drift"]
    assert finding["data"]["what"].endswith("changed places")


@pytest.mark.parametrize(
    "edited",
    [
        '{"y": predictions, "z": -predictions, "log": tf.math.log(predictions)',
        '{"y": predictions, "w": -predictions',
        '{"y": predictions',
        '{"a": 2 * predictions, "y": predictions, "z": -predictions',
    ],
)
def test_other_keys_of_predictions_are_no_drift(edited: str, fixture: Project) -> None:
    code = (fixture.root / "model.py").read_text()
    one = '{"y": predictions'
    fixture.write("model.py", code.replace(one, '{"y": predictions, "z": -predictions'))
    assert run_in(fixture, "record", "model_dir", TARGET, "params.json").code == 0
    fixture.write("model.py", code.replace(one, edited))
    found = run_in(fixture, "check", "model_dir", "--format", "json").json
    assert {mode["drift"] for mode in found["modes"].values()} == {"none"}


def test_a_check_does_not_need_a_secret_that_the_code_does_not_read(fixture: Project) -> None:
    words = ("record", "model_dir", TARGET, "params.json", "--set", "api_key=hunter2")
    assert run_in(fixture, *words).code == 0
    alone = run_in(fixture, "check", "model_dir", "--format", "json")
    assert alone.code == 0 and not changes_in(alone.json), alone


def test_a_check_asks_for_a_redacted_param_that_the_code_reads(fixture: Project) -> None:
    words = ("record", "model_dir", TARGET, "params.json", "--redact", "num_hidden")
    assert run_in(fixture, *words).code == 0
    alone = run_in(fixture, "check", "model_dir")
    assert alone.code == 2, alone
    assert (
        "the record does not hold the redacted value of num_hidden, which the code may use"
        in said(alone)
    )
    given = run_in(fixture, "check", "model_dir", "--set", "num_hidden=128", "--format", "json")
    assert given.code == 0 and not changes_in(given.json), given


def test_a_trial_that_needs_a_redacted_param_is_no_fix(fixture: Project) -> None:
    """Only with another value of num_hidden, the code reads the secret."""
    code = (fixture.root / "model.py").read_text()
    read = "    if params.get('num_hidden', 64) == 128:\n        params.get('api_key')\n"
    start = "def model_fn(features, labels, mode, params):\n"
    assert start in code
    fixture.write("model.py", code.replace(start, start + read))
    words = ("record", "model_dir", TARGET, "params.json", "--set", "api_key=hunter2")
    assert run_in(fixture, *words).code == 0
    found = run_in(fixture, "check", "model_dir", "--set", "num_hidden=64", "--format", "json")
    assert found.code == 1 and {"shape-mismatch"} <= {f["rule"] for f in found.json["findings"]}
    assert not any(group["advice"] for group in found.json["groups"]), found


def test_a_read_beside_a_redacted_param_does_not_need_it(fixture: Project) -> None:
    code = (fixture.root / "model.py").read_text()
    assert 'params.get("num_hidden", 64)' in code
    read = 'params["db"]["size"]'
    fixture.write("model.py", code.replace('params.get("num_hidden", 64)', read))
    fixture.write(
        "params.json", '{"db": {"size": 128, "password": "hunter2"}, "dropout_rate": 0.3}'
    )
    assert run_in(fixture, "record", "model_dir", TARGET, "params.json").code == 0
    alone = run_in(fixture, "check", "model_dir")
    assert alone.code == 0, alone
    secret = 'len(params["db"].get("password", "")) + 121'
    fixture.write("model.py", code.replace('params.get("num_hidden", 64)', secret))
    assert run_in(fixture, "check", "model_dir").code == 2


def test_the_command_redacts_what_is_named(fixture: Project) -> None:
    words = ("record", "model_dir", TARGET, "params.json", "--redact", "num_hidden")
    assert run_in(fixture, *words).code == 0
    record = record_of(fixture.model_dir / "model.ckpt-10")
    assert record.params is not None and set(record.params.values) == {"dropout_rate"}
    assert "num_hidden" in record.params.hidden


CANNED = """
import numpy as np
import tensorflow as tf

def make(model_dir, units=8):
    columns = [tf.feature_column.numeric_column("x")]
    return tf.estimator.DNNClassifier([units], columns, model_dir)

def input_fn():
    x, y = np.ones((4, 1), "float32"), np.zeros((4, 1), "int32")
    return tf.data.Dataset.from_tensors(({"x": x}, y)).repeat()

if __name__ == "__main__":
    import ckptcheck
    hook = ckptcheck.RecordHook()
    make("base", 16).train(input_fn, steps=2, hooks=[hook])
"""


@needs_estimator
def test_the_params_of_an_estimator_are_not_the_arguments_that_make_it(tmp_path: Path) -> None:
    (tmp_path / "canned.py").write_text(CANNED)
    words = [sys.executable, "canned.py"]
    subprocess.run(
        words, cwd=str(tmp_path), env=environment(), stderr=subprocess.DEVNULL, check=True
    )
    (tmp_path / "params.json").write_text('{"units": 16}')
    given = ("base", "canned:make", "params.json")
    report = checked(tmp_path, *given)
    assert report["ok"] and changes_in(report) == []
    assert run_cli("record", *given, cwd=tmp_path).code == 0
    alone = checked(tmp_path, "base")
    assert alone["ok"] and alone["record"]["used"] == ["target", "params"]
    (tmp_path / "params.json").write_text('{"units": 8}')
    changed = changes_in(checked(tmp_path, *given))
    assert ("params-changed", "warning", "units was 16 in training, and is 8 now") in changed


SPARSE = """
import tensorflow.compat.v1 as tf


def model_fn(features, labels, mode, params):
    x = tf.reshape(tf.sparse.to_dense(features["t"]), [-1, 3])
    y = tf.sparse.to_dense(labels)
    logits = tf.layers.dense(x, 2)
    loss = tf.losses.sparse_softmax_cross_entropy(tf.reshape(y, [-1]), logits)
    step = tf.train.get_global_step()
    op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=op)


def input_fn():
    def example(number):
        t = tf.SparseTensor([[0], [2]], [1.0, 2.0], [3])
        return {"t": t}, tf.SparseTensor([[0]], [1], [1])

    return tf.data.Dataset.range(10).map(example).batch(2)


if __name__ == "__main__":
    import ckptcheck

    hooks = [ckptcheck.RecordHook()]
    tf.estimator.Estimator(model_fn, "run", params={}).train(input_fn, steps=2, hooks=hooks)
"""


@needs_estimator
def test_sparse_features_and_labels_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SPARSE)
    subprocess.run([sys.executable, "net.py"], cwd=str(tmp_path), env=environment(), check=True)
    report = checked(tmp_path, "run", "--mode", "eval", "--mode", "train")
    assert {mode["drift"] for mode in report["modes"].values()} == {"none"}, report


UNITS = """
import tensorflow.compat.v1 as tf

FLAGS = tf.flags.FLAGS


def model_fn(features, labels, mode):
    y = tf.layers.dense(tf.layers.dense(features["x"], FLAGS.units), 1)
    loss = tf.reduce_mean((y - labels) ** 2)
    step = tf.train.get_global_step()
    op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=op)
"""
UNITS_TRAIN = """
import sys
import ckptcheck
import tensorflow.compat.v1 as tf
import more_options
import net
import wrapper


def input_fn():
    return tf.data.Dataset.from_tensors(({"x": tf.ones([2, 3])}, tf.ones([2, 1]))).repeat()


tf.flags.FLAGS(sys.argv)
hooks = [ckptcheck.RecordHook(target="wrapper:model_fn")]
tf.estimator.Estimator(net.model_fn, "run").train(input_fn, steps=2, hooks=hooks)
"""
DEFINES = "import tensorflow.compat.v1 as tf\ntf.flags.DEFINE_integer({!r}, 5, '')\n"


@needs_estimator
def test_flags_of_modules_that_the_model_does_not_import_are_recorded(tmp_path: Path) -> None:
    """TARGET does not import more_options, so it does not know that flag."""
    (tmp_path / "net.py").write_text(UNITS)
    (tmp_path / "options.py").write_text(DEFINES.format("units"))
    (tmp_path / "more_options.py").write_text(DEFINES.format("more"))
    (tmp_path / "wrapper.py").write_text("import options\nfrom net import model_fn\n")
    (tmp_path / "train.py").write_text(UNITS_TRAIN)
    words = [sys.executable, "train.py", "--units=7", "--more=3"]
    subprocess.run(words, cwd=str(tmp_path), env=environment(), check=True)
    report = checked(tmp_path, "run", "--mode", "eval")
    assert report["modes"]["eval"]["verdict"] == "restores", report
