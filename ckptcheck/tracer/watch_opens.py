"""Watches opens in the user's directories that Python's events do not report.

Native code of packages opens files without Python. Linux reports each open in a watched directory
(inotify), by any code. If only Linux reports an open, the file counts as read.
"""

import os
import struct
from typing import Dict, Iterator, List

from .open_watch import CAN_WATCH, IN_Q_OVERFLOW, LIBC
from .user_code import is_user_file
from .watch import Watch

_IN_OPEN = 0x20
_IN_ONLYDIR = 0x01000000
_IN_ISDIR = 0x40000000
_HEAD = struct.Struct("iIII")
_CHUNK = 1 << 16
_MOST_FOLDERS = 200
_MOST_ENTRIES = 5000
_read, _fsencode, _join, _readlink = os.read, os.fsencode, os.path.join, os.readlink


class OpensWatch:
    """The directories that are watched in this process."""

    def __init__(self, roots: List[str], left_out: List[str]) -> None:
        """Watches directories and their subdirectories, up to a limit.

        Args:
            roots: the directories.
            left_out: directories that are not watched.
        """
        self._folders: Dict[int, str] = {}
        self._descriptor = -1
        if CAN_WATCH:
            self._descriptor = LIBC.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor >= 0:
            for folder in _folders(roots, left_out):
                mask = _IN_OPEN | _IN_ONLYDIR
                number = LIBC.inotify_add_watch(self._descriptor, _fsencode(folder), mask)
                self._folders[int(number)] = folder
        self._fails = CAN_WATCH and (self._descriptor < 0 or -1 in self._folders)
        self._known_as = _identity(self._descriptor)

    def look(self, watch: Watch) -> None:
        """Notes the files that were opened."""
        if self._fails:
            watch.give_up("may open files unseen: the system does not watch directories (inotify)")
        if self._descriptor >= 0 and _identity(self._descriptor) != self._known_as:
            watch.give_up("closes a file descriptor that it did not open")
            return
        while self._descriptor >= 0:
            try:
                data = _read(self._descriptor, _CHUNK)
            except BlockingIOError:
                return
            for folder, name in self._events(data, watch):
                watch.note_unseen(_join(folder, name))

    def _events(self, data: bytes, watch: Watch) -> Iterator[List[str]]:
        place = 0
        while place < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, place)
            start = place + _HEAD.size
            place = start + length
            name = data[start:place].rstrip(b"\0")
            if mask & IN_Q_OVERFLOW:
                watch.give_up("opens so many files that the system does not report all of them")
            elif mask & _IN_OPEN and not mask & _IN_ISDIR and name and number in self._folders:
                yield [self._folders[number], name.decode("utf-8", "surrogateescape")]


def _identity(descriptor: int) -> str:
    """Returns the identity of the file of a descriptor; "" if the descriptor is closed."""
    try:
        return _readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def _folders(roots: List[str], left_out: List[str]) -> Iterator[str]:
    waiting, entries = [root for root in roots if root], 0
    seen = {os.path.realpath(folder) for folder in left_out if folder}
    found = 0
    while waiting and found < _MOST_FOLDERS and entries < _MOST_ENTRIES:
        folder = waiting.pop(0)
        real = os.path.realpath(folder)
        if real in seen or not is_user_file(_join(real, "x")):
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as items:
                below = []
                for item in items:
                    entries += 1
                    if entries > _MOST_ENTRIES:
                        break
                    if not item.name.startswith((".", "__pycache__")) and item.is_dir():
                        below.append(item.path)
        except OSError:
            continue
        waiting.extend(sorted(below))
        found += 1
        yield folder
