"""Tests of the cache's files: damaged, foreign, partial, too many, or written at the same time."""

import errno
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import types
import zlib
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ckptcheck import cli
from ckptcheck.cache.dependencies import Told, Unstable, dependencies_of, first_change
from ckptcheck.cache.lines import Lines
from ckptcheck.cache.states import (
    ABSENT,
    first_changed,
    is_lasting,
    modules_found,
    row_of,
    state,
)
from ckptcheck.cache.store import FOLDER, Store, folder_for
from ckptcheck.client.memo import TraceMemo
from ckptcheck.commands.checking import Arguments
from ckptcheck.seen import Look, Seen
from ckptcheck.tracer import open_watch, watch_opens
from ckptcheck.tracer.watch import Watch
from ckptcheck.traces import LiveTraces

from ..support import PROJECT, run_cli

HELLO = types.SimpleNamespace(tensorflow="2.15.1")
VALUE: Dict[str, Any] = {"a": [1, "é\udc80", None], "b": {"c": 1.5}}


def path_of(store: Store, name: str = "one") -> Path:
    return Path(store.folder) / f"check-{name}.z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "cache"))


def test_what_was_written_is_read(store: Store) -> None:
    assert store.read("check", "one") is None
    assert store.write("check", "one", VALUE) == ""
    found = store.read("check", "one")
    assert found is not None and {key: found[key] for key in VALUE} == VALUE


def test_other_programs_know_the_directory(store: Store) -> None:
    store.write("check", "one", VALUE)
    tag = (Path(store.folder) / "CACHEDIR.TAG").read_bytes()
    assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert (Path(store.folder) / ".gitignore").read_text() == "*\n"


def test_a_directory_with_files_of_the_user_stays_visible(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("")
    assert Store(str(tmp_path)).write("check", "one", VALUE) == ""
    assert sorted(os.listdir(str(tmp_path))) == ["check-one.z", "model.py"]


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["runs", "net:model_fn"], True),
        (["runs", "net:model_fn", "--env", "TOKEN=secret"], False),
        (["runs", "net:model_fn", "--env=TOKEN=secret"], False),
        (["https://user:secret@host/runs", "net:model_fn"], False),
    ],
)
def test_a_command_line_with_a_secret_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: List[str], known: bool
) -> None:
    monkeypatch.delenv("CKPTCHECK_NO_CACHE", raising=False)
    line = Lines([*words, "--cache-dir", str(tmp_path)])
    line.remember({"given": {}})
    assert (line.known() is not None) == known
    assert len(list(tmp_path.glob("line-*"))) == known


def test_a_remembered_command_line_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CKPTCHECK_NO_CACHE", raising=False)
    words = ["runs", "--cache-dir", str(tmp_path)]
    Lines(words).remember({"given": {}, "renamed": 1})
    assert cli._known(words) is None
    Lines(words).remember({"given": {}, "verbose": True})
    assert cli._known(words) == Arguments({}, verbose=True)


def test_every_cut_and_every_changed_byte_is_a_miss_or_the_same(store: Store) -> None:
    store.write("check", "one", VALUE)
    whole, path = path_of(store).read_bytes(), path_of(store)
    known = store.read("check", "one")
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        assert store.read("check", "one") is None
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert store.read("check", "one") in (None, known)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        '{"format": 2, "name": "one"}',
        '{"format": 1, "name": "two"}',
        "[" * 100000,
        "{" + "9" * 5000,
    ],
)
def test_foreign_entries_are_misses(store: Store, text: str) -> None:
    store.write("check", "one", VALUE)
    path_of(store).write_bytes(zlib.compress(text.encode()))
    assert store.read("check", "one") is None


def test_an_entry_that_unpacks_to_too_much_is_a_miss(store: Store) -> None:
    store.write("check", "one", VALUE)
    path_of(store).write_bytes(zlib.compress(b" " * ((256 << 20) + 1), 9))
    assert store.read("check", "one") is None


def test_the_entries_that_were_used_least_recently_go(tmp_path: Path) -> None:
    store = Store(str(tmp_path), most_bytes=3000)
    for number in range(6):
        text = os.urandom(400).hex()
        assert store.write("check", str(number), {"text": text}) == ""
        os.utime(str(path_of(store, str(number))), (number, number))
    os.utime(str(path_of(store, "2")), (0, 0))
    store.touch("check", "2")
    store.write("check", "last", {"text": os.urandom(400).hex()})
    assert store.size().size <= 3000
    assert store.read("check", "2") is not None
    assert store.read("check", "last") is not None
    assert store.read("check", "0") is None


