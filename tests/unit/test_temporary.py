"""Temporary directories: what a killed run left is removed, and nothing else. No TensorFlow."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List, Sequence

import pytest

from ckptcheck.checkpoint.own_folder import own_folder
from ckptcheck.errors import UsageError
from ckptcheck.tracer import processes, temporary

from ..support import PROJECT, is_running, keeps_running

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="NOT TESTED: there is no /proc here"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only temporary directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def python(code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Runs code in another process that can import the module."""
    head = "import os, signal, subprocess, sys, time\nfrom ckptcheck.tracer import temporary\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *arguments],
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
    )


def line_of(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout is not None
    with process.stdout:
        return process.stdout.readline().decode("utf-8").strip()


KILLED = """
path, lock = temporary.make(sys.argv[1])
os.makedirs(os.path.join(path, "a", "b"))
open(os.path.join(path, "a", "file"), "w").close()
os.chmod(os.path.join(path, "a"), 0)
print(path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_a_killed_run() -> Path:
    process = python(KILLED, temporary.new_run())
    path = Path(line_of(process))
    assert process.wait() == -signal.SIGKILL
    assert path.is_dir()
    return path


def test_it_is_there_while_it_is_needed(place: Path) -> None:
    with temporary.folder() as path:
        assert os.listdir(str(place)) == [os.path.basename(path)]
        assert os.stat(path).st_mode & 0o777 == 0o700
        Path(path, "file").write_text("")
    assert os.listdir(str(place)) == []


def test_what_a_killed_run_left_is_removed(place: Path) -> None:
    left_by_a_killed_run()
    with temporary.folder() as path:
        assert os.listdir(str(place)) == [os.path.basename(path)]


def test_what_is_in_use_stays(place: Path) -> None:
    with temporary.folder() as mine:
        with python("temporary.clean_up()") as process:
            assert process.wait() == 0
        temporary.clean_up()
        assert os.path.isdir(mine)


def test_a_child_that_lives_on_keeps_no_lock(place: Path) -> None:
    """Otherwise, the killed run would count as running as long as the child runs."""
    process = python(
        "path, lock = temporary.make(temporary.new_run())\n"
        "print(subprocess.Popen(['sleep', '1000'], stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = int(line_of(process))
    process.wait()
    try:
        temporary.clean_up()
        assert os.listdir(str(place)) == []
        assert is_running(child), "it has no mark, so that nothing says whose it is"
    finally:
        os.kill(child, signal.SIGKILL)


def test_nothing_else_is_touched(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Links, files, directories of other programs, other machines and other users."""
    target = tmp_path_factory.mktemp("target")
    (target / "precious").write_text("")
    host, boot = temporary._machine()
    other = ("0000", "ffff")
    assert host not in other and boot not in other
    (place / f"ckptcheck-{host}{boot}{'1' * 12}").symlink_to(target, target_is_directory=True)
    (place / f"ckptcheck-{host}{boot}{'2' * 12}").write_text("a file")
    (place / f"ckptcheck-{host}{boot}{'3' * 12}.new").symlink_to(target, target_is_directory=True)
    kept = ["ckptcheck-abcdefgh", "ckptcheck-", "ckptcheck", f"x-ckptcheck-{host}{boot}{'4' * 12}"]
    kept += [f"ckptcheck-0000ffff{'5' * 12}", f"ckptcheck-{host}{boot}{'6' * 12}-mine"]
    if os.geteuid() == 0:
        kept.append(f"ckptcheck-{host}{boot}{'7' * 12}")
    for name in kept:
        (place / name).mkdir()
        (place / name / "file").write_text("")
    if os.geteuid() == 0:
        os.chown(str(place / kept[-1]), 65534, 65534)
    before = sorted(map(str, place.rglob("*")))
    temporary.clean_up()
    assert sorted(map(str, place.rglob("*"))) == before
    assert (target / "precious").exists()


@pytest.mark.parametrize("same", ["host", "boot"])
def test_a_machine_is_known_by_its_name_or_by_its_start(place: Path, same: str) -> None:
    """After a restart, a machine keeps its name. A container has its own name."""
    host, boot = temporary._machine()
    if same == "host":
        boot = "0000"
    else:
        host = "0000"
    (place / f"ckptcheck-{host}{boot}{'1' * 12}").mkdir()
    temporary.clean_up()
    assert os.listdir(str(place)) == []


def test_links_in_it_are_not_followed(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("target")
    (target / "precious").write_text("")
    os.chmod(str(target), 0o500)
    (left_by_a_killed_run() / "link").symlink_to(target, target_is_directory=True)
    temporary.clean_up()
    assert os.listdir(str(place)) == []
    assert (target / "precious").exists()
    assert os.stat(str(target)).st_mode & 0o777 == 0o500


def test_a_run_removes_so_many_and_the_next_one_the_rest(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, boot = temporary._machine()
    for number in range(7):
        (place / f"ckptcheck-{host}{boot}{number:012x}").mkdir()
    monkeypatch.setattr(temporary, "_MOST_LEFT", 4)
    temporary.clean_up()
    assert len(os.listdir(str(place))) == 3
    monkeypatch.setattr(temporary, "_LONGEST", -1.0)
    temporary.clean_up()
    assert len(os.listdir(str(place))) == 3, "there was no time left"
    monkeypatch.undo()


BUSY = """
import random
while True:
    with temporary.folder() as path:
        name = os.path.join(path, "file")
        with open(name, "w") as file:
            file.write("mine")
        time.sleep(random.random() / 100)
        if not os.path.exists(name):
            print("LOST", flush=True)
"""


def test_many_runs_that_are_killed_at_any_time(place: Path) -> None:
    """No run removes the directory of another run, and nothing is left at the end."""
    running = [python(BUSY) for _ in range(4)]
    said: List[bytes] = []
    for _ in range(24):
        time.sleep(0.05 + random.random() / 10)
        process = running.pop(0)
        process.kill()
        said.append(process.communicate()[0])
        running.append(python(BUSY))
    for process in running:
        process.kill()
        said.append(process.communicate()[0])
    assert said == [b""] * 28
    temporary.clean_up()
    assert os.listdir(str(place)) == []


def test_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError) as raised, temporary.folder():
        pass
    text = temporary.no_place(raised.value)
    assert "No such file or directory" in text and str(tmp_path / "gone") in text
    assert "TMPDIR" in text


def test_no_place_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        UsageError, match=r"cannot make a temporary directory.*TMPDIR"
    ), own_folder():
        pass


def test_a_file_system_without_locks(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On such a file system, no directory counts as left by a killed run."""

    def flock(lock: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    with temporary.folder() as path:
        temporary.clean_up()
        assert os.path.isdir(path)
    assert os.listdir(str(place)) == []


# --- processes -------------------------------------------------------------------------------


@contextlib.contextmanager
def sleeping(*words: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([*words, "sleep", "1000"], env=dict(os.environ, **variables))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@needs_proc
def test_processes_of_a_killed_run_are_ended(place: Path) -> None:
    """The mark is in a variable or an argument. A mark of another run does not count."""
    run, other = temporary.new_run(), temporary.new_run()
    path, lock = temporary.make(run)
    os.close(lock)
    code = "import time; time.sleep(1000)"
    arguments = [sys.executable, "-c", code, temporary.mark(run)]
    below = f"import subprocess; subprocess.Popen(['env', '-i', 'sleep', '1000']); {code}"
    with sleeping(**{temporary.MARK: run}) as first, sleeping(**{temporary.MARK: other}) as lives:
        second = subprocess.Popen(arguments)
        third = subprocess.Popen([sys.executable, "-c", below, temporary.mark(run)])
        found: Sequence[int] = ()
        while not found:
            time.sleep(0.05)
            found = processes.children(third.pid)
        temporary.clean_up()
        ended = [process.wait(timeout=10) for process in (first, second, third)]
        assert ended == [-signal.SIGKILL] * 3
        assert not any(map(keeps_running, found)), "what is below it has no mark, and is ended too"
        assert lives.poll() is None
    assert not os.path.exists(path)


@needs_proc
def test_a_run_that_a_killed_run_started_ends_neither(place: Path) -> None:
    """The new run, or the process that started it, then has the mark of the killed run."""
    run = temporary.new_run()
    path, lock = temporary.make(run)
    os.close(lock)
    marked = dict(os.environ, **{temporary.MARK: run, "PYTHONPATH": str(PROJECT)})
    code = "from ckptcheck.tracer import temporary; temporary.clean_up(); print('lives')"
    command = [sys.executable, "-c", code]
    inner = f"import os, subprocess; os.environ.pop({temporary.MARK!r}); subprocess.run({command})"
    for words in (command, [sys.executable, "-c", inner]):
        done = subprocess.run(words, env=marked, stdout=subprocess.PIPE)
        assert (done.returncode, done.stdout) == (0, b"lives\n")
        assert os.path.isdir(path)
    temporary.clean_up()
    assert not os.path.exists(path)
