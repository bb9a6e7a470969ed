"""Tests of standard output: a closed pipe, a full disk, and a closed descriptor."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.support import PROJECT

LINEAR = str(PROJECT / "fixtures" / "linear" / "tf215")


def run(words: List[str], **streams: Any) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "ckptcheck", *words]
    streams.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(command, cwd=str(PROJECT), check=False, **streams)


def closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


COMMANDS = [["inspect", LINEAR, "--all"], ["--list-rules"], ["--version"]]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_has_seen_enough_changes_no_exit_code(words: List[str]) -> None:
    descriptor = closed_pipe()
    done = run(words, stdout=descriptor)
    os.close(descriptor)
    assert (done.returncode, done.stderr) == (0, b"")


def test_findings_stay_findings_where_nobody_reads_them(tmp_path: Path) -> None:
    for name in ("checkpoint", "model.ckpt-10.index"):
        (tmp_path / name).write_bytes(Path(LINEAR, name).read_bytes())
    descriptor = closed_pipe()
    done = run(["inspect", str(tmp_path)], stdout=descriptor)
    os.close(descriptor)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("words", COMMANDS)
def test_a_full_disk_is_said(words: List[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = run(words, stdout=full)
    assert done.returncode == 2
    assert done.stderr.startswith(b"ckptcheck: error: standard output cannot be written: ")
    assert done.stderr.count(b"\n") == 1


def test_a_closed_standard_output_is_no_error() -> None:
    done = run(["inspect", LINEAR], preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (0, b"")


def test_all_is_written_before_the_process_ends() -> None:
    def lines(environment: Dict[str, str]) -> int:
        words = ["inspect", LINEAR, "--all", "--format", "json"]
        return run(words, stdout=subprocess.PIPE, env=environment).stdout.count(b"\n")

    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONUNBUFFERED"}
    assert lines(environment) == lines(dict(environment, PYTHONUNBUFFERED="1")) > 10
