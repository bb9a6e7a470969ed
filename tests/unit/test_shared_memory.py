"""ckptcheck removes shared memory of traced code, and no other shared memory. No TensorFlow."""

import contextlib
import ctypes
import math
import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from ckptcheck.tracer import processes
from ckptcheck.tracer.fork import Channel, Child, answer_and_exit
from ckptcheck.tracer.shared_memory import Segments

PLACE = Path("/dev/shm")

pytestmark = pytest.mark.skipif(
    not PLACE.is_dir() or not os.access(str(PLACE), os.W_OK) or not Path("/proc/self").exists(),
    reason="NOT TESTED: shared memory is found by /dev/shm and /proc",
)


@pytest.fixture
def name() -> Iterator[str]:
    """Yields an unused name."""
    found = f"ckptcheck-test-{os.urandom(6).hex()}"
    yield found
    with contextlib.suppress(OSError):
        (PLACE / found).unlink()


def shm_open(name: str) -> int:
    """Makes a segment like a library outside Python does."""
    try:
        library = ctypes.CDLL("librt.so.1", use_errno=True)
        function = library.shm_open
    except (OSError, AttributeError):
        function = ctypes.CDLL(None, use_errno=True).shm_open
    descriptor: int = function(b"/" + name.encode(), os.O_RDWR | os.O_CREAT, 0o600)
    assert descriptor >= 0
    os.ftruncate(descriptor, 4096)
    return descriptor


def mapped(name: str) -> mmap.mmap:
    descriptor = shm_open(name)
    found = mmap.mmap(descriptor, 4096)
    os.close(descriptor)
    return found


@pytest.fixture(autouse=True)
def adopting() -> Iterator[None]:
    """This process adopts orphans as the tracer does."""
    processes.adopt_orphans()
    yield
    assert processes._PRCTL is not None
    processes._PRCTL(processes._PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def trace(answer: Callable[[], Any], segments: Segments) -> Dict[str, Any]:
    """Runs a fork like the tracer does, from start to end."""
    mine = processes.children(os.getpid())
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        processes.adopt_orphans()
        answer_and_exit(answer, Channel(writing, ""))
    os.close(writing)
    child = Child(
        {"id": 1, "timeout": 20, "most": 20, "last_moment": math.inf}, pid, reading, segments
    )
    found = None
    while found is None:
        if child.open:
            child.read()
        found = child.reply() or child.ending() or child.late(time.monotonic())
        time.sleep(0.01)
    child.end()
    processes.end_orphans(mine, segments)
    segments.remove()
    result: Dict[str, Any] = found
    return result


def test_a_segment_that_a_fork_has_mapped(name: str) -> None:
    kept: List[Any] = []

    def answer() -> bool:
        kept.append(mapped(name))
        return (PLACE / name).exists()

    assert trace(answer, Segments()) == {"reply": True}
    assert not (PLACE / name).exists()


def test_a_segment_that_a_daemon_has_open(name: str) -> None:
    def answer() -> bool:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                shm_open(name)
                time.sleep(1000)
            os._exit(0)
        os.wait()
        while not (PLACE / name).exists():
            time.sleep(0.01)
        return True

    assert trace(answer, Segments()) == {"reply": True}
    assert not (PLACE / name).exists()


@pytest.mark.skipif(sys.version_info < (3, 8), reason="NOT TESTED: this Python has no SharedMemory")
@pytest.mark.parametrize("ends", ["answers", "is killed"])
def test_what_multiprocessing_keeps_account_of(name: str, ends: str) -> None:
    """The segment is closed, so only Python's tracker knows it."""

    def answer() -> bool:
        from multiprocessing import shared_memory

        shared_memory.SharedMemory(name, create=True, size=4096).close()
        if ends == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return (PLACE / name).exists()

    found = trace(answer, Segments())
    assert found == {"reply": True} or "the signal SIGKILL" in found["failure"]["message"]
    assert not (PLACE / name).exists()


def test_a_segment_that_was_there_before_stays(name: str) -> None:
    os.close(shm_open(name))
    kept: List[Any] = []
    assert trace(lambda: kept.append(mapped(name)), Segments()) == {"reply": None}
    assert (PLACE / name).exists()


def test_a_segment_of_another_program_stays(name: str) -> None:
    """Made in the meantime, and not opened by traced code; or opened, and still in use."""
    segments = Segments()
    held = mapped(name)
    assert trace(lambda: None, segments) == {"reply": None}
    assert (PLACE / name).exists()
    kept: List[Any] = []
    assert trace(lambda: kept.append(mapped(name)), segments) == {"reply": None}
    assert (PLACE / name).exists()
    held.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root makes files of other users")
def test_a_segment_of_another_user_stays(name: str) -> None:
    kept: List[Any] = []

    def answer() -> None:
        kept.append(mapped(name))
        os.chown(str(PLACE / name), 65534, 65534)

    assert trace(answer, Segments()) == {"reply": None}
    assert (PLACE / name).exists()


# --- System V --------------------------------------------------------------------------------

_LIBC = ctypes.CDLL(None)


def make_system_v() -> int:
    found: int = _LIBC.shmget(0, 4096, 0o600 | 0o1000)
    if found < 0:
        pytest.skip("NOT TESTED: there are no System V segments here")
    return found


def system_v() -> List[int]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [int(line.split()[1]) for line in lines]


@pytest.mark.parametrize("ends", ["answers", "is killed"])
def test_system_v_segments(ends: str) -> None:
    """The segment of the fork is removed. Segments of other processes stay."""

    def answer() -> None:
        make_system_v()
        if ends == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)

    older = make_system_v()
    segments = Segments()
    younger = int(subprocess.check_output([sys.executable, "-c", _MAKE]))
    try:
        before = set(system_v())
        trace(answer, segments)
        assert {older, younger} <= before
        assert set(system_v()) == before
    finally:
        for key in (older, younger):
            _LIBC.shmctl(key, 0, None)


_MAKE = "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o600 | 0o1000))"
