"""Nothing is left: no process, no file and no shared memory, whichever process was killed.

Each test has a temporary directory of its own, so that "nothing" is exact.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List

import pytest

from .support import (
    Project,
    Run,
    assert_civil,
    is_running,
    keeps_running,
    needs_tensorflow,
    run_cli,
)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="NOT TESTED: processes are found by /proc"
)

TARGET = "hostile:model_fn"
HEAD = """
import os, signal, subprocess, sys, time
import tensorflow as tf
from model import model_fn as good_model_fn


def note(pid):
    with open({pids!r}, "a") as file:
        file.write("%d\\n" % pid)


def daemon(work):
    # a process in a session of its own, whose parent has ended
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note(os.getpid())
            work()
        os._exit(0)
    os.wait()


def sleep():
    time.sleep(1000)


def other_program(**variables):
    os.closerange(0, 3)
    os.execvpe("sleep", ["sleep", "1000"], dict(os.environ, **variables))


def other_program_without_variables():
    os.execve("/bin/sleep", ["sleep", "1000"], {{}})


def ancestors():
    found = [os.getppid()]
    while True:
        with open("/proc/%d/stat" % found[-1]) as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
        if parent in (0, 1, {test}):
            return found
        found.append(parent)


def model_fn(features, labels, mode, params):
    features["x"]
    {code}
    return good_model_fn(features, labels, mode, params)
