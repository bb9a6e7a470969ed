"""Fixtures for all tests."""

import os
import tempfile
from pathlib import Path
from typing import List

import hypothesis
import pytest

from ckptcheck import settled

from .spread import LONGEST, is_daily
from .support import Project, copy_fixture, needs_estimator

# Tests set tempfile.tempdir. TMPDIR would override it.
tempfile.gettempdir()
os.environ.pop("TMPDIR", None)

# Tests do not use the cache, unless this is "". Tests of the cache name a directory.
os.environ.setdefault("CKPTCHECK_NO_CACHE", "1")

# No deadline: the time of an example depends more on the machine than on the code.
hypothesis.settings.register_profile("ckptcheck", deadline=None)
hypothesis.settings.load_profile("ckptcheck")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Puts the longest tests first.

    In a run of all tests, marks tests as ``nightly`` that run daily with another TensorFlow.
    """
    everything = [os.path.basename(word) for word in config.args] == ["tests"]
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items if everything else ():
        estimator = needs_estimator.mark in item.iter_markers("skipif")
        compares = "oracle" in getattr(item, "fixturenames", ())
        if not is_daily(item.nodeid, estimator or compares):
            item.add_marker(pytest.mark.nightly)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A working copy of ``hidden_dropout``: three modes, a param with a default, slots in EVAL."""
    return copy_fixture("hidden_dropout", tmp_path)


@pytest.fixture(autouse=True)
def saved_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes all files look old, so that ckptcheck does not wait for missing files."""
    monkeypatch.setattr(settled, "_FRESH_SECONDS", 0.0)
