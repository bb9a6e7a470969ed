"""Finds out which files were opened, whether by Python, by TensorFlow, or by another process.

Linux reports each open of a watched file (inotify), even after the file was moved or linked. It
does not report that a program asked for a file's size or listed its directory.
"""

import ctypes
import os
import struct
import sys
from typing import Any, Set

_IN_OPEN = 0x20
IN_Q_OVERFLOW = 0x4000
_HEAD = struct.Struct("iIII")
_CHUNK = 1 << 16

UNWATCHED = -1
"""Stands for a file that the system cannot watch."""


LIBC: Any = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
CAN_WATCH = hasattr(LIBC, "inotify_init1")


class OpenWatch:
    """The files that are watched for one fork.

    The tracer keeps it. The fork adds files to it before any code of the user's runs.

    Attributes:
        lost: whether the system dropped reports, because there were too many opens.
    """

    def __init__(self) -> None:
        self.lost = False
        flags = os.O_CLOEXEC | os.O_NONBLOCK
        self._descriptor = LIBC.inotify_init1(flags) if CAN_WATCH else -1

    def add(self, path: str) -> int:
        """Watches a file. Returns its number, or UNWATCHED if the system cannot watch it."""
        if self._descriptor < 0:
            return UNWATCHED
        return int(LIBC.inotify_add_watch(self._descriptor, os.fsencode(path), _IN_OPEN))

    def opened(self) -> Set[int]:
        """Returns the numbers of the files that were opened since the last call."""
        found: Set[int] = set()
        for data in iter(self._read, b""):
            place = 0
            while place < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, place)
                place += _HEAD.size + length
                self.lost = self.lost or bool(mask & IN_Q_OVERFLOW)
                if mask & _IN_OPEN:
                    found.add(number)
        return found

    def _read(self) -> bytes:
        if self._descriptor < 0:
            return b""
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Closes it in this process; in others it stays open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
