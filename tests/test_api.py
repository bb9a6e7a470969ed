"""The Python API: what it takes, what it returns, and what many checks share."""

import inspect
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

import ckptcheck
from ckptcheck.options import (
    AgainstSpec,
    InspectSpec,
    Option,
    RecordSpec,
    SnapshotSpec,
    VerifySpec,
    option_list,
    options_of,
)

from .support import Project, digest, environment, needs_tensorflow, run_cli

TARGET = "model.py:model_fn"


@needs_tensorflow
def test_check(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    before = digest(project.model_dir)
    report = ckptcheck.check(project.model_dir, TARGET, Path("params.json"), modes=["predict"])
    assert report.ok
    assert [(v.mode, v.verdict) for v in report.verdicts] == [("predict", "restores")]
    wrong = ckptcheck.check(
        str(project.model_dir),
        TARGET,
        {"num_hidden": 64},
        modes=["predict"],
        app_dir=str(project.root),
    )
    assert not wrong.ok
    assert "shape-mismatch" in {finding.rule for finding in wrong.findings}
    assert all(isinstance(finding, ckptcheck.Finding) for finding in wrong.findings)
    assert digest(project.model_dir) == before


@needs_tensorflow
def test_check_imports_no_tensorflow_itself(project: Project) -> None:
    code = (
        "import sys, ckptcheck; "
        f"assert ckptcheck.check({str(project.model_dir)!r}, {TARGET!r}, 'params.json').ok; "
        "assert 'tensorflow' not in sys.modules"
    )
    words = [sys.executable, "-c", code]
    subprocess.run(words, cwd=str(project.root), env=project.environment(), check=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_dir": "no/such"}, "no/such"),
        ({"target": "model"}, "target 'model'"),
        ({"params": "no-such.json"}, "params no-such.json: no such file"),
        ({"modes": ["infer"]}, "modes infer"),
        ({"modes": []}, "at least one of"),
        ({"features": "no-such.json"}, "no-such.json"),
        ({"python": "/no/such/python"}, "/no/such/python"),
        ({"timeout": 0}, "timeout 0: expected seconds above 0"),
        ({"timeout": "x"}, "timeout x: expected a number of seconds"),
        ({"target": len}, "target is builtin_function_or_method: expected a string"),
        ({"target": "model.model_fn"}, "such as model:model_fn"),
        ({"params": [1]}, "params is list: expected a dict"),
        ({"features": {"feature": {}}}, "unknown key 'feature'"),
    ],
)
def test_check_raises_one_exception_for_what_is_asked_wrongly(
    project: Project, monkeypatch: pytest.MonkeyPatch, changes: Dict[str, Any], words: str
) -> None:
    monkeypatch.chdir(project.root)
    asked: Dict[str, Any] = {"model_dir": "model_dir", "target": TARGET, "params": {}}
    asked.update(changes)
    with pytest.raises(ckptcheck.UsageError) as caught:
        ckptcheck.check(asked.pop("model_dir"), asked.pop("target"), asked.pop("params"), **asked)
    assert words in str(caught.value)


