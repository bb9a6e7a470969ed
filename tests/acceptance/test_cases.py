"""Tests of the cases themselves, without TensorFlow."""

import os
from typing import Any

import pytest

from .all_cases import CASES
from .cases import Case
from .daily import DAILY
from .workspace import FIXTURES, Workspace

NAMES = sorted(
    name for name in os.listdir(FIXTURES) if os.path.isdir(os.path.join(FIXTURES, name, "tf115"))
)


def test_the_daily_ones_are_cases() -> None:
    assert {case.id for case in CASES} >= DAILY


def test_ids_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("name", NAMES)
def test_every_fixture_is_also_restored_unchanged(name: str) -> None:
    assert [case for case in CASES if case.fixture == name and not case.edits]


@pytest.mark.parametrize("saved_by", ["tf115", "tf215"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_edits_apply(case: Case, saved_by: str, tmp_path: Any) -> None:
    workspace = Workspace(str(tmp_path), case.fixture, case.module, saved_by * (not case.trains))
    if case.trains:  # the test only needs the name of a checkpoint
        os.mkdir(workspace.model_dir)
        for name in ("checkpoint", "model.ckpt-2.index", "model.ckpt-2.meta"):
            with open(os.path.join(workspace.model_dir, name), "w"):
                pass
    for edit in (*case.before, *case.edits):
        edit(workspace)
    with open(workspace.path(case.module + ".py")) as f:
        compile(f.read(), case.module, "exec")
