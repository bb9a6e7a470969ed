"""Standard output, whose reader may have seen enough, and which may be a disk that is full."""

import os
import sys

from .errors import UsageError


def write_out(text: str = "") -> None:
    """Writes a text, and all that was written before it, to standard output.

    A reader that has seen enough, such as head, is no error, and changes no exit code.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is left in its buffer
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"standard output cannot be written: {error.strerror}")
