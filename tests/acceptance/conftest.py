"""One oracle per test process: it keeps TensorFlow imported and nothing else."""

from typing import Iterator

import pytest

from .harness import Oracle, UnfitError


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The real Estimator, or a skip that says why this interpreter has none."""
    try:
        process = Oracle()
    except UnfitError as reason:
        pytest.skip(f"NOT COMPARED WITH TENSORFLOW: {reason}")
    yield process
    process.close()
