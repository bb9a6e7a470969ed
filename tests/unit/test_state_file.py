"""Tests of state files that TensorFlow wrote, that people edited, and that are damaged."""

import errno
import os
import time
from pathlib import Path
from typing import Tuple

import pytest

from ckptcheck.checkpoint.state_file import parse_state, parse_state_bytes, read_state_file
from ckptcheck.errors import UsageError

from .test_files import POINTER

ESTIMATOR = """\
model_checkpoint_path: "model.ckpt-20"
all_model_checkpoint_paths: "model.ckpt-10"
all_model_checkpoint_paths: "model.ckpt-20"
"""
CHECKPOINT_MANAGER = """\
model_checkpoint_path: "ckpt-2"
all_model_checkpoint_paths: "ckpt-1"
all_model_checkpoint_paths: "ckpt-2"
all_model_checkpoint_timestamps: 1600000000.1234567
all_model_checkpoint_timestamps: 1.6e+09
last_preserved_timestamp: -1
"""


def test_what_estimator_writes() -> None:
    state = parse_state(ESTIMATOR)
    assert state.latest == "model.ckpt-20"
    assert state.all == ("model.ckpt-10", "model.ckpt-20")
    assert state.problem == ""


def test_what_a_checkpoint_manager_writes() -> None:
    state = parse_state(CHECKPOINT_MANAGER)
    assert (state.latest, state.all, state.problem) == ("ckpt-2", ("ckpt-1", "ckpt-2"), "")


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("", ""),
        ("\n\n", ""),
        ("# nothing yet\n", ""),
        ('all_model_checkpoint_paths: "a"\n', ""),
        ('model_checkpoint_path: ""', ""),
        ('model_checkpoint_path: "a"', "a"),
        ('model_checkpoint_path:"a"', "a"),
        ("model_checkpoint_path: 'a'", "a"),
        ('  model_checkpoint_path  :  "a"  \r\n', "a"),
        ('# edited\nmodel_checkpoint_path: "a" # by hand\n', "a"),
        ('model_checkpoint_path: "a#b"', "a#b"),
        ('model_checkpoint_path: "a"; all_model_checkpoint_paths: "b",', "a"),
        ('model_checkpoint_path: "old"\nmodel_checkpoint_path: "new"\n', "new"),
        ('model_checkpoint_path: "model" ".ckpt"\n   "-20"', "model.ckpt-20"),
        ("model_checkpoint_path: \"model\" '.ckpt-20'", "model.ckpt-20"),
        (r'model_checkpoint_path: "a\"b"', 'a"b'),
        (r"model_checkpoint_path: 'a\'b'", "a'b"),
        (r'model_checkpoint_path: "a\\b"', "a\\b"),
        (r'model_checkpoint_path: "a\tb\nc"', "a\tb\nc"),
        (r'model_checkpoint_path: "C:\\runs\\model.ckpt-1"', "C:\\runs\\model.ckpt-1"),
        (r'model_checkpoint_path: "gr\303\266\303\237e"', "größe"),
        (r'model_checkpoint_path: "gr\xc3\xb6\xc3\x9fe"', "größe"),
        ('model_checkpoint_path: "größe"', "größe"),
        (r'model_checkpoint_path: "a\0b"', "a\0b"),
        (r'model_checkpoint_path: "\1234"', "S4"),
        ('model_checkpoint_path: "/data/my runs/model.ckpt-1"', "/data/my runs/model.ckpt-1"),
        ('model_checkpoint_path: "gs://bucket/model.ckpt-1"', "gs://bucket/model.ckpt-1"),
    ],
)
def test_text_form(text: str, latest: str) -> None:
    state = parse_state(text)
    assert state.problem == ""
    assert state.latest == latest


@pytest.mark.parametrize(
    ("escaped", "latest"),
    [
        (r"a\q", "a\\q"),
        (r"a\?", "a\\?"),
        (r"\xfg\x41", "\x0fgA"),
        (r"a\400", r"a\u0100"),
        (r"a\u0100", r"a\u0100"),
        (r"\303\251", "é"),
        (r"\xc3\u00a9", "é"),
    ],
)
def test_escapes_are_those_of_protobuf(escaped: str, latest: str) -> None:
    """Other backslashes stay unchanged.

    An octal escape above 377 becomes an escape with six characters.
    """
    state = parse_state(f'model_checkpoint_path: "{escaped}"')
    assert (state.latest, state.problem) == (latest, "")