def test_clear_removes_only_what_the_cache_wrote(store: Store) -> None:
    store.write("check", "one", VALUE)
    store.write("packages", "two", VALUE)
    mine = [Path(store.folder) / name for name in ("mine.txt", "mine.z", "mine.tmp", "a-check-b.z")]
    for path in mine:
        path.write_text("mine")
        os.utime(str(path), (0, 0))
    store.write("check", "two", VALUE)
    assert store.clear().entries == 2
    assert store.size() == (0, 0)
    assert [path.read_text() for path in mine] == ["mine"] * 4


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file" / "cache"))
    assert store.write("check", "one", VALUE) == f"{store.folder}: Not a directory"
    assert store.read("check", "one") is None
    assert store.size() == (0, 0)


def test_a_file_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = run_cli("cache", "--cache-dir", "file", cwd=tmp_path)
    assert run.code == 2
    assert "file is not a directory: expected the directory of a cache" in run.err


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from ckptcheck.cache.store import Store
print(Store(sys.argv[1]).write("check", "one", {"text": __import__("os").urandom(4000).hex()}))
"""


def test_a_full_disk_leaves_nothing(store: Store) -> None:
    assert resource.RLIMIT_FSIZE
    found = subprocess.run(
        [sys.executable, "-c", FULL, store.folder],
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert found.stdout.decode().strip() == f"{store.folder}: File too large"
    assert sorted(os.listdir(store.folder)) == [".gitignore", "CACHEDIR.TAG"]


WRITER = """
import sys
from ckptcheck.cache.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    number += 1
    store.write("check", "one", {"number": number, "text": str(number) * 200000})
