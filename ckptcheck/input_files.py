"""Reads the files that a user names, in bounded memory and time.

PARAMS may be a file, standard input, a named pipe, or a process substitution such as
``<(jq …)``. The writer of a pipe may never stop, or never start.
"""

import io
import os
import select
import stat
import sys
import time
from typing import List

from .errors import UsageError

LARGEST = 64 << 20
"""Bytes."""
LONGEST_WAIT = 300.0
"""Seconds within which a pipe has to end."""
_SOON = 3.0
"""Seconds until ckptcheck writes to standard error what it waits for."""
_CHUNK = 1 << 20


def read_input(path: str) -> bytes:
    """Reads a file or a pipe to its end.

    Args:
        path: the file; ``-`` means standard input.

    Raises:
        UsageError: it is too large, has no end, or is a device.
        OSError: it cannot be read.
    """
    if path == "-":
        return _read_standard_input()
    _verify_kind(os.stat(path), path)
    # Opening a named pipe without a writer must not block. Only the read below has a time limit.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        return _read_to_end(descriptor, path)
    finally:
        os.close(descriptor)


def _verify_kind(info: os.stat_result, name: str) -> None:
    """Refuses devices: some are endless, and opening others has side effects.

    Raises:
        UsageError: the file is a device.
    """
    is_null = stat.S_ISCHR(info.st_mode) and info.st_rdev == os.stat(os.devnull).st_rdev
    if stat.S_ISBLK(info.st_mode) or (stat.S_ISCHR(info.st_mode) and not is_null):
        raise UsageError(
            f"{name}: it is a device; expected a file with a JSON object, or - for standard input"
        )
    if stat.S_ISREG(info.st_mode) and info.st_size > LARGEST:
        raise _too_large(name)


def _read_standard_input() -> bytes:
    name = "standard input"
    if sys.stdin is None:
        raise UsageError(f"{name}: it is closed")
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, io.UnsupportedOperation):  # the caller has replaced sys.stdin
        data: bytes = sys.stdin.buffer.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise _too_large(name) from None
        return data
    return _read_to_end(descriptor, name)


def _read_to_end(descriptor: int, name: str) -> bytes:
    """Returns the bytes of an open file or pipe.

    Raises:
        UsageError: it is too large, or takes too long.
        OSError: it cannot be read.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    end = time.monotonic() + LONGEST_WAIT
    told = False
    pieces: List[bytes] = []
    left = LARGEST
    while left >= 0:
        if not told and not poll.poll(_SOON * 1000):
            told = True
            sys.stderr.write(f"ckptcheck: waiting for {name}\n")
            sys.stderr.flush()
        if told and not poll.poll(max(end - time.monotonic(), 0) * 1000):
            raise UsageError(
                f"{name}: it did not end within {LONGEST_WAIT:g} s; write it to a file, and give "
                "that file"
            )
        try:
            piece = os.read(descriptor, min(_CHUNK, left + 1))
        except BlockingIOError:
            continue
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        left -= len(piece)
    raise _too_large(name)


def _too_large(name: str) -> UsageError:
    return UsageError(f"{name}: larger than {LARGEST >> 20} MiB")
