"""Finds and ends the processes that a fork left running, and measures their memory.

A model_fn may fork, start daemons in sessions of their own, or allocate without bound. On Linux, a
fork adopts its orphans, so that all processes that it started stay its descendants, and /proc shows
them and their memory. On other systems, only the fork's process group can be ended.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Optional, Set

if TYPE_CHECKING:
    from .shared_memory import Segments

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MOST_PASSES = 50
"""How many times to look again at a growing tree, or at processes that do not end."""
_A_MOMENT = 0.02
_GRACE = 3.0
"""Seconds to wait until Python's resource trackers have removed what traced code left."""
_MEMORY = "smaps_rollup"
_TRACKERS = (
    b"from multiprocessing.resource_tracker import main",
    b"from multiprocessing.semaphore_tracker import main",
)


_PRCTL: Any = None
if sys.platform.startswith("linux"):
    _PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
CAN_ADOPT = _PRCTL is not None
"""Whether a process can adopt its orphaned descendants: on Linux."""


def adopt_orphans() -> None:
    """Makes this process the parent of its orphaned descendants."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """On Linux, makes the system end this process when its parent ends."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the call above
            os._exit(1)


def go_first() -> None:
    """Makes this process the first that the system ends if it runs out of memory."""
    # It may not be Linux, or not be allowed. Then the system chooses.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def all_processes() -> List[int]:
    """The ids of all processes; none if the system has no /proc."""
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def proc_file(pid: int, name: str) -> bytes:
    """A file that /proc has of a process; b"" if the process has ended or is another user's."""
    with suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
    return b""


def children(pid: int) -> List[int]:
    """The processes that a process is the parent of; none if there is no /proc."""
    return _families().get(pid, [])


def tree(pid: int) -> List[int]:
    """Returns a process and all its descendants."""
    families = _families()
    found = [pid]
    for member in found:  # grows while it is walked
        found.extend(families.get(member, ()))
    return found


def _families() -> Dict[int, List[int]]:
    """The children of each process."""
    found: Dict[int, List[int]] = {}
    for pid in all_processes():
        # The name, in brackets, may hold anything. The parent comes after it.
        fields = proc_file(pid, "stat").rpartition(b")")[2].split()
        if len(fields) > 1:
            found.setdefault(int(fields[1]), []).append(pid)
    return found


def end_tree(pid: int, segments: Optional["Segments"] = None) -> None:
    """Ends a process and all its descendants; see :func:`end_trees`."""
    end_trees([pid], segments)


def end_trees(pids: List[int], segments: Optional["Segments"] = None) -> None:
    """Ends processes and their descendants. Stops each process first, so that it starts no others.

    Args:
        pids: the processes.
        segments: notes the shared memory that they have made.
    """
    stopped: Set[int] = set()
    for _ in range(_MOST_PASSES):
        running = [member for pid in pids for member in tree(pid) if member not in stopped]
        if not running:
            break
        _signal(os.kill, running, signal.SIGSTOP)
        stopped.update(running)
    if segments is not None:
        segments.note(stopped)
    trackers = {member for member in stopped if _is_tracker(member)}
    if trackers:
        _signal(os.kill, stopped - trackers, signal.SIGKILL)
        _let_finish(trackers)
    _signal(os.killpg, pids, signal.SIGKILL)
    _signal(os.kill, stopped, signal.SIGKILL)


def _is_tracker(pid: int) -> bool:
    """Whether a process is the resource tracker of ``multiprocessing``."""
    return any(item.startswith(_TRACKERS) for item in _items(pid, "cmdline"))


def _let_finish(trackers: Iterable[int]) -> None:
    """Waits for trackers to remove shared memory, as they do once their clients have ended."""
    _signal(os.kill, trackers, signal.SIGCONT)
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(_items(pid, "cmdline") for pid in trackers):
        time.sleep(_A_MOMENT)


def _items(pid: int, name: str) -> List[bytes]:
    """A process's arguments or variables."""
    return proc_file(pid, name).split(b"\0")[:-1]


def _signal(send: Callable[[int, int], None], pids: Iterable[int], number: int) -> None:
    for pid in pids:
        # It may have ended. macOS says EPERM then.
        with suppress(ProcessLookupError, PermissionError):
            send(pid, number)


def end_orphans(known: Iterable[int], segments: Optional["Segments"] = None) -> None:
    """Ends and reaps children of this process that are not in ``known``. A dead fork left them."""
    mine = set(known)
    orphans = [pid for pid in children(os.getpid()) if pid not in mine]
    if orphans:
        end_trees(orphans, segments)
        for pid in orphans:
            os.waitpid(pid, 0)


def end_children(segments: Optional["Segments"] = None) -> None:
    """Ends and reaps all children of this process, and the orphans that it adopts meanwhile."""
    for _ in range(_MOST_PASSES):
        if not children(os.getpid()):
            return
        end_orphans((), segments)


def end_marked(mark: str) -> bool:
    """Ends all processes with a mark in their arguments or variables, and their descendants.

    Returns:
        Whether no such process is left. This process and its ancestors are never ended.
    """
    wanted = os.fsencode(mark)
    for _ in range(_MOST_PASSES):
        marked = [
            pid
            for pid in all_processes()
            if wanted in _items(pid, "environ") or wanted in _items(pid, "cmdline")
        ]
        if not marked:
            return True
        if any(os.getpid() in tree(pid) for pid in marked):
            return False
        end_trees(marked)
        time.sleep(_A_MOMENT)
    return False


# --- memory ----------------------------------------------------------------------------------


def can_measure_memory() -> bool:
    """Whether this system says how much memory a process does not share."""
    return bool(proc_file(os.getpid(), _MEMORY))


def memory_of(pid: int) -> int:
    """Returns the bytes that a process and its descendants do not share.

    Memory that a fork shares with the tracer counts only after the fork writes to it.
    """
    files = (proc_file(member, _MEMORY) for member in tree(pid))
    lines = (line for file in files for line in file.splitlines())
    sizes = (line.split()[1] for line in lines if line.startswith(b"Private_Dirty:"))
    return sum(map(int, sizes)) * 1024


def inherited_memory() -> int:
    """Returns the bytes that a new fork of this process shares with it."""
    sizes = _memory_sizes()
    return sizes[1] - sizes[2] if sizes else 0


def _memory_sizes() -> List[int]:
    """This process's bytes: all, resident, shared, text, libraries, data, dirty. Linux only."""
    page = os.sysconf("SC_PAGE_SIZE")
    return [int(field) * page for field in proc_file(os.getpid(), "statm").split()]


@contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Limits how much more memory this process can allocate inside the block.

    A larger allocation raises MemoryError, or another error of a library. A lower limit that is
    already set stays. Nothing is limited on a system that cannot measure memory.

    It sets RLIMIT_DATA and not RLIMIT_AS, because memory that TensorFlow and malloc reserve without
    using it counts as address space: 64 MB for each thread.

    Args:
        size: how many bytes.
    """
    if not can_measure_memory():
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = _memory_sizes()[5] + size
    if all(limit == resource.RLIM_INFINITY or most < limit for limit in before):
        resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
