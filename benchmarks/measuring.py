"""Runs a command, and measures its time and its memory."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

ROOT = Path(__file__).resolve().parent.parent
_POLL = 0.02
_POLL_SHARED = 0.1


class Peaks(NamedTuple):
    """The memory that a process tree held, in bytes.

    Attributes:
        largest: the highest peak of a single process.
        total: the sum of the peaks of all processes; pages that forks share count in each.
        shared: the peak of the sum of proportional set sizes, where a shared page counts once.

    ``total`` and ``shared`` are zero if they were not measured.
    """

    largest: int
    total: int
    shared: int


class Run(NamedTuple):
    """One measured run."""

    seconds: float
    cpu_seconds: float
    peaks: Peaks
    output: str


class Poller:
    """Watches the memory of a process and its descendants."""

    def __init__(self, root: int, shared: bool) -> None:
        """Starts watching.

        Args:
            root: the process id.
            shared: measures proportional set sizes too, which slows the processes down.
        """
        self._root = root
        self._peaks: Dict[int, int] = {}
        self._shared = 0
        self._measures_shared = shared
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> Peaks:
        """Stops watching and returns what was seen."""
        self._ended.set()
        self._thread.join()
        peaks = list(self._peaks.values()) or [0]
        return Peaks(max(peaks), sum(peaks), self._shared)

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_SHARED if self._measures_shared else _POLL):
            alive = family(self._root)
            for pid in alive:
                self._peaks[pid] = max(self._peaks.get(pid, 0), peak_memory(pid))
            if self._measures_shared:
                self._shared = max(self._shared, sum(map(proportional_memory, alive)))


def family(root: int) -> Set[int]:
    """Returns the ids of a process and its running descendants."""
    found: Set[int] = set()
    open_ends = [root]
    while open_ends:
        pid = open_ends.pop()
        if pid not in found:
            found.add(pid)
            open_ends.extend(_children(pid))
    return found


def _children(pid: int) -> Iterator[int]:
    tasks = f"/proc/{pid}/task"
    try:
        threads = os.listdir(tasks)
    except OSError:  # the process has ended
        return
    for thread in threads:
        yield from map(int, _text(f"{tasks}/{thread}/children").split())


def peak_memory(pid: int) -> int:
    """The highest resident set size that a process has had, in bytes; 0 if it has ended."""
    return _kibibytes(f"/proc/{pid}/status", "VmHWM:")


def proportional_memory(pid: int) -> int:
    """The proportional set size of a process, in bytes; 0 if it has ended."""
    return _kibibytes(f"/proc/{pid}/smaps_rollup", "Pss:")


def _kibibytes(path: str, key: str) -> int:
    for line in _text(path).splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:  # the process has ended
        return ""


def measure(
    command: List[str],
    folder: Path,
    codes: Sequence[int] = (0,),
    watch: Optional[Callable[[int], Poller]] = None,
) -> Run:
    """Runs a command and measures it.

    Args:
        command: the command.
        folder: where its output goes.
        codes: the exit codes that are expected.
        watch: starts to watch the memory of a process, given its id. This takes time on all cores,
            so leave it out if only times are compared.

    Raises:
        SystemExit: the command failed.
    """
    with open(str(folder / "out"), "wb") as out, open(str(folder / "err"), "wb") as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=_environment()
        )
        poller = watch(process.pid) if watch is not None else None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = status  # tells Popen that the process has ended
    seen = poller.end() if poller is not None else Peaks(0, 0, 0)
    peaks = seen._replace(largest=max(seen.largest, usage.ru_maxrss * 1024))
    if not os.WIFEXITED(status) or os.WEXITSTATUS(status) not in codes:
        said = (folder / "out").read_text("utf-8") + (folder / "err").read_text("utf-8")
        sys.exit("{} failed (status {}):\n{}".format(" ".join(command), status, said[-4000:]))
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu_seconds, peaks, (folder / "out").read_text("utf-8"))


def _environment() -> Dict[str, str]:
    paths = [str(ROOT)] + os.environ.get("PYTHONPATH", "").split(os.pathsep)
    found = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(filter(None, paths)),
        TF_CPP_MIN_LOG_LEVEL="3",
        PYTHONWARNINGS="ignore",
    )
    # pip compiles TensorFlow's modules at the installation, so Python may compile ckptcheck's, too.
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found
