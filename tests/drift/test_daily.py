"""Tests the reports about a few entries. `python -m tests.drift` tests all entries."""

import sys
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest

import ckptcheck

from ..support import needs_estimator
from .catalogue import ENTRIES
from .entries import Model
from .scoring import check, run_prover, score

pytestmark = needs_estimator

DAILY = (
    "hd-activation",
    "hd-dropout",
    "hd-rate",
    "hd-l2",
    "hd-three-at-once",
    "hd-bias-removed",
    "hd-new-head",
    "hd-head-of-the-same-name",
    "hd-scaled-by-a-new-variable",
    "hd-variable-that-nothing-uses",
    "hd-optimizer-in-train-alone",
    "hd-renamed-python",
    "col-boundaries",
    "col-vocabulary-order",
    "col-normalizer",
    "col-normalizer-gone",
    "col-reordered",
    "col-accumulator",
    "col-metrics",
    "grad-constant",
    "grad-of-exp-is-plain",
    "grad-override-removed",
    "grad-in-a-scope",
    "one-scaled-by-mode",
    "bn-always-training",
    "ema-raw-weights-in-predict",
)
"""Entries of five models, so that only five are trained."""


@pytest.fixture(scope="module")
def tracer() -> Iterator[ckptcheck.Tracer]:
    with ckptcheck.Tracer() as started:
        yield started


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Model], str]:
    """Trains a model when it is first asked for."""
    folders: Dict[str, Path] = {}

    def folder(model: Model) -> str:
        if model.id not in folders:
            folders[model.id] = tmp_path_factory.mktemp("trained") / model.id
            run_prover(model.id, str(folders[model.id]), [sys.executable], "--train")
        return str(folders[model.id])

    return folder


@pytest.mark.parametrize("name", DAILY)
def test_entry_is_reported(
    name: str, tracer: ckptcheck.Tracer, folder_of: Callable[[Model], str]
) -> None:
    model, edit = ENTRIES[name]
    assert score(tracer, folder_of(model), edit).problems == ()


def test_a_constant_without_a_name_is_told_by_what_takes_it(
    tracer: ckptcheck.Tracer, folder_of: Callable[[Model], str]
) -> None:
    model, edit = ENTRIES["ema-rate"]
    (finding,) = check(tracer, folder_of(model), edit.id)["findings"]
    what = "constant of exponential decay in the update of variables: 0.01 -> 0.005 (TRAIN only)"
    assert finding["data"]["what"] == what


def test_batch_norm_and_averages_that_are_read_are_not_in_doubt(
    tracer: ckptcheck.Tracer, folder_of: Callable[[Model], str]
) -> None:
    model, _ = ENTRIES["ema-decay"]
    report = check(tracer, folder_of(model), "base")
    drift = {mode: answer["drift"] for mode, answer in report["modes"].items()}
    assert drift == {"predict": "none", "eval": "none", "train": "none"}
