"""The tracer's main loop: one request, one fork, one reply.

This process imports TensorFlow once. A new fork answers each request, so that changes that the
user's code makes to its process (flags, global state, a crash, an exit) do not affect the next
request. Requests arrive as lines of JSON on standard input. Replies go out as lines of JSON on the
original standard output. Descriptor 1 points to standard error before any of the user's code runs.
"""

import contextlib
import gc
import json
import os
import selectors
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, Set

from ..codec import from_json, to_json
from ..protocol import Reply, TraceRequest
from . import (
    checkpoint_reader,
    compat,
    left_out,
    processes,
    project_copy,
    provenance,
    scratch,
    shown_files,
    temporary,
    trace,
    watching,
)
from .failures import UsageError, failure_of
from .fork import Channel, Child, answer_and_exit, flush, never_started, write_all
from .shared_memory import Segments
from .supervisor import supervise

_CHUNK = 1 << 16
_MANY_OBJECTS = 100000
"""How many objects a fork makes before Python looks for garbage. A graph keeps nearly all of them,
so a search finds little garbage, and takes a tenth of the time."""
_A_MOMENT = 0.05
"""Seconds between two checks of a fork that has closed its pipe, or that has a memory limit."""
_A_WHILE = 0.5
"""Seconds between two checks of other forks. Their child processes may keep the pipe open."""


def main() -> None:
    """Imports TensorFlow, says so, and serves until standard input ends.

    The last argument is the mark of the run.
    """
    sys.dont_write_bytecode = True  # the user's modules may be in the model_dir
    segments = Segments()
    run = sys.argv.pop().partition("=")[2]
    try:
        folder, lock = temporary.make(run)
    except OSError as error:
        _write_line(1, {"failure": to_json(failure_of(UsageError(temporary.no_place(error))))})
        return
    os.environ[temporary.MARK] = run
    supervise(folder, lock, segments)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    replies = os.dup(1)
    os.dup2(2, 1)
    watching.begin()
    try:
        tensorflow = compat.import_tensorflow()
    except UsageError as error:
        _write_line(replies, {"failure": to_json(failure_of(error))})
        return
    hello = {
        "tensorflow": tensorflow.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "stand_ins": compat.stood_in(tensorflow),
    }
    _write_line(replies, {"hello": hello})
    watching.know_modules()
    gc.collect()
    gc.freeze()  # the forks share the pages that the collector would otherwise touch
    gc.set_threshold(_MANY_OBJECTS, 50, 100)
    Server(tensorflow, replies, segments).serve()
    flush()
    os._exit(0)  # a normal exit with TensorFlow takes a second


def _write_line(descriptor: int, value: Any) -> None:
    write_all(descriptor, json.dumps(value).encode("ascii") + b"\n")


def answer(
    tensorflow: Any,
    request: Dict[str, Any],
    send: Callable[[Any], Any],
    watch: Callable[[Callable[[], Any]], object] = lambda seen: None,
) -> Any:
    """Does what a request asks, in the fork.

    Args:
        tensorflow: the module.
        request: what to do.
        send: sends a reply that another one follows.
        watch: is given the function that says what the code depends on, if the request wants it.

    Returns:
        The last reply, as JSON.

    Raises:
        UsageError: it cannot be done.
    """
    doing = request["do"]
    if doing == "checkpoint":
        return to_json(checkpoint_reader.read_index(tensorflow, request["prefix"]))
    if doing == "op-list":
        return compat.op_list(tensorflow, request["ops"])
    if doing == "seen":
        return to_json(watching.of_interpreter())
    if doing in ("trace", "origins"):
        scratch.use(request["scratch"])
        asked = request["trace"]
        with contextlib.closing(request["ledger"]) as ledger:  # the code must not have access to it
            shown = shown_files.show(
                request["scratch"], asked["model_dir"], ledger, request["opened"]
            )
        asked = from_json(TraceRequest, dict(asked, scratch_dir=shown))
        if request.get("watched"):
            watch(watching.start(asked))
        limited: Any = contextlib.nullcontext()
        if request.get("memory_limit"):
            if not processes.can_measure_memory():
                raise UsageError("--memory-limit: this system does not report a process's memory")
            limited = processes.limited_memory(request["memory_limit"])
        if asked.copy is not None:
            project_copy.enter(asked.copy)
        with limited:
            if doing == "origins":
                return to_json(provenance.origins_of_target(tensorflow, asked, request["wanted"]))
            return to_json(project_copy.noted(asked, trace.trace_mode(tensorflow, asked, send)))
    raise UsageError(f"unknown request {doing!r}")


