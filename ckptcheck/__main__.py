"""The process: the command ``ckptcheck``, and ``python -m ckptcheck``."""

import contextlib
import gc
import os
import sys

from .cli import main

_RARELY = 100000
"""Objects between two looks of the collector: nearly all that is imported stays until the end."""


def run() -> None:
    """Runs the command line and ends the process, without taking down what ends with it.

    Both are worth a fifth of the time that ``ckptcheck inspect`` takes.
    """
    gc.set_threshold(_RARELY)
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        with contextlib.suppress(OSError):  # nobody is left to be told
            sys.stderr.flush()
        os._exit(end.code)


if __name__ == "__main__":
    run()
