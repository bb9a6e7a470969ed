"""An interpreter that has TensorFlow imported already: that is most of the time of a short check.

    python warm.py SOCKET                 serve until standard input ends
    python warm.py SOCKET -u -c CODE      what ``python -u -c CODE`` does, in a fork of the server

The second is what a test puts in the place of the interpreter. The fork has the descriptors, the
environment and the working directory of the process that asks for it, which ends as the fork ends;
where that process is killed, the fork is killed. All else is as in an interpreter of its own, and
nothing is remembered from one check to the next.
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
"""Seconds between two looks at a fork."""


def ask(path: str, words: List[str]) -> None:
    """Ends as the fork ends that runs these words."""
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
    """As the tracer does before it has a request; its own modules are not imported."""
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
    """Starts the fork and watches both ends of it."""
    size, ancillary, _, _ = connection.recvmsg(_NUMBER.size, socket.CMSG_SPACE(3 * _NUMBER.size))
    descriptors = list(array.array("i", ancillary[0][2]))
    data = b""
    while len(data) < _NUMBER.unpack(size)[0]:
        data += connection.recv(1 << 16)
    pid = os.fork()
    if pid == 0:
        connection.close()
        return _become(json.loads(data.decode("ascii")), descriptors)
    for descriptor in (0, 1, 2, *descriptors):  # else their readers would wait for this process too
        os.close(descriptor)
    ended, status = 0, 0
    while not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and select.select([connection], [], [], _A_MOMENT)[0]:
            with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
                os.killpg(pid, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            os._exit(0)
    connection.sendall(_NUMBER.pack(status))
    os._exit(0)


def _become(request: Dict[str, Any], descriptors: List[int]) -> None:
    """From here on, this process is what was asked for."""
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
