"""A fork that answers one request: the fork's side and the tracer's side.

The reply must arrive, even if the user's code damages the fork's process. The code may close
descriptors, write into descriptors that it did not open, fork, leave processes behind, and replace
functions of the standard library. So before the user's code runs, this module binds
everything that the fork needs for its reply.
"""

import json
import os
import signal
import sys
import time
from typing import Any, Callable, Dict, Optional, Tuple

from ..codec import to_json
from ..protocol import Failure, FailureKind
from . import processes, scratch
from .failures import failure_of
from .left_out import Ledger, LeftOut
from .shared_memory import Segments

_CHUNK = 1 << 20
_LONGEST_HEAD = 20
LARGEST_REPLY = 1 << 28
"""Bytes. The reply for a graph of 100,000 variables has a tenth of that."""
_REPLY_FILE = "reply"

_UNTIL_ENDED = 5.0
"""Seconds that a fork waits for the tracer to end it."""

_exit, _fstat, _getpid, _write, _open = os._exit, os.fstat, os.getpid, os.write, open
_sleep = time.sleep
_signal, _SIGNALS = signal.signal, range(1, signal.NSIG)
_settrace, _setprofile = sys.settrace, sys.setprofile
_setrecursionlimit, _FRAMES = sys.setrecursionlimit, sys.getrecursionlimit()


class _Encoder(json.JSONEncoder):
    """Keeps the methods that :mod:`json` has now, even if the user's code replaces them later."""

    encode = json.JSONEncoder.encode
    iterencode = json.JSONEncoder.iterencode
    default = json.JSONEncoder.default


_encode = _Encoder().encode


class Channel:
    """The fork's end of the pipe that its reply goes through.

    Attributes:
        descriptor: where to write.
        scratch: a directory of this fork, or "". If the user's code closed the pipe, the reply goes
            into a file there, because the descriptor may now belong to a file of the user.
        seen: returns the dependencies of the code, which every message has if they can be found
            out; None if the request does not want them.
    """

    def __init__(self, descriptor: int, scratch: str) -> None:
        self.descriptor = descriptor
        self.scratch = scratch
        self.seen: Optional[Callable[[], Any]] = None
        self._process = _getpid()
        self._identity = _identity(descriptor)
        self._file = os.path.join(scratch, _REPLY_FILE)

    def send(self, value: Any) -> bool:
        """Sends a message; returns whether it went through the pipe."""
        if _getpid() != self._process:  # this is a child process that the user's code forked
            return False
        _be_undisturbed()
        body = _encode({**value, **self._dependencies()}).encode("ascii")
        if len(body) > LARGEST_REPLY:
            body = _encode(_failed(_TOO_LARGE)).encode("ascii")
        data = b"%d\n%s" % (len(body), body)
        if _identity(self.descriptor) == self._identity:
            write_all(self.descriptor, data)
            return True
        if self.scratch:
            with _open(self._file, "ab") as file:
                file.write(data)
        return False

    def _dependencies(self) -> Dict[str, Any]:
        """Returns the part of a message that says what the code depends on."""
        try:
            return {} if self.seen is None else {"seen": to_json(self.seen())}
        except BaseException:  # from an object that the user's code left, such as a lazy module
            return {}


def _identity(descriptor: int) -> Optional[Tuple[int, int]]:
    try:
        info = _fstat(descriptor)
    except OSError:  # the user's code has closed the pipe
        return None
    return info.st_dev, info.st_ino


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of it."""
    view = memoryview(data)
    while view:
        view = view[_write(descriptor, view) :]


def answer_and_exit(answer: Callable[[], Any], channel: Channel) -> None:
    """Answers in the fork, and ends it without running exit handlers.

    After the reply, the fork waits until the tracer ends it. Until then, the tracer can see which
    shared memory the fork uses.
    """
    code = 1
    try:
        try:
            reply = {"reply": answer()}
        except BaseException as error:  # an interrupt that the user's code sent to itself
            reply = {"failure": to_json(failure_of(error))}
        if channel.send(reply):
            flush()
            _sleep(_UNTIL_ENDED)
        code = 0
    finally:
        try:
            flush()
        finally:
            _exit(code)


def _be_undisturbed() -> None:
    """Removes hooks and signal handlers, which would run the user's code while the fork replies."""
    _settrace(None)
    _setprofile(None)
    _setrecursionlimit(_FRAMES)
    for number in _SIGNALS:
        try:
            _signal(number, _IGNORED)
        except (OSError, ValueError):  # this signal cannot be ignored
            continue