class Server:
    """Starts a fork for each request and hands its replies on.

    A fork that has sent its trace and judges the run does not keep other requests waiting. If the
    same mode is traced again with a judgement, the fork ends without one.
    """

    def __init__(self, tensorflow: Any, replies: int, segments: Segments) -> None:
        self._tensorflow = tensorflow
        self._replies = replies
        self._segments = segments
        self._waiting: List[Dict[str, Any]] = []
        self._children: Dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._most = max(2, os.cpu_count() or 2)
        self._opened: Dict[str, Set[str]] = {}
        """By model_dir: the files that code has opened although it could not see their content."""
        self._line: List[bytes] = []
        self._params: Dict[str, Any] = {}

    def serve(self) -> None:
        """Serves until standard input ends, then ends every fork."""
        processes.adopt_orphans()
        self._selector.register(0, selectors.EVENT_READ, self._read_requests)
        open_input = True
        while open_input:
            self._start_waiting()
            for key, _ in self._selector.select(self._patience()):
                action: Callable[[], bool] = key.data
                open_input = action() and open_input
            self._look_at_children()
        for child in list(self._children.values()):
            self._end(child)

    def _patience(self) -> Optional[float]:
        """Returns the seconds until the next look at the forks; None if there are no forks."""
        forks = self._children.values()
        if not forks:
            return None
        closely = any(child.memory_limit or not child.open for child in forks)
        ends = [child.deadline for child in forks] + [item["last_moment"] for item in self._waiting]
        left: float = min(ends) - time.monotonic()
        return max(0.0, min(left, _A_MOMENT if closely else _A_WHILE))

    def _read_requests(self) -> bool:
        data = os.read(0, _CHUNK)
        *ends, rest = data.split(b"\n")
        for end in ends:
            line = b"".join((*self._line, end))
            self._line = []
            self._take(json.loads(line.decode("ascii")))
        self._line.append(rest)
        return bool(data)

    def _take(self, message: Dict[str, Any]) -> None:
        """Takes a request, or the params of the requests that follow."""
        if "params" in message:
            self._params = message["params"]
            return
        if "trace" in message:
            message["trace"]["params"] = self._params
        message["last_moment"] = time.monotonic() + message["left"]
        self._waiting.append(message)

    def _start_waiting(self) -> None:
        while self._waiting and sum(not c.judging for c in self._children.values()) < self._most:
            self._start(self._waiting.pop(0))
        late = [item for item in self._waiting if item["last_moment"] <= time.monotonic()]
        for request in late:
            self._waiting.remove(request)
            self._answer(request, never_started(request))

    def _start(self, request: Dict[str, Any]) -> None:
        if "trace" in request:
            if request["trace"].get("judges_run"):
                self._end_judging(request["trace"]["mode"])
            if not self._made_place(request):
                return
        reading, writing = os.pipe()
        server, pid = os.getpid(), os.fork()
        if pid == 0:
            os.close(reading)
            channel = Channel(writing, request.get("scratch", ""))
            answer_and_exit(lambda: self._answer_in_fork(request, server, channel), channel)
        os.close(writing)
        child = Child(request, pid, reading, self._segments)
        self._children[reading] = child
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._read_child(child))

    def _made_place(self, request: Dict[str, Any]) -> bool:
        """Makes a trace's directory. If that fails, replies with the reason."""
        try:
            request["scratch"] = scratch.make()
            request["ledger"] = left_out.Ledger(request["scratch"])
        except OSError as error:
            scratch.remove(request.get("scratch", ""))
            named = os.path.dirname(tempfile.gettempdir())
            failure = failure_of(shown_files.no_room(named, error))
            self._answer(request, {"failure": to_json(failure)})
            return False
        request["opened"] = frozenset(self._opened.get(request["trace"]["model_dir"], ()))
        return True

    def _end_judging(self, mode: str) -> None:
        for child in list(self._children.values()):
            if child.judging and child.request["trace"]["mode"] == mode:
                self._end(child)

    def _answer_in_fork(self, request: Dict[str, Any], server: int, channel: Channel) -> Any:
        """Closes the tracer's descriptors in the fork, then answers."""
        os.setpgid(0, 0)
        processes.end_with_parent(server)
        processes.go_first()
        processes.adopt_orphans()
        for other in self._children.values():
            os.close(other.pipe)
            if other.ledger is not None:
                other.ledger.close()
        os.close(self._replies)
        self._selector.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)

        def send(reply: Reply) -> None:
            channel.send({"reply": to_json(reply), "more": True})

        def watch(seen: Callable[[], Any]) -> None:
            channel.seen = seen

        return answer(self._tensorflow, request, send, watch)

    def _read_child(self, child: Child) -> bool:
        child.read()
        if not child.open:
            self._selector.unregister(child.pipe)  # the fork ended, or closed the pipe
        return True

    def _look_at_children(self) -> None:
        for child in list(self._children.values()):
            now = time.monotonic()
            reply = child.reply() or child.ending() or child.late(now) or child.too_large()
            if reply is not None:
                self._finish(child, reply)

    def _finish(self, child: Child, reply: Dict[str, Any]) -> None:
        missed = child.missed()
        new = {item.name for item in missed if not item.reason}
        again = dict(child.request, sent=child.judging or child.request.get("sent"))
        if new:
            self._opened.setdefault(again["trace"]["model_dir"], set()).update(new)
            self._restart(child, dict(again, deadline=child.deadline))
            return
        if child.judging and "failure" in reply and not again["trace"].get("no_kernels"):
            reason = reply["failure"]["message"]
            again["trace"] = dict(again["trace"], no_kernels=reason)
            self._restart(child, dict(again, deadline=None))
            return
        if missed:
            reply = {"failure": to_json(failure_of(left_out.incomplete(missed)))}
        if "more" in reply and not child.judging:
            child.judge()
        else:
            self._end(child)
            child.judging = False
        if not (child.judging and again["sent"]):  # otherwise, this trace was sent before
            self._answer(child.request, reply)

    def _answer(self, request: Dict[str, Any], reply: Dict[str, Any]) -> None:
        _write_line(self._replies, dict(reply, id=request["id"]))

    def _restart(self, child: Child, request: Dict[str, Any]) -> None:
        self._end(child)
        self._waiting.insert(0, request)

    def _end(self, child: Child) -> None:
        """Ends a fork and its child processes, and then removes its files."""
        del self._children[child.pipe]
        if child.pipe in self._selector.get_map():
            self._selector.unregister(child.pipe)
        child.end()
        known = [other.pid for other in self._children.values()]
        processes.end_orphans(known, self._segments)
        self._segments.remove()
