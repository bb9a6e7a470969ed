"""Records: what they hold, how they are written, and how an untrusted one is read."""

import dataclasses
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ckptcheck.client.comparing import recorded_sides
from ckptcheck.errors import UsageError
from ckptcheck.options import CheckSpec
from ckptcheck.origins import DataContent, Origins, SourceFile
from ckptcheck.recorded import completed
from ckptcheck.records import reader
from ckptcheck.records.files import recorded_origins
from ckptcheck.records.params import (
    changed_params,
    params_type_of,
    recorded_params,
    unknown_keys,
)
from ckptcheck.records.reader import Recorded, read_record
from ckptcheck.records.training import Warner, write_record
from ckptcheck.records.value import Record, RecordedMode, RecordedParams, document_of
from ckptcheck.records.writer import index_digest, record_path, remove_orphans, write
from ckptcheck.uses import InputTensor

from ..graphs import node, text_of
from ..support import as_a_user, folder_of_all

LEAF = {"dtype": "float32", "shape": [None, 1]}
ORIGINS = Origins(
    "3.7.16",
    "1.15.5",
    {"numpy": "1.18.5"},
    (SourceFile("net", "net.py", "ab", {"model_fn": "cd"}),),
    (DataContent("words.txt", 4, "ef", ("a", "b")),),
    "1" * 40,
)


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    (tmp_path / "model.ckpt-10.index").write_bytes(b"index")
    return str(tmp_path / "model.ckpt-10")


def record_for(prefix: str, **fields: Any) -> Record:
    mode = RecordedMode({"x": LEAF}, LEAF, ("batch",), {"rate": 0.1})
    found = Record(
        checkpoint=os.path.basename(prefix),
        step=10,
        index_digest=index_digest(prefix),
        writer="traced",
        ckptcheck="0.1.0",
        origins=ORIGINS,
        target="net:model_fn",
        params=recorded_params({"units": 8, "rates": (0.1, 0.2)}),
        modes={"train": mode},
    )
    return dataclasses.replace(found, **fields)


# --- writing and reading ---------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written(prefix: str) -> None:
    assert read_record(prefix) == Recorded()
    record = record_for(prefix)
    path = write(prefix, record)
    assert read_record(prefix) == Recorded(path, record)
    assert record.params is not None and record.params.values == {"units": 8, "rates": [0.1, 0.2]}
    assert os.listdir(os.path.dirname(prefix)) == ["model.ckpt-10.index", os.path.basename(path)]


@pytest.mark.parametrize("name", ["", "model.ckpt-11", "model.ckpt-10.index"])
def test_a_record_is_not_written_beside_no_checkpoint(prefix: str, name: str) -> None:
    folder = os.path.dirname(prefix)
    with pytest.raises(FileNotFoundError, match="expected the path without an ending"):
        write_record(os.path.join(folder, name), print)
    assert os.listdir(folder) == ["model.ckpt-10.index"]


def test_the_document_of_a_record_is_the_same_each_time(prefix: str) -> None:
    record = record_for(prefix)
    assert document_of(record) == document_of(record)
    assert json.loads(document_of(record).decode("ascii"))["version"] == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "other"}, "it is not a record of ckptcheck"),
        ({"version": 2}, "it is from a newer version of ckptcheck"),
        ({"version": "1"}, "it is from a newer version of ckptcheck"),
        ({"checkpoint": "model.ckpt-9"}, "it belongs to another checkpoint, model.ckpt-9"),
        ({"index_digest": "0"}, "it belongs to another save: the index of the checkpoint"),
        ({"target": "os"}, "it is damaged: a part of it has the wrong form"),
        ({"params_type": "pickle.loads"}, "it is damaged: a part of it has the wrong form"),
        ({"flags": ["--flagfile=/etc/passwd"]}, "it is damaged: a part of it has the wrong form"),
        ({"flags": ["train"]}, "it is damaged: a part of it has the wrong form"),
        ({"writer": "nobody"}, "it is damaged: a part of it has the wrong form"),
        ({"modes": {"infer": {}}}, "it is damaged: a part of it has the wrong form"),
        ({"modes": {"train": {"features": 3}}}, "it is damaged: a part of it has the wrong form"),
        ({"modes": {"train": {"plan": {}}}}, "it is damaged: a part of it has the wrong form"),
        ({"origins": None}, "it is damaged: a part of it has the wrong form"),
        ({"step": "ten"}, "it is damaged: a part of it has the wrong form"),
    ],
)
def test_a_foreign_or_damaged_record_is_not_used(
    prefix: str, change: Dict[str, Any], problem: str
) -> None:
    document = json.loads(document_of(record_for(prefix)).decode("ascii"))
    Path(record_path(prefix)).write_text(json.dumps({**document, **change}))
    found = read_record(prefix)
    assert found.record is None and found.problem.startswith(problem)


