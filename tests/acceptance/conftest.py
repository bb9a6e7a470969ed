"""One oracle and one checker per test process. They keep only the imported TensorFlow."""

from typing import Iterator

import pytest

from .harness import Checker, Oracle, UnfitError


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """Yields the oracle. If this interpreter has no Estimator, skips the test and says why."""
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