@pytest.mark.parametrize("name", ["model_checkpoint_path", "all_model_checkpoint_paths"])
@pytest.mark.parametrize(
    ("escaped", "problem"),
    [
        (r"\377", "a string in line 2 is not UTF-8"),
        (r"m\351del.ckpt-10", "a string in line 2 is not UTF-8"),
        (r"\u00e9", "a string in line 2 is not UTF-8"),
        (r"a\x", "a string in line 2 has an invalid escape"),
        (r"a\u12", "a string in line 2 has an invalid escape"),
    ],
)
def test_escapes_that_protobuf_refuses(name: str, escaped: str, problem: str) -> None:
    """TensorFlow then treats the file as unusable, for both fields."""
    state = parse_state(f'model_checkpoint_path: "model.ckpt-10"\n{name}: "{escaped}"\n')
    assert (state.latest, state.problem) == ("", problem)


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        *[("1_000", True), ("1.5f", True), ("1.5ff", True), ("-inff", True), ("+inf", True)],
        *[("010", True), (".5", True), ("1e400", True), ("NaNF", True), ("1.", True)],
        *[("1.5F", False), ("0x10", False), ("5e", False), ("+inff", False), ("f", False)],
    ],
)
def test_numbers_are_those_of_python_and_c(number: str, taken: bool) -> None:
    state = parse_state(f"last_preserved_timestamp: {number}")
    assert (state.problem == "") == taken


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("model.ckpt-20", 1),
        ("model_checkpoint_path: model.ckpt-20 extra", 1),
        ('model_checkpoint_path "a"', 1),
        ('model_checkpoint_path: "a', 1),
        ('model_checkpoint_path: "a\n"', 1),
        ('model_checkpoint_path: "a"\nmodel_checkpoint: "b"\n', 2),
        ('model_checkpoint_path: "a"\n\n\n{"json": 1}\n', 4),
        ("\0" * 100, 1),
        ("<<<<<<< HEAD\n" + ESTIMATOR, 1),
    ],
)
def test_garbage_is_a_problem_with_a_line(text: str, line: int) -> None:
    state = parse_state(text)
    assert state.latest == ""
    assert state.problem == f"line {line} is not a field of a CheckpointState"


@pytest.mark.parametrize(
    "line",
    [
        "all_model_checkpoint_paths: 10",
        "all_model_checkpoint_paths: model.ckpt-10",
        'last_preserved_timestamp: "now"',
        "all_model_checkpoint_timestamps: now",
    ],
)
def test_a_value_of_the_wrong_type_is_a_problem(line: str) -> None:
    """TensorFlow's parser then refuses the whole file, so Estimator starts with random weights."""
    assert parse_state('model_checkpoint_path: "model.ckpt-10"\n' + line + "\n").problem != ""


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("[]", ()),
        ('["a"]', ("a",)),
        ("[\"a\", 'b']", ("a", "b")),
        ('[ "a" "b" ,\n "c" ] ,', ("ab", "c")),
        ('["a, b]"]', ("a, b]",)),
    ],
)
def test_lists_in_brackets(value: str, names: Tuple[str, ...]) -> None:
    """Protobuf's parser accepts such lists, and some tools write them."""
    state = parse_state(
        f'all_model_checkpoint_paths: {value}\nmodel_checkpoint_path: "model.ckpt-10"\n'
        "all_model_checkpoint_timestamps: [1.5, 2e9]"
    )
    assert (state.latest, state.all, state.problem) == ("model.ckpt-10", names, "")


@pytest.mark.parametrize(
    "line",
    [
        'model_checkpoint_path: ["model.ckpt-10"]',
        "last_preserved_timestamp: [1]",
        'all_model_checkpoint_paths: ["a",]',
        'all_model_checkpoint_paths: ["a"',
        'all_model_checkpoint_paths: [["a"]]',
        'all_model_checkpoint_paths: ["a", 1]',
        "all_model_checkpoint_paths: [1]",
        "all_model_checkpoint_timestamps: [now]",
    ],
)
def test_lists_that_are_none(line: str) -> None:
    assert parse_state(line).problem == "line 1 is not a field of a CheckpointState"


def test_a_state_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoint").write_text(ESTIMATOR)

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    state = read_state_file(tmp_path)
    assert state is not None
    assert (state.latest, state.problem) == ("", "it cannot be read: Permission denied")


