"""The catalogue is large and varied enough, and every edit fits its model."""

import pytest

from .catalogue import ENTRIES, MODELS
from .entries import MODES, edited

SILENT = [edit for _, edit in ENTRIES.values() if edit.silent]
INNOCENT = [edit for _, edit in ENTRIES.values() if not edit.silent]


def test_catalogue_is_large_and_varied() -> None:
    assert len([edit for edit in SILENT if edit.comparable]) >= 120
    assert len({edit.kind for edit in SILENT}) >= 30
    assert len(INNOCENT) >= 60


def test_ids_are_unique() -> None:
    assert len(ENTRIES) == sum(len(model.edits) for model in MODELS.values())


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_edit_fits_its_model(name: str) -> None:
    model, edit = ENTRIES[name]
    before, after = edited(model, None), edited(model, edit)
    assert before != after
    compile(after[0], name, "exec")
    assert set(edit.modes) <= set(MODES)
    assert edit.silent or not edit.told
