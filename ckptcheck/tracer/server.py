"""The tracer's main loop: one request, one fork, one reply.

TensorFlow is imported once. Each request is then answered by a fork of this process, so that
nothing that the user's code does to its process (flags, global state, a crash, an exit) is seen by
the next one. Requests come as lines of JSON on standard input; replies leave as lines of JSON on
what was standard output. Descriptor 1 points at standard error before any code of the user's runs.
"""

import dataclasses
import gc
import json
import os
import selectors
import signal
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from ..spec import Failure, TraceRequest, from_json, to_json
from . import compat, saved_graph, scratch, trace, variables
from .failures import UsageError, failure_of

_CHUNK = 1 << 16
_A_MOMENT = 0.02
"""Seconds between two looks at a fork that has closed its pipe."""


def main() -> None:
    """Imports TensorFlow, says so, and serves until standard input ends."""
    replies = os.dup(1)
    os.dup2(2, 1)
    try:
        tensorflow = compat.import_tensorflow()
    except UsageError as error:
        _write_line(replies, {"failure": to_json(failure_of(error))})
        return
    _write_line(replies, {"hello": _hello(tensorflow)})
    gc.collect()
    gc.freeze()  # the forks share the pages that the collector would otherwise touch
    Server(tensorflow, replies).serve()
    _flush()
    os._exit(0)  # taking TensorFlow down takes a second, and there is nothing to save


def _hello(tensorflow: Any) -> Dict[str, Any]:
    return {
        "tensorflow": tensorflow.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "stand_ins": compat.stood_in(tensorflow),
    }


def _write_line(descriptor: int, value: Any) -> None:
    _write_all(descriptor, json.dumps(value).encode("ascii") + b"\n")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def answer(tensorflow: Any, request: Dict[str, Any]) -> Any:
    """Does what a request asks, in the fork; returns the reply as JSON."""
    doing = request["do"]
    if doing == "checkpoint":
        return to_json(variables.read_index(tensorflow, request["prefix"]))
    if doing == "saved-graph":
        return to_json(saved_graph.read_saved_graph(tensorflow, request["files"]))
    if doing == "trace":
        asked = from_json(TraceRequest, request["trace"])
        scratch.use(request["scratch"])
        shown = scratch.model_dir_in(request["scratch"])
        asked = dataclasses.replace(asked, scratch_dir=shown)
        return to_json(trace.trace_mode(tensorflow, asked))
    raise UsageError(f"the tracer does not know how to {doing!r}")


class _Child:
    """A fork at work: its process, its pipe, and what it has written so far."""

    def __init__(self, request: Dict[str, Any], pid: int, pipe: int) -> None:
        self.id = request["id"]
        self.scratch = request.get("scratch", "")
        self.pid = pid
        self.pipe = pipe
        self.timeout = float(request["timeout"])
        self.deadline = time.monotonic() + self.timeout
        self.data = b""
        self.silent = False
        self.ended = False

    def reply(self) -> Optional[Any]:
        """The reply, None while it is not whole: its length, a newline, and as many bytes."""
        length, newline, rest = self.data.partition(b"\n")
        if not newline or len(rest) < int(length):
            return None
        return json.loads(rest[: int(length)].decode("ascii"))


class Server:
    """Starts a fork for each request and hands its reply on."""

    def __init__(self, tensorflow: Any, replies: int) -> None:
        self._tensorflow = tensorflow
        self._replies = replies
        self._waiting: List[Dict[str, Any]] = []
        self._children: Dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._most = max(2, os.cpu_count() or 2)
        self._input = b""

    def serve(self) -> None:
        """Serves until standard input ends, then ends every fork."""
        self._selector.register(0, selectors.EVENT_READ, self._read_requests)
        open_input = True
        while open_input:
            self._start_waiting()
            for key, _ in self._selector.select(self._patience()):
                action: Callable[[], bool] = key.data
                open_input = action() and open_input
            self._end_silent_children()
            self._end_late_children()
        for child in list(self._children.values()):
            self._kill(child)

    def _patience(self) -> Optional[float]:
        if any(child.silent for child in self._children.values()):
            return _A_MOMENT
        deadlines = [child.deadline for child in self._children.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _read_requests(self) -> bool:
        data = os.read(0, _CHUNK)
        self._input += data
        *lines, self._input = self._input.split(b"\n")
        self._waiting.extend(json.loads(line.decode("ascii")) for line in lines)
        return bool(data)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._children) < self._most:
            self._start(self._waiting.pop(0))

    def _start(self, request: Dict[str, Any]) -> None:
        reading, writing = os.pipe()
        if "trace" in request:
            request["scratch"] = scratch.make(request["trace"]["model_dir"])
        pid = os.fork()
        if pid == 0:
            self._be_child(request, reading, writing)
        os.close(writing)
        child = _Child(request, pid, reading)
        self._children[reading] = child
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._read_child(child))

    def _be_child(self, request: Dict[str, Any], reading: int, writing: int) -> None:
        """Answers in the fork, and ends it without running anybody's exit handlers."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.close(reading)
            os.close(self._replies)
            self._selector.close()
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            try:
                data = json.dumps({"reply": answer(self._tensorflow, request)}).encode("ascii")
            except Exception as error:
                data = json.dumps({"failure": to_json(failure_of(error))}).encode("ascii")
            _write_all(writing, b"%d\n%s" % (len(data), data))
            code = 0
        finally:
            _flush()
            os._exit(code)

    def _read_child(self, child: _Child) -> bool:
        data = os.read(child.pipe, _CHUNK)
        child.data += data
        reply = child.reply()
        if reply is not None:
            self._finish(child, reply)
        elif not data:
            self._selector.unregister(child.pipe)  # it ended, or closed its descriptors and goes on
            child.silent = True
        return True

    def _end_silent_children(self) -> None:
        for child in list(self._children.values()):
            if not child.silent:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.ended = True
                self._finish(child, {"failure": to_json(_death(status))})

    def _end_late_children(self) -> None:
        now = time.monotonic()
        for child in list(self._children.values()):
            if child.deadline <= now:
                text = "was still running after {:g} s and was stopped (--timeout)"
                failure = Failure("timed-out", "", text.format(child.timeout))
                self._finish(child, {"failure": to_json(failure)})

    def _finish(self, child: _Child, reply: Dict[str, Any]) -> None:
        if not child.silent:
            self._selector.unregister(child.pipe)
        os.close(child.pipe)
        del self._children[child.pipe]
        self._kill(child)
        _write_line(self._replies, dict(reply, id=child.id))

    def _kill(self, child: _Child) -> None:
        _kill_group(child.pid)
        if not child.ended:
            os.waitpid(child.pid, 0)
        _remove_scratch(child)


def _remove_scratch(child: _Child) -> None:
    if child.scratch:
        scratch.remove(child.scratch)


def _kill_group(pid: int) -> None:
    """Ends a fork and whatever it started."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it has ended; macOS says EPERM then
            continue


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # the user's code closed or replaced it
            continue


def _death(status: int) -> Failure:
    """What to say of a fork that ended without a reply."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return Failure("crashed", "", f"died of {_signal_name(number)}")
    code = os.WEXITSTATUS(status)
    return Failure("exited", "", f"ended the process with exit code {code}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
