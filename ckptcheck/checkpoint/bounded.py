"""Reads regular files up to a size limit."""

import os
import stat

from .errors import DamagedError, TooLargeError

GIT_LFS = "it is a Git LFS pointer, not the file itself: fetch the file with git lfs pull"
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
"""Bytes. The specification of Git LFS sets this limit."""


def read_whole(path: str, most: int) -> bytes:
    """Returns the bytes of a regular file that is not a Git LFS pointer.

    Raises:
        DamagedError: it is a Git LFS pointer, or not a regular file.
        TooLargeError: it is larger than ``most``.
        OSError: it cannot be read.
    """
    data = read_regular(path, most)
    if has_pointer(data):
        raise DamagedError(GIT_LFS)
    return data


def read_regular(path: str, most: int) -> bytes:
    """Returns the bytes of a regular file.

    Args:
        path: the file.
        most: the largest size in bytes.

    Raises:
        DamagedError: it is not a regular file, such as a pipe, which could block forever.
        TooLargeError: it is larger than ``most``.
        OSError: it cannot be read.
    """
    info = os.stat(path)
    if not stat.S_ISREG(info.st_mode):
        raise DamagedError("it is not a regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise TooLargeError(f"it is larger than {most >> 20} MiB")
        return file.read(size)


def has_pointer(data: bytes) -> bool:
    """Whether the bytes of a file are a Git LFS pointer."""
    return len(data) <= _LARGEST_POINTER and data.startswith(_POINTER)


def is_pointer(path: str, size: int) -> bool:
    """Whether a regular file of this size is a Git LFS pointer.

    Raises:
        OSError: it cannot be read.
    """
    if not len(_POINTER) < size <= _LARGEST_POINTER:
        return False
    with open(path, "rb") as file:
        return has_pointer(file.read(_LARGEST_POINTER + 1))
