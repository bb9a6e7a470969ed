"""Tests of ``--output FORMAT=FILE``: several formats at once.

Files are complete, or not written.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from ckptcheck.errors import UsageError
from ckptcheck.output import append_to_file, write_file
from ckptcheck.reporters import formats, render
from ckptcheck.results import Report

from .. import consumers
from ..support import FIXTURES, digest, environment, run_cli

MODEL_DIR = FIXTURES / "linear" / "tf215"
INSPECT = ("inspect", str(MODEL_DIR))


def test_every_format_at_once(tmp_path: Path) -> None:
    words = [word for name in formats() for word in ("--output", f"{name}={tmp_path / name}")]
    done = run_cli(*INSPECT, *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert sorted(os.listdir(str(tmp_path))) == sorted(formats())
    texts = {name: (tmp_path / name).read_text("utf-8") for name in formats()}
    assert texts["text"] == done.out
    assert json.loads(texts["json"])["command"] == "inspect"
    assert consumers.gitlab(texts["gitlab"]) == []
    assert consumers.github(texts["github"]) == []
    assert len(consumers.sarif(texts["sarif"])["runs"]) == 1
    assert [case.result for case in consumers.junit(texts["junit"])] == [""]
    assert len(consumers.markdown(texts["markdown"]).headings) == 1


@pytest.mark.parametrize("format", list(formats()))
@pytest.mark.parametrize(("words", "code"), [((), 0), (("--fail-on", "note"), 1)])
def test_the_exit_code_does_not_depend_on_the_format(
    words: Any, code: int, format: str, tmp_path: Path
) -> None:
    (tmp_path / "base").mkdir()
    for path in MODEL_DIR.iterdir():
        if not path.name.endswith(".meta"):  # a note says that the graph is missing
            copy = tmp_path / "base" / path.name
            copy.write_bytes(path.read_bytes())
            os.utime(str(copy), (10**9, 10**9))  # no training run writes it
    done = run_cli("inspect", "base", *words, "--format", format, cwd=tmp_path)
    assert (done.code, done.err) == (code, "")
    out = tmp_path / "out"
    done = run_cli("inspect", "base", *words, "--output", f"{format}={out}", cwd=tmp_path)
    assert (done.code, out.is_file()) == (code, True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["sarif"], "--output sarif: expected FORMAT=FILE"),
        (["sarif="], "--output sarif=: expected the name of a file after the ="),
        (["sarif=-"], "--output sarif=-: --format sarif writes to standard output"),
        (["sarif=."], "--output sarif=.: expected the name of a file after the ="),
        (["xml=a"], "--output xml=a: no format xml, expected github, gitlab, html, json, "),
        (["sarif=no/a"], "--output sarif=no/a: there is no directory no"),
        (["sarif=a", "junit=./a"], "--output junit=./a: sarif=a writes the same file"),
    ],
)
def test_a_wrong_output_is_told_before_anything_is_done(
    values: Any, said: str, tmp_path: Path
) -> None:
    words = [word for value in values for word in ("--output", value)]
    done = run_cli("inspect", "no/such/model_dir", *words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"ckptcheck: error: {said}")
    assert os.listdir(str(tmp_path)) == []


PLACES = {
    "PARAMS": ("params.json", "./params.json", "link.json", "hard.json"),
    "the features file": ("features.json",),
    "the configuration": ("ckptcheck.toml", "pyproject.toml", "own.toml"),
    "the baseline": ("ckptcheck-baseline.json",),
    "a Python source file": ("net.py", "new.py", "code"),
    "MODEL_DIR runs": ("runs/checkpoint", "runs/new.json", "runs/eval/new.json", "linked/a.json"),
}
_INSPECTED = ("a Python source file", "MODEL_DIR runs")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose check would read all these files."""
    check = '[[check]]\nname = "a"\nmodel-dir = "runs"\ntarget = "net:model_fn"\n'
    files = 'params = "params.json"\nfeatures = "features.json"\n'
    texts = {"params.json": "{}", "features.json": '{"features": {}}', "net.py": ""}
    texts.update({"ckptcheck.toml": check + files, "own.toml": check + files})
    texts["pyproject.toml"] = "[project]"
    texts["ckptcheck-baseline.json"] = '{"format": 1, "checks": {}}'
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    shutil.copytree(str(MODEL_DIR), str(tmp_path / "runs"))
    (tmp_path / "runs" / "eval").mkdir()
    for name, source in {"link.json": "params.json", "code": "net.py", "linked": "runs"}.items():
        (tmp_path / name).symlink_to(source)
    os.link(str(tmp_path / "params.json"), str(tmp_path / "hard.json"))
    return tmp_path


@pytest.mark.parametrize(("shown", "path"), [(s, path) for s in PLACES for path in PLACES[s]])
def test_no_output_replaces_a_file_of_the_command(shown: str, path: str, project: Path) -> None:
    before = digest(project)
    words: List[Tuple[str, ...]] = [
        ("check", "runs", "net:model_fn", "params.json", "--features", "features.json"),
        ("check", "a"),
        ("check", "--config", "own.toml"),
    ]
    if path == "own.toml":
        words = words[2:]
    if shown in _INSPECTED:
        words += [("inspect", "runs"), ("verify", "runs"), ("inspect", "runs/model.ckpt-10")]
    if shown in _INSPECTED[:1]:
        words += [("lint", ".")]
    for command in words:
        done = run_cli(*command, "--output", f"json={path}", cwd=project)
        assert (done.code, done.out) == (2, ""), (command, done)
        assert f"json={path}" in done.err or f"json={project / path}" in done.err
        assert shown in done.err and "give another file" in done.err, (command, done)
    assert digest(project) == before


