"""The README shows what the commands print."""

import re
import shutil
from pathlib import Path
from typing import List, Tuple

import pytest

from .golden.output import COMPARED
from .support import FIXTURES, PROJECT, environment, run_cli

LEFT_OUT = "…"


def sessions() -> List[Tuple[str, List[str]]]:
    """The commands that the README shows, each with the lines below it."""
    text = (PROJECT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```console\n\$ ckptcheck (.+)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    return [(words, lines.splitlines()) for words, lines in blocks]


def test_there_are_sessions() -> None:
    assert len(sessions()) > 2


@pytest.mark.skipif(not COMPARED, reason="the output is that of TensorFlow 2.15.1")
@pytest.mark.parametrize(("words", "shown"), sessions())
def test_a_session_is_what_the_command_prints(words: str, shown: List[str], tmp_path: Path) -> None:
    copy = tmp_path / "hidden_dropout"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    env = environment(COLUMNS="80")
    run = run_cli("--quiet", *words.split(), cwd=copy, env=env, warm=True)
    pieces = "\n".join(["", *shown, ""]).split(f"\n{LEFT_OUT}\n")
    pattern = "\n(.*\n)*".join(re.escape(piece) for piece in pieces)
    assert re.fullmatch(pattern, "\n" + run.out), run.out
