"""Tests drift with a record. They work with any TensorFlow, because the tests write the record."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from ckptcheck import __version__
from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.options import CheckSpec, RecordSpec
from ckptcheck.recording import record
from tests.support import FIXTURES, SAVED_BY, needs_tensorflow

from .catalogue import ENTRIES
from .entries import Model

pytestmark = needs_tensorflow

OF_FIXTURES = [name for name, (model, edit) in ENTRIES.items() if model.fixture and edit.changes]
_MOST_OF_A_FIXTURE = 8


def some() -> Iterator[str]:
    """Yields the first entries of each fixture."""
    counts: Dict[str, int] = {}
    for name in OF_FIXTURES:
        model, _ = ENTRIES[name]
        counts[model.id] = counts.get(model.id, 0) + 1
        if counts[model.id] <= _MOST_OF_A_FIXTURE:
            yield name


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with Tracer(None, timeout=120.0, quiet=True) as started:
        yield started


@pytest.fixture(scope="module")
def recorded(tracer: Tracer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Model], Path]:
    """Returns a function that makes a copy of a fixture, with a record of the unedited code."""
    folders: Dict[str, Path] = {}

    def folder_of(model: Model) -> Path:
        if model.id not in folders:
            folder = folders[model.id] = tmp_path_factory.mktemp(model.id) / "project"
            shutil.copytree(str(FIXTURES / model.fixture), str(folder))
            asked = RecordSpec(**arguments(folder, model.source, model))
            report = record(asked, __version__, tracer)
            assert report.ok, report.text()
        return folders[model.id]

    return folder_of


def arguments(folder: Path, source: str, model: Model) -> Dict[str, Any]:
    """Writes the code, and returns MODEL_DIR, TARGET and PARAMS."""
    (folder / "model.py").write_text(source, "utf-8")
    target = str(folder / "model.py") + ":model_fn"
    return {
        "model_dir": str(folder / SAVED_BY),
        "target": target,
        "params": dict(model.params),
    }


@pytest.mark.parametrize("name", list(some()))
def test_entry(name: str, recorded: Callable[[Model], Path], tracer: Tracer) -> None:
    model, edit = ENTRIES[name]
    source = model.source
    for old, new in edit.changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    report = run_check(CheckSpec(**arguments(recorded(model), source, model)), tracer)
    states = report.drift.states
    if edit.silent:
        assert "changed" in states.values(), report.text()
    else:
        assert set(states.values()) == {"none"}, report.text()
