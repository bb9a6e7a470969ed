"""For any arguments, check() and the commands return a report or raise a UsageError."""

import io
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ckptcheck import check, input_files
from ckptcheck.cli import main
from ckptcheck.errors import UsageError
from ckptcheck.features_file import feature_file, read_feature_file
from ckptcheck.json_files import read_json_object, with_overrides
from ckptcheck.json_values import plain
from ckptcheck.options import CheckSpec, options_of

from ..support import FIXTURES, as_a_user, environment, folder_of_all, run_cli

MODEL_DIR = str(FIXTURES / "hidden_dropout" / "tf215")
HUGE = 10**5000


class Raises(Mapping):  # type: ignore[type-arg]
    """A mapping that JSON cannot hold."""

    def __getitem__(self, key: Any) -> Any:
        return {1, 2}

    def __iter__(self) -> Iterator[Any]:
        return iter([3])

    def __len__(self) -> int:
        return 1


WRONG: List[Any] = [
    *(None, True, 0, -1, HUGE, -HUGE, 0.0, -0.0, float("nan"), float("inf"), 1j, b"", b"a\0"),
    *("", "\0", "a\0b", "\ud800", "\udcff", "x" * 5000, "a/" * 3000, "/dev/null", ".", "..", "-"),
    *("[", "é", "\x1b[2J", "a:b", "a.py:b", "9" * 5000, "nan", "inf", "-1", "1e999", "a\0.py:b"),
    *([], [None], [HUGE], ["\0"], ["predict", 3], [[]], (), {}, {"a": HUGE}, {3: 4}, {HUGE: 1}),
    *({"features": 3}, {"features": {"x": {"dtype": "float32", "shape": [HUGE]}}}, Raises()),
    *(object(), type, len, set(), {1}, Path("a\0b"), Path("no/such"), range(3), io.BytesIO()),
    *({"features": {"dtype": "\0", "shape": None}}, {"predict": []}, {"features": {None: None}}),
]
CYCLIC: List[Any] = []
CYCLIC.append(CYCLIC)
DEEP: Any = {}
for _ in range(5000):
    DEEP = {"a": DEEP}
ARGUMENTS = list(options_of(CheckSpec))


def refused_or_taken(**arguments: Any) -> None:
    """Runs a check that does not start an interpreter with TensorFlow."""
    given: Dict[str, Any] = {"model_dir": MODEL_DIR, "target": "net:model_fn", "python": "false"}
    given.update(arguments)
    if not given["python"]:  # the interpreter of the tests
        given["model_dir"] = "no/such/dir"
    try:
        report = check(**given)
    except UsageError as error:
        assert 0 < len(str(error)) < 20000
    else:
        assert not report.checked, "there is no checkpoint, else an interpreter was started"


@pytest.mark.parametrize("name", ARGUMENTS)
def test_wrong_values_of_each_argument(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    for value in [*WRONG, CYCLIC, DEEP, {"a": CYCLIC}, {"features": DEEP}, {"features": CYCLIC}]:
        refused_or_taken(**{name: value})


_TEXTS = st.one_of(st.text(max_size=20), st.text("ab:./\0\ud800\udc80=[]{}\"'-", max_size=12))
_VALUES = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.binary(max_size=4)),
        st.sampled_from([10**4100, {1}, object(), Path("a\0b")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(_TEXTS, st.integers()), inner, max_size=3),
        st.dictionaries(st.sampled_from(["features", "dtype", "shape", "tuple"]), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(ARGUMENTS), _VALUES, max_size=3))
def test_any_values_of_the_arguments(arguments: Dict[str, Any]) -> None:
    """Tests all steps of a check except the last two, which start an interpreter."""
    arguments.setdefault("target", "net:model_fn")
    arguments["model_dir"] = arguments.get("model_dir", "no/such/dir")
    if any(arguments.get(name) == "-" for name in ("params", "features")):
        return
    refused_or_taken(**arguments)