def test_other_outputs_are_written(project: Path) -> None:
    done = run_cli("inspect", "runs", "--output", "json=report.json", cwd=project)
    assert (done.code, json.loads((project / "report.json").read_text())["ok"]) == (0, True)
    done = run_cli("inspect", "runs", "--output", "json=report.json", cwd=project)
    assert done.code == 0, "the earlier report is replaced"


def test_a_job_summary_is_appended(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    env = environment(GITHUB_STEP_SUMMARY=str(summary))
    assert run_cli(*INSPECT, cwd=tmp_path, env=env).code == 0
    assert summary.read_text() == "before\n"
    for words in (["--format", "github"], ["--output", "github=out"]):
        assert run_cli(*INSPECT, *words, cwd=tmp_path, env=env).code == 0
    text = summary.read_text()
    assert text.startswith("before\n## ckptcheck: ") and text.count("## ckptcheck: ") == 2


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    env = environment(GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "summary.md"))
    words = ("--format", "github", "--output", "json=report")
    done = run_cli(*INSPECT, *words, cwd=tmp_path, env=env)
    assert done.code == 2
    assert done.err.endswith("summary.md cannot be written: No such file or directory\n")
    assert done.out == run_cli(*INSPECT, "--format", "github", cwd=tmp_path).out != ""
    assert json.loads((tmp_path / "report").read_text())["ok"]


@pytest.mark.parametrize("folder", [".", "models"])
def test_paths_are_relative_to_the_git_repository(folder: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    base = tmp_path / folder / "base"
    base.mkdir(parents=True)
    (base / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    done = run_cli("inspect", "base", "--format", "gitlab", cwd=tmp_path / folder)
    (issue,) = consumers.gitlab(done.out)
    assert issue["location"]["path"] == os.path.normpath(f"{folder}/base/checkpoint")


# --- Files ----------------------------------------------------------------------------------------


def test_a_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to("out")
    write_file(str(link), "new é \udcff")
    assert path.read_bytes() == "new é \\udcff".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink() and sorted(os.listdir(str(tmp_path))) == ["link", "out"]


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    write_file(str(tmp_path / "out"), "")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_device_is_not_replaced() -> None:
    write_file("/dev/null", "text")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_is_written(tmp_path: Path) -> None:
    """In CI, standard error is a pipe. The name of a pipe in /proc cannot be opened."""
    done = run_cli(*INSPECT, "--output", "json=/dev/stderr", cwd=tmp_path)
    assert done.code == 0
    assert ": 1 checkpoint. Estimator loads " in " ".join(done.out.split())
    assert json.loads(done.err)["command"] == "inspect"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    for write in (write_file, append_to_file):
        with pytest.raises(UsageError, match="/dev/full cannot be written: No space left"):
            write("/dev/full", "text")


def test_the_old_file_stays_if_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="out cannot be written: No space left on device"):
        write_file(str(path), "new")
    assert path.read_text() == "old" and os.listdir(str(tmp_path)) == ["out"]


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (("ckptcheck.toml", "pyproject.toml", "a.py"), "ckptcheck.toml"),
        (("pyproject.toml", "a.py"), "pyproject.toml"),
        ((".hidden", "b.py", "a.py"), "a.py"),
        ((), "ckptcheck.toml"),
    ],
)
def test_a_finding_about_no_file_of_the_repository_is_shown_at_one(
    files: Any, shown: str, tmp_path: Path
) -> None:
    """Code scanning refuses a whole file if one result in it has no place."""
    project, model_dir = tmp_path / "project", tmp_path / "model_dir"
    for folder in (project / ".git", project / "models", model_dir):
        folder.mkdir(parents=True)
    for name in files:
        (project / name).write_text("")
    done = run_cli("inspect", str(model_dir), "--format", "sarif", cwd=project / "models")
    (result,) = consumers.sarif(done.out)["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == shown


def test_a_working_directory_that_was_removed(tmp_path: Path) -> None:
    gone, out = tmp_path / "gone", tmp_path / "out"
    gone.mkdir()
    command = [sys.executable, "-m", "ckptcheck", *INSPECT, "--output"]
    for value, code in ((f"gitlab={out}", 0), ("gitlab=out", 2)):
        words = ["sh", "-c", f'rmdir "{gone}" && exec "$@"', "sh", *command, value]
        gone.mkdir(exist_ok=True)
        done = subprocess.run(words, cwd=str(gone), env=environment(), capture_output=True)
        assert (done.returncode, b"internal error" in done.stderr) == (code, False), done.stderr
    assert consumers.gitlab(out.read_text()) == []


def test_one_format_is_written_without_the_others() -> None:
    code = (
        "import sys; from ckptcheck.reporters import render; from ckptcheck.results import Report\n"
    )
    code += "render(Report('inspect', True, True, 'runs'), 'json')\n"
    code += "print([name for name in sys.modules if name.endswith(('.sarif', '.html', '.junit'))])"
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert run.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("name", ["options", "places", "nonsense", "../json", ""])
def test_what_is_no_format(name: str) -> None:
    with pytest.raises(KeyError):
        render(Report("inspect", True, True, "runs"), name)
