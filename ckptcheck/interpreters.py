"""Finds the Python of a project that has TensorFlow, if ``--python`` does not name one."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from typing import Iterable, Iterator, Mapping, Optional, Sequence, Set, Tuple

_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""The variables that name the active environment."""
_FOLDERS = (".venv", "venv", "env")
_MANAGERS = (
    (("poetry.lock",), r"^\[tool\.poetry[\].]", ("poetry", "env", "info", "--executable")),
    (("uv.lock",), r"^\[tool\.uv[\].]", ("uv", "python", "find")),
    (("Pipfile.lock", "Pipfile"), "", ("pipenv", "--py")),
)
"""Tools that keep environments elsewhere: files that only their projects have, the table that they
have in pyproject.toml, and the command that prints the Python."""
_PATIENCE = 10.0
"""Seconds for such a tool."""
_MOST_SHOWN = 8


def project_python() -> Optional[str]:
    """Returns what :func:`find_python` finds for the working directory; None if it was removed."""
    try:
        return find_python(os.getcwd())
    except OSError:
        return None


def why_no_python() -> str:
    """Returns what :func:`why_not_found` says about the working directory; "" if it was removed."""
    try:
        return why_not_found(os.getcwd())
    except OSError:
        return ""


def find_python(folder: str, environ: Mapping[str, str] = os.environ) -> Optional[str]:
    """Returns the Python of a project that has TensorFlow; None for the one that runs ckptcheck.

    The Python that runs ckptcheck comes first if it has TensorFlow. Then come the active virtual or
    conda environment, a virtual environment in the project, the environments of poetry, uv and
    pipenv, and each ``python`` and ``python3`` on the PATH.

    Args:
        folder: a directory of the project.
        environ: the environment variables.
    """
    if _is_here():
        return None
    found = _distinct(_candidates(folder, environ))
    return next((path for path in found if _has_tensorflow(path, folder, environ)), None)


def why_not_found(folder: str, environ: Mapping[str, str] = os.environ) -> str:
    """Returns where :func:`find_python` looked; "" if the Python that runs ckptcheck will do."""
    if _is_here():
        return ""
    looked = [sys.executable, *_distinct(_candidates(folder, environ))]
    shown = list(dict.fromkeys(looked))
    more = len(shown) - _MOST_SHOWN
    others = f" and {more} more" if more > 0 else ""
    return (
        f"no Python with TensorFlow was found: ckptcheck looked for the active environment, for "
        f".venv, venv, env and the environment of poetry, uv or pipenv in {folder}, and on the "
        f"PATH. These have no TensorFlow: {', '.join(shown[:_MOST_SHOWN])}{others}"
    )


def _is_here() -> bool:
    return importlib.util.find_spec("tensorflow") is not None


def _candidates(folder: str, environ: Mapping[str, str]) -> Iterator[str]:
    for variable in _ACTIVE:
        if environ.get(variable):
            yield os.path.join(environ[variable], "bin", "python")
    for place in _with_parents(folder):
        yield from (os.path.join(place, name, "bin", "python") for name in _FOLDERS)
        for files, table, command in _MANAGERS:
            if _is_project_of(place, files, table):
                yield _printed(command, place, _of_no_environment(environ))
    for entry in environ.get("PATH", "").split(os.pathsep):
        yield from (os.path.join(entry, name) for name in ("python", "python3"))


def _is_project_of(folder: str, files: Sequence[str], table: str) -> bool:
    """Whether a directory has one of some files, or a table in its pyproject.toml."""
    if any(os.path.isfile(os.path.join(folder, name)) for name in files):
        return True
    text = _text_of(os.path.join(folder, "pyproject.toml")) if table else ""
    return bool(text) and re.search(table, text, re.MULTILINE) is not None


def _distinct(paths: Iterable[str]) -> Iterator[str]:
    """Yields the files among paths. In one directory, several names of a file count as one."""
    seen: Set[Tuple[str, str]] = set()
    for path in paths:
        key = (os.path.realpath(os.path.dirname(path)), os.path.realpath(path))
        if path and os.path.isfile(path) and key not in seen:
            seen.add(key)
            yield path


def _with_parents(folder: str) -> Iterator[str]:
    """Yields a directory and those above it, up to the root of a git repository."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return
        folder = above


def _of_no_environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Returns environment variables in which no environment is active.

    In the active one, tools print its Python instead of the project's. pre-commit activates the one
    of its hook, which has ckptcheck.
    """
    own = os.path.realpath(os.path.join(sys.prefix, "bin"))
    kept = {name: value for name, value in environ.items() if name not in _ACTIVE}
    entries = kept.get("PATH", "").split(os.pathsep)
    path = os.pathsep.join(entry for entry in entries if os.path.realpath(entry) != own)
    return {**kept, "PATH": path}


def _printed(command: Sequence[str], folder: str, environ: Mapping[str, str]) -> str:
    """Returns what a program prints; "" if it is not installed or fails."""
    program = shutil.which(command[0], path=environ.get("PATH", ""))
    if program is None:
        return ""
    try:
        ended = subprocess.run(
            (program, *command[1:]), cwd=folder, env=environ, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.strip()


def _has_tensorflow(python: str, folder: str, environ: Mapping[str, str]) -> bool:
    """Whether a Python has TensorFlow.

    The files of a virtual environment say so. If it may find packages elsewhere, its Python is
    asked, which takes longer. Every other Python is asked: its packages can be in many places.
    """
    prefix = os.path.dirname(os.path.dirname(python))
    settings = _text_of(os.path.join(prefix, "pyvenv.cfg"))
    packages = os.path.join(glob.escape(prefix), "lib*", "python*", "site-packages")
    if settings and glob.glob(os.path.join(packages, "tensorflow", "__init__.py")):
        return True
    paths = (os.path.basename(path) for path in glob.glob(os.path.join(packages, "*.pth")))
    elsewhere = not settings or _SHARED.search(settings) or set(paths) - {_OF_SETUPTOOLS}
    return bool(elsewhere) and _printed((python, *_FIND), folder, environ) == "1"


_SHARED = re.compile(r"(?im)^include-system-site-packages\s*=\s*true\s*$")
_OF_SETUPTOOLS = "distutils-precedence.pth"
_FIND = (
    "-c",
    "import sys; sys.path[:] = filter(None, sys.path); import importlib.util as u; "
    "print(int(u.find_spec('tensorflow') is not None))",
)
"""The program that says whether there is TensorFlow. It runs in the project, since pyenv selects a
Python by the directory, but does not import from there."""


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