"""
DAEMONS = "daemon(sleep); daemon(other_program); "
SHARED_NAME = f"ckptcheck-test-{os.getpid()}-"
ONE = ("--mode", "predict", "--format", "json", "--quiet")


class Left:
    """A check of hostile code, and everything that it could leave."""

    def __init__(self, project: Project, pids: Path) -> None:
        project.warm = False
        self.project = project
        self._pids = pids

    def write(self, code: str) -> None:
        """Writes a model_fn."""
        text = HEAD.format(pids=str(self._pids), code=code, test=os.getpid())
        self.project.write("hostile.py", text)

    def start(self, *arguments: str, model_dir: str = "model_dir") -> "subprocess.Popen[bytes]":
        """Starts a check of it."""
        return subprocess.Popen(
            [sys.executable, "-m", "ckptcheck", model_dir, TARGET, "params.json", *arguments],
            cwd=str(self.project.root),
            env=self.project.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # the code may kill its group
        )

    def check(self, code: str, *arguments: str) -> Run:
        """Checks a model_fn that runs the given code first."""
        self.write(code)
        process = self.start(*ONE, *arguments)
        out, err = process.communicate(timeout=200)
        return Run(process.returncode, out.decode("utf-8"), err.decode("utf-8"))

    def good_check(self) -> None:
        """Checks the model_fn of the project, as a user does next."""
        self.write("")
        process = self.start(*ONE)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, (out, err)

    @property
    def pids(self) -> List[int]:
        """The daemons that the code has started."""
        return [int(line) for line in self._pids.read_text().split()] if self._pids.exists() else []

    @property
    def running(self) -> List[int]:
        """Those that are still there."""
        return [pid for pid in self.pids if keeps_running(pid)]

    @property
    def files(self) -> List[str]:
        """The files in the temporary directory, and the shared memory."""
        return sorted([*os.listdir(str(self.project.temporary)), *self.shared])

    @property
    def shared(self) -> List[str]:
        """The shared memory that the code has made; other programs have theirs."""
        return sorted(name for name in os.listdir("/dev/shm") if name.startswith(SHARED_NAME))

    @property
    def count(self) -> str:
        """What the code has counted."""
        return (self.project.root / "count").read_text()

    def is_nothing(self) -> bool:
        """Whether nothing is left."""
        return not self.running and not self.files


@pytest.fixture
def left(project: Project, tmp_path: Path) -> Any:
    found = Left(project, tmp_path / "pids")
    yield found
    for pid in found.running:
        os.kill(pid, signal.SIGKILL)
    for name in found.shared:
        os.unlink("/dev/shm/" + name)


def wait_for(happens: Callable[[], object]) -> None:
    for _ in range(600):
        if happens():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within a minute")


# --- code that kills what runs it ------------------------------------------------------------

KILLS = {
    "parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "group of the parent": "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)",
    "session": "[os.kill(pid, 9) for pid in ancestors() if os.getsid(pid) == os.getsid(0)]",
    "grandparent": "os.kill(ancestors()[1], signal.SIGKILL)",
    "group of the grandparent": "os.killpg(os.getpgid(ancestors()[1]), signal.SIGKILL)",
    "parent and grandparent": "[os.kill(pid, signal.SIGKILL) for pid in ancestors()[1::-1]]",
    "own group": "os.kill(0, signal.SIGKILL)",
}


@needs_tensorflow
@pytest.mark.parametrize("whom", KILLS)
def test_code_that_kills_the_tracer(left: Left, whom: str) -> None:
    """When the command has ended, nothing is left, and its message says what happened."""
    run = left.check(f"{DAEMONS}{KILLS[whom]}; time.sleep(1000)")
    assert_civil(run)
    assert run.code in (1, 2), run
    assert "SIGKILL" in run.out or "ended with exit code -9" in run.err, run
    assert len(left.pids) >= 2
    assert (left.running, left.files) == ([], [])


@needs_tensorflow
def test_a_daemon_without_variables_is_ended(left: Left) -> None:
    """The daemon has no mark, but the supervisor has adopted it."""
    run = left.check(f"daemon(other_program_without_variables); {KILLS['parent']}; sleep()")
    assert run.code == 2, run
    assert left.pids
    assert (left.running, left.files) == ([], [])


@needs_tensorflow
@pytest.mark.parametrize("place", [0, 1], ids=["parent", "grandparent"])
def test_code_that_stops_the_tracer(left: Left, place: int) -> None:
    """The check continues and ends as usual."""
    run = left.check(f"{DAEMONS}os.kill(ancestors()[{place}], signal.SIGSTOP)")
    assert_civil(run)
    assert run.code == 0, run
    assert len(left.pids) >= 2
    assert (left.running, left.files) == ([], [])


@needs_tensorflow
@pytest.mark.parametrize("whom", ["ckptcheck", "ckptcheck and the tracer"])
def test_code_that_kills_ckptcheck(left: Left, whom: str) -> None:
    """The tracer ends when ckptcheck ends. The supervisor also removes ckptcheck's files."""
    small = run_cli("snapshot", "model_dir", "small", cwd=left.project.root)
    assert small.code == 0, small
    # If the tracer were killed first, ckptcheck could end by itself before it is killed.
    pids = {"ckptcheck": "[2:]", "ckptcheck and the tracer": "[2:] + ancestors()[:1]"}[whom]
    left.write(f"{DAEMONS}[os.kill(pid, 9) for pid in ancestors(){pids}]; time.sleep(1000)")
    process = left.start(*ONE, model_dir="small")
    process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL
    assert len(left.pids) >= 2
    wait_for(left.is_nothing)


def wait_without_pipes(process: "subprocess.Popen[bytes]") -> None:
    """Waits for the end of a process whose daemons hold the other ends of its pipes."""
    process.wait(timeout=100)
    for pipe in filter(None, (process.stdout, process.stderr)):
        pipe.close()


@needs_tensorflow
def test_code_that_kills_all_above_it(left: Left) -> None:
    """The next run ends the processes that are left."""
    small = run_cli("snapshot", "model_dir", "small", cwd=left.project.root)
    assert small.code == 0, small
    left.write(f"{DAEMONS}[os.kill(pid, 9) for pid in ancestors()]; time.sleep(1000)")
    process = left.start(*ONE, model_dir="small")
    wait_without_pipes(process)
    assert process.returncode == -signal.SIGKILL
    assert sum(map(is_running, left.pids)) >= 2
    assert len(left.files) == 1, "the directory of the tracer"
    left.good_check()
    assert (left.running, left.files) == ([], [])


# --- a run that is killed from outside -------------------------------------------------------


def descendants(pid: int) -> List[int]:
    """All processes below one."""
    found = [pid]
    for member in found:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == member:
                found.append(int(stat.parent.name))
    return found[1:]


