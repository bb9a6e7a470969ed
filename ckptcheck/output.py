"""Writes to standard output and to files; tolerates a closed pipe and reports a full disk."""

import contextlib
import os
import shutil
import sys

from .errors import UsageError


def write_out(text: str = "") -> None:
    """Writes a text to standard output and flushes it.

    It is not an error if the reader has closed the pipe, as head does.

    Raises:
        UsageError: standard output cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)  # Python flushes the rest of the buffer at exit
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"standard output cannot be written: {error.strerror}")


def write_file(path: str, text: str) -> None:
    """Replaces a file in one step, so that no program reads half of it.

    A device or a pipe, such as /dev/stderr, is written as it is.

    Raises:
        UsageError: it cannot be written. Nothing is left behind then.
    """
    data = text.encode("utf-8", "backslashreplace")
    if os.path.exists(path) and not os.path.isfile(path):
        _write(path, "wb", data)
        return
    path = os.path.realpath(path)  # a link stays a link
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise UsageError(f"{path} cannot be written: {error.strerror}")


def append_to_file(path: str, text: str) -> None:
    """Appends to a file.

    Raises:
        UsageError: it cannot be written.
    """
    _write(path, "ab", text.encode("utf-8", "backslashreplace"))


def _write(path: str, mode: str, data: bytes) -> None:
    try:
        with open(path, mode) as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}")
