"""One oracle and one checker per test process: they keep TensorFlow imported and nothing else."""

from typing import Iterator

import pytest

from .harness import Checker, Oracle, UnfitError


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The real Estimator, or a skip that says why this interpreter has none."""
    try:
        process = Oracle()
    except UnfitError as reason:
        pytest.skip(f"NOT COMPARED WITH TENSORFLOW: {reason}")
    yield process
    process.close()


@pytest.fixture(scope="session")
def checker() -> Iterator[Checker]:
    """ckptcheck."""
    started = Checker()
    yield started
    started.close()
