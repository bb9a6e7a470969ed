"""The README's example is what the command prints."""

import re
import sys

import pytest

from tests.support import PROJECT, TENSORFLOW, run_cli


@pytest.mark.skipif(
    not (TENSORFLOW or "").startswith("2.15"), reason="the README shows TensorFlow 2.15"
)
def test_the_example_is_what_is_printed() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    shown = re.search(
        r"^```console\n\$ cd (\S+)\n\$ ckptcheck (.*?)\n(.*?)^```$", text, re.M | re.S
    )
    assert shown is not None
    folder, arguments, output = shown.groups()
    run = run_cli(*arguments.split(), cwd=PROJECT / folder)
    assert run.code == 1, run
    python = ".".join(map(str, sys.version_info[:3]))
    assert run.out == re.sub(r"Python \d+\.\d+\.\d+", f"Python {python}", output)
