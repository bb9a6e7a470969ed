"""Each call of TensorFlow has the digest that library.json says."""

import subprocess
import sys
from typing import Dict

import pytest

from ..support import PROJECT, environment, needs_tensorflow
from .library import calls, recorded


def test_library_json_has_all_calls() -> None:
    known = recorded()
    assert sorted(calls()) == sorted([*known["same"], *known["unlike"]])
    assert len(set(calls())) == len(calls())


def test_most_calls_have_a_common_form() -> None:
    known = recorded()
    assert {"1.15", "2.15"} < set(known["versions"])
    assert len(known["same"]) > 0.9 * len(calls())


@needs_tensorflow
@pytest.mark.nightly
def test_this_version_builds_what_is_recorded() -> None:
    """If a new version builds a call in another way, add a rule, or record the new digest."""
    words = [sys.executable, "-m", "tests.drift.library"]
    quiet: Dict[str, str] = environment()
    run = subprocess.run(words, cwd=str(PROJECT), env=quiet, stdout=subprocess.PIPE, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "")
