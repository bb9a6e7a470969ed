"""Without dry runs, TensorFlow's shape functions lead to the same verdicts.

Both sides are ckptcheck: ``test_against_estimator.py`` compares the verdicts of dry runs with
TensorFlow.
"""

from typing import Any, Iterator

import pytest

from ckptcheck.client.process import Tracer

from .all_cases import CASES
from .cases import Case
from .daily import is_daily
from .harness import CHECK_TIMEOUT_SECONDS, Check, Checker, Oracle, prepare

ONLY_A_RUN_SHOWS = (
    "sparse-hash-buckets",
    "dry-run-every-position",
    "dry-run-branches",
    "dry-run-mapped-rows",
    "dry-run-row-looked-up",
    "dry-run-python-of-what-raises",
)
"""The cases that depend on data, or on what the graph optimizer and kernels make of shapes."""


class WithoutDryRun(Tracer):
    """A tracer for which every dry run is too large."""

    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"_MOST_BYTES = 1 << 29", b"_MOST_BYTES = -1     "))


class Inferring(Checker):
    """ckptcheck without dry runs."""

    def _started(self) -> Tracer:
        tracer = WithoutDryRun(None, CHECK_TIMEOUT_SECONDS, quiet=True)
        tracer.hello()
        return tracer


@pytest.fixture(scope="module")
def inferring(oracle: Oracle) -> Iterator[Checker]:
    """Starts only if there is an Estimator, because the cases need one."""
    started = Inferring()
    yield started
    started.close()


def _parameters() -> Iterator[Any]:
    for case in CASES:
        if case.id not in ONLY_A_RUN_SHOWS:
            daily = is_daily(case) and ("dry-run" in case.id or "fused" in case.id)
            yield pytest.param(case, id=case.id, marks=[] if daily else [pytest.mark.nightly])


@pytest.mark.parametrize("case", list(_parameters()))
def test_verdicts_without_a_dry_run(
    case: Case, oracle: Oracle, checker: Checker, inferring: Checker, tmp_path: Any
) -> None:
    if case.major not in (None, oracle.major):
        pytest.skip(f"needs TensorFlow {case.major}")
    workspace = prepare(case, str(tmp_path), oracle)
    ran, inferred = Check(case, workspace, checker), Check(case, workspace, inferring)
    assert [inferred.verdict(mode) for mode in case.modes] == [
        ran.verdict(mode) for mode in case.modes
    ], inferred.describe()
