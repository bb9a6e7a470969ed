"""A progress bar for what takes long: reading all data of a checkpoint."""

import sys
from typing import Any

import typer


class Bar:
    """A progress bar on standard error, where that is a terminal.

    It ends when all is read, not when the command does: what the command prints stands below.
    """

    def __init__(self) -> None:
        self._bar: Any = None  # typer names no type for it
        self._done = 0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def show(self, done: int, whole: int) -> None:
        """Shows how far it is."""
        if not sys.stderr.isatty() or done == self._done:
            return
        if done < self._done:  # it is read once more
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
