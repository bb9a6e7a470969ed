"""The completion of the command line in the shell, with the script that ckptcheck prints."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from ckptcheck.catalogue import catalogue
from ckptcheck.commands import COMMANDS
from ckptcheck.reporters import formats
from ckptcheck.results import SEVERITIES

from ..support import environment, run_cli

SHELLS = ("bash", "zsh", "fish")


def script_of(shell: str, folder: Path) -> str:
    """Returns the script of --show-completion for a shell. typer does not detect a shell here."""
    env = environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    done = run_cli("--show-completion", shell, cwd=folder, env=env)
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture
def shell(tmp_path: Path) -> str:
    """Returns the start of a bash script, with the completion and ckptcheck on its path."""
    if shutil.which("bash") is None:
        pytest.skip("NOT TESTED: there is no bash")
    command = tmp_path / "bin" / "ckptcheck"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ckptcheck "$@"\n')
    command.chmod(0o755)
    return f'PATH="{command.parent}:$PATH"\n{script_of("bash", tmp_path)}\n'


def completed(shell: str, *words: str) -> List[str]:
    """Returns the completions of bash for the last word of a command line."""
    listed = " ".join(f"'{word}'" for word in ("ckptcheck", *words))
    script = f"""{shell}
COMP_WORDS=({listed})
COMP_CWORD={len(words)}
function=$(complete -p ckptcheck | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" ckptcheck
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, env=environment())
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode().split("\n")[:-1]


def test_bash(shell: str) -> None:
    """Commands, options and values; without a command, those of a check."""
    assert sorted(completed(shell, "")) == sorted(COMMANDS)  # their order is that of click
    assert completed(shell, "in") == ["init", "inspect"]
    assert completed(shell, "inspect", "runs/base", "--fo") == ["--format"]
    assert completed(shell, "inspect", "runs/base", "--format", "") == list(formats())
    assert completed(shell, "verify", "runs/base", "--fail-on", "") == list(SEVERITIES)
    assert completed(shell, "runs/base", "model:model_fn", "--mode", "e") == ["eval", "export"]
    assert completed(shell, "runs/base", "model:model_fn", "--show-") == [
        *("--show-plan", "--show-drift")
    ]
    assert completed(shell, "runs/base", "--output", "j") == ["json=", "junit="]
    assert completed(shell, "--explain", "shape") == ["shape-mismatch"]
    assert completed(shell, "--explain", "") == list(catalogue())


def test_bash_completes_files_where_ckptcheck_has_nothing_to_offer(shell: str) -> None:
    assert completed(shell, "runs/ba") == [""]
    assert "complete -o default " in shell


def test_a_completion_does_nothing_else(shell: str) -> None:
    for option in ("--version", "--list-rules"):
        assert completed(shell, option, "in") == ["init", "inspect"]
    assert completed(shell, "--explain", "no-such-rule", "in") == ["init", "inspect"]


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_of_each_shell_asks_for_completions(name: str, tmp_path: Path) -> None:
    """Each script calls ckptcheck in its own way.

    The test repeats these calls; the test above runs bash.
    """
    script = script_of(name, tmp_path)
    assert f"_CKPTCHECK_COMPLETE=complete_{name}" in script
    asked = {
        "bash": {"COMP_WORDS": "ckptcheck ver", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "ckptcheck ver"},
        "fish": {"_TYPER_COMPLETE_ARGS": "ckptcheck ver"},
    }[name]
    asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    env = environment(_CKPTCHECK_COMPLETE=f"complete_{name}", **asked)
    done = run_cli(cwd=tmp_path, env=env)
    assert (done.code, done.err) == (0, "")
    assert "verify" in done.out and "inspect" not in done.out


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_takes_its_script(name: str, tmp_path: Path) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"NOT TESTED: there is no {name}")
    path = tmp_path / "script"
    path.write_text(script_of(name, tmp_path))
    subprocess.run([name, "-n", str(path)], check=True)
