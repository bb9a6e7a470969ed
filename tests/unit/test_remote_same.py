"""ckptcheck judges a remote model_dir like the same model_dir on this machine."""

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from ckptcheck import checks
from ckptcheck.checkpoint import remote
from ckptcheck.checkpoint.locate import locate
from ckptcheck.checkpoint.remote import local_view
from ckptcheck.checks import run_check
from ckptcheck.conclusion import Checked
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.records.reader import read_record
from ckptcheck.records.value import Record
from ckptcheck.records.writer import index_digest, write
from ckptcheck.rules.examples import NOW
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..checkpoints import writer
from ..support import FIXTURES
from .test_remote_http import server

SOURCE = FIXTURES / "hidden_dropout" / "tf215"
DATA = "model.ckpt-10.data-00000-of-00001"
TABLE = writer.table([(b"", writer.field(1, b""))])
Place = Callable[[Path], str]

__all__ = ["server"]  # a fixture


def renamed(folder: Path, new: str, old: str = "model.ckpt-10") -> None:
    for path in folder.glob(old + ".*"):
        shutil.copy(str(path), str(folder / path.name.replace(old, new, 1)))


def state(folder: Path, latest: str) -> None:
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{latest}"\n')


def directory_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_bytes(b"x")


# --- The directories -------------------------------------------------------------------------


def whole(folder: Path) -> None:
    """Nothing is changed."""


def copies_of_other_steps(folder: Path) -> None:
    renamed(folder, "model.ckpt-2")
    renamed(folder, "model.ckpt-20")


def first_version(folder: Path) -> None:
    (folder / "model.ckpt-17").write_bytes(TABLE)
    (folder / "model.ckpt-17.meta").write_bytes(b"x")
    state(folder, "model.ckpt-17")


def first_version_alone(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "model.ckpt-7").write_bytes(TABLE)
    state(folder, "model.ckpt-7")


def first_version_of_shards(folder: Path) -> None:
    for number in range(2):
        (folder / f"model.ckpt-7-0000{number}-of-00002").write_bytes(TABLE)
    state(folder, "model.ckpt-7-?????-of-00002")


def first_version_unseen(folder: Path) -> None:
    first_version(folder)
    (folder / "checkpoint").unlink()


def first_versions_beside(folder: Path) -> None:
    (folder / "model.ckpt-7").write_bytes(TABLE)
    (folder / "model.ckpt-7.meta").write_bytes(b"x")
    for number in range(2):
        (folder / f"model.ckpt-8-0000{number}-of-00002").write_bytes(TABLE)
    (folder / "model.ckpt-8.meta").write_bytes(b"x")


def first_version_of_the_same_name(folder: Path) -> None:
    (folder / "model.ckpt-10").write_bytes(TABLE)


def state_names_text(folder: Path) -> None:
    (folder / "notes").write_bytes(b"hello")
    state(folder, "notes")


def state_names_nothing_of_bytes(folder: Path) -> None:
    (folder / "notes").write_bytes(b"")
    state(folder, "notes")


def state_names_directory(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "x").write_bytes(b"x")
    state(folder, "below")


def state_names_data(folder: Path) -> None:
    state(folder, DATA)


def state_names_graph(folder: Path) -> None:
    state(folder, "model.ckpt-10.meta")


def state_names_what_is_gone(folder: Path) -> None:
    state(folder, "model.ckpt-99")


def state_is_directory(folder: Path) -> None:
    directory_instead(folder / "checkpoint")


def state_is_gone(folder: Path) -> None:
    (folder / "checkpoint").unlink()


def index_is_directory(folder: Path) -> None:
    directory_instead(folder / "model.ckpt-10.index")


def index_is_gone(folder: Path) -> None:
    renamed(folder, "model.ckpt-20")
    (folder / "model.ckpt-10.index").unlink()


def index_of_another_is_empty(folder: Path) -> None:
    renamed(folder, "model.ckpt-5")
    (folder / "model.ckpt-5.index").write_bytes(b"")


def index_of_something_else(folder: Path) -> None:
    (folder / "faiss.index").write_bytes(b"no table")


def data_is_gone(folder: Path) -> None:
    (folder / DATA).unlink()


def data_is_directory(folder: Path) -> None:
    directory_instead(folder / DATA)


