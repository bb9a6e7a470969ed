"""The parent process of the server. It cleans up after the server, even if the server was killed.

Traced code can kill the server. Daemons that the code started would then continue to run. On Linux,
the supervisor adopts and ends them. It is in another session and process group.
"""

import os
import select
import signal
import threading
import time

from . import processes, temporary
from .shared_memory import Segments

_A_MOMENT = 0.005
_A_WHILE = 0.2
_GRACE = 2.0
"""Seconds that the server has to end by itself after its standard input has ended."""


def supervise(folder: str, lock: int, segments: Segments) -> None:
    """Forks, and returns in the child process. The parent waits for the child, then ends, too.

    Args:
        folder: the directory of the run, removed at the end.
        lock: the descriptor of the directory's lock. The child process closes it.
        segments: the shared memory that existed before.
    """
    processes.adopt_orphans()
    above, caller = os.getpid(), os.getppid()
    server = os.fork()
    if server == 0:
        os.close(lock)
        if processes.CAN_ADOPT:  # otherwise, only the server's process group can be found
            os.setsid()
        processes.end_with_parent(above)
        return
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):  # readers must see the end of the output when the server ends
        os.dup2(null, descriptor)
    threading.Thread(target=temporary.clean_up, daemon=True).start()
    status = _wait(server, segments)
    processes.end_children(segments)
    segments.remove()
    temporary.remove(folder)
    os.close(lock)
    if os.getppid() != caller:  # ckptcheck was killed
        temporary.clean_up()
    _end_as(status)


def _wait(server: int, segments: Segments) -> int:
    """Waits for the server, which must end soon after its standard input; returns its status."""
    hang_up = select.poll()
    hang_up.register(0, 0)
    deadline = None
    while True:
        pid, status = os.waitpid(server, os.WNOHANG | os.WUNTRACED)
        if pid and not os.WIFSTOPPED(status):
            return status
        if pid:  # traced code has stopped the server
            os.kill(server, signal.SIGCONT)
        if deadline is None:
            deadline = time.monotonic() + _GRACE if hang_up.poll(_A_WHILE * 1000) else None
        elif time.monotonic() > deadline:
            processes.end_tree(server, segments)
        else:
            time.sleep(_A_MOMENT)


def _end_as(status: int) -> None:
    """Ends this process with the exit status of the server."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))