"""


def test_a_killed_writer_leaves_a_whole_entry(store: Store) -> None:
    for number in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, store.folder],
            env=dict(os.environ, PYTHONPATH=str(PROJECT)),
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        while not path_of(store).exists():
            time.sleep(0.01)
        time.sleep(0.01 * number)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = store.read("check", "one")
        assert found is not None
        assert found["text"] == str(found["number"]) * 200000


def _write_many(folder: str) -> None:
    store = Store(folder, most_bytes=200000)
    for number in range(50):
        text = os.urandom(2000).hex()
        assert store.write("check", str(number % 5), {"text": text, "again": text}) == ""
        found = store.read("check", str(number % 5))
        assert found is None or found["text"] == found["again"]


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write_many, args=(str(tmp_path),)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("marker", ["pyproject.toml", "ckptcheck.toml", ".git"])
def test_the_cache_is_in_the_directory_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str
) -> None:
    (tmp_path / marker).write_text("")
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    monkeypatch.delenv("CKPTCHECK_CACHE_DIR", raising=False)
    assert folder_for("") == str(tmp_path.resolve() / FOLDER)
    assert folder_for("mine") == str(tmp_path.resolve() / "a" / "b" / "mine")
    monkeypatch.setenv("CKPTCHECK_CACHE_DIR", "/elsewhere")
    assert folder_for("") == "/elsewhere"


def test_the_states_of_files(tmp_path: Path) -> None:
    file, folder, link = tmp_path / "file", tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    for look in Look:
        assert state(str(file), look) == ABSENT
        assert state("\0", look).startswith("error")
    file.write_text("one")
    before = {look: state(str(file), look) for look in (Look.CONTENT, Look.SIZE, Look.KIND)}
    file.write_text("two")
    after = {look: state(str(file), look) for look in before}
    assert [look for look in before if before[look] != after[look]] == [Look.CONTENT]
    link.symlink_to("file")
    names = state(str(tmp_path), Look.NAMES)
    other = state(str(link), Look.LINK), state(str(link), Look.CONTENT)
    link.unlink()
    link.symlink_to("folder")
    assert (state(str(link), Look.LINK), state(str(link), Look.CONTENT)) != other
    assert state(str(link), Look.CONTENT) == "directory"
    assert state(str(tmp_path), Look.NAMES) != names
    os.mkfifo(str(tmp_path / "pipe"))
    assert state(str(tmp_path / "pipe"), Look.KIND) == "other"
    assert not is_lasting(state(str(tmp_path / "pipe"), Look.CONTENT))
    assert is_lasting(state(os.devnull, Look.CONTENT))


def test_a_directory_with_many_files_changes_with_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ckptcheck.cache.states._MOST_ENTRIES", 3)
    for number in range(9):
        (tmp_path / str(number)).write_text("")
    before = state(str(tmp_path), Look.NAMES)
    time.sleep(0.1)
    (tmp_path / "new").write_text("")
    assert before != state(str(tmp_path), Look.NAMES)
    assert not is_lasting(state(str(tmp_path), Look.STATS)), "the times of its files are not known"


def told_of(texts: List[str]) -> Told:
    return Told("", None, (), texts, None, None, time.time(), 0, {}, "")  # type: ignore[arg-type]


def test_only_so_many_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ckptcheck.cache.dependencies._MOST_BYTES", 1000)
    paths = [str(tmp_path / f"{number}.txt") for number in range(4)]
    for number, path in enumerate(paths):
        Path(path).write_text("x" * (300 + number))
    time.sleep(0.1)
    found = dependencies_of((Seen(), Seen()), told_of(paths), {})
    states = [known.partition(" ")[0] for _, _, known in found.files]
    assert states == ["file", "file", "file", "large"]
    assert first_change(found, {}) == ""
    os.utime(paths[0], (0, 0))
    assert first_change(found, {}) == "", "its content is the same"
    os.utime(paths[3], (0, 0))
    assert first_change(found, {}) == f"{paths[3]} has changed"


def test_params_that_may_name_too_many_files() -> None:
    with pytest.raises(Unstable, match="more than 20,000 files"):
        dependencies_of((Seen(), Seen()), told_of([f"{n}.txt" for n in range(20001)]), {})


@pytest.mark.parametrize(("left", "hurried"), [(100.0, ""), (10.0, "the check took a large part")])
def test_time_that_a_slow_disk_takes_does_not_count(left: float, hurried: str) -> None:
    """Reading data extends the time that is left."""
    tracer: Any = types.SimpleNamespace(time=120.0, left=left, hello=lambda: HELLO)
    traces = LiveTraces(tracer, TraceMemo(None, None), began=time.time() - 1000)
    nothing: Any = types.SimpleNamespace(trace=None, not_judged=())
    assert traces._hurried(nothing).startswith(hurried)
    assert bool(traces._hurried(nothing)) == bool(hurried)


def test_an_error_that_may_pass_is_not_kept() -> None:
    assert not is_lasting(f"error {errno.EIO}")
    assert is_lasting(f"error {errno.EACCES}")
    assert is_lasting(state("a" * 900, Look.CONTENT))
    assert is_lasting(state("\0", Look.CONTENT))


def test_the_modules_of_a_directory(tmp_path: Path) -> None:
    for name in ("net.py", "net.cpython-311-x86_64-linux-gnu.so", "network.py", "other.py"):
        (tmp_path / name).write_text("")
    assert modules_found(str(tmp_path), ["net", "absent"]) == [
        "net.cpython-311-x86_64-linux-gnu.so",
        "net.py",
    ]
    assert modules_found(str(tmp_path / "absent"), ["net"]) == [ABSENT]


def test_an_installed_file_with_other_times_is_the_same(tmp_path: Path) -> None:
    """For example, a CI cache was restored on another machine."""
    path = tmp_path / "module.py"
    path.write_text("one")
    row = row_of(str(path), time.time_ns() + 10**11)
    assert first_changed([row], 0) == ("", [row])
    path.unlink()
    path.write_text("one")
    changed, (now,) = first_changed([row], time.time_ns() + 10**11)
    assert changed == "" and now[5] == row[5]
    assert json.loads(json.dumps(now)) == list(now)
    info = path.stat()
    path.write_text("two")
    os.utime(str(path), ns=(info.st_atime_ns, info.st_mtime_ns))
    assert first_changed([row], time.time_ns()) == (str(path), [])


@pytest.mark.parametrize(("name", "changed"), [("words.bin", True), ("net.so.2", False)])
def test_the_middle_of_a_large_installed_file(tmp_path: Path, name: str, changed: bool) -> None:
    path = tmp_path / name
    path.write_bytes(b"x" * (9 << 20))
    row = row_of(str(path), time.time_ns() + 10**11)
    with open(str(path), "r+b") as file:
        file.seek(4 << 20)
        file.write(b"y")
    assert first_changed([row], time.time_ns())[0] == (str(path) if changed else "")


@pytest.mark.parametrize("fails", ["inotify_init1", "inotify_add_watch"])
def test_a_system_that_cannot_watch_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    if not open_watch.CAN_WATCH:
        pytest.skip("only Linux watches directories")
    names = ("inotify_init1", "inotify_add_watch")
    library = {name: getattr(open_watch.LIBC, name) for name in names}
    library[fails] = lambda *given: -1
    monkeypatch.setattr(watch_opens, "LIBC", types.SimpleNamespace(**library))
    watch = Watch()
    watch_opens.OpensWatch([str(tmp_path)], []).look(watch)
    (reason,) = watch.seen().reasons
    assert "the system does not watch directories" in reason


def test_a_file_that_has_just_changed_is_read_again(tmp_path: Path) -> None:
    """The file may change again in the same clock tick of the file system."""
    path = tmp_path / "module.py"
    path.write_text("one")
    row = row_of(str(path), time.time_ns())
    assert first_changed([row], time.time_ns())[0] == ""
    path.write_text("two")
    info = path.stat()
    same = (row[0], info.st_size, info.st_mtime_ns, -2, info.st_ino, row[5])
    assert first_changed([same], time.time_ns())[0] == str(path)
