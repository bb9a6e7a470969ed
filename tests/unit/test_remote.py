"""Tests of remote model_dirs, with fsspec's file system in memory."""

import errno
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from ckptcheck.checkpoint import remote
from ckptcheck.checkpoint.addresses import is_remote
from ckptcheck.checkpoint.remote import LocalView, local_view
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.protocol import Failure, FailureKind
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..checkpoints.saves import Saves
from ..support import FIXTURES

SOURCE = FIXTURES / "hidden_dropout" / "tf215"
DATA = "model.ckpt-10.data-00000-of-00001"


@pytest.fixture
def memory() -> Iterator[Any]:
    """``memory://runs/base`` with a checkpoint; counts the bytes that are read of the data."""
    fsspec = pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    system = fsspec.filesystem("memory")
    for path in SOURCE.iterdir():
        system.pipe(f"/runs/base/{path.name}", path.read_bytes())
    yield system
    system.rm("/runs", recursive=True)


@pytest.mark.parametrize(
    ("named", "remote"),
    [
        *[("gs://b/x", True), ("memory://x", True), ("file://server/x", True)],
        *[("zip://a::b.zip", True), ("simplecache::s3://b/x", True)],
        *[("runs/base", False), ("/a//b", False), ("", False), ("a::b", False)],
        *[("file:///runs/base", False), ("local:///runs/base", False)],
    ],
)
def test_what_is_remote(named: str, remote: bool) -> None:
    assert is_remote(named) == remote


@pytest.mark.parametrize("end", ["", "/", "/model.ckpt-10", "/model.ckpt-10.index"])
def test_inspect(memory: Any, end: str) -> None:
    found = inspect("memory://runs/base" + end)
    here = inspect(str(SOURCE))
    assert found.contents.variables == here.contents.variables
    assert found.contents.prefix == "memory://runs/base/model.ckpt-10"
    assert [finding for finding in found.findings if finding.rule != "index-data-mtime-gap"] == []
    assert found.contents.graph is not None and found.contents.graph.tensorflow == "2.15.1"
    assert (found.contents.snapshot, found.not_judged) == (False, ())


def test_a_local_address_is_a_local_path() -> None:
    assert inspect(f"file://{SOURCE}") == inspect(str(SOURCE))


def test_a_directory_that_tensorflow_takes_for_a_pattern(memory: Any, tmp_path: Path) -> None:
    for path in SOURCE.iterdir():
        memory.pipe(f"/runs/lr[1]/{path.name}", path.read_bytes())
    shutil.copytree(str(SOURCE), str(tmp_path / "lr[1]"))
    there, here = inspect("memory://runs/lr[1]"), inspect(str(tmp_path / "lr[1]"))
    assert [item.rule for item in there.findings] == [item.rule for item in here.findings]
    assert (
        "memory://runs/lr[1]/model.ckpt-10: TensorFlow treats it as a glob pattern"
        in there.findings[0].message
    )


def test_a_file_system_that_cannot_be_reached() -> None:
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    with pytest.raises(UsageError, match=r"MODEL_DIR zip://base::/no/such.zip cannot be read"):
        inspect("zip://base::/no/such.zip")


@pytest.mark.parametrize("link", ["zip://base::{}", "simplecache::zip://base::{}"])
def test_a_chain_of_file_systems(tmp_path: Path, link: str) -> None:
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    shutil.copytree(str(SOURCE), str(tmp_path / "runs" / "base"))
    named = link.format(shutil.make_archive(str(tmp_path / "runs"), "zip", str(tmp_path / "runs")))
    found, here = inspect(named), inspect(str(SOURCE))
    path, mark, archive = named.partition("::/")
    prefix = f"{path}/model.ckpt-10{mark}{archive}"
    assert (found.contents.prefix, found.contents.variables) == (prefix, here.contents.variables)
    assert inspect(prefix).contents.variables == here.contents.variables


@pytest.mark.parametrize("named", ["memory://", "memory:///", "memory://model.ckpt-10"])
def test_the_root_of_a_file_system(memory: Any, named: str) -> None:
    for path in SOURCE.iterdir():
        memory.pipe(f"/{path.name}", path.read_bytes())
    try:
        assert inspect(named).contents.prefix == "memory:///model.ckpt-10"
    finally:
        for path in SOURCE.iterdir():
            memory.rm(f"/{path.name}")


def test_a_web_server_whose_host_has_colons() -> None:
    pytest.importorskip("aiohttp", reason="NOT TESTED: aiohttp is not installed")
    with pytest.raises(UsageError, match=r"http://\[::1\]:1/x cannot be read: ClientConnector"):
        inspect("http://[::1]:1/x")


