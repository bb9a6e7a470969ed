"""Tests the search for the project's Python in the usual places."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Dict

import pytest

from ckptcheck import interpreters
from ckptcheck.client.process import interpreter_command
from ckptcheck.errors import UsageError
from ckptcheck.interpreters import find_python, why_not_found


def environment(prefix: Path, tensorflow: bool = True) -> str:
    """Makes a fake environment, and returns its Python."""
    python = prefix / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("", "utf-8")
    (prefix / "pyvenv.cfg").write_text("version = 3.7\n", "utf-8")
    if tensorflow:
        package = prefix / "lib" / "python3.7" / "site-packages" / "tensorflow"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("", "utf-8")
    return str(python)


def program(path: Path, text: str) -> Path:
    """Writes a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def without_the_environment_of_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python that runs the tests may have TensorFlow, and so may a directory above tmp_path."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / ".git").mkdir()


def test_the_own_python_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(tmp_path / ".venv")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert find_python(str(tmp_path), {}) is None


def test_the_order_in_which_environments_are_looked_at(tmp_path: Path) -> None:
    project = tmp_path / "project"
    places = {
        "active": environment(tmp_path / "active"),
        "conda": environment(tmp_path / "conda"),
        ".venv": environment(project / ".venv"),
        "path": environment(tmp_path / "path"),
    }
    environ: Dict[str, str] = {
        "VIRTUAL_ENV": str(tmp_path / "active"),
        "CONDA_PREFIX": str(tmp_path / "conda"),
        "PATH": str(tmp_path / "path" / "bin"),
    }
    for name, variable in (("active", "VIRTUAL_ENV"), ("conda", "CONDA_PREFIX")):
        assert find_python(str(project), environ) == places[name]
        del environ[variable]
    assert find_python(str(project), environ) == places[".venv"]
    os.remove(places[".venv"])
    assert find_python(str(project), environ) == places["path"]
    assert find_python(str(project), {}) is None


def test_an_environment_without_tensorflow_is_passed_over(tmp_path: Path) -> None:
    environment(tmp_path / "hook", tensorflow=False)
    python = environment(tmp_path / "project" / "venv")
    environ = {"VIRTUAL_ENV": str(tmp_path / "hook")}
    assert find_python(str(tmp_path / "project"), environ) == python


@pytest.mark.parametrize("how", [".pth", "pyvenv.cfg"])
@pytest.mark.parametrize("answer", ["1", "0"])
def test_an_environment_that_finds_packages_elsewhere_is_asked(
    how: str, answer: str, tmp_path: Path
) -> None:
    prefix = tmp_path / ".venv"
    python = environment(prefix, tensorflow=False)
    program(Path(python), f"echo {answer}")
    assert find_python(str(tmp_path), {}) is None
    if how == ".pth":
        (prefix / "lib" / "python3.7" / "site-packages").mkdir(parents=True)
        (prefix / "lib" / "python3.7" / "site-packages" / "more.pth").write_text("", "utf-8")
    else:
        (prefix / "pyvenv.cfg").write_text("include-system-site-packages = true\n", "utf-8")
    assert find_python(str(tmp_path), {}) == (python if answer == "1" else None)


def test_directories_above_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    python = environment(tmp_path / ".venv")
    inner = tmp_path / "repository" / "models"
    inner.mkdir(parents=True)
    assert find_python(str(inner), {}) == python
    (tmp_path / "repository" / ".git").mkdir()
    assert find_python(str(inner), {}) is None


@pytest.mark.parametrize(
    ("file", "text", "tool"),
    [
        ("poetry.lock", "", "poetry"),
        ("uv.lock", "", "uv"),
        ("Pipfile.lock", "", "pipenv"),
        ("Pipfile", "", "pipenv"),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.poetry]\nname = "x"\n', "poetry"),
        ("pyproject.toml", "[tool.poetry.dependencies]\n", "poetry"),
        ("pyproject.toml", "[tool.uv]\n", "uv"),
    ],
)
def test_tools_that_keep_environments_elsewhere_are_asked(
    file: str, text: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an active environment, such as that of a hook, they would print its Python."""
    hook = tmp_path / "hook"
    environment(hook, tensorflow=False)
    monkeypatch.setattr(sys, "prefix", str(hook))
    python = environment(tmp_path / "elsewhere")
    project = tmp_path / "project"
    project.mkdir()
    (project / file).write_text(text, "utf-8")
    script = program(
        tmp_path / "tools" / tool,
        f'case "$PATH $VIRTUAL_ENV $CONDA_PREFIX" in *{hook}*) exit 3; esac; echo {python}',
    )
    assert find_python(str(project), {}) is None
    path = os.pathsep.join([str(hook / "bin"), str(script.parent)])
    environ = {"VIRTUAL_ENV": str(hook), "CONDA_PREFIX": str(hook), "PATH": path}
    assert find_python(str(project), environ) == python


@pytest.mark.parametrize("name", ["python", "python3"])
def test_a_python_on_the_path_is_asked(name: str, tmp_path: Path) -> None:
    """Its packages can be in dist-packages or in ~/.local. pyenv selects it by the directory."""
    project = tmp_path / "project"
    project.mkdir()
    script = program(tmp_path / "usr" / "bin" / name, f'[ "$PWD" = "{project}" ] && echo 1')
    other = tmp_path / "usr" / "lib" / "python3.6" / "site-packages" / "tensorflow"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("", "utf-8")
    environ = {"PATH": str(script.parent)}
    assert find_python(str(project), environ) == str(script)
    program(script, "echo 0")
    assert find_python(str(project), environ) is None


def test_a_file_of_the_project_is_not_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("", "utf-8")
    program(tmp_path / "bin" / "python3", f'exec "{sys.executable}" -S "$@"')
    assert find_python(str(tmp_path), {"PATH": str(tmp_path / "bin")}) is None


@pytest.mark.parametrize("text", ["exit 3", "sleep 9", "no-such-program"])
def test_a_tool_that_fails_or_hangs(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poetry.lock").write_text("", "utf-8")
    program(tmp_path / "poetry", text)
    monkeypatch.setattr(interpreters, "_PATIENCE", 0.2)
    assert find_python(str(tmp_path), {"PATH": str(tmp_path)}) is None


def test_the_places_without_tensorflow_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow does not belong into the environment that pre-commit makes for the hook."""
    python = environment(tmp_path / ".venv", tensorflow=False)
    other = program(tmp_path / "bin" / "python3", "echo 0")
    said = why_not_found(str(tmp_path), {"PATH": str(tmp_path / "bin")})
    assert f"in {tmp_path}, and on the PATH" in said
    assert said.endswith(f"These have no TensorFlow: {sys.executable}, {python}, {other}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no Python with TensorFlow was found") as found:
        interpreter_command(None)
    assert python in str(found.value) and "pip install" not in str(found.value)
    assert str(found.value).endswith('in the configuration, such as python = "envs/tf/bin/python"')
    program(other, "echo 1")
    assert interpreter_command(None) == [str(other)]


def test_the_python_that_runs_ckptcheck_may_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert why_not_found(str(tmp_path), {}) == ""
    assert interpreter_command(None) == [sys.executable]


def test_long_lists_of_places_are_shortened(tmp_path: Path) -> None:
    folders = [tmp_path / f"bin{number}" for number in range(20)]
    for folder in folders:
        program(folder / "python", "echo 0")
    path = os.pathsep.join(map(str, folders))
    assert why_not_found(str(tmp_path), {"PATH": path}).endswith(" and 13 more")
