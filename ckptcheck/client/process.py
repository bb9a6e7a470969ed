"""Starts the tracer in the user's interpreter and talks to it.

The tracer's source goes over the pipe, so the interpreter may be another version of Python, in
another environment, or in a container (``docker exec -i box python3.7``).
"""

import contextlib
import json
import math
import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
    Union,
)

from ..codec import decoded, from_json
from ..errors import PythonError, TracerLostError, UsageError
from ..interpreters import project_python, why_no_python
from ..protocol import Environment, Failure
from ..seen import Seen, united
from ..tracer import temporary
from .bootstrap import BOOTSTRAP
from .code_output import CodeOutput

_PACKAGE = Path(__file__).resolve().parent.parent
_LARGEST_LINE = (1 << 28) + (1 << 20)
"""Bytes; a fork's reply has 256 MiB at most."""
_MOST_WAITING = 64
"""Messages. A tracer never sends more; another program may."""
_GRACE = 15.0
"""Seconds to wait after a request's own timeout. The tracer enforces that timeout itself."""
_PATIENCE = 10.0
"""Seconds to wait for the end of the tracer. Its supervisor also has to end child processes."""


def interpreter_command(python: Optional[str]) -> List[str]:
    """Returns the command of ``--python``, by default the one that :func:`project_python` finds.

    Raises:
        PythonError: it cannot be the command of an interpreter.
        UsageError: no Python with TensorFlow is found.
    """
    if python is None:
        found = project_python()
        lacking = why_no_python() if found is None else ""
        if lacking:
            raise UsageError(f"{lacking}. {_NAME_IT}")
        return [found or sys.executable]
    if os.path.isfile(python):
        return [python]
    if os.path.isdir(python):
        inside = os.path.join(python, "bin", "python")
        meant = f"; did you mean {inside}?" if os.path.isfile(inside) else ""
        raise PythonError(f"--python {python} is a directory: expected the path of a Python{meant}")
    try:
        words = shlex.split(python)
    except ValueError as error:
        raise PythonError(f"--python {python}: {error}") from None
    if not words:
        raise PythonError("--python: expected the path or the command of a Python")
    return words


_NAME_IT = (
    "Name the Python that runs your code, with --python or in the configuration, such as "
    'python = "envs/tf/bin/python"'
)


def _sources() -> bytes:
    """The tracer's modules, by the names that they have in the user's interpreter."""
    sources = {"_ckptcheck": "", "_ckptcheck.__package__": ""}
    for name in ("codec", "content_digest", "origins", "protocol", "seen", "uses"):
        sources[f"_ckptcheck.{name}"] = (_PACKAGE / f"{name}.py").read_text("utf-8")
    for path in sorted((_PACKAGE / "tracer").glob("*.py")):
        text = path.read_text("utf-8")
        if path.stem == "__init__":
            sources["_ckptcheck.tracer"] = text
            sources["_ckptcheck.tracer.__package__"] = ""
        else:
            sources["_ckptcheck.tracer." + path.stem] = text
    return json.dumps(sources).encode("utf-8")


class Started(NamedTuple):
    """When and where a tracer was started.

    Attributes:
        time: in seconds since 1970.
        folder: the working directory.
        variables: the environment variables.
    """

    time: float
    folder: str
    variables: Dict[str, str]


