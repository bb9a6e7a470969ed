"""Changes of the copied model_dir never reach the user's model_dir.

If the code uses a file that was not copied, the tracer knows it.
"""

import mmap
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterator, List

import pytest

from ckptcheck.tracer import left_out, open_watch, scratch, shown_files
from ckptcheck.tracer.failures import UsageError
from ckptcheck.tracer.left_out import Ledger, LeftOut
from tests.support import digest, place_of_all, sparse_file

from .test_processes import outcome, start

needs_inotify = pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="NOT TESTED: files are watched by inotify, which only Linux has",
)

LARGE = 100 << 20


class Shown:
    """The copy of a model_dir that traced code sees."""

    def __init__(self, model_dir: Path, opened: Collection[str] = ()) -> None:
        self.root = scratch.make()
        self.ledger = Ledger(self.root)
        try:
            self.path = Path(shown_files.show(self.root, str(model_dir), self.ledger, opened))
        except UsageError:
            self.close()
            raise

    def touched(self) -> Dict[str, str]:
        """Returns the left-out files that the code used: by name, the reasons."""
        return {
            item.name: item.reason for item in self.ledger.touched(scratch.was_asked(self.root))
        }

    def close(self) -> None:
        """Removes the copy."""
        self.ledger.close()
        scratch.remove(self.root)
        assert not os.path.exists(self.root)


@pytest.fixture
def show() -> Iterator[Callable[..., Shown]]:
    """Yields a function that copies model_dirs. Removes all copies at the end."""
    made: List[Shown] = []

    def make(model_dir: Path, opened: Collection[str] = ()) -> Shown:
        made.append(Shown(model_dir, opened))
        return made[-1]

    yield make
    for shown in made:
        shown.close()


Show = Callable[..., Shown]


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


def test_files_are_shown_as_they_are(model_dir: Path, show: Show) -> None:
    os.utime(str(model_dir / "params.json"), ns=(10**18, 10**18 + 7))
    os.chmod(str(model_dir / "params.json"), 0o640)
    shown = show(model_dir).path
    assert (shown / "params.json").read_text() == "{}"
    info = (shown / "params.json").stat()
    assert (info.st_mode & 0o7777, info.st_mtime_ns) == (0o640, 10**18 + 7)
    assert (shown / "model.ckpt-1.index").read_bytes() == b"index"
    assert (shown / "vocabulary.txt").read_bytes() == b"x" * (2 << 20)
    assert (shown / "a/b/c/d/e/notes").read_text() == "deep"
    assert (shown / "linked/notes").read_text() == "deep"
    assert sorted(os.listdir(str(shown))) == sorted(os.listdir(str(model_dir)))


def test_no_link_leads_to_a_real_file(model_dir: Path, tmp_path: Path, show: Show) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("outside")
    (model_dir / "outside").symlink_to(tmp_path / "outside")
    (model_dir / "outside-file").symlink_to(tmp_path / "outside" / "file")
    sparse_file(model_dir / "large", 1 << 30)
    real = {info.st_ino for info in map(os.stat, map(str, tmp_path.rglob("*[!n]")))}
    shown = show(model_dir)
    for folder, folders, names in os.walk(str(shown.path), followlinks=True):
        for name in folders + names:
            path = os.path.join(folder, name)
            assert os.path.realpath(path).startswith(os.path.realpath(shown.root) + os.sep)
            assert not os.path.exists(path) or os.stat(path).st_ino not in real
    assert (shown.path / "outside" / "file").read_text() == "outside"
    assert (shown.path / "outside-file").read_text() == "outside"


def _write_into_map(path: str) -> None:
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[:4] = b"MINE"


def _open_for(mode: str) -> Callable[[str], None]:
    def write(path: str) -> None:
        with open(path, mode) as file:
            file.write("MINE")

    return write


def _replace(path: str) -> None:
    with open(path + ".new", "w") as file:
        file.write("MINE")
    os.replace(path + ".new", path)


def _write_through_a_hard_link(path: str) -> None:
    os.link(path, path + ".link")
    with open(path + ".link", "a") as file:
        file.write("MINE")


