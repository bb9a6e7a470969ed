"""Removes shared memory that traced code made, which outlives the processes that made it.

The system does not record who made a file in ``/dev/shm``. So a file is removed only if all of this
is true: it was not there when the run started, it is this user's, a traced process had it open or
mapped when it was ended, and no other process has. A System V segment is removed only if the system
says that a traced process made it. Python's own tracker of ``multiprocessing`` removes the segments
that it knows (see :func:`.processes.end_tree`).
"""

import contextlib
import ctypes
import os
from typing import Dict, Iterable, NamedTuple, Set

from .processes import all_processes, proc_file

_PLACE = "/dev/shm"
_SYSTEM_V = "/proc/sysvipc/shm"
_REMOVE = 0


class _SystemV(NamedTuple):
    creator: int
    attached: int
    owner: int


class Segments:
    """The segments that existed before the run, and those that processes of the run have made."""

    def __init__(self) -> None:
        self._inodes_before = set(_inodes().values())
        self._system_v_before = set(_system_v())
        self._found: Dict[str, int] = {}
        self._system_v_found: Set[int] = set()

    def note(self, pids: Iterable[int]) -> None:
        """Records the shared memory of traced processes that are about to end or have ended."""
        mine = set(pids)
        new = {path: inode for path, inode in _inodes().items() if inode not in self._inodes_before}
        if new:
            for path in set().union(*map(_used_by, mine)).intersection(new):
                self._found[path] = new[path]
        for key, segment in _system_v().items():
            if segment.creator in mine and segment.owner == os.geteuid():
                self._system_v_found.add(key)
        self._system_v_found -= self._system_v_before

    def remove(self) -> None:
        """Removes the noted segments that no process uses any more."""
        if self._found:
            inodes = _inodes()
            used = set().union(*map(_used_by, all_processes()))
            for path, inode in self._found.items():
                if inodes.get(path) == inode and path not in used:
                    with contextlib.suppress(OSError):  # another process removed it first
                        os.unlink(path)
        if self._system_v_found:
            there = _system_v()
            for key in self._system_v_found.intersection(there):
                if not there[key].attached:
                    ctypes.CDLL(None).shmctl(key, _REMOVE, None)
        self._found.clear()
        self._system_v_found.clear()


def _inodes() -> Dict[str, int]:
    """Returns this user's files of shared memory; empty if the system has no such directory."""
    found = {}
    # The system is not Linux, or a file has just been removed.
    with contextlib.suppress(OSError), os.scandir(_PLACE) as entries:
        for entry in entries:
            info = entry.stat(follow_symlinks=False)
            if entry.is_file(follow_symlinks=False) and info.st_uid == os.geteuid():
                found[entry.path] = info.st_ino
    return found


def _used_by(pid: int) -> Set[str]:
    """The shared memory that a process has open or mapped."""
    lines = proc_file(pid, "maps").splitlines()
    paths = {os.fsdecode(line.split(None, 5)[5]) for line in lines if b" /dev/shm/" in line}
    descriptors = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for name in os.listdir(descriptors):
            with contextlib.suppress(OSError):  # it has just been closed
                paths.add(os.readlink(os.path.join(descriptors, name)))
    return {path for path in paths if path.startswith(_PLACE + "/")}


def _system_v() -> Dict[int, _SystemV]:
    """All System V segments by their ids, as far as this system lists them."""
    try:
        with open(_SYSTEM_V) as file:
            names, *rows = (line.split() for line in file)
    except (OSError, ValueError):  # the system is not Linux, or has no System V segments
        return {}
    columns = [names.index(name) for name in ("shmid", "cpid", "nattch", "uid")]
    found = {}
    for row in rows:
        key, creator, attached, owner = (int(row[column]) for column in columns)
        found[key] = _SystemV(creator, attached, owner)
    return found
