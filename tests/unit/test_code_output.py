"""What the traced code prints, on the way to standard error."""

import io
from typing import List

import pytest

from ckptcheck.client.code_output import CodeOutput


def shown(capsys: pytest.CaptureFixture[str], *data: bytes) -> str:
    output = CodeOutput(quiet=False)
    output.pump(Pieces(list(data)))
    return capsys.readouterr().err


class Pieces(io.BytesIO):
    """A stream that arrives in pieces."""

    def __init__(self, pieces: List[bytes]) -> None:
        super().__init__()
        self._pieces = pieces

    def read1(self, size: "int | None" = -1) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def test_a_line_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, b"a\nb\n", b"a\nc\n") == "a\nb\nc\n"


def test_a_line_without_words_belongs_to_the_line_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trace = b"-----\nlayer 1\n-----\n\nlayer 2\n-----\n"
    assert shown(capsys, trace, trace) == "-----\nlayer 1\n-----\n\nlayer 2\n-----\n-----\n"


def test_lines_in_pieces_and_a_last_line_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, b"\xc3", b"\xa4 l", b"ine\nthe la", b"st") == "ä line\nthe last\n"


def test_the_next_check_shows_its_lines_again(capsys: pytest.CaptureFixture[str]) -> None:
    output = CodeOutput(quiet=False)
    for _ in range(2):
        output.begin()
        output.pump(Pieces([b"a\na\n"]))
    assert capsys.readouterr().err == "a\na\n"


def test_each_step_of_a_progress_bar_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, b"1 %\r2", b" %\r\nend\r", b"\nend\nx\xc3") == "1 %\n2 %\nend\nx\ufffd\n"


def test_a_line_of_megabytes_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, *[b"%d " % number + b"x" * 100000 for number in range(30)])
    assert len(text) < 1200000
    assert text.endswith("\nckptcheck: more output of the traced code is not shown\n")


def test_the_last_line_is_known_even_if_nothing_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = CodeOutput(quiet=True)
    output.pump(Pieces([b"first\nlast \n"]))
    assert output.tail() == "last"
    assert capsys.readouterr().err == ""
