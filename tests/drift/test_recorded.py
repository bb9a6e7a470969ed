"""Drift of the fixtures, found by a record: with any TensorFlow, since it writes the record."""

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import pytest

import ckptcheck
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
def tracer() -> Iterator[ckptcheck.Tracer]:
    with ckptcheck.Tracer() as started:
        yield started


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """The folder of each fixture, with a record of its unedited code."""
    folders: Dict[str, Path] = {}
    for name in some():
        model, _ = ENTRIES[name]
        if model.id not in folders:
            folder = folders[model.id] = tmp_path_factory.mktemp(model.id) / "project"
            shutil.copytree(str(FIXTURES / model.fixture), str(folder))
            report = ckptcheck.record(*arguments(folder, model.source, model))
            assert report.ok, report.text()
    return folders


def arguments(folder: Path, source: str, model: Model) -> Tuple[str, str, Dict[str, Any]]:
    """Writes the code, and returns MODEL_DIR, TARGET and PARAMS."""
    (folder / "model.py").write_text(source, "utf-8")
    target = str(folder / "model.py") + ":model_fn"
    return str(folder / SAVED_BY), target, dict(model.params)


@pytest.mark.parametrize("name", list(some()))
def test_entry(name: str, recorded: Dict[str, Path], tracer: ckptcheck.Tracer) -> None:
    model, edit = ENTRIES[name]
    source = model.source
    for old, new in edit.changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    report = tracer.check(*arguments(recorded[model.id], source, model))
    states = report.drift.states
    if edit.silent:
        assert "changed" in states.values(), report.text()
    else:
        assert set(states.values()) == {"none"}, report.text()