@settings(max_examples=300)
@given(st.lists(_TEXTS, max_size=3))
@example(["a=" + "[" * 100000])
@example(["a=" + "9" * 5000])
@example(['a={"b": 1, "b": 2}'])
@example(["a.b=1", "a.b.c=2"])
@example(["\ud800\udc80="])
def test_any_overrides(overrides: List[str]) -> None:
    try:
        given = CheckSpec("runs", set=overrides).set
        params = with_overrides({"a": {"b": 1}}, given)
        spec = CheckSpec("runs", "net:model_fn", params)
    except UsageError:
        return
    keys = json.loads(json.dumps(list(params)))  # JSON joins the halves of a surrogate pair
    assert json.loads(json.dumps(spec.params)).keys() == set(keys)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("a=" + "[" * 100000, "--set a: it is nested too deeply"),
        ('a={"b": 1, "b": 2}', "--set a: the key 'b' occurs twice"),
        ("a=" + "[" * 150 + "]" * 150, "it is nested deeper than 100 levels"),
    ],
)
def test_what_set_refuses(override: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        CheckSpec("runs", "net:model_fn", with_overrides({}, [override]))


def test_an_integer_of_thousands_of_digits_is_refused_by_every_python() -> None:
    """Some versions of Python can read such an integer, and others cannot.

    ckptcheck always refuses it.
    """
    with pytest.raises(UsageError, match="digits"):
        CheckSpec("runs", "net:model_fn", with_overrides({}, ["a=" + "9" * 5000]))
    with pytest.raises(
        UsageError, match=r"params\['a'\]\[1\]: an integer of more than 4000 digits"
    ):
        CheckSpec("runs", "net:model_fn", {"a": [1, HUGE]})


def test_a_copy_of_the_params_is_plain() -> None:
    number = type("Number", (int,), {})(3)
    assert plain({"a": (1, number, None), "b": [{"c": True}]}, "params") == {
        "a": [1, 3, None],
        "b": [{"c": True}],
    }
    given = {"a": [1]}
    assert plain(given, "params")["a"] is not given["a"]


@pytest.mark.parametrize("shape", [[HUGE], [1 << 63], [-1], [True], [1.0], "x", [[]]])
def test_shapes_that_no_tensor_has(shape: Any) -> None:
    with pytest.raises(UsageError, match=r"features.*shape"):
        feature_file({"features": {"dtype": "float32", "shape": shape}})


# --- where params come from ------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_json_object, read_feature_file])
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/dev/urandom", "/dev/tty"])
def test_a_device_is_no_file(read: Any, path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"NOT TESTED: there is no {path}")
    with pytest.raises(UsageError, match="it is a device; expected a file with a JSON object"):
        read(path)


@pytest.mark.parametrize("path", ["/proc/self/mem", "/proc/self/environ", "/dev/null"])
def test_files_of_the_system(path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"NOT TESTED: there is no {path}")
    with pytest.raises(UsageError, match=path):
        read_json_object(path)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "LARGEST", 1 << 20)
    path = tmp_path / "params.json"
    for size, words in ((1 << 20, "not JSON"), ((1 << 20) + 1, "larger than 1 MiB")):
        path.write_bytes(b"x" * size)
        with pytest.raises(UsageError, match=words):
            read_json_object(str(path))


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    return path


def _write_into(path: str, data: bytes) -> threading.Thread:
    def write() -> None:
        with open(path, "wb") as file:
            try:
                file.write(data)
                file.flush()
            except BrokenPipeError:  # enough was read
                os.close(os.dup(file.fileno()))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_a_named_pipe(pipe: str) -> None:
    thread = _write_into(pipe, b'{"a": "' + b"x" * 300000 + b'"}')
    assert len(read_json_object(pipe)["a"]) == 300000
    thread.join()


def test_a_named_pipe_that_never_ends(pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "LARGEST", 1 << 20)
    _write_into(pipe, b"x" * (2 << 20))
    with pytest.raises(UsageError, match=r"pipe: larger than 1 MiB"):
        read_json_object(pipe)


def test_a_named_pipe_that_nobody_writes_to(
    pipe: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(input_files, "_SOON", 0.01)
    monkeypatch.setattr(input_files, "LONGEST_WAIT", 0.05)
    with pytest.raises(UsageError, match=r"pipe: it did not end within 0.05 s; write it to a file"):
        read_json_object(pipe)
    assert capsys.readouterr().err == f"ckptcheck: waiting for {pipe}\n"


CHECK = "import sys; from ckptcheck import json_files as j; print(j.read_json_object(sys.argv[1]))"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("""$PYTHON -c "$CHECK" - < params.json""", "{'a': 1}"),
        ("""cat params.json | $PYTHON -c "$CHECK" -""", "{'a': 1}"),
        ("""cat params.json | $PYTHON -c "$CHECK" /dev/stdin""", "{'a': 1}"),
        ("""(sleep 0.2; cat params.json) | $PYTHON -c "$CHECK" /dev/fd/0""", "{'a': 1}"),
        ("""$PYTHON -c "$CHECK" <(cat params.json)""", "{'a': 1}"),
        ("""$PYTHON -c "$CHECK" <(sleep 0.2; cat params.json)""", "{'a': 1}"),
        ("""$PYTHON -c "$CHECK" <(true)""", "it is empty"),
        ("""yes '{' | $PYTHON -c "$CHECK" -""", "standard input: larger than 64 MiB"),
        ("""$PYTHON -c "$CHECK" - < /dev/zero""", "standard input: larger than 64 MiB"),
    ],
)
def test_what_a_shell_gives(tmp_path: Path, script: str, expected: str) -> None:
    (tmp_path / "params.json").write_text('{"a": 1}')
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=str(tmp_path),
        env=environment(PYTHON=sys.executable, CHECK=CHECK),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    assert expected in done.stdout.decode(), done.stdout