WAYS: Dict[str, Callable[[str], Any]] = {
    "open-w": _open_for("w"),
    "open-a": _open_for("a"),
    "open-r+": _open_for("r+"),
    "truncate": lambda path: os.truncate(path, 0),
    "replace": _replace,
    "rename": lambda path: os.rename(path, path + ".moved"),
    "unlink": os.unlink,
    "chmod": lambda path: os.chmod(path, 0),
    "utime": lambda path: os.utime(path, (1, 1)),
    "mmap": _write_into_map,
    "rmtree": lambda path: shutil.rmtree(os.path.dirname(path)),
    "move": lambda path: shutil.move(os.path.dirname(path), os.path.dirname(path) + "-moved"),
    "link": _write_through_a_hard_link,
}


def test_no_way_of_writing_reaches_a_real_file(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for copied files and for files that are too large to copy."""
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 1 << 20)
    model_dir = tmp_path / "model_dir"
    large = sparse_file(tmp_path / "large", LARGE, b"end")
    for way in WAYS:
        (model_dir / way).mkdir(parents=True)
        (model_dir / way / "small").write_bytes(b"x" * 1024)
        os.link(str(large), str(model_dir / way / "large"))
        (model_dir / way / "link").symlink_to(large)
    before = digest(tmp_path)
    shown = show(model_dir, ["open-r+/large"])
    for way, write in WAYS.items():
        for name in ("small", "large", "link"):
            path = str(shown.path / way / name)
            if os.path.exists(path):  # otherwise, the code has removed the directory
                write(path)
    assert digest(tmp_path) == before


def test_what_is_made_stays_in_it(model_dir: Path, tmp_path: Path, show: Show) -> None:
    before = digest(tmp_path)
    shown = show(model_dir).path
    for folder, folders, _ in os.walk(str(shown)):
        for name in [".", *folders]:
            Path(folder, name, "made").write_text("made")
    (shown / "broken").write_text("through a link that leads nowhere")
    assert digest(tmp_path) == before


def test_a_model_dir_that_is_not_there_is_an_empty_one(tmp_path: Path, show: Show) -> None:
    assert os.listdir(str(show(tmp_path / "gone").path)) == []


# --- links and many files ----------------------------------------------------------------------


def test_linked_directories_have_their_content(tmp_path: Path, show: Show) -> None:
    """This includes circles of links."""
    model_dir, other = tmp_path / "model_dir", tmp_path / "other"
    (model_dir / "run").mkdir(parents=True)
    other.mkdir()
    (other / "vocabulary.txt").write_text("words")
    (model_dir / "run" / "file").write_text("here")
    (model_dir / "a-link").symlink_to("run")
    (model_dir / "itself").symlink_to("itself")
    (model_dir / "run" / "up").symlink_to(model_dir)
    (model_dir / "data").symlink_to(other)
    (other / "back").symlink_to(model_dir)
    (other / "again").symlink_to(other)
    shown = show(model_dir)
    assert (shown.path / "a-link" / "file").read_text() == "here"
    assert (shown.path / "run/up/run/up/data/back/a-link/file").read_text() == "here"
    assert (shown.path / "data/again/again/vocabulary.txt").read_text() == "words"
    assert not (shown.path / "itself").exists()
    assert shown.touched() == {}


def test_depth(tmp_path: Path, show: Show) -> None:
    deep = tmp_path.joinpath(*map(str, range(60)))
    deep.mkdir(parents=True)
    (deep / "file").write_text("deep")
    assert show(tmp_path).path.joinpath(*map(str, range(60)), "file").read_text() == "deep"


def test_number(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would be slow
    with tempfile.TemporaryDirectory(dir=memory) as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        many = Path(name, "many")
        many.mkdir()
        for number in range(10001):
            (many / str(number)).touch()
        assert len(os.listdir(str(show(many).path))) == 10001


def test_too_many_entries(model_dir: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code can look up a missing name without notice.

    So it counts that the code asks for the model_dir.
    """
    monkeypatch.setattr(shown_files, "_MOST_ENTRIES", 5)
    shown = show(model_dir)
    assert shown.touched() == {}
    scratch.note_asked(str(shown.path))
    assert shown.touched() == {"": "more than 5 files and directories"}


def test_tmpdir_in_the_model_dir(
    model_dir: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(model_dir / "a"))
    shown = show(model_dir)
    assert Path(shown.root).parent == model_dir / "a"
    assert sorted(os.listdir(str(shown.path / "a"))) == ["b"]


# --- files that are not copied -------------------------------------------------------------------


@needs_inotify
def test_a_file_beyond_the_bound(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has its size and times, and the tracer notices an open."""
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 10)
    monkeypatch.setattr(shown_files, "_WORTH_CLONING", LARGE)
    (tmp_path / "small").write_bytes(b"12345678")
    (tmp_path / "data").write_bytes(b"123456789")
    (tmp_path / "other").write_bytes(b"123456789")
    os.utime(str(tmp_path / "data"), ns=(10**18, 10**18))
    shown = show(tmp_path)
    assert (shown.path / "small").read_bytes() == b"12345678"
    info = (shown.path / "data").stat()
    assert (info.st_size, info.st_mtime_ns) == (9, 10**18)
    assert sorted(os.listdir(str(shown.path))) == ["data", "other", "small"]
    scratch.note_asked(str(shown.path))
    assert shown.touched() == {}, "looking is not opening"
    (shown.path / "data").read_bytes()
    assert shown.touched() == {"data": ""}
    again = show(tmp_path, ["data"])
    assert (again.path / "data").read_bytes() == b"123456789"
    assert again.touched() == {}


@needs_inotify
@pytest.mark.parametrize(
    "move",
    [os.rename, os.link, lambda path, to: os.symlink(path, to)],
    ids=["rename", "link", "ln"],
)
def test_a_blank_is_watched_wherever_it_goes(
    move: Callable[[str, str], None],
    tmp_path: Path,
    show: Show,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 0)
    (tmp_path / "data").write_bytes(b"123456789")
    shown = show(tmp_path)
    elsewhere = os.path.join(shown.root, "tmp", "elsewhere")
    move(str(shown.path / "data"), elsewhere)
    assert shown.touched() == {}
    subprocess.check_output(["cat", elsewhere])
    assert shown.touched() == {"data": ""}


@needs_inotify
def test_the_code_cannot_take_the_notes_away(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 0)
    (tmp_path / "data").write_bytes(b"123456789")
    shown = show(tmp_path)
    (shown.path / "data").read_bytes()
    shutil.rmtree(shown.root)
    assert shown.touched() == {"data": ""}


@needs_inotify
def test_many_opens_lose_nothing(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system drops reports, all files count as opened."""
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 0)
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "c").write_bytes(b"c")
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    shown = show(tmp_path)
    for number in range(most + 2):  # the system folds equal reports that follow each other
        os.close(os.open(str(shown.path / "ab"[number % 2]), os.O_RDONLY))
    assert set(shown.touched()) == {"a", "b", "c"}


