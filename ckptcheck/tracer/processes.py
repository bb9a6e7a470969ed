"""Processes: what a fork left running is found and ended, and what it uses is measured.

A model_fn may fork, start daemons in sessions of their own, or allocate without bound. On Linux a
fork adopts its orphans, so that all it ever started stays below it, and /proc shows the tree and
its memory. Elsewhere the fork's process group is all that can be ended.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MOST_PASSES = 50
"""Looks at a tree that goes on growing while it is stopped."""


def _find_prctl() -> Optional[Any]:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "prctl", None)


_PRCTL = _find_prctl()


def adopt_orphans() -> None:
    """Makes this process the parent of whatever is left over below it."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Ends this process when its parent ends, and makes it the first to go without memory."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before it could be asked for
            os._exit(1)
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:  # not Linux, or not allowed: then the system chooses as it does
        return


def children(pid: int) -> Tuple[int, ...]:
    """The processes that a process is the parent of; none where there is no /proc."""
    return tuple(_families().get(pid, ()))


def tree(pid: int) -> Tuple[int, ...]:
    """A process and all below it."""
    families = _families()
    found = [pid]
    for member in found:  # grows while it is walked
        found.extend(families.get(member, ()))
    return tuple(found)


def _families() -> Dict[int, List[int]]:
    found: Dict[int, List[int]] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if name.isdigit():
            parent = _parent(name)
            if parent is not None:
                found.setdefault(parent, []).append(int(name))
    return found


def _parent(pid: str) -> Optional[int]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:  # it has just ended
        return None
    fields = stat.rpartition(b")")[2].split()  # its name, in brackets, may hold anything
    return int(fields[1]) if len(fields) > 1 else None


def end_tree(pid: int) -> None:
    """Ends a process and all below it; each is stopped first, so that it starts no more."""
    stopped: Set[int] = set()
    for _ in range(_MOST_PASSES):
        running = [member for member in tree(pid) if member not in stopped]
        if not running:
            break
        _signal(os.kill, running, signal.SIGSTOP)
        stopped.update(running)
    _signal(os.killpg, [pid], signal.SIGKILL)
    _signal(os.kill, stopped, signal.SIGKILL)


def _signal(send: Callable[[int, int], None], pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):  # it has ended; macOS says EPERM then
            continue


def end_orphans(known: Iterable[int]) -> None:
    """Ends and reaps this process's children that are not known: a dead fork left them."""
    mine = set(known)
    for pid in children(os.getpid()):
        if pid not in mine:
            end_tree(pid)
            os.waitpid(pid, 0)


# --- memory ----------------------------------------------------------------------------------


def can_measure_memory() -> bool:
    """Whether this system tells how much memory a process has to itself."""
    return _own_memory(os.getpid()) is not None


def memory_of(pid: int) -> int:
    """The bytes that a process and all below it have for themselves.

    What a fork shares with the tracer is not counted until it writes to it.
    """
    return sum(_own_memory(member) or 0 for member in tree(pid))


def _own_memory(pid: int) -> Optional[int]:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines = file.read().splitlines()
    except OSError:  # it has just ended, or this is no Linux
        return None
    sizes = [line.split()[1] for line in lines if line.startswith(b"Private_Dirty:")]
    return sum(map(int, sizes)) * 1024


def inherited_memory() -> int:
    """The bytes that a fork of this process has in common with it until it writes to them."""
    try:
        resident, shared = _statm()[1:3]
    except OSError:  # no Linux
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def limit_memory(size: int) -> None:
    """Lets this process allocate so much more: what goes beyond raises MemoryError.

    RLIMIT_DATA and not RLIMIT_AS: what TensorFlow and malloc reserve without using it counts as
    address space, 64 MB for each thread.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _data_size() + size
    if hard in (resource.RLIM_INFINITY, -1) or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def unlimit_memory() -> None:
    """Takes the limit off again, so that a reply can be made of what happened."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _data_size() -> int:
    return _statm()[5] * os.sysconf("SC_PAGE_SIZE")


def _statm() -> List[int]:
    """This process's sizes in pages: all, resident, shared, text, libraries, data, dirty."""
    with open("/proc/self/statm", "rb") as file:
        return [int(field) for field in file.read().split()]
