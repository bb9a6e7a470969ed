"""The process: the command ``ckptcheck``, and ``python -m ckptcheck``."""

import contextlib
import gc
import os
import sys

from .cli import main

_RARELY = 100000
"""How many new objects start the garbage collector. Nearly all imported objects stay anyway."""


def run() -> None:
    """Runs the command line and ends the process at once, without freeing its memory.

    This and the rare garbage collection save a fifth of the time of ``ckptcheck inspect``.
    """
    gc.set_threshold(_RARELY)
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        with contextlib.suppress(OSError):  # the reader has closed the pipe
            sys.stderr.flush()
        os._exit(end.code)


if __name__ == "__main__":
    run()
