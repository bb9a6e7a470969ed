"""Finds the Python of a project that has TensorFlow, if ``--python`` does not name one."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from typing import Iterator, Mapping, Optional, Sequence

_FOLDERS = (".venv", "venv", "env")
_MANAGERS = (
    ("poetry.lock", ("poetry", "env", "info", "--executable")),
    ("uv.lock", ("uv", "python", "find")),
    ("Pipfile.lock", ("pipenv", "--py")),
)
"""Tools that keep environments elsewhere: the lock file, and the command that prints the Python."""
_PATIENCE = 10.0
"""Seconds for such a tool."""


def project_python() -> Optional[str]:
    """Returns what :func:`find_python` finds for the working directory; None if it was removed."""
    try:
        return find_python(os.getcwd())
    except OSError:
        return None


def find_python(folder: str, environ: Mapping[str, str] = os.environ) -> Optional[str]:
    """Returns the Python of a project that has TensorFlow; None for the one that runs ckptcheck.

    The Python that runs ckptcheck comes first if it has TensorFlow. Then come the active virtual or
    conda environment, a virtual environment in the project, the environments of poetry, uv and
    pipenv, and each ``python`` on the PATH.

    Args:
        folder: a directory of the project.
        environ: the environment variables.
    """
    if importlib.util.find_spec("tensorflow") is not None:
        return None
    return next(filter(_has_tensorflow, _candidates(folder, environ)), None)


def _candidates(folder: str, environ: Mapping[str, str]) -> Iterator[str]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield os.path.join(environ[variable], "bin", "python")
    for place in _with_parents(folder):
        yield from (os.path.join(place, name, "bin", "python") for name in _FOLDERS)
        for lock, command in _MANAGERS:
            if os.path.isfile(os.path.join(place, lock)):
                yield _printed(command, place)
    for entry in environ.get("PATH", "").split(os.pathsep):
        yield os.path.join(entry, "python")


def _with_parents(folder: str) -> Iterator[str]:
    """Yields a directory and those above it, up to the root of a git repository."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return
        folder = above


def _printed(command: Sequence[str], folder: str) -> str:
    """Returns the path that a tool prints; "" if it is not installed or fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        ended = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_PATIENCE, check=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.strip()


def _has_tensorflow(python: str) -> bool:
    """Whether an environment has TensorFlow.

    Its files say so. If it may find packages elsewhere, its Python is asked, which takes longer.
    """
    if not python or not os.path.isfile(python):
        return False
    prefix = os.path.dirname(os.path.dirname(python))
    packages = os.path.join(glob.escape(prefix), "lib*", "python*", "site-packages")
    if glob.glob(os.path.join(packages, "tensorflow", "__init__.py")):
        return True
    paths = (os.path.basename(path) for path in glob.glob(os.path.join(packages, "*.pth")))
    shares = _SHARED.search(_text_of(os.path.join(prefix, "pyvenv.cfg")))
    return bool(shares or set(paths) - {_OF_SETUPTOOLS}) and _printed((python, *_FIND), "/") == "1"


_SHARED = re.compile(r"(?im)^include-system-site-packages\s*=\s*true\s*$")
_OF_SETUPTOOLS = "distutils-precedence.pth"
_FIND = ("-c", "import importlib.util as u; print(int(u.find_spec('tensorflow') is not None))")


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
