"""A progress bar for reading all data of a checkpoint."""

import contextlib
import sys
from typing import Any

import typer


class Bar(contextlib.ExitStack):
    """A progress bar on standard error, if that is a terminal.

    It ends when all data is read, before the command prints its report.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None  # typer exports no type for it
        self._done = 0

    def show(self, done: int, whole: int) -> None:
        """Shows how many of all bytes are read."""
        if not sys.stderr.isatty() or done == self._done:
            return
        if done < self._done:  # reading starts again
            self._end()
            self._done = 0
        if self._bar is None:
            bar = typer.progressbar(length=whole, label="reading", file=sys.stderr)
            self._bar = self.enter_context(bar)
        self._bar.update(done - self._done)
        self._done = done
        if done >= whole:
            self._end()

    def _end(self) -> None:
        self.close()
        self._bar = None