def test_a_state_file_of_escapes_is_read_at_once() -> None:
    text = 'model_checkpoint_path: "' + "\\1" * (1 << 19) + '"'
    start = time.process_time()
    assert parse_state(text).latest == "\1" * (1 << 19)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("value", ["20", "model.ckpt-20", "-"])
def test_a_path_without_quotes_names_nothing(value: str) -> None:
    assert parse_state("model_checkpoint_path: " + value).latest == ""


def test_a_thousand_checkpoints_are_read_at_once() -> None:
    """``keep_checkpoint_max=None`` makes long state files."""
    paths = [f"/data/runs/experiment/model.ckpt-{step}" for step in range(10000)]
    text = f'model_checkpoint_path: "{paths[-1]}"\n'
    text += "".join(f'all_model_checkpoint_paths: "{path}"\n' for path in paths)
    start = time.process_time()
    state = parse_state(text)
    assert time.process_time() - start < 2
    assert (state.latest, len(state.all)) == (paths[-1], 10000)


@pytest.mark.parametrize(
    "text",
    [
        'model_checkpoint_path: "' + "\\" * 200001,
        'model_checkpoint_path: "' + 'a" "' * 50000,
        "model_checkpoint_path: " + " " * 200000 + "!",
        "a" * 500000,
        " " * 500000 + "!",
        "all_model_checkpoint_paths: [" + '"a", ' * 100000,
        "all_model_checkpoint_paths: [" + '"a" ' * 100000,
        "all_model_checkpoint_paths: [" + "1 ," * 100000,
        "all_model_checkpoint_paths: [" + "1" * 500000,
        "#" * 500000 + "\na",
        "# x\n" * 100000 + "a",
        'model_checkpoint_path: "a"' + "#\n" * 200000 + '"',
        'all_model_checkpoint_paths: ["a"' + " #" * 200000,
        'all_model_checkpoint_paths: ["a"' + " " * 500000,
    ],
    ids=[
        *["backslashes", "strings", "spaces", "letters", "indent"],
        *["list", "list-of-one", "list-of-numbers", "list-of-a-number"],
        *["comment", "comments", "comments-in-strings", "comments-in-a-list", "list-of-spaces"],
    ],
)
def test_hostile_text_ends_soon(text: str) -> None:
    start = time.process_time()
    assert parse_state(text).problem != ""
    assert time.process_time() - start < 2


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"\xff\xfe\x00m")
    state = read_state_file(tmp_path)
    problem = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    assert state is not None
    assert (state.latest, state.problem, state.not_text) == ("", problem, True)


@pytest.mark.parametrize(("count", "fits"), [(12_000, True), (400_000, False)])
def test_a_state_file_that_lists_many_checkpoints(tmp_path: Path, count: int, fits: bool) -> None:
    line = 'all_model_checkpoint_paths: "model.ckpt-{:08}"\n'
    listed = "".join(map(line.format, range(count)))
    whole = 'model_checkpoint_path: "model.ckpt-7"\n' + listed
    (tmp_path / "checkpoint").write_text(whole)
    if not fits:
        with pytest.raises(UsageError, match="checkpoint is larger than 16 MiB, ckptcheck's limit"):
            read_state_file(tmp_path)
        return
    state = read_state_file(tmp_path)
    assert state is not None
    assert (state.latest, len(state.all), state.problem) == ("model.ckpt-7", count, "")


def test_no_state_file(tmp_path: Path) -> None:
    assert read_state_file(tmp_path) is None


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_is_named_as_a_state_file_and_is_no_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "checkpoint"
    if kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(str(path))
    state = read_state_file(tmp_path)
    assert state is not None
    problem = "it is a directory" if kind == "directory" else "it is not a regular file"
    assert (state.latest, state.problem, state.unseen) == ("", problem, True)
    assert state.directory == (kind == "directory")


def test_an_empty_state_file_is_there_and_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"")
    state = read_state_file(tmp_path)
    assert state is not None
    expected: Tuple[str, str] = ("", "")
    assert (state.latest, state.problem) == expected


def test_a_pointer_of_git_lfs() -> None:
    """TensorFlow cannot parse it either: "version" is no field."""
    found = parse_state_bytes(POINTER)
    assert found.latest == "" and "git lfs pull" in found.problem
