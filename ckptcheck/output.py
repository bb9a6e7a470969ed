"""Writes to standard output; tolerates a closed pipe and reports a full disk."""

import os
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
