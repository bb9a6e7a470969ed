"""A progress bar for reading all data of a checkpoint."""

import sys
from typing import Any

import typer


class Bar:
    """A progress bar on standard error, if that is a terminal.

    It ends when all data is read, before the command prints its report.
    """

    def __init__(self) -> None:
        self._bar: Any = None  # typer exports no type for it
        self._done = 0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def show(self, done: int, whole: int) -> None:
        """Shows how many of all bytes are read."""
        if not sys.stderr.isatty() or done == self._done:
            return
        if done < self._done:  # reading starts again
            self._end()
            self._done = 0
        if self._bar is None:
            bar = typer.progressbar(length=whole, label="reading", file=sys.stderr)
            self._bar = bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done
        if done >= whole:
            self._end()

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
        self._bar = None
