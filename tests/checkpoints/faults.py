"""Damages every file of a model_dir in every way. The only results may be findings or UsageErrors.

    python -m tests.checkpoints.faults fixtures/linear/tf215

Each file is deleted, cut, emptied, swapped with another, linked to another, or replaced by a
directory, a link to nowhere or to itself, or a pipe. ``inspect`` and ``verify`` have to end soon,
with a result or with one UsageError, and may not change anything. If not, the exit code is 1.
"""

import contextlib
import os
import shutil
import sys
import time
from typing import Callable, Dict, Iterator

from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.reporters import render
from ckptcheck.verification import verify

from ..support import as_a_user, digest, folder_of_all

Fault = Callable[[str], None]
Exchange = Callable[[str, str], None]
_SOON_SECONDS = 5.0


def _cut(path: str) -> None:
    os.truncate(path, os.path.getsize(path) // 2)


def _empty(path: str) -> None:
    os.truncate(path, 0)


def _swap(path: str, other: str) -> None:
    os.rename(path, path + ".swap")
    os.rename(other, path)
    os.rename(path + ".swap", other)


def _replace(make: Callable[[str], None]) -> Fault:
    def fault(path: str) -> None:
        os.remove(path)
        make(path)

    return fault


def _hard_link(path: str, other: str) -> None:
    os.remove(path)
    os.link(other, path)


FAULTS: Dict[str, Fault] = {
    "delete": os.remove,
    "cut": _cut,
    "empty": _empty,
    "directory": _replace(os.mkdir),
    "broken link": _replace(lambda path: os.symlink("/nowhere/at/all", path)),
    "link to itself": _replace(lambda path: os.symlink(path, path)),
    "pipe": _replace(os.mkfifo),
    "no permission": lambda path: os.chmod(path, 0),
}
EXCHANGES: Dict[str, Exchange] = {"swap": _swap, "hard link": _hard_link}


def run(source: str) -> Dict[str, int]:
    """Runs all faults on copies of a model_dir.

    Raises:
        AssertionError: something was changed, or took too long.
    """
    counts = dict.fromkeys(("faults", "findings", "usage errors"), 0)
    names = sorted(os.listdir(source))
    for found in (inspect(source), verify(source)):
        render(found)  # imports modules that a user without permissions may not be able to read
    for name in names:
        for fault in FAULTS.values():
            with _copy(source) as model_dir:
                fault(os.path.join(model_dir, name))
                _judge(model_dir, counts)
        for exchange in EXCHANGES.values():
            for other in names:
                if other != name:
                    with _copy(source) as model_dir:
                        exchange(os.path.join(model_dir, name), os.path.join(model_dir, other))
                        _judge(model_dir, counts)
    return counts


@contextlib.contextmanager
def _copy(source: str) -> Iterator[str]:
    with folder_of_all() as folder:
        model_dir = os.path.join(str(folder), "base")
        shutil.copytree(source, model_dir)
        yield model_dir


def _judge(model_dir: str, counts: Dict[str, int]) -> None:
    before, start = digest(model_dir), time.monotonic()
    counts["faults"] += 1
    try:
        with as_a_user():
            found = inspect(model_dir)
            counts["findings"] += len(found.findings)
            render(found)
            render(verify(model_dir, all_checkpoints=True))
    except UsageError:
        counts["usage errors"] += 1
    assert time.monotonic() - start < _SOON_SECONDS
    assert digest(model_dir) == before


if __name__ == "__main__":
    sys.stdout.write(f"{run(sys.argv[1])}\n")