@needs_tensorflow
def test_a_run_that_is_killed_at_any_time(left: Left) -> None:
    """The next run leaves nothing, whether ckptcheck was killed alone or with its processes."""
    small = run_cli("snapshot", "model_dir", "small", cwd=left.project.root)
    assert small.code == 0, small
    left.write("daemon(sleep); daemon(other_program); time.sleep(0.5)")
    for number in range(6):
        process = left.start(*ONE, model_dir="small")
        time.sleep(random.random() * 4)
        below = descendants(process.pid) if number % 2 else []
        for pid in [process.pid, *random.sample(below, len(below))]:
            if is_running(pid) and pid not in left.pids:
                os.kill(pid, signal.SIGKILL)
        wait_without_pipes(process)
    left.good_check()
    wait_for(left.is_nothing)  # the supervisor of a killed run may still remove files


INSPECT = """
import sys, time
import ckptcheck.checkpoint.remote as remote
fetch = remote._fetched
def slow(*arguments):
    found = fetch(*arguments)
    print("fetched", flush=True)
    time.sleep(1000)
remote._fetched = slow
from ckptcheck.__main__ import run
run()
"""


@pytest.mark.parametrize("link", ["simplecache", "filecache", "blockcache"])
def test_the_caches_of_fsspec(left: Left, link: str) -> None:
    """No run leaves a cache, even if it is killed."""
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    project = left.project
    named = f"{link}::file://{project.model_dir}"
    run = run_cli("inspect", named, cwd=project.root, env=project.environment())
    assert run.code == 0, run
    assert left.files == []
    process = subprocess.Popen(
        [sys.executable, "-c", INSPECT, "inspect", named],
        cwd=str(project.root),
        env=project.environment(),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"fetched\n"
    process.kill()
    process.communicate()
    assert len(left.files) == 1
    assert run_cli("inspect", named, cwd=project.root, env=project.environment()).code == 0
    assert left.files == []


# --- what traced code makes ------------------------------------------------------------------

AUTOGRAPH = """
def doubled(x):
    if tf.reduce_sum(x) > 0:
        return x * 2
    return x


at_import = tf.autograph.to_graph(doubled)
at_import_too = tf.function(doubled)
at_import_too(tf.constant(1.0))
"""


@needs_tensorflow
@pytest.mark.parametrize("end", ["", "os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_files_of_autograph(left: Left, end: str) -> None:
    """TensorFlow writes these files for a conversion, and removes them only in exit handlers."""
    code = (
        "import hostile_graph, tempfile; tf.autograph.to_graph(hostile_graph.doubled); "
        "names = os.listdir(tempfile.gettempdir()); "
        f"open('count', 'w').write(str(sum(name.endswith('.py') for name in names))); {end}"
    )
    left.project.write("hostile_graph.py", "import tensorflow as tf\n" + AUTOGRAPH)
    run = left.check(code)
    assert run.code == (1 if end else 0), run
    assert int(left.count) > 0, "TensorFlow has written no file: this test tests nothing"
    assert left.files == []


SHARED = """
import ctypes, mmap

def shared(name, **kinds):
    library = ctypes.CDLL("librt.so.1")
    descriptor = library.shm_open(b"/" + name, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, 4096)
    return mmap.mmap(descriptor, 4096)
"""


@needs_tensorflow
@pytest.mark.parametrize("end", ["", KILLS["parent"] + "; sleep()"])
def test_shared_memory(left: Left, end: str) -> None:
    """Segments outlive the processes that made them."""
    name = SHARED_NAME + os.urandom(6).hex()
    left.project.write("shared.py", "import os\n" + SHARED)
    code = f"import shared; kept = shared.shared({name.encode()!r}); daemon(sleep); "
    if sys.version_info >= (3, 8):
        code += (
            "from multiprocessing.shared_memory import SharedMemory as S; "
            f"S({name + '-2'!r}, True, 4096).close(); "
        )
    code += "tf.compat.v1.add_to_collection('kept', kept); "
    code += "made = [name for name in os.listdir('/dev/shm') if "
    code += f"{name!r} in name]; open('count', 'w').write(str(len(made))); {end}"
    run = left.check(code)
    assert run.code == (2 if end else 0), run
    assert int(left.count) == (2 if sys.version_info >= (3, 8) else 1)
    assert (left.running, left.files) == ([], [])
