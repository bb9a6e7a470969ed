"""The tracer's forks and what they leave behind. No TensorFlow."""

import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from ckptcheck.tracer import processes, scratch
from ckptcheck.tracer.failures import failure_of
from ckptcheck.tracer.fork import Channel, Child, answer_and_exit

from ..support import place_of_all

needs_proc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="NOT TESTED: there is no /proc here"
)


REQUEST = {"id": 1, "timeout": 20, "most": 20, "last_moment": math.inf}


def start(answer: Any, **request: Any) -> Child:
    """Starts a fork that returns ``answer``."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        processes.adopt_orphans()
        answer_and_exit(answer, Channel(writing, request.get("scratch", "")))
    os.close(writing)
    return Child(dict(REQUEST, **request), pid, reading)


def outcome(child: Child) -> Dict[str, Any]:
    """Returns the fork's reply, or the failure of the fork."""
    while True:
        if child.open:
            child.read()
        found = child.reply() or child.ending() or child.late(time.monotonic())
        if found is not None:
            child.end()
            result: Dict[str, Any] = found
            return result
        time.sleep(0.01)


def test_an_answer() -> None:
    assert outcome(start(lambda: {"large": "x" * 1000000})) == {"reply": {"large": "x" * 1000000}}


def test_a_closed_pipe_is_gone_around(tmp_path: Path) -> None:
    """At that time, the descriptor may belong to a file of the user."""
    mine = tmp_path / "mine"
    mine.write_bytes(b"")

    def answer() -> str:
        os.closerange(3, 256)
        for _ in range(32):
            os.open(str(mine), os.O_RDWR)
        return "all the same"

    place = scratch.make()
    assert outcome(start(answer, scratch=place)) == {"reply": "all the same"}
    assert mine.read_bytes() == b""
    assert not os.path.exists(place)


@pytest.mark.parametrize("data", [b"not a number at all, and long", b"3\n{}}", b"2\n\xff\xff"])
def test_a_pipe_that_was_written_into(data: bytes) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, data)
        time.sleep(30)
        os._exit(0)
    os.close(writing)
    found = outcome(Child(REQUEST, pid, reading))
    assert found["failure"]["message"].startswith("the code wrote into the pipe")


def test_two_come_back_from_a_fork_and_one_answers() -> None:
    def answer() -> int:
        os.fork()
        return os.getpid()

    child = start(answer)
    pid = child.pid
    assert outcome(child) == {"reply": pid}


@needs_proc
def test_memory_that_is_shared_is_not_counted() -> None:
    kept = bytearray(b"x" * (64 << 20))

    def answer() -> Tuple[int, int]:
        before = processes.memory_of(os.getpid())
        mine = bytearray(b"y" * (64 << 20))
        return before, processes.memory_of(os.getpid()) + len(mine) * 0

    before, after = outcome(start(answer))["reply"]
    assert before < len(kept)
    assert 60 << 20 < after - before < 90 << 20


@needs_proc
def test_a_limit_of_memory_raises_and_is_taken_off() -> None:
    def answer() -> str:
        try:
            with processes.limited_memory(64 << 20):
                bytearray(b"y" * (200 << 20))
        except MemoryError:
            return str(len(bytearray(b"y" * (200 << 20))))
        return "no limit"

    assert outcome(start(answer)) == {"reply": str(200 << 20)}


@needs_proc
def test_a_limit_of_memory_inside_a_lower_one_leaves_it() -> None:
    def answer() -> str:
        with processes.limited_memory(64 << 20):
            with processes.limited_memory(400 << 20):
                pass
            try:
                bytearray(b"y" * (200 << 20))
            except MemoryError:
                return "limited"
        return "no limit"

    def inside() -> str:
        with processes.limited_memory(64 << 20), processes.limited_memory(400 << 20):
            try:
                bytearray(b"y" * (200 << 20))
            except MemoryError:
                return "limited"
        return "no limit"

    assert outcome(start(answer)) == {"reply": "limited"}
    assert outcome(start(inside)) == {"reply": "limited"}


class _Liar(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (_Liar(), "raised", "(its message cannot be shown: SystemExit)"),
        (SystemExit("x" * 1000000), "exited", "called sys.exit('" + "x" * 1982),
        (ValueError("a\nb" + "c" * 1000000), "raised", "a b" + "c" * 1997),
        (MemoryError("much"), "out-of-memory", "much"),
        (KeyboardInterrupt(), "raised", ""),
    ],
    ids=["liar", "exit", "long", "memory", "interrupt"],
)
def test_a_failure_can_be_said_of_any_exception(
    error: BaseException, kind: str, message: str
) -> None:
    failure = failure_of(error)
    assert failure.kind == kind
    assert failure.message[:1990] == message[:1990]
    assert len(failure.message) <= 2100


def test_a_locked_directory_is_removed() -> None:
    """Root may remove it anyway, so another user must, in a place where every user may write."""

    of_all = place_of_all()

    def answer() -> bool:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
            tempfile.tempdir = of_all
        place = scratch.make()
        locked = os.path.join(scratch.model_dir_in(place), "locked")
        os.makedirs(os.path.join(locked, "below"))
        os.chmod(locked, 0)
        scratch.remove(place)
        return os.path.exists(place)

    assert outcome(start(answer)) == {"reply": False}