def graph_is_gone(folder: Path) -> None:
    (folder / "model.ckpt-10.meta").unlink()


def graph_is_directory(folder: Path) -> None:
    directory_instead(folder / "model.ckpt-10.meta")


def left_overs(folder: Path) -> None:
    (folder / "model.ckpt-20_temp").mkdir()
    (folder / "model.ckpt-20_temp" / "part").write_bytes(b"x")
    for name in (
        "model.ckpt-40.data-00000-of-00001",
        "model.ckpt-10.data-00000-of-00002",
        "x.tempstate123",
        "checkpoint.tmp" + "a" * 32,
        ".model.ckpt-10.index.AbCdEf",
    ):
        (folder / name).write_bytes(b"x")


def names_with_marks(folder: Path) -> None:
    renamed(folder, "modell ä;+&%20#.ckpt-10")
    state(folder, "modell ä;+&%20#.ckpt-10")


def saved_model(folder: Path) -> None:
    (folder / "variables").mkdir()
    for path in folder.glob("model.ckpt-10.*"):
        path.rename(folder / "variables" / path.name.replace("model.ckpt-10", "variables"))
    (folder / "saved_model.pb").write_bytes(b"x")
    (folder / "checkpoint").unlink()


def saved_model_and_checkpoints(folder: Path) -> None:
    renamed(folder, "model.ckpt-20")
    saved_model(folder)


def marker_of_nothing_beside_data(folder: Path) -> None:
    (folder / "ckptcheck-snapshot.json").write_text("{")


def marker_of_the_checkpoint_beside_data(folder: Path) -> None:
    snapshot(str(folder), str(folder.parent / "snap"))
    shutil.copy(str(folder.parent / "snap" / "ckptcheck-snapshot.json"), str(folder))


def only_a_snapshot(folder: Path) -> None:
    folder.rename(folder.parent / "source")
    snapshot(str(folder.parent / "source"), str(folder))


def snapshot_with_a_marker_of_nothing(folder: Path) -> None:
    only_a_snapshot(folder)
    (folder / "ckptcheck-snapshot.json").write_text("{")


DIRECTORIES = [
    whole,
    copies_of_other_steps,
    first_version,
    first_version_alone,
    first_version_of_shards,
    first_version_unseen,
    first_versions_beside,
    first_version_of_the_same_name,
    state_names_text,
    state_names_nothing_of_bytes,
    state_names_directory,
    state_names_data,
    state_names_graph,
    state_names_what_is_gone,
    state_is_directory,
    state_is_gone,
    index_is_directory,
    index_is_gone,
    index_of_another_is_empty,
    index_of_something_else,
    data_is_gone,
    data_is_directory,
    graph_is_gone,
    graph_is_directory,
    left_overs,
    names_with_marks,
    saved_model,
    saved_model_and_checkpoints,
    marker_of_nothing_beside_data,
    marker_of_the_checkpoint_beside_data,
    only_a_snapshot,
    snapshot_with_a_marker_of_nothing,
]


# --- The comparison --------------------------------------------------------------------------


@pytest.fixture
def memory() -> Iterator[Place]:
    """Copies a directory to ``memory://``, and returns its address."""
    fsspec = pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    system = fsspec.filesystem("memory")

    def copied(folder: Path) -> str:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                system.pipe(f"/same/{path.relative_to(folder)}", path.read_bytes())
        return "memory://same"

    yield copied
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def verify_all(named: str) -> Any:
    return verify(named, all_checkpoints=True)


def said(look: Callable[[str], Any], named: str) -> Any:
    """Returns the result for a directory, without the times of its files."""
    try:
        found = dataclasses.asdict(look(named))
    except UsageError as error:
        return str(error).replace(named, "HERE")
    return without_times(found, named)


