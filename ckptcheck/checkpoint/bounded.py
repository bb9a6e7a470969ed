"""Reads small files whole, and refuses what is not small or not a file."""

import os
import stat

from .errors import DamagedError, TooLargeError

GIT_LFS = "it is a pointer of Git LFS in place of the file: git lfs pull fetches that"
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
"""Bytes; the specification of Git LFS calls what is longer no pointer."""


def read_whole(path: str, most: int) -> bytes:
    """The bytes of a regular file that is no pointer of Git LFS.

    Raises:
        DamagedError: it is one, or see :func:`read_regular`.
        TooLargeError: see there.
        OSError: see there.
    """
    data = read_regular(path, most)
    if has_pointer(data):
        raise DamagedError(GIT_LFS)
    return data


def read_regular(path: str, most: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        most: more bytes than this are not read.

    Raises:
        DamagedError: it is no regular file: to open one could wait for ever.
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


def has_pointer(data: bytes) -> bool:
    """Whether the bytes of a file are those of a pointer of Git LFS."""
    return len(data) <= _LARGEST_POINTER and data.startswith(_POINTER)


def is_pointer(path: str, size: int) -> bool:
    """Whether a regular file of so many bytes stands for one that Git LFS has elsewhere.

    Raises:
        OSError: it cannot be read.
    """
    if not len(_POINTER) < size <= _LARGEST_POINTER:
        return False
    with open(path, "rb") as file:
        return has_pointer(file.read(_LARGEST_POINTER + 1))