def test_cut_and_changed_bytes_never_raise(prefix: str) -> None:
    """Each is refused, or is still a record of this checkpoint."""
    data = document_of(record_for(prefix))
    path = Path(record_path(prefix))
    chance = random.Random(7)
    for trial in range(400):
        changed = bytearray(data[: chance.randrange(len(data))] if trial % 2 else data)
        for _ in range(1 if trial % 2 == 0 else 0):
            changed[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(changed))
        found = read_record(prefix)
        assert (found.record is None) != (found.problem == "")
        assert trial % 2 == 0 or found.problem


@pytest.mark.parametrize("data", [b"", b"[" * 100000, b"\xff", b"null", b"[]", b"{}", b"1e999"])
def test_other_files_are_not_records(prefix: str, data: bytes) -> None:
    Path(record_path(prefix)).write_bytes(data)
    assert read_record(prefix).problem


def test_a_pipe_and_a_large_file_are_not_read(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(record_path(prefix))
    assert read_record(prefix).problem == "it is not a regular file"
    os.remove(record_path(prefix))
    write(prefix, record_for(prefix))
    monkeypatch.setattr(reader, "LARGEST_RECORD", 1 << 10)
    assert read_record(prefix).problem == "it is larger than 0 MiB"


def test_a_record_that_may_not_be_read() -> None:
    with folder_of_all() as folder:
        prefix = str(folder / "model.ckpt-10")
        write(prefix, record_for(prefix))
        os.chmod(record_path(prefix), 0)
        with as_a_user():
            assert read_record(prefix).problem == "Permission denied"


def test_a_write_that_fails_leaves_the_old_record(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(prefix, record_for(prefix))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(prefix, record_for(prefix, step=11))
    found = read_record(prefix).record
    assert found is not None and found.step == 10
    assert len(os.listdir(os.path.dirname(prefix))) == 2


def test_a_directory_that_may_not_be_written() -> None:
    with folder_of_all() as folder:
        prefix = str(folder / "model.ckpt-10")
        record = record_for(prefix)
        with as_a_user(), pytest.raises(PermissionError):
            write(prefix, record)
        assert os.listdir(str(folder)) == []


def test_all_that_goes_wrong_in_training_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warner = Warner()
    for error in (OSError(30, "Read-only file system"), RuntimeError("other")):
        warner.attempt(_raiser(error))
    (logged,) = caplog.records
    assert logged.levelname == "WARNING" and "Read-only file system" in logged.getMessage()


def _raiser(error: Exception) -> Any:
    def act() -> None:
        raise error

    return act


def test_records_go_with_their_checkpoints(prefix: str) -> None:
    folder = os.path.dirname(prefix)
    kept = {"model.ckpt-10.index", "model.ckpt-10.ckptcheck.json", "notes.ckptcheck.json.bak"}
    kept |= {"model.ckpt-10.ckptcheck.json.77.tmp", ".ckptcheck.json", "params.json"}
    gone = {"model.ckpt-5.ckptcheck.json", "model.ckpt-5.ckptcheck.json.77.tmp"}
    for name in kept | gone:
        Path(folder, name).touch()
    assert set(remove_orphans(folder)) == gone
    assert set(os.listdir(folder)) == kept


# --- params ----------------------------------------------------------------------------------


class HParams:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def values(self) -> Dict[str, Any]:
        return self.__dict__


def changes(recorded: RecordedParams, params: Any, then: Any = (), now: Any = ()) -> List[Any]:
    found = changed_params(recorded, dict(then), params, dict(now))
    return [(change.key, change.was, change.now) for change in found]


def test_params_that_json_cannot_hold_have_a_type_and_a_digest() -> None:
    given = {"units": 8, "act": len, "deep": {"kind": int, "rate": 0.5}, "list": [object()]}
    found = recorded_params(given)
    assert found.values == {"units": 8, "deep": {"rate": 0.5}}
    assert set(found.hidden) == {"act", "deep.kind", "list"}
    assert found.hidden["act"].type == "builtins.builtin_function_or_method"
    assert not any(item.redacted for item in found.hidden.values())
    again = recorded_params(given)
    assert again.hidden == found.hidden, "an address in a repr does not count"
    assert unknown_keys(found, {"act": 1, "deep": {}}) == ["deep.kind", "list"]


def test_params_of_any_kind_of_object() -> None:
    assert recorded_params(HParams(units=8)).values == {"units": 8}
    assert params_type_of(HParams()) == "attr"
    assert params_type_of({}) == params_type_of(None) == "dict"
    assert recorded_params(None).values == {}
    assert recorded_params({}).values == {}


@pytest.mark.parametrize(
    "key",
    [
        *("password", "api_key", "AWS_SECRET_ACCESS_KEY", "auth_token", "hf_token", "token"),
        *("DB_PASS", "pwd", "bearer", "cookie", "session_id", "signing_key", "auth"),
    ],
)
def test_secrets_are_redacted(key: str) -> None:
    found = recorded_params({"login": {key: "hunter2"}, "named": 7}, ["named"])
    assert found.values == {"login": {}}
    assert found.hidden[f"login.{key}"].redacted and found.hidden["named"].redacted
    assert "hunter2" not in repr(found)
    assert changes(found, {"login": {key: "hunter2"}, "named": 7}) == []
    assert changes(found, {"login": {key: "hunter3"}}) == [(f"login.{key}", None, None)]
    assert recorded_params({key: "1"}).hidden != recorded_params({key: "1"}).hidden, "salted"


def test_numbers_and_switches_with_a_word_of_secrets_are_kept() -> None:
    params = {"low_pass": 0.5, "session": 3, "auth": False}
    assert recorded_params(params).values == params


@pytest.mark.parametrize(
    "value",
    [
        "gs://me:hunter2@host/x",
        ["a", "b://:hunter2@c"],
        [{"password": "hunter2"}],
        ([{"named": 7}],),
        [{"auth": "hunter2"}],
        "Authorization: Bearer hunter2",
        "Server=x;Password=hunter2",
        "https://host/x?access_token=hunter2",
        "https://host/x?v=1&sig=hunter2",
    ],
)
def test_secrets_in_values_are_redacted(value: Any) -> None:
    found = recorded_params({"source": value, "url": "gs://host/a:b@c"}, ["named"])
    assert found.values == {"url": "gs://host/a:b@c"}
    assert found.hidden["source"].redacted


def test_files_with_secrets_are_not_in_a_record() -> None:
    """The record has no file of a redacted param, and no lines of files that look secret."""
    params = {"credentials": "mine.json", "words": ["words.txt"]}
    names = ("mine.json", "words.txt", "data/.env", "id.pem", "my_secrets.txt", "/other/words.txt")
    files = tuple(DataContent(name, 2, "ab", ("a",)) for name in names)
    origins = dataclasses.replace(ORIGINS, data_files=files, private=("/other/words.txt",))
    found = recorded_origins(origins, params, recorded_params(params))
    assert [file.path for file in found.data_files] == list(names[1:])
    assert [file.path for file in found.data_files if file.words] == ["words.txt"]
    assert found.private == ()


def test_a_record_has_a_limited_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ckptcheck.records.files._MOST_WORDS", 3)
    files = tuple(DataContent(name, 4, "ab", ("a", "b")) for name in ("1.txt", "2.txt"))
    origins = dataclasses.replace(ORIGINS, data_files=files)
    found = recorded_origins(origins, {}, recorded_params({}))
    assert [file.words for file in found.data_files] == [("a", "b"), None]


@pytest.mark.parametrize("key", ["pad_token", "num_tokens", "tokenizer", "author", "keys", "key"])
def test_what_models_call_tokens_and_keys_is_no_secret(key: str) -> None:
    assert recorded_params({key: 1}).values == {key: 1}


def test_changes_are_those_of_the_values_that_count() -> None:
    recorded = recorded_params({"a": 1, "b": {"c": 0.1, "d": "x"}, "e": (1, 2)})
    same = {"a": 1.0, "b": {"d": "x", "c": 0.1}, "e": [1, 2]}
    assert changes(recorded, same) == []
    assert changes(recorded, {**same, "a": True}) == [("a", 1, True)]
    assert changes(recorded, {**same, "b": {"c": 0.2}}) == [("b.c", 0.1, 0.2), ("b.d", "x", None)]
    assert changes(recorded, {**same, "new": 3}) == [("new", None, 3)]
    assert changes(recorded_params({"a": {}}), {"a": {"b": 1}}) == [("a.b", None, 1)]
    assert changes(recorded_params({"a": {"b": 1}}), {"a": {}}) == [("a.b", 1, None)]


def test_defaults_count_as_values() -> None:
    recorded = recorded_params({"rate": 0.3})
    assert changes(recorded, {}, now={"rate": 0.3}) == []
    assert changes(recorded, {}, now={"rate": 0.2}) == [("rate", 0.3, 0.2)]
    assert changes(recorded, {"rate": 0.3, "units": 4}, then={"units": 4}) == []
    both = changes(recorded, {"rate": 0.3}, then={"units": 4}, now={"units": 8})
    assert both == [("units", 4, 8)]
    code_alone = changes(recorded, {"rate": 0.3}, then={"old": 1}, now={"new": 2})
    assert code_alone == [], "the code looks at other params: that is no change of params"


# --- what a check takes from a record --------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "model.ckpt-10.index").write_bytes(b"index")
    (tmp_path / "net.py").write_text("")
    (tmp_path / "runs" / "evil.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def take(project: Path, *given: Any, overrides: Any = (), **fields: Any) -> Any:
    prefix = str(project / "runs" / "model.ckpt-10")
    recorded = Recorded("file", record_for(prefix, **fields))
    return completed(CheckSpec("runs", *given, set=overrides), recorded, prefix)


def test_target_and_params_come_from_the_record_if_they_are_left_out(project: Path) -> None:
    values = {"units": 8, "rates": [0.1, 0.2]}
    found = take(project)
    assert (found.spec.target, found.spec.params) == ("net:model_fn", values)
    assert found.use.used == ("target", "params")
    assert take(project, "net:model_fn").spec.params == values
    assert take(project, "net:other_fn").spec.params is None, "they may be of another model"
    assert take(project, "net:model_fn", {}).spec.params == {}
    assert take(project, "net:model_fn", {}, params_type="attr").spec.params_type == "attr"
    assert take(project, "net:other_fn", {}, params_type="attr").spec.params_type == "dict"
    assert take(project, overrides=["units=9"]).spec.params == {**values, "units": 9}
    assert take(project, "net:model_fn", {"a": 1}, overrides=["b=2"]).spec.params["b"] == 2


@pytest.mark.parametrize(
    "target",
    ["subprocess:call", "os:system", "runs.evil:model_fn", "runs/evil.py:model_fn"]
    + ["../net.py:model_fn", "/etc/passwd.py:x", "no_such:model_fn"],
)
def test_a_record_names_no_code_outside_of_the_project(project: Path, target: str) -> None:
    """The author of the model_dir must not choose which code runs."""
    with pytest.raises(UsageError, match="runs no code in MODEL_DIR"):
        take(project, target=target)
    assert take(project, "net:model_fn", {}, target=target).spec.target == "net:model_fn"
    if ":model_fn" in target:
        with pytest.raises(UsageError, match="runs no code in MODEL_DIR"):
            take(project, params_type=target)


def test_a_link_into_the_model_dir_is_code_of_the_model_dir(project: Path) -> None:
    (project / "linked.py").symlink_to(project / "runs" / "evil.py")
    with pytest.raises(UsageError, match="runs no code in MODEL_DIR"):
        take(project, target="linked:model_fn")


def test_values_that_the_record_does_not_hold_are_asked_for(project: Path) -> None:
    params = recorded_params({"units": 8, "act": len})
    with pytest.raises(UsageError, match="does not hold the value of act: give PARAMS, or --set"):
        take(project, params=params)
    assert take(project, params=params, overrides=["act=relu"]).spec.params["act"] == "relu"


def test_without_a_record_target_is_missing(project: Path) -> None:
    with pytest.raises(UsageError, match="TARGET is missing"):
        completed(CheckSpec("runs"), Recorded(), "runs/model.ckpt-10")
    with pytest.raises(UsageError, match=r"TARGET is missing.*cannot be used \(it is damaged"):
        completed(CheckSpec("runs"), Recorded("f", None, "it is damaged"), "runs/model.ckpt-10")


# --- graphs ----------------------------------------------------------------------------------


def test_graphs_for_a_comparison(prefix: str) -> None:
    text = text_of(node("x", "Placeholder"), node("y", "Relu", ["x"]))
    inputs = (InputTensor(("features", "x"), "x:0"),)
    mode = RecordedMode(graph=text, inputs=inputs, outputs=("y:0",), restore_op="restore")
    modes = {"train": mode, "eval": RecordedMode()}
    write(prefix, record_for(prefix, modes=modes))
    record = read_record(prefix).record
    assert record is not None
    found = recorded_sides(record, None)
    assert list(found) == ["train"]
    assert [item.op for item in found["train"].graph.nodes] == ["Placeholder", "Relu"]
    assert found["train"].inputs == {("x", 0): ("input", "features", "x")}
    assert (found["train"].outputs, found["train"].restore_op) == (("y:0",), "restore")


def test_the_writer_needs_the_standard_library_alone(tmp_path: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import ckptcheck.records.writer; "
        "print(sorted(n.partition('.')[0] for n in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    names = set(eval(done.stdout)) - {"ckptcheck"}
    assert not names & {"typer", "click", "tabulate", "google_crc32c", "numpy", "tensorflow"}