def test_no_data_is_fetched_but_the_step(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: List[Any] = []
    original = type(memory).cat_file

    def cat_file(self: Any, path: str, start: Any = None, end: Any = None, **options: Any) -> Any:
        read.append((path.rpartition("/")[2], start, end))
        return original(self, path, start=start, end=end, **options)

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    inspect("memory://runs/base")
    assert [end - start for name, start, end in read if name == DATA] == [8]


def test_other_steps_are_fetched_where_all_are_verified(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (5, 7):
        for path in SOURCE.glob("model.ckpt-10.*"):
            name = path.name.replace("-10.", f"-{step}.")
            memory.pipe(f"/runs/base/{name}", path.read_bytes())
    read: List[str] = []
    original = type(memory).cat_file

    def cat_file(self: Any, path: str, **options: Any) -> Any:
        read.append(path.rpartition("/")[2])
        return original(self, path, **options)

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    for every_step, count in ((False, 1), (True, 3)):
        del read[:]
        with local_view("memory://runs/base", every_step=every_step):
            assert len([name for name in read if ".data-" in name]) == count


def test_missing_and_short_data(memory: Any) -> None:
    memory.pipe(f"/runs/base/{DATA}", b"short")
    assert "unreadable-checkpoint" in {f.rule for f in inspect("memory://runs/base").findings}
    memory.rm(f"/runs/base/{DATA}")
    assert "unreadable-checkpoint" in {f.rule for f in inspect("memory://runs/base").findings}


def test_a_state_file_with_a_url_in_it(memory: Any) -> None:
    """TensorFlow takes it for a relative path, as ``os.path.isabs`` does, and finds nothing."""
    text = b'model_checkpoint_path: "memory://runs/base/model.ckpt-10"\n'
    memory.pipe("/runs/base/checkpoint", text)
    assert {f.rule for f in inspect("memory://runs/base").findings} == {"checkpoint-moved"}


def test_a_state_file_that_names_the_directory(memory: Any) -> None:
    memory.pipe("/runs/base/checkpoint", b'model_checkpoint_path: "./model.ckpt-10"')
    found = inspect("memory://runs/base")
    assert (found.contents.prefix, found.findings) == ("memory://runs/base/model.ckpt-10", ())


def test_a_state_file_that_names_a_directory_below(memory: Any) -> None:
    memory.pipe("/runs/base/checkpoint", b'model_checkpoint_path: "below/model.ckpt-10"')
    with pytest.raises(UsageError, match="Give that checkpoint as MODEL_DIR"):
        inspect("memory://runs/base")


def test_all_checkpoints_are_as_whole_as_here(memory: Any, tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    for path in SOURCE.glob("model.ckpt-10.*"):
        name = path.name.replace("-10.", "-5.")
        memory.pipe(f"/runs/base/{name}", path.read_bytes())
    found = verify("memory://runs/base", all_checkpoints=True, fail_on="error")
    assert [item.ok for item in found.verified] == [True, True]
    listed = inspect("memory://runs/base").checkpoints
    assert len({item.size for item in listed}) == 1 and listed[0].size > 10000
    memory.rm(f"/runs/base/{DATA}")
    found = verify("memory://runs/base", all_checkpoints=True, fail_on="error")
    assert [item.ok for item in found.verified] == [True, False]


def test_every_text_names_the_place_that_the_user_knows(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/runs/base/checkpoint", b'model_checkpoint_path: "model.ckpt-99"')
    with pytest.raises(UsageError, match=r"memory://runs/base/model.ckpt-10"):
        snapshot("memory://runs/base", str(tmp_path / "snap"))
    found = repr(inspect("memory://runs/base"))
    assert "memory://runs/base/model.ckpt-99, which does not exist" in found
    assert "ckptcheck-" not in found


def test_verify(memory: Any) -> None:
    pytest.importorskip("numpy")
    assert verify("memory://runs/base", fail_on="error").ok
    data = bytearray((SOURCE / DATA).read_bytes())
    data[100] ^= 1
    memory.pipe(f"/runs/base/{DATA}", bytes(data))
    found = verify("memory://runs/base", fail_on="error")
    assert not found.ok
    assert found.verified[0].prefix == "memory://runs/base/model.ckpt-10"


def test_verify_reads_where_the_index_lies(memory: Any, tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    other = tmp_path / "other"
    shutil.copytree(str(FIXTURES / "linear" / "tf215"), str(other))
    memory.pipe("/runs/base/checkpoint", f'model_checkpoint_path: "{other}/model.ckpt-10"'.encode())
    found = verify("memory://runs/base", fail_on="error")
    assert found.ok and found.verified[0].prefix == f"{other}/model.ckpt-10"


def test_a_damaged_index_says_nothing_of_the_data(memory: Any) -> None:
    memory.pipe("/runs/base/model.ckpt-10.index", b"")
    messages = [finding.message for finding in inspect("memory://runs/base").findings]
    assert len(messages) == 1 and "index" in messages[0]


def test_a_remote_snapshot(memory: Any, tmp_path: Path) -> None:
    snapshot(str(SOURCE), str(tmp_path / "snap"))
    for path in (tmp_path / "snap").iterdir():
        memory.pipe(f"/runs/snap/{path.name}", path.read_bytes())
    found = inspect("memory://runs/snap")
    assert found.contents.graph is not None and found.contents.graph.tensorflow == "2.15.1"
    assert found.contents.snapshot and "unreadable-checkpoint" not in {
        f.rule for f in found.findings
    }
    with pytest.raises(UsageError, match="is a snapshot"):
        verify("memory://runs/snap")


def test_snapshot(memory: Any, tmp_path: Path) -> None:
    snapshot("memory://runs/base", str(tmp_path / "snap"))
    assert inspect(str(tmp_path / "snap")).contents.snapshot


@pytest.mark.parametrize("named", ["memory://runs/nothing", "memory://runs/base/model.ckpt-11"])
def test_nothing_there(memory: Any, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        inspect(named)


def test_a_full_tmpdir_is_named(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the used TMPDIR.

    ``tempfile`` would choose another one, because it is full.
    """

    def full(copy: Any, name: str, data: bytes) -> None:
        open(os.path.join(copy._local, name), "wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(remote._Copy, "_write", full)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", os.path.dirname(str(tmp_path)))
    with pytest.raises(UsageError) as raised, local_view("memory://runs/base"):
        raise AssertionError
    assert f"TMPDIR ({tmp_path}) is full" in str(raised.value)
    assert os.listdir(str(tmp_path)) == []


def test_a_file_system_that_nobody_knows() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(UsageError, match="nosuch://x"):
        inspect("nosuch://x/y")


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match="run pip install fsspec in the environment of ckptcheck"):
        inspect("gs://bucket/run")


def test_a_directory_of_many_checkpoints_says_which_were_left_out(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck fetches the newest checkpoints, and the one that the state file names."""
    pytest.importorskip("numpy")
    monkeypatch.setattr(remote, "_MOST_INDEXES", 2)
    for step in range(20, 90, 10):
        for path in SOURCE.glob("model.ckpt-10.*"):
            name = path.name.replace("-10.", f"-{step}.")
            memory.pipe(f"/runs/base/{name}", path.read_bytes())
    (text,) = inspect("memory://runs/base").not_judged
    assert text.startswith("model.ckpt-60, model.ckpt-50, model.ckpt-40 and 2 more: ")
    found = verify("memory://runs/base", all_checkpoints=True, fail_on="error")
    assert [item.step for item in found.verified] == [10, 70, 80]
    assert found.not_judged == (text,)


def test_nothing_is_left_behind(memory: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with local_view("memory://runs/base") as place:
        assert os.listdir(str(tmp_path)) and os.path.isdir(place.path)
    assert os.listdir(str(tmp_path)) == []


def test_a_local_directory_is_itself(tmp_path: Path) -> None:
    shutil.copytree(str(SOURCE), str(tmp_path / "base"))
    with local_view(str(tmp_path / "base")) as place:
        assert (place.path, place.shown("x")) == (str(tmp_path / "base"), "x")


# --- The same as here ------------------------------------------------------------------------


def copied(memory: Any, folder: Path) -> str:
    """Copies a directory with its subdirectories to ``memory://runs``, and returns the address."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            memory.pipe(f"/runs/{folder.name}/{path.relative_to(folder)}", path.read_bytes())
    return f"memory://runs/{folder.name}"


def renamed(folder: Path, old: str, new: str) -> None:
    for path in folder.glob(old + ".*"):
        shutil.copy(str(path), str(folder / path.name.replace(old, new, 1)))


def test_the_steps_of_all_checkpoints(memory: Any, tmp_path: Path) -> None:
    here = tmp_path / "many"
    shutil.copytree(str(SOURCE), str(here))
    renamed(here, "model.ckpt-10", "model.ckpt-20")
    found = verify(copied(memory, here), all_checkpoints=True)
    assert [item.ok for item in found.verified] == [True, False]
    assert [finding.rule for finding in found.verified[1].groups[0].findings] == ["step-mismatch"]
    assert [item.ok for item in verify(str(here), all_checkpoints=True).verified] == [
        True,
        False,
    ]


def test_what_lies_beside_the_checkpoint(memory: Any, tmp_path: Path) -> None:
    here = tmp_path / "left"
    shutil.copytree(str(SOURCE), str(here))
    left = ("model.ckpt-40.data-00000-of-00001", "model.ckpt-20_temp/part", "x.index.tempstate123")
    (here / "model.ckpt-20_temp").mkdir()
    for name in left:
        (here / name).write_bytes(b"x")
    rules = {"data-without-index", "leftover-files"}
    names = {f.data["file"] for f in inspect(copied(memory, here)).findings if f.rule in rules}
    assert names == {left[0], "model.ckpt-20_temp/", left[2]}
    assert names == {f.data["file"] for f in inspect(str(here)).findings if f.rule in rules}


def test_data_whose_index_is_gone(memory: Any, tmp_path: Path) -> None:
    here = tmp_path / "gone"
    shutil.copytree(str(SOURCE), str(here))
    (here / "model.ckpt-10.index").unlink()
    (there,) = inspect(copied(memory, here)).findings
    assert "which has data files but no index" in there.message
    assert there.message == inspect(str(here)).findings[0].message.replace(
        str(here), "memory://runs/gone"
    )


def test_a_saved_model(memory: Any, tmp_path: Path) -> None:
    here = tmp_path / "exported"
    (here / "variables").mkdir(parents=True)
    (here / "saved_model.pb").write_bytes(b"x")
    (here / "variables" / "variables.index").write_bytes(
        (SOURCE / "model.ckpt-10.index").read_bytes()
    )
    (finding,) = inspect(copied(memory, here)).findings
    assert "give memory://runs/exported/variables/variables" in finding.hint


@pytest.mark.parametrize("protocol", ["zip", "tar"])
@pytest.mark.parametrize("file", ["", "file://"])
def test_an_archive_that_is_a_pipe(tmp_path: Path, protocol: str, file: str) -> None:
    """To open a pipe would wait for a writer."""
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    os.mkfifo(str(tmp_path / "pipe"))
    with pytest.raises(UsageError, match="pipe is not a regular file"):
        inspect(f"{protocol}://base::{file}{tmp_path}/pipe")


def test_an_archive_that_holds_more_than_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck reads the chosen index, and other indexes up to the limit of the total size."""
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    archive = tmp_path / "runs.zip"
    with zipfile.ZipFile(str(archive), "w", zipfile.ZIP_DEFLATED) as file:
        for path in SOURCE.iterdir():
            file.write(str(path), f"base/{path.name}")
        for number in range(20):
            file.writestr(f"base/model.ckpt-{number + 11}.index", bytes(1 << 16))
    monkeypatch.setattr(remote, "LARGEST_INDEX", 3 << 16)
    with local_view(f"zip://base::{archive}") as place:
        names = [name for name in os.listdir(place.path) if name.endswith(".index")]
        assert "model.ckpt-10.index" in names
        assert len(names) == 3
        assert len(place.left_out) == 18


@pytest.mark.parametrize("point", range(12))
def test_a_save_while_it_is_fetched(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    """If a save happens at any request, the result is one complete checkpoint."""
    saves = Saves(tmp_path / "base")
    count = 0
    busy = False

    def put() -> None:
        nonlocal busy
        busy = True
        for name in [entry["name"] for entry in memory.ls("/runs/base", detail=True)]:
            memory.rm(name)
        for path in saves.folder.iterdir():
            memory.pipe(f"/runs/base/{path.name}", path.read_bytes())
        busy = False

    def before(original: Any) -> Any:
        def replaced(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if not busy:
                if count == point:
                    saves.save()
                    put()
                count += 1
            return original(*arguments, **options)

        return replaced

    put()
    with monkeypatch.context() as patch:
        for name in ("ls", "cat_file", "info"):
            patch.setattr(type(memory), name, before(getattr(type(memory), name)))
        found = inspect("memory://runs/base")
    assert [item.rule for item in found.findings if item.rule != "index-data-mtime-gap"] == []
    assert found.contents.graph is not None
    assert found.contents.prefix in (
        "memory://runs/base/model.ckpt-10",
        "memory://runs/base/model.ckpt-20",
    )
    assert [item.loaded for item in found.checkpoints] == [True]


def test_a_directory_that_is_saved_to_all_the_time(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state file names another checkpoint each time it is read, and none is there."""
    original = type(memory).cat_file
    steps = iter(range(100))
    memory.pipe("/runs/base/checkpoint", b'model_checkpoint_path: "model.ckpt-1"')

    def cat_file(self: Any, path: str, **options: Any) -> Any:
        data = original(self, path, **options)
        state = f'model_checkpoint_path: "model.ckpt-{next(steps)}"\n'
        memory.pipe("/runs/base/checkpoint", state.encode())
        return data

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    with pytest.raises(UsageError, match=r"^memory://runs/base is being written: its files"):
        inspect("memory://runs/base")


def test_paths_are_shown_as_remote_ones_and_words_stay() -> None:
    place = LocalView("/tmp/view", "memory://base", "/tmp/view")
    failure = place.shown(Failure(FailureKind.RAISED, "OSError", "/tmp/view/model.ckpt-1.index"))
    assert failure.message == "memory://base/model.ckpt-1.index"
    assert failure.kind is FailureKind.RAISED