# --- the command line ------------------------------------------------------------------------


def test_paths_that_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each command gets paths that are too long, circular, forbidden, or below a file."""
    with folder_of_all() as folder:
        os.symlink("circle", str(folder / "circle"))
        (folder / "file.json").write_text("{}")
        (folder / "closed").mkdir(mode=0o000)
        paths = ["x" * 300, "x/" * 3000, "circle", "circle/x", "file.json/x", "closed/x", "", " "]
        words = [[path, "net:model_fn"] for path in paths]
        words += [[MODEL_DIR, "net:model_fn", path] for path in paths[:-2]]
        words += [[MODEL_DIR, "net:model_fn", "--features", path] for path in paths]
        words += [[MODEL_DIR, "net:model_fn", "--app-dir", path] for path in paths[:-2]]
        words += [[MODEL_DIR, "net:model_fn", "--python", path] for path in [*paths[:-2], "."]]
        words += [[command, path] for command in ("inspect", "verify") for path in paths]
        words += [["snapshot", MODEL_DIR, path] for path in paths[:-1]]
        monkeypatch.chdir(folder)
        for command in ([], ["inspect"], ["verify"], ["snapshot"]):  # before the user changes
            code_of([*command, "no/such", "net:model_fn"][:2])
        code_of(["inspect", MODEL_DIR])
        with as_a_user():
            codes = [code_of(word) for word in words]
        monkeypatch.undo()
        os.chmod(str(folder / "closed"), 0o700)
    said = capfd.readouterr().err
    assert "internal error" not in said and "Traceback" not in said, said
    assert codes == [2] * len(words), [pair for pair in zip(words, codes) if pair[1] != 2]


def code_of(words: List[str]) -> Any:
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code


@pytest.mark.parametrize(
    "words",
    [
        [MODEL_DIR, "net:model_fn"],
        ["runs", "net:model_fn"],
        [MODEL_DIR, "/net.py:model_fn", "--app-dir", "/"],
        ["inspect", "runs"],
        ["verify", "runs"],
        ["snapshot", "runs", "out"],
    ],
    ids=" ".join,
)
def test_a_working_directory_that_is_gone(tmp_path: Path, words: List[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    remove = f'rmdir "{gone}" && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", remove, "sh", sys.executable, "-m", "ckptcheck", *words],
        cwd=str(gone),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )
    said = done.stdout.decode()
    assert "internal error" not in said and "Traceback" not in said, said
    assert done.returncode == 2, said


@pytest.mark.parametrize("option", ["--timeout", "--memory-limit"])
@pytest.mark.parametrize("value", ["9" * 5000, "nan", "inf", "-inf", "-0.0", "1e999", "", "٣x"])
def test_numbers_that_are_none(tmp_path: Path, option: str, value: str) -> None:
    run = run_cli(MODEL_DIR, "net:model_fn", f"{option}={value}", cwd=tmp_path)
    assert run.code == 2, run
    assert f"ckptcheck: error: {option}" in run.err, run


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"features": {"x": {"dtype": "?", "shape": None}}},
            "features.x: replace '?' with the dtype",
        ),
        ({"labels": {"?1": {"dtype": "int64", "shape": []}}}, "labels: replace '?1' with"),
    ],
)
def test_a_features_file_that_is_not_filled_in(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        feature_file(given)


def test_zero_jobs(tmp_path: Path) -> None:
    run = run_cli("check", "--jobs", "0", cwd=tmp_path)
    assert run.code == 2
    assert "0: expected a number from 1 to 256" in run.err
