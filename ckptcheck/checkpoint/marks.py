"""Detects whether the checkpoints in a model_dir have changed, without reading their data."""

import os
from typing import Iterable, Optional, Tuple

from .bounded import read_regular
from .errors import DamagedError
from .names import without_ending
from .state_file import LARGEST_STATE_FILE, STATE_FILE

Mark = Tuple[str, int, int, int]
"""A file's name, inode, size, and time of change."""
Marks = Tuple[Tuple[Optional[bytes], Tuple[Mark, ...]], ...]


def marks_of(folders: Iterable[str]) -> Marks:
    """Returns a value that changes when a checkpoint or the state file is saved or removed.

    Args:
        folders: the directories to look at; they need not exist.
    """
    return tuple((_state(folder), _files(folder)) for folder in folders)


def _state(folder: str) -> Optional[bytes]:
    try:
        return read_regular(os.path.join(folder, STATE_FILE), LARGEST_STATE_FILE)
    except (OSError, ValueError, DamagedError):  # locating the checkpoint reports this
        return None


def _files(folder: str) -> Tuple[Mark, ...]:
    """Returns the marks of a directory and of the checkpoint files in it."""
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = sorted(entry.name for entry in entries)
    except (OSError, ValueError):
        return ()
    checkpoints = (name for name in names if name == STATE_FILE or without_ending(name) != name)
    return tuple(_mark(folder, name) for name in (os.curdir, *checkpoints))


def _mark(folder: str, name: str) -> Mark:
    try:
        info = os.stat(os.path.join(folder, name))
    except OSError:
        return (name, 0, 0, 0)
    return (name, info.st_ino, info.st_size, info.st_mtime_ns)