def test_a_system_that_watches_no_files(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On such a system, a read of the model_dir's path counts as an open."""
    monkeypatch.setattr(open_watch, "CAN_WATCH", False)
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 0)
    (tmp_path / "data").write_bytes(b"123456789")
    shown = show(tmp_path)
    assert shown.touched() == {}
    scratch.note_asked(str(shown.path))
    scratch.note_asked(str(shown.path))
    assert shown.touched() == {"data": ""}
    again = show(tmp_path, ["data"])
    scratch.note_asked(str(again.path))
    assert (again.path / "data").read_bytes() == b"123456789"
    assert again.touched() == {}


@needs_inotify
def test_only_regular_files_are_copied(tmp_path: Path, show: Show) -> None:
    model_dir = tmp_path / "m"
    model_dir.mkdir()
    (model_dir / "extra.txt").symlink_to("/dev/zero")
    os.mkfifo(str(model_dir / "pipe"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(str(model_dir / "socket")))
        shown = show(model_dir)
    assert shown.touched() == {}
    for name in ("extra.txt", "pipe", "socket"):
        assert (shown.path / name).read_bytes() == b""
    assert shown.touched() == {
        "extra.txt": "is a device, not a regular file",
        "pipe": "is a FIFO, not a regular file",
        "socket": "is a socket, not a regular file",
    }


@needs_inotify
def test_a_file_that_is_being_written(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code never sees a mixture of two states."""
    (tmp_path / "data").write_bytes(b"1")
    (tmp_path / "other").write_bytes(b"quiet")
    read = shown_files._read

    def read_and_write(source: int, size: int) -> bytes:
        data = read(source, size)
        if os.fstat(source).st_ino == (tmp_path / "data").stat().st_ino:
            with open(str(tmp_path / "data"), "ab") as file:
                file.write(b"more")
        return data

    monkeypatch.setattr(shown_files, "_read", read_and_write)
    shown = show(tmp_path)
    assert (shown.path / "other").read_bytes() == b"quiet"
    assert shown.touched() == {}
    (shown.path / "data").read_bytes()
    assert shown.touched() == {"data": "is being written (try again)"}


def test_a_file_that_vanishes(tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"22")
    read = shown_files._read

    def read_and_remove(source: int, size: int) -> bytes:
        (tmp_path / "b").unlink()
        return read(source, size)

    monkeypatch.setattr(shown_files, "_read", read_and_remove)
    shown = show(tmp_path)
    scratch.note_asked(str(shown.path))
    assert os.listdir(str(shown.path)) == ["a"]
    assert shown.touched() == {}


@needs_inotify
def test_a_file_that_cannot_be_read(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_bytes(b"123")

    def read(source: int, size: int) -> bytes:
        raise shown_files._UnreadableError(OSError(5, "Input/output error"))

    monkeypatch.setattr(shown_files, "_read", read)
    shown = show(tmp_path)
    assert shown.touched() == {}
    (shown.path / "data").read_bytes()
    assert shown.touched() == {"data": "cannot be read (Input/output error)"}


def test_what_the_code_may_not_read() -> None:
    """The code gets the same error as for the real files.

    Root would get no error, so the test runs as the user nobody.
    """
    with tempfile.TemporaryDirectory(dir=place_of_all()) as name:
        model_dir, temporary = Path(name, "model_dir"), Path(name, "temporary")
        temporary.mkdir()
        for path in (Path(name), temporary):
            path.chmod(0o777)
        for path in (model_dir / "closed", model_dir / "unsearchable"):
            path.mkdir(parents=True)
            (path / "file").write_text("hidden")
        for seen in ("open", "file"):
            (model_dir / seen).write_text("seen")
        (model_dir / "file").chmod(0)
        (model_dir / "closed").chmod(0)
        (model_dir / "unsearchable").chmod(0o444)
        found = outcome(start(lambda: _seen_by_nobody(model_dir, temporary)))
        assert os.listdir(str(temporary)) == []
        for path in (model_dir / "closed", model_dir / "unsearchable"):
            path.chmod(0o755)
    denied = "Permission denied"
    assert found == {"reply": {"file": denied, "closed": denied, "unsearchable": denied}}


def _seen_by_nobody(model_dir: Path, temporary: Path) -> Dict[str, str]:
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    tempfile.tempdir = str(temporary)
    shown = Shown(model_dir)
    scratch.note_asked(str(shown.path))
    assert (shown.path / "open").read_text() == "seen"
    found = {}
    for name in ("file", "closed/file", "unsearchable/file"):
        try:
            (shown.path / name).read_text()
        except OSError as error:
            found[name.partition("/")[0]] = str(error.strerror)
    assert shown.touched() == {}
    shown.close()
    return found


def test_names_that_are_not_utf_8(tmp_path: Path, show: Show) -> None:
    name = os.fsdecode(b"caf\xe9\n")
    try:
        (tmp_path / name).write_text("content")
    except OSError:
        pytest.skip("NOT TESTED: this file system takes only UTF-8")
    assert (show(tmp_path).path / name).read_text() == "content"


def test_files_are_cloned_where_the_file_system_can(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shown_files, "_MOST_BYTES", 0)
    data = os.urandom(2 << 20)
    (tmp_path / "model_dir").mkdir()
    (tmp_path / "model_dir" / "data").write_bytes(data)
    shown = show(tmp_path / "model_dir")
    if shown.ledger.items():
        pytest.skip("NOT TESTED: this file system cannot clone a file (btrfs and XFS can)")
    assert (shown.path / "data").read_bytes() == data
    (shown.path / "data").write_bytes(b"mine")
    assert (tmp_path / "model_dir" / "data").read_bytes() == data


# --- room --------------------------------------------------------------------------------------


def test_no_room_in_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is removed."""
    (tmp_path / "model_dir").mkdir()
    (tmp_path / "model_dir" / "data").write_bytes(b"123")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def full(self: Any, name: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shown_files._Mirror, "_create", full)
    with pytest.raises(UsageError) as raised:
        Shown(tmp_path / "model_dir")
    place = tmp_path / "temporary"
    assert str(raised.value) == (
        f"cannot copy MODEL_DIR to TMPDIR ({place}) for the code: No space left on device. Free "
        "some space there, or set TMPDIR to another directory"
    )
    assert os.listdir(str(place)) == []


def test_a_directory_that_the_code_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is missing for the traces of other modes. More free space would not help."""
    (tmp_path / "data").write_bytes(b"123")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    root = scratch.make()
    ledger = Ledger(root)
    scratch.remove(root)
    with pytest.raises(UsageError) as raised:
        shown_files.show(root, str(tmp_path), ledger)
    ledger.close()
    assert "No such file or directory. The code may have removed" in str(raised.value)
    assert "space" not in str(raised.value)


def test_no_room_for_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the ledger is closed, it does not write again what could not be written."""
    (tmp_path / "model_dir").mkdir()
    os.mkfifo(str(tmp_path / "model_dir" / "pipe"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(UsageError, match="cannot copy MODEL_DIR to TMPDIR"):
            Shown(tmp_path / "model_dir")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(str(tmp_path / "temporary")) == []


@needs_inotify
def test_a_disk_that_is_full_all_at_once(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partly copied file counts as not copied."""
    (tmp_path / "data").write_bytes(b"123")

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shown_files, "write_all", full)
    shown = show(tmp_path)
    assert shown.touched() == {}
    assert (shown.path / "data").stat().st_size == 3
    (shown.path / "data").read_bytes()
    assert shown.touched() == {"data": ""}
    again = show(tmp_path, ["data"])
    (again.path / "data").read_bytes()
    place = os.path.dirname(again.root)
    assert again.touched()["data"].startswith(f"(3) is too large to copy to TMPDIR ({place})")


@needs_inotify
def test_no_room_for_a_file_that_was_opened(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the free space stays free for the code and the system."""
    sparse_file(tmp_path / "data", 1 << 40)
    monkeypatch.setattr(shown_files, "_WORTH_CLONING", 1 << 41)
    shown = show(tmp_path, ["data"])
    with open(str(shown.path / "data")):
        pass
    (reason,) = shown.touched().values()
    place = os.path.dirname(shown.root)
    assert reason == (
        f"(1.02e+03G) is too large to copy to TMPDIR ({place}): set TMPDIR to a directory with "
        "more space"
    )


def test_what_is_said_of_what_was_missed() -> None:
    many = [LeftOut(f"pipe-{number}", "is a FIFO, not a regular file", 1) for number in range(5)]
    text = str(left_out.incomplete([LeftOut("large", "", 2), *many]))
    assert text.startswith(
        "the code may use files of its model_dir that ckptcheck cannot copy, so there is no "
        "verdict: pipe-0 is a FIFO, not a regular file; pipe-1 is a FIFO, not a regular file; "
        "pipe-2 is a FIFO, not a regular file; and 2 more. If the code"
    )
    text = str(left_out.incomplete([LeftOut("", "more than 20,000 files", -1)]))
    assert "MODEL_DIR holds more than 20,000 files. If" in text


def test_a_name_with_control_characters_stays_in_its_line() -> None:
    text = str(left_out.incomplete([LeftOut("a\nb\x1b\udcff\u00e9", "is a FIFO", 1)]))
    assert "a\\nb\\x1b\\udcff\u00e9 is a FIFO" in text