_IGNORED = signal.SIG_IGN


def flush() -> None:
    """Writes out what is still in Python's buffers."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the user's code closed or replaced the stream
            continue


class Child:
    """A running fork, on the tracer's side.

    Attributes:
        request: what it answers.
        ledger: the files of its model_dir that the code does not see; None without a model_dir.
        pid: its process.
        pipe: where its reply comes from.
        started: when it began with what it does.
        deadline: when the time of the fork ends.
        last_moment: when the time of the whole check ends.
        memory_limit: the bytes that it may use, 0 for no limit.
        judging: whether it has sent its trace, and now judges the run.
    """

    def __init__(
        self, request: Dict[str, Any], pid: int, pipe: int, segments: Optional[Segments] = None
    ) -> None:
        self.request = request
        self.ledger: Optional[Ledger] = request.get("ledger")
        self.pid = pid
        self.pipe = pipe
        self.started = time.monotonic()
        self.last_moment: float = request["last_moment"]
        own = request.get("deadline") or self.started + request["most"]
        self.deadline = min(own, self.last_moment)
        self.memory_limit: int = request.get("memory_limit") or 0
        self.open = True
        self.judging = False
        self._status = 0
        self._inherited = processes.inherited_memory()
        self._scratch = request.get("scratch", "")
        self._segments = segments
        self._data = bytearray()
        self._read_of_file = 0
        os.set_blocking(pipe, False)

    def read(self) -> bool:
        """Takes what has arrived, and returns whether any has; ``open`` says whether more can."""
        try:
            data = os.read(self.pipe, _CHUNK)
        except BlockingIOError:
            return False
        if len(self._data) <= LARGEST_REPLY + _LONGEST_HEAD:  # the rest is ignored
            self._data += data
        self.open = bool(data)
        return self.open

    def reply(self) -> Optional[Any]:
        """Returns the next message; None if there is none yet."""
        return _taken(self._data) if self.open else self._last_reply()

    def ending(self) -> Optional[Any]:
        """Returns the next message of an ended fork, and reaps it; None if it still runs."""
        if self.pid:
            pid, self._status = os.waitpid(self.pid, os.WNOHANG)
            if not pid:
                return None
            if self._segments is not None:
                self._segments.note([pid])
            while self.open and self.read():  # what it wrote before it ended
                continue
            self.pid = 0
        return self._last_reply() or _failed(_death(self._status, self.memory_limit))

    def _last_reply(self) -> Optional[Any]:
        """The next message, which is in a file if the user's code closed the pipe."""
        if len(self._data) <= LARGEST_REPLY + _LONGEST_HEAD:
            try:
                with open(os.path.join(self._scratch, _REPLY_FILE), "rb") as file:
                    file.seek(self._read_of_file)
                    more = file.read(LARGEST_REPLY + _LONGEST_HEAD)
            except OSError:  # it wrote none
                more = b""
            self._data += more
            self._read_of_file += len(more)
        return _taken(self._data)

    def late(self, now: float) -> Optional[Any]:
        """Returns the message for a fork whose time has ended."""
        if now < self.deadline:
            return None
        text = _LATE.format(self.deadline - self.started, self.request["timeout"])
        return self._last_reply() or _failed(Failure(FailureKind.TIMED_OUT, "", text))

    def judge(self) -> None:
        """Notes that the fork has sent its trace, and now judges the run.

        With a dry run, it may take half of the time that is left. The other half is for a judgement
        without a dry run, if the dry run does not end.
        """
        self.judging = True
        self.started = time.monotonic()
        share = 1.0 if self.request["trace"]["no_kernels"] else 0.5
        self.deadline = self.started + share * (self.last_moment - self.started)

    def too_large(self) -> Optional[Any]:
        """Returns the message for a fork that uses too much memory."""
        most = self.memory_limit + self._inherited
        if not self.memory_limit or processes.memory_of(self.pid) <= most:
            return None
        size = size_text(self.memory_limit)
        text = (
            f"the process used more than {size} of memory, so ckptcheck stopped it (--memory-limit)"
        )
        return self._last_reply() or _failed(Failure(FailureKind.OUT_OF_MEMORY, "", text))

    def missed(self) -> Tuple[LeftOut, ...]:
        """Returns the files that its code used, or may have used, but was not shown."""
        if self.ledger is None:
            return ()
        return self.ledger.touched(scratch.was_asked(self._scratch))

    def end(self) -> None:
        """Ends the fork and the processes that it started, and removes its directory."""
        os.close(self.pipe)
        if self.ledger is not None:
            self.ledger.close()
        if self.pid:
            processes.end_tree(self.pid, self._segments)
            os.waitpid(self.pid, 0)
        if self._scratch:
            scratch.remove(self._scratch)


