"""Draws docs/report.svg, the picture of a report: python docs/generate_report_svg.py.

It runs a check of a fixture in a terminal of 80 columns and draws what the check prints. It needs
TensorFlow 2.15.1 and Python 3.11, as the golden file of the same check does.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple
from xml.etree import ElementTree

PROJECT = Path(__file__).resolve().parent.parent
TARGET = Path(__file__).with_name("report.svg")
GOLDEN = PROJECT / "tests" / "golden" / "files" / "check-silent.txt"
"""The golden file of the check that is drawn; it names the command in its first line."""

COLUMNS = 80
_WIDTH, _HEIGHT, _MARGIN = 8.4, 18, 16
_COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#f2cc60", "36": "#79c0ff"}
_PLAIN = "#e6edf3"
_SPACE = "\xa0"
"""Stands for a space, of which SVG would merge several into one."""
_ESCAPE = re.compile(r"\x1b\[([\d;]*)m")

_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"
 font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
<title>A report of ckptcheck</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
{lines}
</svg>
"""


def command() -> List[str]:
    """The command that is drawn, as the golden file names it."""
    first = GOLDEN.read_text("utf-8").partition("\n")[0]
    return first[len("$ ") :].split()


def colored_output() -> str:
    """Runs the command on a copy of the fixture, in a terminal, and returns what it prints."""
    fixture = PROJECT / "fixtures" / "hidden_dropout"
    with tempfile.TemporaryDirectory() as folder:
        for path in (*fixture.glob("model.py"), *fixture.glob("*.json")):
            shutil.copy(str(path), folder)
        shutil.copytree(str(fixture / "tf215"), os.path.join(folder, "runs", "base"))
        words = [sys.executable, "-m", *command(), "--quiet"]
        return _in_terminal(words, folder)


def _in_terminal(words: List[str], folder: str) -> str:
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm", "PYTHONPATH": str(PROJECT)}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(words, cwd=folder, env=env, stdout=theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        written += piece
    os.close(ours)
    if process.wait() != 1:
        raise SystemExit(f"{' '.join(words)} ended with exit code {process.returncode}")
    return written.decode("utf-8").replace("\r\n", "\n")


def render(text: str) -> str:
    """An SVG of a text with a terminal's colors."""
    lines = list(_lines(text.rstrip("\n")))
    drawn = [_line(number, pieces) for number, pieces in enumerate(lines) if pieces]
    return _SVG.format(
        width=COLUMNS * _WIDTH + 2 * _MARGIN,
        height=len(lines) * _HEIGHT + 2 * _MARGIN,
        lines="\n".join(drawn),
    )


Piece = Tuple[str, bool, str]
"""The color of a part of a line, whether it is bold, and its text."""


def _lines(text: str) -> Iterator[List[Piece]]:
    color, bold = _PLAIN, False
    for line in text.split("\n"):
        parts = _ESCAPE.split(line)
        pieces = [(color, bold, parts[0])]
        for codes, piece in zip(parts[1::2], parts[2::2]):
            code, _, weight = codes.partition(";")
            color, bold = _COLORS.get(code, _PLAIN), weight == "1"
            pieces.append((color, bold, piece))
        yield [piece for piece in pieces if piece[2]]


def _line(number: int, pieces: Sequence[Piece]) -> str:
    spans, column = [], 0
    for color, bold, text in pieces:
        weight = ' font-weight="bold"' if bold else ""
        place = f'x="{_MARGIN + column * _WIDTH:g}" textLength="{len(text) * _WIDTH:g}"'
        shown = escape(text, quote=False).replace(" ", _SPACE)
        spans.append(f'<tspan {place} fill="{color}"{weight}>{shown}</tspan>')
        column += len(text)
    height = _MARGIN + (number + 1) * _HEIGHT - 4
    return f'<text y="{height}">{"".join(spans)}</text>'


def text_of(svg: str) -> str:
    """The text that an SVG of `render` shows, without its empty lines."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    lines = ("".join(text.itertext()) for text in texts)
    return "".join(line.replace(_SPACE, " ") + "\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(render("$ " + " ".join(command()) + "\n" + colored_output()), "utf-8")
