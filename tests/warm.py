"""An interpreter with TensorFlow already imported, which is most of a short check's time.

    python warm.py SOCKET                 serve until standard input ends
    python warm.py SOCKET -u -c CODE      what ``python -u -c CODE`` does, in a fork of the server

Tests use the second command as the interpreter. It gives its descriptors, its environment and its
working directory to the fork, and ends with the exit status of the fork. If it is killed, the fork
is killed, too. Otherwise, the fork behaves like a new interpreter, and keeps nothing for the next
check.
"""

import array
import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any, Dict, List, Union

_NUMBER = struct.Struct(">i")
_A_MOMENT = 0.005
"""Seconds between two checks of a fork."""


def ask(path: str, words: List[str]) -> None:
    """Runs the command in a fork of the server, and ends with the fork's exit status."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        request = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
        data = json.dumps(request).encode("ascii")
        own = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
        connection.sendmsg([_NUMBER.pack(len(data))], [own])
        connection.sendall(data)
        answer = connection.recv(_NUMBER.size)
    status = _NUMBER.unpack(answer)[0] if answer else 1
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


def serve(path: str) -> None:
    """Answers each connection in a fork, until standard input ends."""
    _import_tensorflow()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        os.write(1, b"ready\n")
        while True:
            waiting: List[Union[socket.socket, int]] = [listener, 0]
            ready = select.select(waiting, [], [], 1)[0]
            if 0 in ready:
                os._exit(0)
            if listener in ready:
                connection = listener.accept()[0]
                if os.fork() == 0:
                    listener.close()
                    return _keep(connection)
                connection.close()
            _reap()


def _import_tensorflow() -> None:
    """Imports TensorFlow as the tracer does at its start, without the tracer's own modules."""
    from importlib.util import find_spec

    legacy = find_spec("tf_keras") is not None
    if legacy:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow

    if not legacy:
        for api in (tensorflow, tensorflow.compat.v1):
            api.estimator.RunConfig  # noqa: B018


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(connection: socket.socket) -> None:
    """Starts the fork, and waits until the fork or the client ends."""
    size, ancillary, _, _ = connection.recvmsg(_NUMBER.size, socket.CMSG_SPACE(3 * _NUMBER.size))
    descriptors = list(array.array("i", ancillary[0][2]))
    data = b""
    while len(data) < _NUMBER.unpack(size)[0]:
        data += connection.recv(1 << 16)
    pid = os.fork()
    if pid == 0:
        connection.close()
        return _become(json.loads(data.decode("ascii")), descriptors)
    for descriptor in (0, 1, 2, *descriptors):  # otherwise, readers wait for this one
        os.close(descriptor)
    ended, status = 0, 0
    while not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and select.select([connection], [], [], _A_MOMENT)[0]:
            with contextlib.suppress(ProcessLookupError):  # the fork has no process group yet
                os.killpg(pid, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            os._exit(0)
    connection.sendall(_NUMBER.pack(status))
    os._exit(0)


def _become(request: Dict[str, Any], descriptors: List[int]) -> None:
    """Turns this process into the requested interpreter, and runs its code."""
    os.setsid()
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]
    flag, code, *arguments = request["words"][-3:]
    assert flag == "-c"
    sys.argv[:] = ["-c", *arguments]
    main = sys.modules["__main__"] = type(sys)("__main__")
    exec(compile(code, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    if sys.argv[2:]:
        ask(sys.argv[1], sys.argv[2:])
    sys.path[0] = ""  # as with -c
    serve(sys.argv[1])
