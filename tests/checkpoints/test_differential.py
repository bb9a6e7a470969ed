"""The reader says of every checkpoint what TensorFlow says of it."""

import os

import pytest

from ..support import FIXTURES, needs_tensorflow

PREFIXES = sorted(str(path)[: -len(".index")] for path in FIXTURES.glob("*/*/*.index"))


@needs_tensorflow
@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda path: os.path.relpath(path, str(FIXTURES)))
def test_fixtures(prefix: str) -> None:
    from .differential import compare

    compare(prefix)


@needs_tensorflow
def test_random_checkpoints() -> None:
    """More of them: ``python -m tests.checkpoints.differential``."""
    from .differential import run

    counts = run(trials=25, seed=7, verbose=False)
    assert counts["trials"] == 25
    assert counts["dtypes"] >= 20
    assert counts["parts"] and counts["not UTF-8"]