def without_times(value: Any, named: str) -> Any:
    if isinstance(value, str):
        return value.replace(named, "HERE")
    if isinstance(value, dict):
        fields: Dict[str, Any] = {
            key: without_times(item, named) for key, item in value.items() if key != "written"
        }
        return fields
    if isinstance(value, (tuple, list)):
        return [
            without_times(item, named)
            for item in value
            if not (isinstance(item, dict) and "index-data-mtime-gap" in repr(item.get("findings")))
        ]
    return value


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A model_dir on this machine; the same one is ``base`` of the server."""
    if not (tmp_path / "base").exists():
        shutil.copytree(str(SOURCE), str(tmp_path / "base"))
    return tmp_path / "base"


@pytest.mark.parametrize("look", [inspect, verify, verify_all])
@pytest.mark.parametrize("make", DIRECTORIES)
def test_in_memory(make: Any, look: Any, here: Path, memory: Place) -> None:
    make(here)
    for path in here.iterdir():
        os.utime(str(path), (1e9, 1e9))
    assert said(look, memory(here)) == said(look, str(here))


@pytest.mark.parametrize("make", DIRECTORIES)
def test_over_http(make: Any, server: str, here: Path) -> None:
    make(here)
    for path in here.iterdir():
        os.utime(str(path), (1e9, 1e9))
    for look in (inspect, verify_all):
        assert said(look, f"{server}/base") == said(look, str(here))


@pytest.mark.parametrize("look", [inspect, verify])
@pytest.mark.parametrize(
    "name", ["model.ckpt-7", "model.ckpt-8-?????-of-00002", "model.ckpt-8-00001-of-00002"]
)
def test_a_first_version_that_is_named(name: str, look: Any, here: Path, memory: Place) -> None:
    first_versions_beside(here)
    there = memory(here)
    found, expected = said(look, f"{there}/{name}"), said(look, str(here / name))
    assert repr(found).replace(there, "HERE") == repr(expected).replace(str(here), "HERE")


# --- What is not the same --------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "/model.ckpt-17"])
def test_a_check_of_a_first_version_is_refused(end: str, here: Path, memory: Place) -> None:
    """Only TensorFlow can read a V1 checkpoint, and only from a local file."""
    first_version(here)
    spec = CheckSpec(memory(here) + end, "module:model_fn", {})
    with pytest.raises(
        UsageError, match=r"memory://same/model.ckpt-17 is .*V1.*: copy the checkpoint"
    ):
        run_check(spec)


def test_the_record_is_read_there(here: Path, memory: Place) -> None:
    prefix = here / "model.ckpt-10"
    write(str(prefix), Record(prefix.name, 10, index_digest(str(prefix)), "traced", "", NOW))
    with local_view(memory(here)) as place:
        copied = read_record(locate(place.path).prefix)
        assert copied.record is not None and copied.record.origins == NOW


def _run_that_looks(work: Any, *_: Any) -> Any:
    return Checked(work.checkpoints.look(), work.given)


def test_a_first_version_here_that_a_directory_there_names(
    tmp_path: Path, here: Path, memory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.ckpt-7").write_bytes(TABLE)
    state(here, str(tmp_path / "model.ckpt-7"))
    monkeypatch.setattr(checks, "_run", _run_that_looks)
    found: Any = checks.checked(CheckSpec(memory(here), "module:model_fn", {})).report
    assert found.examined.first_version


def test_data_here_of_a_directory_there(
    tmp_path: Path, here: Path, memory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck does not read the remote file, because it may be other data of the same name."""
    shutil.copytree(str(here), str(tmp_path / "other"))
    state(here, str(tmp_path / "other" / "model.ckpt-10"))
    monkeypatch.setattr(checks, "_run", _run_that_looks)
    found: Any = checks.checked(CheckSpec(memory(here), "module:model_fn", {})).report
    assert found.read is None


def test_first_versions_that_nobody_looked_at_are_said(
    here: Path, memory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_MOST_INDEXES", 1)
    first_versions_beside(here)
    (text,) = inspect(memory(here)).not_judged
    assert text.startswith("model.ckpt-7: ckptcheck reads only the newest")


def test_of_a_first_version_only_the_end_is_read(server: str, here: Path) -> None:
    from .test_remote_http import _Handler

    first_version(here)
    inspect(f"{server}/base")
    assert _Handler.sent["model.ckpt-17"] == 8


def test_data_without_an_index_is_found_beside_too_many_checkpoints(
    server: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck does not request its size, because the name is enough."""
    monkeypatch.setattr(remote, "_MOST_INDEXES", 1)
    for step in (20, 30):
        renamed(here, f"model.ckpt-{step}")
    (here / "model.ckpt-1.data-00000-of-00001").write_bytes(b"x")
    names = [item.data.get("file") for item in inspect(f"{server}/base").findings]
    assert "model.ckpt-1.data-00000-of-00001" in names
