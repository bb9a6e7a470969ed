"""What changes in a model_dir is seen. No TensorFlow."""

import os
from pathlib import Path

import pytest

from ckptcheck.checkpoint import listing as module
from ckptcheck.checkpoint.listing import changes, listing
from ckptcheck.spec import FileChange


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "events").write_text("a")
    (tmp_path / "checkpoint").write_text("a")
    (tmp_path / "linked").symlink_to(tmp_path / "eval", target_is_directory=True)
    return tmp_path


def test_each_kind_of_change_is_named(model_dir: Path) -> None:
    before = listing(str(model_dir))
    (model_dir / "eval" / "events").write_text("ab")
    (model_dir / "checkpoint").unlink()
    (model_dir / "made" / "deep").mkdir(parents=True)
    assert changes(before, listing(str(model_dir))) == (
        FileChange("checkpoint", "removed"),
        FileChange("eval/events", "changed"),
        FileChange("made/", "written"),
        FileChange("made/deep/", "written"),
    )


def test_nothing_is_nothing(model_dir: Path) -> None:
    """Not even where it was read, or is not there."""
    before = listing(str(model_dir))
    (model_dir / "checkpoint").read_text()
    assert changes(before, listing(str(model_dir))) == ()
    assert listing(str(model_dir / "gone")).entries == {}


def test_the_same_size_at_another_time_is_a_change(model_dir: Path) -> None:
    before = listing(str(model_dir))
    os.utime(str(model_dir / "checkpoint"), ns=(1, 1))
    assert changes(before, listing(str(model_dir))) == (FileChange("checkpoint", "changed"),)


def test_what_is_not_whole_is_not_compared(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound that is met otherwise each time would report files that nobody touched."""
    before = listing(str(model_dir))
    monkeypatch.setattr(module, "_MOST_ENTRIES", 2)
    after = listing(str(model_dir))
    assert before.whole and not after.whole
    assert changes(before, after) == ()