_NOT_STARTED = "other modes took all the time (--timeout {:g})"
_LATE = "the process was still running after {:.0f} s, so ckptcheck stopped it (--timeout {:g})"


def never_started(request: Dict[str, Any]) -> Dict[str, Any]:
    """Returns the message for a request whose time ended before a fork could start."""
    return _failed(Failure(FailureKind.TIMED_OUT, "", _NOT_STARTED.format(request["timeout"])))


def _taken(data: bytearray) -> Optional[Any]:
    """Takes the first message out of the data; returns None if it is not complete.

    A message consists of its length, a newline, and that number of bytes.
    """
    end = data.find(b"\n", 0, _LONGEST_HEAD)
    if end < 0:
        return _failed(_SCRIBBLED) if len(data) >= _LONGEST_HEAD else None
    length = data[:end]
    if not length.isdigit() or int(length) > LARGEST_REPLY:
        return _failed(_SCRIBBLED)
    after = end + 1 + int(length)
    if len(data) < after:  # copies nothing yet: a large message comes in thousands of pieces
        return None
    body = data[end + 1 : after]
    del data[:after]
    return _message(body)


def _message(body: bytearray) -> Any:
    """Returns the message in a reply; a failure if the fork did not write the reply."""
    try:
        found = json.loads(body.decode("ascii"))
    except (ValueError, RecursionError):
        return _failed(_SCRIBBLED)
    whole = isinstance(found, dict) and ("reply" in found or "failure" in found)
    return found if whole else _failed(_SCRIBBLED)


_SCRIBBLED = Failure(
    FailureKind.NO_RESULT,
    "",
    "the code wrote into the pipe to ckptcheck, a file descriptor that it did not open",
)
_TOO_LARGE = Failure(
    FailureKind.NO_RESULT,
    "",
    f"the graph is too large: ckptcheck reads at most {LARGEST_REPLY >> 20} MiB about it",
)


def _failed(failure: Failure) -> Dict[str, Any]:
    return {"failure": to_json(failure)}


def size_text(size: int) -> str:
    """``1.5G`` for a number of bytes."""
    for power, unit in ((30, "G"), (20, "M"), (10, "K")):
        if size >= 1 << power:
            return f"{size / (1 << power):.3g}{unit}"
    return f"{size}"


def _death(status: int, memory_limit: int) -> Failure:
    """Returns the failure of a fork that ended without a reply."""
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return Failure(FailureKind.EXITED, "", f"the process ended with exit code {code}")
    number = os.WTERMSIG(status)
    text = f"the signal {_signal_name(number)} ended the process"
    if number == signal.SIGKILL:
        text += " (the system may have run out of memory; see --memory-limit)"
    if number == signal.SIGABRT and memory_limit:
        text += f" (it may have needed more than --memory-limit {size_text(memory_limit)})"
    return Failure(FailureKind.CRASHED, "", text)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
