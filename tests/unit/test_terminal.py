"""Tests that the output depends on the type of standard output."""

import io
import sys
import time

import pytest

from ckptcheck.commands import progress
from ckptcheck.commands.terminal import of_terminal


@pytest.mark.parametrize(
    ("no_color", "term", "colors"),
    [
        *[(None, "xterm", True), ("", "xterm", True), ("1", "xterm", False)],
        *[(None, "dumb", False), (None, None, True)],
    ],
)
def test_colors(no_color: str, term: str, colors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name, value in (("NO_COLOR", no_color), ("TERM", term)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert of_terminal().color == colors


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_line_says_what_takes_long(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE", 0.01)
    with progress.Status() as status:
        status.say("tracing model_fn")
        deadline = time.monotonic() + 10
        while is_terminal and not stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    wanted = "\r\033[Kckptcheck: tracing model_fn ...\r\033[K"
    assert stream.getvalue() == (wanted if is_terminal else "")
