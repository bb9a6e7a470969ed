"""Fixtures that all tests can ask for."""

import os
import tempfile
from pathlib import Path

import hypothesis
import pytest

from ckptcheck import settled

from .support import Project, copy_fixture

# Tests choose the directory for temporary files by tempfile.tempdir, which TMPDIR would overrule.
tempfile.gettempdir()
os.environ.pop("TMPDIR", None)

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("ckptcheck", deadline=None)
hypothesis.settings.load_profile("ckptcheck")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A working copy of ``hidden_dropout``: three modes, a param with a default, slots in EVAL."""
    return copy_fixture("hidden_dropout", tmp_path)


@pytest.fixture(autouse=True)
def saved_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes what a test has just written for whole: nothing that is missing is waited for."""
    monkeypatch.setattr(settled, "_FRESH_SECONDS", 0.0)