def test_check_says_what_params_json_cannot_hold(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Params in Python can hold anything; they travel to the tracer as JSON."""
    monkeypatch.chdir(project.root)
    with pytest.raises(ckptcheck.UsageError, match="activation"):
        ckptcheck.check("model_dir", TARGET, {"activation": object()})


@needs_tensorflow
def test_public_names() -> None:
    names: List[str] = ckptcheck.__all__
    assert names == sorted(names)
    assert all(hasattr(ckptcheck, name) for name in names)


def test_importing_ckptcheck_imports_no_tensorflow(tmp_path: Path) -> None:
    """It also imports no other package that a training process may lack."""
    code = (
        "import ckptcheck, sys; ckptcheck.write_record; "
        "others = {'tensorflow', 'numpy', 'typer', 'click', 'tabulate', 'google_crc32c'}; "
        "print(sorted(others & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE, check=True
    ).stdout
    assert out.decode("utf-8").strip() == "[]"
    assert run_cli("--version", cwd=tmp_path).code == 0


# --- the list of options ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (ckptcheck.check, AgainstSpec),
        (ckptcheck.inspect, InspectSpec),
        (ckptcheck.verify, VerifySpec),
        (ckptcheck.snapshot, SnapshotSpec),
        (ckptcheck.record, RecordSpec),
        (ckptcheck.Tracer().check, AgainstSpec),
    ],
)
def test_a_function_takes_the_options_of_its_list(function: Any, spec: type) -> None:
    options = options_of(spec)
    parameters = inspect.signature(function).parameters
    assert list(parameters) == list(options)
    documentation = " ".join(inspect.getdoc(function).split())  # type: ignore[union-attr]
    for name, option in options.items():
        given = parameters[name]
        assert given.default == (inspect.Parameter.empty if option.required else option.default)
        assert given.annotation == option.takes
        assert (given.kind is inspect.Parameter.KEYWORD_ONLY) == option.kw_only
        assert f"{name}: {option.help}" in documentation
    required = {name: "a:b" for name, option in options.items() if option.required}
    with pytest.raises(TypeError, match="no_such_option"):
        function(**required, no_such_option=1)
    with pytest.raises(TypeError, match="positional"):
        function("runs", "a:b", {}, ["predict"])


_TYPES_AS_A_USER_SEES_THEM = """\
from pathlib import Path
import ckptcheck

report: ckptcheck.Report = ckptcheck.check(
    Path("runs"), "net:model_fn", {"a": 1}, modes=["predict"], memory_limit="4G", timeout=3
)
text: str = report.text()
with ckptcheck.Tracer(python="python3", quiet=False) as tracer:
    report = tracer.check("runs", "net:model_fn", Path("params.json"), deep=True)
report = ckptcheck.verify("runs", all_checkpoints=True, fail_on="note")
folder: str = ckptcheck.snapshot("runs", Path("out")).written.folder
ckptcheck.record("runs", "net:model_fn", redact=["key"])
ckptcheck.check("runs")
ckptcheck.check(target="net:model_fn", features={}, against="HEAD")
ckptcheck.check("runs", "net:model_fn", modes=3)  # wrong
ckptcheck.check("runs", "net:model_fn", {}, ["predict"])  # wrong
ckptcheck.check("runs", "net:model_fn", mode=["predict"])  # wrong
ckptcheck.inspect("runs", all_checkpoints=True)  # wrong
"""


def test_type_checkers_know_the_options(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(_TYPES_AS_A_USER_SEES_THEM)
    words = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "user.py"]
    words += [f"--cache-dir={tmp_path}", "--config-file="]
    done = subprocess.run(
        words, cwd=str(tmp_path), env=environment(), stdout=subprocess.PIPE, check=False
    )
    said = done.stdout.decode()
    lines = [int(line.split(":")[1]) for line in said.splitlines() if ": error: " in line]
    wrong = enumerate(_TYPES_AS_A_USER_SEES_THEM.splitlines(), 1)
    assert lines == [number for number, line in wrong if "# wrong" in line], said


@option_list
class _Widths:
    width: Option[int, str] = Option(str, "Wide.", default=3)


def test_a_list_of_options_is_a_frozen_value() -> None:
    assert _Widths() == _Widths(width=3) != _Widths(width=4)
    assert _Widths(width=4).width == "4"
    with pytest.raises(AttributeError):
        _Widths().width = 5  # type: ignore[misc]


# --- other functions -------------------------------------------------------------------------


def test_inspect_and_its_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    half_past = time.time() - 30.5 * 60  # so that both texts have the same minute
    for path in project.model_dir.iterdir():
        os.utime(str(path), (half_past, half_past))
    report = ckptcheck.inspect(Path("model_dir"))
    assert report.ok and report.contents.prefix == project.prefix
    assert report.text() == project.run("inspect", "model_dir").out
    with pytest.raises(ckptcheck.UsageError, match="fail_on never: expected note, warning"):
        ckptcheck.inspect("model_dir", fail_on="never")


def test_verify(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy")
    monkeypatch.chdir(project.root)
    report = ckptcheck.verify("model_dir", all_checkpoints=True)
    assert report.ok and report.last_good == project.prefix
    assert report.text() == project.run("verify", "model_dir", "--all-checkpoints").out


def test_snapshot(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    report = ckptcheck.snapshot("model_dir", Path("small"))
    assert report.written.folder == "small" and "model.ckpt-10.index" in report.written.names
    assert ckptcheck.inspect("small").contents.snapshot
    with pytest.raises(ckptcheck.UsageError, match="OUT small is a snapshot already"):
        ckptcheck.snapshot("model_dir", "small")


# --- many checks -----------------------------------------------------------------------------

CRASHES = """\
import os, signal

def crash(features, labels, mode, params):
    os.kill(os.getpid(), signal.SIGSEGV)

def end_the_tracer(features, labels, mode, params):
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _counting_python(project: Project) -> str:
    """A command that runs the tests' interpreter, and writes a line for each start."""
    path = project.write("python.sh", f'echo start >> starts\nexec {sys.executable} "$@"\n')
    return f"sh {shlex.quote(str(path))}"


def _starts(project: Project) -> int:
    return len((project.root / "starts").read_text().splitlines())


@needs_tensorflow
def test_many_checks_share_one_tracer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow is imported once, reports are the same, and a crash affects only its check."""
    monkeypatch.chdir(project.root)
    project.write("crashes.py", CRASHES)
    asked: Tuple[Any, ...] = ("model_dir", TARGET, {"num_hidden": 64})
    alone = ckptcheck.check(*asked, modes=["predict"])
    with ckptcheck.Tracer(_counting_python(project)) as tracer:
        first = tracer.check(*asked, modes=["predict"])
        crashed = tracer.check("model_dir", "crashes:crash", modes=["predict"])
        again = tracer.check(*asked, modes=["predict"])
        assert _starts(project) == 1
        assert first.text() == again.text() == alone.text()
        assert "model-fn-crashed" in {finding.rule for finding in crashed.findings}
        with pytest.raises(ckptcheck.UsageError, match="ended with exit code"):
            tracer.check("model_dir", "crashes:end_the_tracer", modes=["predict"])
        assert tracer.check(*asked, modes=["predict"]).text() == first.text()
        assert _starts(project) == 2
    assert project.left_behind() == []


def test_a_tracer_has_one_python(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    tracer = ckptcheck.Tracer("python3.7")
    with pytest.raises(ckptcheck.UsageError, match=r"python python2: this Tracer uses another"):
        tracer.check("model_dir", TARGET, python="python2")
    with pytest.raises(ckptcheck.UsageError, match="timeout -1: expected seconds above 0"):
        ckptcheck.Tracer(timeout=-1)