class Tracer:
    """A running tracer; use it as a context manager.

    Requests are sent with :meth:`send` and answered in any order by :meth:`receive`.
    """

    def __init__(
        self, python: Optional[str], timeout: float, quiet: bool = False, env: Sequence[str] = ()
    ) -> None:
        """Starts the interpreter.

        Args:
            python: the command of ``--python``.
            timeout: seconds to wait for TensorFlow's import.
            quiet: hides what the user's code and TensorFlow print.
            env: environment variables to set, such as ``NAME=value``.

        Raises:
            PythonError: there is no such interpreter.
        """
        self._command = interpreter_command(python)
        self._env = {**os.environ, **dict(item.split("=", 1) for item in env)}
        self._timeout = timeout
        self._end = math.inf
        self._run = temporary.new_run()
        self._next = 0
        self._open: Set[int] = set()
        self._replies: List[Tuple[int, Union[Failure, Any]]] = []
        self._params: Mapping[str, Any] = {}
        self._environment: Optional[Environment] = None
        self._messages: queue.Queue[Optional[Dict[str, Any]]] = queue.Queue(_MOST_WAITING)
        self._closing = False
        self.say: Callable[[str], object] = lambda text: None
        """A function that is called with what the tracer is going to do."""
        self.started = Started(time.time(), os.getcwd(), self._env)
        self.watched = False
        """Whether code is watched in requests from now on; see :mod:`.tracer.watch`."""
        self._watching: Set[int] = set()
        self._seen: List[Optional[Seen]] = []
        self._output = CodeOutput(quiet)
        self._process = self._start()
        self._threads = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._output.pump, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._writer = threading.Thread(target=self._write_sources, daemon=True)
        self._writer.start()

    def _write_sources(self) -> None:
        """Runs in its own thread. An interpreter that reads nothing must not block ckptcheck."""
        data = _sources()
        self._write(b"%d\n%s" % (len(data), data))
        if self._closing:  # close() did not wait
            self._close_stdin()

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                [*self._command, "-u", "-c", BOOTSTRAP, temporary.mark(self._run)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._env,
                start_new_session=True,  # an interrupt is for ckptcheck, which then closes it
            )
        except OSError as error:
            reason = os.strerror(error.errno or 0)  # Python 3.7 adds the path to error.strerror
            raise PythonError(
                f"cannot run {self._command[0]} ({reason}): --python takes the path or the "
                "command of a Python that has TensorFlow"
            ) from None

    def __enter__(self) -> "Tracer":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the tracer by closing its standard input. The tracer then ends its forks.

        If the tracer was killed, this method removes what it left.
        """
        process = self._process
        self._closing = True  # messages from now on are ignored
        self._empty()
        if self._environment is None:  # the tracer does not read its input yet
            self._signal(signal.SIGKILL)
        self._writer.join(timeout=1)
        if not self._writer.is_alive():  # else a child of the command holds the pipe
            self._close_stdin()
        self._signal(signal.SIGCONT)  # traced code may have stopped it
        try:
            process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            process.wait()
        for thread in self._threads:
            thread.join(timeout=1)
        if process.returncode:
            temporary.clean_up()

    def _close_stdin(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended already
            self._process.stdin.close()

    def _signal(self, number: int) -> None:
        """Sends a signal to the interpreter and to what its command has started."""
        if self._process.returncode is not None:
            return
        # If it has ended, macOS says EPERM.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def hello(self) -> Environment:
        """Waits until TensorFlow is imported.

        Raises:
            PythonError: it has no TensorFlow, is too old, or ended.
            TracerLostError: it took too long.
        """
        if self._environment is None:
            self.say("importing TensorFlow")
            message = self._receive(self._timeout, lambda message: "id" not in message)
            if "failure" in message:
                raise PythonError(message["failure"]["message"])
            self._environment = from_json(Environment, message["hello"])
        return self._environment

    def begin(self, seconds: float) -> None:
        """Begins a check, and bounds the time of all its requests together.

        Args:
            seconds: the time of a check, as ``--timeout`` says.
        """
        self._timeout = seconds
        self._end = time.monotonic() + seconds
        self._output.begin()

    def extend(self, seconds: float) -> None:
        """Extends the time by the seconds that other work took."""
        self._end += seconds

    @property
    def time(self) -> float:
        """The seconds that all requests may take together."""
        return self._timeout

    @property
    def left(self) -> float:
        """The seconds that are left for requests."""
        return max(self._end - time.monotonic(), 0.0)

    def use_params(self, params: Mapping[str, Any]) -> None:
        """Sends the params of all traces that follow, once: they may be large.

        Args:
            params: what :func:`.json_values.plain` returned. The caller must not change it later.
        """
        if params is not self._params:
            self._params = params
            self._write(json.dumps({"params": params}).encode("ascii") + b"\n")

    def send(self, do: str, share: float = 1.0, **fields: Any) -> int:
        """Sends a request and returns the id that its reply will have.

        Args:
            do: what to do.
            share: the part of the time that is left which the request may take.
            fields: the arguments of the request.
        """
        self._next += 1
        left = min(self.left, self._timeout)
        request = dict(fields, do=do, id=self._next)
        request.update(timeout=self._timeout, left=left, most=left * share)
        self._open.add(self._next)
        if self.watched and "trace" in fields:
            request["watched"] = True
            self._watching.add(self._next)
        self._write(json.dumps(request).encode("ascii") + b"\n")
        return self._next

    def forget(self) -> None:
        """Gives up all requests that have no reply yet."""
        self._open.clear()
        self._replies.clear()

    def receive(self, numbers: Optional[Set[int]] = None) -> Tuple[int, Union[Failure, Any]]:
        """Waits for the next reply: the id of its request, and a failure or the reply's JSON.

        Args:
            numbers: the requests to wait for; all by default. Other replies are kept for later.
        """
        timeout = min(self.left, self._timeout)
        while True:
            for item in self._replies:
                if numbers is None or item[0] in numbers:
                    self._replies.remove(item)
                    return item
            message = self._receive(timeout + _GRACE, lambda found: found.get("id") in self._open)
            if not message.get("more"):
                self._open.discard(message["id"])
            if message["id"] in self._watching:
                seen = message.get("seen")
                self._seen.append(None if seen is None else self.understood(Seen, seen))
            failure = message.get("failure")
            reply = from_json(Failure, failure) if failure else message["reply"]
            self._replies.append((message["id"], reply))

    def watch(self, watched: bool) -> None:
        """Says whether the code is watched from now on. What was seen before is forgotten."""
        self.watched = watched
        self._watching.clear()
        self._seen.clear()

    def seen(self) -> Optional[Tuple[Seen, Seen]]:
        """Returns what the tracer itself depends on, and what the code depends on.

        Returns:
            None if a process did not say so.
        """
        try:
            reply = self.ask("seen")
        except UsageError:  # the tracer has ended
            return None
        known = [seen for seen in self._seen if seen is not None]
        if isinstance(reply, Failure) or len(known) < len(self._seen) or not known:
            return None
        return self.understood(Seen, reply), united(known)

    def understood(self, hint: Any, reply: Any) -> Any:
        """Decodes a reply.

        Args:
            hint: the type of the value, which may be a Union.
            reply: its JSON.

        Raises:
            UsageError: the reply is not of this type: the tracer did not write it.
        """
        try:
            return decoded(hint, reply)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{' '.join(self._command)} gave an answer that ckptcheck does not understand "
                f"({error}); --python takes the path or the command of a Python that has TensorFlow"
            ) from None

    def ask(self, do: str, **fields: Any) -> Union[Failure, Any]:
        """Sends one request and waits for its reply."""
        self.send(do, **fields)
        return self.receive()[1]

    def _write(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):  # it ended; the reader of the reply says why
            stdin.write(data)
            stdin.flush()

    def _read_messages(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        starts = True
        with stdout:
            for line in iter(lambda: stdout.readline(_LARGEST_LINE), b""):
                ends = line.endswith(b"\n")
                message = _message(line) if starts and ends else None
                if message is not None and not self._closing:
                    self._messages.put(message)
                starts = ends
        self._messages.put(None)

    def _empty(self) -> None:
        """Empties the queue, so that a thread that waits for room in it can continue."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._messages.get_nowait()

    def _receive(self, timeout: float, wanted: Callable[[Dict[str, Any]], bool]) -> Dict[str, Any]:
        """Returns the next message that ``wanted`` accepts. The others have no request now."""
        command = " ".join(self._command)
        end = time.monotonic() + timeout
        while True:
            try:
                message = self._messages.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                message = {}
            if message is None:
                self._messages.put(None)  # for later calls of this method
                kind = PythonError if self._environment is None else TracerLostError
                raise kind(self._ended(command))
            if message and wanted(message):
                return message
            if time.monotonic() >= end:
                raise TracerLostError(
                    f"{command} did not answer within {timeout:g} s: allow more time with --timeout"
                )

    def _ended(self, command: str) -> str:
        code = self._process.wait()
        self._threads[1].join(timeout=1)
        tail = self._output.tail()
        said = f"; the last line that it printed: {tail}" if tail else ""
        return (
            f"{command} ended with exit code {code} before it answered; --python takes the path or "
            f"the command of a Python that has TensorFlow{said}"
        )


def _message(line: bytes) -> Optional[Dict[str, Any]]:
    """The message in a line of the tracer; None for any other line.

    Such a line may come from the interpreter before the tracer runs, or from another program.
    """
    try:
        message = json.loads(line.decode("ascii"))
        if not isinstance(message, dict):
            return None
        if "id" in message and type(message["id"]) is not int:
            return None
        if "failure" in message:
            from_json(Failure, message["failure"])
            return message
        if "hello" in message:
            from_json(Environment, message["hello"])
            return message
        return message if "reply" in message and "id" in message else None
    except (ValueError, TypeError, RecursionError):
        return None
