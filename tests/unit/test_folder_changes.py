"""Tests of the changes of files in a model_dir. No TensorFlow."""

import os
import time
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from ckptcheck.checkpoint import folder_changes as module
from ckptcheck.checkpoint.folder_changes import (
    FolderState,
    attributed,
    changes,
    folder_state,
    state_after,
)
from ckptcheck.model_dir import ChangeKind, FileChange


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "events").write_text("a")
    (tmp_path / "checkpoint").write_text("a")
    (tmp_path / "linked").symlink_to(tmp_path / "eval", target_is_directory=True)
    return tmp_path


def test_each_kind_of_change_is_named(model_dir: Path) -> None:
    before = folder_state(str(model_dir))
    (model_dir / "eval" / "events").write_text("ab")
    (model_dir / "checkpoint").unlink()
    (model_dir / "made" / "deep").mkdir(parents=True)
    assert changes(before, folder_state(str(model_dir))) == (
        FileChange("checkpoint", ChangeKind.REMOVED),
        FileChange("eval/events", ChangeKind.CHANGED),
        FileChange("made/", ChangeKind.WRITTEN),
        FileChange("made/deep/", ChangeKind.WRITTEN),
    )


def test_nothing_is_nothing(model_dir: Path) -> None:
    """A read is no change, and a missing directory has no changes."""
    before = folder_state(str(model_dir))
    (model_dir / "checkpoint").read_text()
    assert changes(before, folder_state(str(model_dir))) == ()
    assert folder_state(str(model_dir / "gone")).entries == {}


def test_the_same_size_at_another_time_is_a_change(model_dir: Path) -> None:
    before = folder_state(str(model_dir))
    os.utime(str(model_dir / "checkpoint"), ns=(1, 1))
    assert changes(before, folder_state(str(model_dir))) == (
        FileChange("checkpoint", ChangeKind.CHANGED),
    )


def test_what_is_not_complete_is_not_compared(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the limit cut the lists at different files, unchanged files would count as changed."""
    before = folder_state(str(model_dir))
    monkeypatch.setattr(module, "_MOST_ENTRIES", 2)
    after = folder_state(str(model_dir))
    assert before.complete and not after.complete
    assert changes(before, after) == ()


SAVED = ("model.ckpt-2.index", "model.ckpt-2.meta", "model.ckpt-2.data-00000-of-00001")
UNIQUE = "0123456789abcdef" * 2


def attributed_by_kind(before: Any, after: Any) -> Tuple[List[str], List[str]]:
    found = attributed(_entries(before), _entries(after))
    return [item.name for item in found.of_a_training], [item.name for item in found.others]


def _entries(names: Any) -> FolderState:
    """Files by the time of their last change: all were changed long ago, in nanoseconds."""
    return FolderState({name: (1, time) for name, time in names.items()}, True)


@pytest.mark.parametrize(
    "more",
    [
        *[*SAVED, "events.out.tfevents.2.host", "graph.pbtxt", "eval/events.out.tfevents.1.host"],
        *["eval/", "eval_test/", "export/", "export/best/1/saved_model.pb", "timeline-3.json"],
        *[f"checkpoint.tmp{UNIQUE}", f"model.ckpt-3_temp_{UNIQUE}/", "model.ckpt-3_temp/"],
        *[f"model.ckpt-3_temp_{UNIQUE}/part-00000-of-00001.index", f"x.meta.tmp{UNIQUE}"],
        *["model.ckpt-3.index.tempstate123", "best/model.ckpt-2.index"],
    ],
)
def test_what_a_training_writes_is_no_finding_while_one_is_at_work(more: str) -> None:
    """The state file says so."""
    before = {"checkpoint": 1}
    found = attributed_by_kind(before, {"checkpoint": 2, more: 2})
    assert found == (sorted(["checkpoint", more]), [])


@pytest.mark.parametrize(
    "more",
    ["params.json", "vocabulary.txt", "dump/", "event.log", "index", "evaluation/", "checkpoints"],
)
def test_other_files_are_findings_whatever_is_at_work(more: str) -> None:
    before = {"checkpoint": 1}
    assert attributed_by_kind(before, {"checkpoint": 2, more: 2}) == (["checkpoint"], [more])


@pytest.mark.parametrize("more", ["events.out.tfevents.2.host", "graph.pbtxt", "eval/", *SAVED])
def test_without_a_training_each_file_is_a_finding(more: str) -> None:
    before = {"checkpoint": 1, "events.out.tfevents.1.host": 1}
    assert attributed_by_kind(before, {**before, more: 2}) == ([], [more])


def test_events_that_grow_are_of_another_process(model_dir: Path) -> None:
    """Traced code would write events to a new file.

    Next to growing files, a new one may be of either.
    """
    before = {"events.out.tfevents.1.host": 1}
    after = {"events.out.tfevents.1.host": 2, "events.out.tfevents.2.host": 2, "a.txt": 2}
    assert attributed_by_kind(before, after) == (
        ["events.out.tfevents.1.host", "events.out.tfevents.2.host"],
        ["a.txt"],
    )


def test_the_end_of_a_save_that_began_before() -> None:
    """The state file was written a moment ago: its checkpoint's files follow, and nothing else."""
    now = time.time_ns() if hasattr(time, "time_ns") else int(time.time() * 1e9)
    before = {"checkpoint": now, "model.ckpt-1.index": 1}
    after = {"checkpoint": now, "model.ckpt-2.meta": now, "events.out.tfevents.2.host": now}
    assert attributed_by_kind(before, after) == (
        ["model.ckpt-1.index", "model.ckpt-2.meta"],
        ["events.out.tfevents.2.host"],
    )


def test_in_the_middle_of_a_save_the_state_file_is_waited_for(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder_state(str(model_dir))
    (model_dir / SAVED[0]).write_text("a")
    monkeypatch.setattr(time, "sleep", lambda seconds: (model_dir / "checkpoint").write_text("abc"))
    found = attributed(before, state_after(str(model_dir), before))
    assert [item.name for item in found.of_a_training] == ["checkpoint", SAVED[0]]
    assert found.others == ()


def test_nothing_is_waited_for_where_nothing_is_saved(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder_state(str(model_dir))
    (model_dir / "events.out.tfevents.1.host").write_text("a")
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits"))
    assert state_after(str(model_dir), before).entries == folder_state(str(model_dir)).entries
