"""Shows progress on a terminal: a bar while data is read, and a line for other work."""

import contextlib
import sys
import threading
from typing import Any


class Bar(contextlib.ExitStack):
    """A progress bar on standard error, if that is a terminal.

    It ends when all data is read, before the command prints its report.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None  # typer exports no type for it
        self._done = 0

    def show(self, done: int, whole: int) -> None:
        """Shows how many bytes have been read."""
        if not sys.stderr.isatty() or done == self._done:
            return
        if done < self._done:  # reading starts again
            self._end()
            self._done = 0
        if self._bar is None:
            import typer  # this import takes a third of the time of a check from the cache

            bar = typer.progressbar(length=whole, label="reading", file=sys.stderr)
            self._bar = self.enter_context(bar)
        self._bar.update(done - self._done)
        self._done = done
        if done >= whole:
            self._end()

    def _end(self) -> None:
        self.close()
        self._bar = None


_PATIENCE = 3.0
"""Seconds before a line says what takes so long."""
_CLEARED = "\r\033[K"


class Status:
    """A line on standard error, if that is a terminal, that says what a long check is doing."""

    def __init__(self) -> None:
        self._text = ""
        self._shown = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def say(self, text: str) -> None:
        """Shows what the check does from now on."""
        self._text = text

    def __enter__(self) -> "Status":
        if sys.stderr.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._shown:
            self._write(_CLEARED)

    def _show(self) -> None:
        before, wait = "", _PATIENCE
        while not self._ended.wait(wait):
            wait = 0.5
            if self._text != before:
                before = self._text
                self._shown = True
                self._write(f"{_CLEARED}ckptcheck: {before} ...")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # standard error is closed
            sys.stderr.write(text)
            sys.stderr.flush()
