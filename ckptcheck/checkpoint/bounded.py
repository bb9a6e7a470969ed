"""Reads small files whole, and refuses what is not small or not a file."""

import os
import stat

from .damage import DamagedError, TooLargeError


def read_whole(path: str, most: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        most: more bytes than this are not read.

    Raises:
        DamagedError: it is no regular file (to open one could wait for ever).
        TooLargeError: it is larger.
        OSError: it cannot be read.
    """
    info = os.stat(path)
    if not stat.S_ISREG(info.st_mode):
        raise DamagedError("it is no regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise TooLargeError(f"it is larger than {most >> 20} MiB")
        return file.read(size)
