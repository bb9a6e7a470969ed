"""Tests the search for the project's Python in the usual places."""

import importlib.util
import os
import stat
from pathlib import Path
from typing import Dict

import pytest

from ckptcheck import interpreters
from ckptcheck.interpreters import find_python


def environment(prefix: Path, tensorflow: bool = True) -> str:
    """Makes a fake environment, and returns its Python."""
    python = prefix / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("", "utf-8")
    if tensorflow:
        package = prefix / "lib" / "python3.7" / "site-packages" / "tensorflow"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("", "utf-8")
    return str(python)


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
    Path(python).write_text(f"#!/bin/sh\necho {answer}\n", "utf-8")
    os.chmod(python, 0o755)
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
    ("lock", "tool"), [("poetry.lock", "poetry"), ("uv.lock", "uv"), ("Pipfile.lock", "pipenv")]
)
def test_tools_that_keep_environments_elsewhere_are_asked(
    lock: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = environment(tmp_path / "elsewhere")
    project = tmp_path / "project"
    project.mkdir()
    (project / lock).write_text("", "utf-8")
    script = tmp_path / "tools" / tool
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\necho {python}\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    assert find_python(str(project), {}) is None
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    assert find_python(str(project), {}) == python


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\nsleep 9\n", "no program"])
def test_a_tool_that_fails_or_hangs(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poetry.lock").write_text("", "utf-8")
    script = tmp_path / "poetry"
    script.write_text(text, "utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(interpreters, "_PATIENCE", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_python(str(tmp_path), {}) is None
