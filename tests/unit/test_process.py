"""The process of the tracer, with commands that are no Python. No TensorFlow."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, List

import pytest

from ckptcheck import check
from ckptcheck.client.process import _MOST_WAITING, Tracer
from ckptcheck.errors import UsageError
from ckptcheck.protocol import Reply
from ckptcheck.tracer import fork, server, shared_memory

from ..support import FIXTURES

MODEL_DIR = str(FIXTURES / "hidden_dropout" / "tf215")


@pytest.mark.parametrize("command", ["sh -c 'exit 7'", "true", "sh -c 'sleep 0.01'"])
def test_an_end_while_the_sources_are_sent_is_one_error(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread may still send the sources when the pipe is closed."""
    raised: List[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append, raising=False)  # Python 3.8
    for _ in range(40):
        with pytest.raises(UsageError, match="before it answered"), Tracer(command, 10, True) as it:
            it.hello()
    assert not raised


def test_the_directory_of_an_environment_is_not_a_python(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory: expected"):
        Tracer(str(tmp_path), 10, True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("")
    with pytest.raises(UsageError, match="did you mean "):
        Tracer(str(tmp_path), 10, True)


def test_a_child_that_keeps_the_pipe_does_not_keep_us() -> None:
    """The child has left the process group, so a signal to the group does not end it."""
    tracer = Tracer("sh -c 'setsid sleep 6 & exit 0'", 10, True)
    tracer.close()
    assert tracer._process.returncode is not None


@pytest.mark.skipif(
    not hasattr(os, "waitid"), reason="NOT TESTED: this system does not tell who is stopped"
)
def test_a_tracer_that_was_stopped_ends_by_itself(tmp_path: Path) -> None:
    """Traced code can stop it."""
    (tmp_path / "line").write_text(json.dumps(HELLO) + "\n")
    with Tracer(f"sh -c 'cat {tmp_path}/line; kill -STOP $$; exit 3'", 10, True) as it:
        it.hello()
        os.waitid(os.P_PID, it._process.pid, os.WSTOPPED | os.WNOWAIT)
    assert it._process.returncode == 3


NO_TRACERS = [
    *("{}", "[]", "3", "null", '"text"', '{"hello": {}}', '{"hello": 3}', '{"hello": null}'),
    *('{"hello": {"tensorflow": 3, "python": "3", "stand_ins": []}}', '{"failure": {}}'),
    *('{"hello": {"tensorflow": "2", "python": "3", "stand_ins": 3}}', '{"failure": "text"}'),
    *('{"id": 1, "reply": 3}', '{"id": [], "reply": 3}', '{"reply": 3}', "{", "[" * 100000),
    *('{"id": 1, "hello": {"tensorflow": "2", "python": "3", "stand_ins": []}}', "9" * 10000),
]


@pytest.mark.parametrize("line", NO_TRACERS, ids=lambda line: line[:40])
def test_lines_that_are_no_messages_are_passed_over(line: str, tmp_path: Path) -> None:
    (tmp_path / "line").write_text(line + "\n")
    command = f"sh -c 'cat {tmp_path}/line'"
    with Tracer(command, 10, True) as it, pytest.raises(UsageError, match="before it answered"):
        it.hello()


@pytest.mark.parametrize("command", ["yes {}", "cat /dev/zero", "yes"])
def test_output_without_end_is_given_up(command: str) -> None:
    with Tracer(f"sh -c '{command}'", 0.5, True) as it:
        with pytest.raises(UsageError, match=r"did not answer within 0\.5 s: allow more"):
            it.hello()
        assert it._messages.qsize() == 0


HELLO = {"hello": {"tensorflow": "2.15.1", "python": "3.11.7", "stand_ins": []}}


def test_messages_without_end_take_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ckptcheck.client.process._PATIENCE", 0.1)  # "yes" reads no input
    monkeypatch.setattr("ckptcheck.client.process._GRACE", 0.1)
    (tmp_path / "line").write_text(json.dumps(HELLO))
    with Tracer(f"sh -c 'yes \"$(cat {tmp_path}/line)\"'", 10, True) as it:
        assert it.hello().tensorflow == "2.15.1"
        with pytest.raises(UsageError, match="did not answer"):
            it.begin(0.2)
            it.receive()
        assert it._messages.qsize() <= _MOST_WAITING


FALSE_TRACER = """
import json, os, sys
sys.stdout.write({hello!r} + "\\n")
sys.stdout.flush()
head = sys.stdin.buffer.readline()
sys.stdin.buffer.read(int(head))
for line in sys.stdin.buffer:
    request = json.loads(line.decode())
    if "id" in request:
        for answer in {answers!r}:
            print(json.dumps(dict(answer, id=answer.get("id", request["id"]))), flush=True)
"""
WRONG: List[Any] = [
    None,
    True,
    3,
    "text",
    [],
    [3],
    {},
    {"mode": 3},
    {"plan": {}},
    {"prefix": "a"},
    [[[]]],
]
ANSWERS: List[Any] = [{"reply": reply} for reply in WRONG]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_replies_that_mean_nothing(answer: Any, tmp_path: Path) -> None:
    """A program that uses the tracer's protocol, but sends replies of a wrong type."""
    script = tmp_path / "false.py"
    strangers = [{"id": 999, "reply": 3}, {"id": "x", "reply": 3}, {"failure": {}}]
    script.write_text(FALSE_TRACER.format(hello=json.dumps(HELLO), answers=[*strangers, answer]))
    python = f"sh -c 'exec {sys.executable} {script}'"
    with pytest.raises(UsageError):
        check(MODEL_DIR, "net:model_fn", python=python, timeout=20)


@pytest.mark.parametrize("reply", [*WRONG[:-5], {"mode": "predict"}], ids=repr)
def test_a_trace_without_a_plan_and_a_failure_is_not_understood(reply: Any) -> None:
    with Tracer("true", 10, True) as it, pytest.raises(UsageError, match="does not understand"):
        it.understood(Reply, reply)


def test_a_request_in_pieces_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request may have any size. Each piece is read only once."""
    pieces = [
        *(b'{"params"', b': {"a": 1}}\n{"id": 1, "left": 5, "tr'),
        *(b'ace": {}}\n{"id"', b': 2, "left": 3}', b"\n"),
    ]
    reader = server.Server(None, 1, shared_memory.Segments())
    monkeypatch.setattr(os, "read", lambda *_: pieces.pop(0))
    while pieces:
        assert reader._read_requests()
    ends = [request.pop("last_moment") - request.pop("left") for request in reader._waiting]
    assert ends == pytest.approx([time.monotonic()] * 2, abs=5)
    assert reader._waiting == [{"id": 1, "trace": {"params": {"a": 1}}}, {"id": 2}]


@pytest.mark.parametrize(
    "body", [b"3", b"[]", b"{}", b"null", b"[" * 100000, b'{"a": 1, "b": 2}', b"\xff", b"9" * 9999]
)
def test_what_is_no_reply_of_a_fork(body: bytes) -> None:
    assert fork._taken(bytearray(b"%d\n%s" % (len(body), body))) == fork._failed(fork._SCRIBBLED)


@pytest.mark.parametrize("head", [b"x\n", b"-1\n", b"9" * 19 + b"\n", b"9" * 30, b"1_0\n"])
def test_what_is_no_length_of_a_reply(head: bytes) -> None:
    assert fork._taken(bytearray(head)) == fork._failed(fork._SCRIBBLED)


def test_a_reply_that_has_not_come_whole_is_none_yet() -> None:
    for data in (b"", b"1", b"16\n", b'16\n{"reply": "abc"'):
        assert fork._taken(bytearray(data)) is None


def test_a_reply_that_has_not_come_whole_is_not_copied() -> None:
    class Data(bytearray):
        def __getitem__(self, key: Any) -> Any:
            assert isinstance(key, slice) and (key.stop or 0) < 20
            return super().__getitem__(key)

    assert fork._taken(Data(b"1000\n" + b"x" * 999)) is None


def test_messages_of_a_fork_are_taken_one_by_one() -> None:
    data = bytearray(b'28\n{"reply": "a", "more": true}12\n{"reply": 1}')
    assert fork._taken(data) == {"reply": "a", "more": True}
    assert fork._taken(data) == {"reply": 1}
    assert fork._taken(data) is None
