"""Fixtures that all tests can ask for."""

from pathlib import Path

import pytest

from .support import Project, copy_fixture


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A working copy of ``hidden_dropout``: three modes, a param with a default, slots in EVAL."""
    return copy_fixture("hidden_dropout", tmp_path)
