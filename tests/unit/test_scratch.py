"""What traced code does to the model_dir that it is shown never reaches the user's."""

import os
from pathlib import Path

import pytest

from ckptcheck.tracer import scratch
from tests.support import digest


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    root = tmp_path / "model_dir"
    deep = root / "a" / "b" / "c" / "d" / "e"
    deep.mkdir(parents=True)
    (root / "params.json").write_text("{}")
    (root / "model.ckpt-1.index").write_bytes(b"index")
    (root / "vocabulary.txt").write_bytes(b"x" * (2 << 20))
    (deep / "notes").write_text("deep")
    (root / "linked").symlink_to(deep, target_is_directory=True)
    (root / "broken").symlink_to(root / "gone")
    return root


def test_files_can_be_read(model_dir: Path) -> None:
    place = scratch.make(str(model_dir))
    shown = Path(scratch.model_dir_in(place))
    assert (shown / "params.json").read_text() == "{}"
    assert (shown / "model.ckpt-1.index").read_bytes() == b"index"
    assert (shown / "vocabulary.txt").stat().st_size == 2 << 20
    scratch.remove(place)
    assert not os.path.exists(place)


def test_what_is_written_stays_in_it(model_dir: Path) -> None:
    before = digest(model_dir)
    place = scratch.make(str(model_dir))
    shown = scratch.model_dir_in(place)
    with open(os.path.join(shown, "params.json"), "w") as file:
        file.write("OVERWRITTEN")
    for folder, folders, _ in os.walk(shown):
        for name in [".", *folders]:
            Path(folder, name, "made").write_text("made")
    scratch.remove(place)
    assert digest(model_dir) == before


def test_a_model_dir_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    place = scratch.make(str(tmp_path / "gone"))
    assert os.listdir(scratch.model_dir_in(place)) == []
    scratch.remove(place)
