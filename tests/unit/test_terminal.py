"""What is written depends on what standard output is."""

import sys

import pytest

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
