"""The command line without TensorFlow, in the process of the test."""

import shutil
from pathlib import Path
from typing import Tuple

import pytest

from ckptcheck import __version__
from ckptcheck.cli import main
from ckptcheck.exit_codes import EXIT_USAGE
from tests.support import FIXTURES


def ran(capfd: pytest.CaptureFixture[str], *words: str) -> Tuple[object, str, str]:
    """The exit code, the output, and the errors."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capfd.readouterr()
    return ended.value.code, out, err


def test_what_ckptcheck_says_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(capfd, "--version") == (0, f"ckptcheck {__version__}\n", "")
    code, rules, _ = ran(capfd, "--list-rules")
    assert code == 0 and any(line.startswith("shape-mismatch ") for line in rules.splitlines())
    code, explained, _ = ran(capfd, "--explain", "params-changed")
    assert code == 0 and explained.startswith("params-changed (warning)")
    code, _, problem = ran(capfd, "--explain", "params-change")
    assert code == EXIT_USAGE and "did you mean params-changed?" in problem


def test_help_lists_the_commands(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capfd, "--help")
    assert code == 0
    assert all(name in out for name in ("check", "inspect", "record", "snapshot", "verify"))


def test_a_directory_is_inspected(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capfd, "inspect", str(FIXTURES / "linear" / "tf215"))
    assert code == 0 and "model.ckpt-10" in out


def test_a_record_needs_a_local_directory(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "params.json").write_text("{}")
    params = str(tmp_path / "params.json")
    code, _, problem = ran(capfd, "record", "gs://bucket/runs", "net:model_fn", params)
    assert code == EXIT_USAGE and "a record can only be written to a local directory" in problem
    shutil.copytree(str(FIXTURES / "linear" / "tf215"), str(tmp_path / "runs"))
    given = (str(tmp_path / "runs"), "net:model_fn", params)
    words = ("record", *given, "--python", "no-such-python")
    code, _, problem = ran(capfd, *words)
    assert code == EXIT_USAGE and "no-such-python" in problem
    assert not list((tmp_path / "runs").glob("*.ckptcheck.json"))
