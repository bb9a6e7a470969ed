"""Runs the cases, and writes or finds the files of their outputs."""

import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Dict, Tuple

from ckptcheck import __version__

from ..support import FIXTURES, TENSORFLOW, Run, environment, run_cli
from .cases import BASE, Case

FILES = Path(__file__).resolve().parent / "files"
ENDS = {
    "text": ".txt",
    "json": ".json",
    "github": ".github",
    "gitlab": ".gitlab",
    "html": ".html",
    "junit": ".xml",
    "markdown": ".md",
    "sarif": ".sarif",
}
DAYS = 3
"""The age of each new file in days: reports show ages, and ckptcheck waits for new files."""

COMPARED = TENSORFLOW == "2.15.1" and sys.version_info[:2] == (3, 11)
"""Whether outputs that depend on TensorFlow can be compared with the files."""


def file_of(case: Case, output: str) -> Path:
    """The file that holds the output of a case."""
    return FILES / (case.name + ENDS[output])


def outputs_of(case: Case, folder: Path) -> Dict[str, str]:
    """Runs a case on a new copy of its fixture.

    Args:
        case: what to run.
        folder: an empty directory for the copy.

    Returns:
        The outputs, with the format's name as key. The ``text`` output begins with the command and
        ends with the exit code. Placeholders replace parts that differ between two runs, and style
        and script.
    """
    _copy(case, folder)
    written = folder.parent / f"{folder.name}-written"
    written.mkdir()
    paths = {name: written / name for name in case.formats if name != "text"}
    options = ["--quiet"] * case.check
    for name, path in paths.items():
        options += ["--output", f"{name}={path}"]
    words = [*case.words]
    end = words.index("--") if "--" in words else len(words)
    env = environment(COLUMNS="80", TMPDIR=str(folder))
    run = run_cli(*words[:end], *options, *words[end:], cwd=folder, env=env, warm=case.check)
    found = {"text": _session(case.words, run)}
    found.update((name, path.read_text("utf-8")) for name, path in paths.items())
    return {name: with_placeholders(text, folder) for name, text in found.items()}


def _session(words: Tuple[str, ...], run: Run) -> str:
    err = "".join(line + "\n" for line in run.err.splitlines())
    said = f"--- stderr\n{err}" if err else ""
    return f"$ {' '.join(('ckptcheck', *words))}\n{run.out}{said}--- exit code {run.code}\n"


def _copy(case: Case, folder: Path) -> None:
    if case.fixture:
        source = FIXTURES / case.fixture
        for path in (*source.glob("model*.py"), *source.glob("params*.json")):
            shutil.copy(str(path), str(folder))
        shutil.copytree(
            str(source / case.saved_by), str(folder / BASE), copy_function=shutil.copyfile
        )
        _make_old(folder / BASE)
    if case.edit is not None:
        case.edit(folder)
        if case.fixture:
            _make_old(folder / BASE)


def _make_old(model_dir: Path) -> None:
    now = time.time()
    then = now - DAYS * 86400
    for path in model_dir.iterdir():
        if path.stat().st_mtime > now - 3600:
            os.utime(str(path), (then, then))


def with_placeholders(text: str, folder: Path) -> str:
    """Replaces what differs between two runs, two machines, or two versions of typer."""
    for old, new in (
        (str(folder), "<folder>"),
        (sys.executable, "<interpreter>"),
        (f"ckptcheck {__version__}", "ckptcheck <version>"),
        (f'"version": "{__version__}"', '"version": "<version>"'),
    ):
        text = text.replace(old, new)
    for pattern, new in (
        (r"Python \d+\.\d+\.\d+;", "Python <python>;"),
        (r"(?s)<(style|script)>.*?</\1>", r"<\1></\1>"),
        (r"sha256-[\w+/=]+", "sha256-<digest>"),
        (r'"python": "[\d.]+"', '"python": "<python>"'),
        (r'"written": [\d.]+', '"written": "<time>"'),
        (r" Did you mean (--[\w-]+)\?", r" (Possible options: \1)"),  # an older click
        (r"^made: 4 files, .*", "made: 4 files, <size>"),  # it depends on the version of zlib
    ):
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    # The length of Python's version decides where this line is wrapped.
    wrapped = re.compile(r"^  TensorFlow .*(\n    .*)+", re.MULTILINE)
    text = wrapped.sub(lambda found: re.sub(r"\n +", " ", found.group()), text)
    return _help_of_any_typer(text) if "\nUsage: ckptcheck" in text else text


def _help_of_any_typer(text: str) -> str:
    """A help text without what versions of typer write differently."""
    text = re.sub(r"\n {9,}", " ", text)  # continued lines of an option's help
    text = re.sub(r"(\S) {2,}", r"\1  ", text).replace("\\[", "[")
    text = re.sub(r"(?<=[A-Z]) <(str|list\[str\])>", "", text)
    text = re.sub(r" +\[(required|default)", r"  [\1", text)
    text = text.replace("[FILES]...", "FILES")
    return re.sub(r"[{\[]([A-Z_]{3,})[}\]]", r"\1", text)
