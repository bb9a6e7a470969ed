"""Tests model_fns that harm their process or files.

After each trace, no process and no temporary directory is left, the command has ended in time, the
other modes have their usual verdicts, the exit code is right, and there is no traceback of
ckptcheck.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from .support import Project, Run, assert_civil, digest, keeps_running, needs_tensorflow, run_cli

pytestmark = [
    needs_tensorflow,
    pytest.mark.skipif(
        not Path("/proc/self/smaps_rollup").exists(),
        reason="NOT TESTED: processes are found, and their memory is measured, by /proc",
    ),
]

JSON = ("--format", "json", "--quiet")

HEAD = """
import os, signal, sys, threading, time
import tensorflow as tf
from model import model_fn as good_model_fn


def note():
    with open({pids!r}, "a") as file:
        file.write("%d\\n" % os.getpid())


def daemon(work):
    # a process in a session of its own, whose parent has ended
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note()
            work()
        os._exit(0)
    os.wait()


def sleep():
    time.sleep(1000)


def model_fn(features, labels, mode, params):
    note()
    features["x"]
    {{"infer": predict, "eval": evaluate, "train": train}}[mode](params)
    return good_model_fn(features, labels, mode, params)


def predict(params):
    pass


evaluate = train = predict
"""


class Hostile:
    """A project whose model_fn runs given code, and writes down the ids of its processes."""

    def __init__(self, project: Project, pids: Path) -> None:
        self.project = project
        self._pids = pids
        self.took = 0.0

    def check(self, code: str, *arguments: str) -> Run:
        """Checks the model_fn, and verifies that nothing is left."""
        self.project.write("hostile.py", HEAD.format(pids=str(self._pids)) + code)
        start = time.monotonic()
        run = self.project.check("hostile:model_fn", "params.json", *JSON, *arguments)
        self.took = time.monotonic() - start
        assert self.running() == [], run
        return run

    @property
    def pids(self) -> List[int]:
        """The ids of the processes that the code has started."""
        return [int(line) for line in self._pids.read_text().split()]

    def running(self) -> List[int]:
        """Returns the ids of processes that still run.

        Ends these, so that a failed test leaves none.
        """
        left = [pid for pid in self.pids if keeps_running(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


@pytest.fixture
def hostile(project: Project, tmp_path: Path) -> Hostile:
    project.warm = False  # the code must run in the same kind of process as for users
    return Hostile(project, tmp_path / "pids")


def verdicts(run: Run) -> Dict[str, str]:
    """Returns the verdict of each mode."""
    return {mode: value["verdict"] for mode, value in run.json["modes"].items()}


def found(run: Run) -> Dict[str, Any]:
    """Returns the only finding of each mode, by mode. Notes do not count."""
    return {
        mode: finding
        for finding in run.json["findings"]
        for mode in finding["modes"]
        if finding["severity"] != "note"
    }


NOTHING_AS_IT_WAS = """
def predict(params):
    import logging
    daemon(sleep)
    if os.fork() == 0:
        note()  # and goes on as if it were the one that was asked
    threading.Thread(target=sleep).start()
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    logging.getLogger().handlers[:] = []
    logging.disable(logging.CRITICAL)
    logging.setLoggerClass(type("Mine", (logging.Logger,), {{"info": None, "warning": None}}))
    os.chdir("/")
    sys.path.reverse()
    os.environ.update(HOME="/", PATH="", TMPDIR="/")
    sys.argv[:] = []
    sys.excepthook = None
    sys.setrecursionlimit(600)
    os._exit = sys.exit = lambda code=0: None
    sys.stdout.close()
    sys.stderr = None


def evaluate(params):
    os.closerange(0, 1024)
    for _ in range(64):  # every number that was ours is now a file of the user's
        os.open({mine!r}, os.O_RDWR)


def train(params):
    for number in range(3, 256):
        try:
            os.write(number, b"not yours" * 9)
        except OSError:
            pass
"""


def test_nothing_is_as_it_was(hostile: Hostile, tmp_path: Path) -> None:
    """These changes of the process do not change the verdict of the restore.

    They are a fork that returns in both processes, endless threads, ignored signals, no standard
    output, and reused descriptors.
    """
    mine = tmp_path / "mine"
    mine.write_bytes(b"")
    run = hostile.check(NOTHING_AS_IT_WAS.format(mine=str(mine)))
    assert verdicts(run) == {"predict": "restores", "eval": "restores", "train": "untraceable"}
    assert run.code == 1, run
    finding = found(run)["train"]
    assert finding["rule"] == "model-fn-crashed"
    assert (
        finding["message"]
        == "the code wrote into the pipe to ckptcheck, a file descriptor that it did not open"
    )
    assert mine.read_bytes() == b"", "the reply was written into a file of the user's"
    assert len(hostile.pids) >= 5, "the processes that should have been ended were never there"
    assert hostile.took < 60


DEATHS = """
import absl.flags


def predict(params):
    daemon(sleep)  # it holds the pipe of the fork
    os._exit(7)


def evaluate(params):
    evaluate(params)


def train(params):
    daemon(sleep)
    for _ in range(2):
        absl.flags.DEFINE_string("twice", "", "a flag")
"""


def test_deaths(hostile: Hostile) -> None:
    """Each death is a finding at once, even if another process still has the pipe open."""
    run = hostile.check(DEATHS, "--timeout", "100")
    assert run.code == 1, run
    assert set(verdicts(run).values()) == {"untraceable"}
    what = {mode: (item["rule"], item["message"]) for mode, item in found(run).items()}
    assert what["predict"] == ("model-fn-crashed", "the process ended with exit code 7")
    assert what["eval"][0] == "model-fn-raised"
    assert what["eval"][1].startswith("RecursionError: maximum recursion depth exceeded")
    assert what["train"][0] == "model-fn-raised"
    assert what["train"][1].startswith("DuplicateFlagError: The flag 'twice' is defined twice.")
    assert hostile.took < 60, "a process that was left kept the command waiting"


NEVER = """
def predict(params):
    os.setpgid(0, os.getppid())  # the tracer's own group
    daemon(sleep)
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass


def evaluate(params):
    raise KeyboardInterrupt


def train(params):
    try:
        os.kill(os.getpid(), signal.SIGSTOP)
    finally:
        daemon(sleep)
"""


def test_what_never_ends(hostile: Hostile) -> None:
    """ckptcheck ends the process after its time, even if the process ignores signals."""
    run = hostile.check(NEVER, "--timeout", "8")
    assert run.code == 1, run
    what = {mode: (item["rule"], item["message"]) for mode, item in found(run).items()}
    said = "the process was still running after 4 s, so ckptcheck stopped it (--timeout 8)"
    late = ("model-fn-timeout", said)
    assert what["predict"] == what["train"] == late
    assert what["eval"] == ("model-fn-raised", "KeyboardInterrupt: ")
    assert hostile.took < 45


GIGABYTES = """
def predict(params):
    for number in (1, 2):
        for line in range(512):
            block = b"\\x1b[2J%d%s\\n" % (line, b"o" * (1 << 20))
            view = memoryview(block)
            while view:
                view = view[os.write(number, view):]
"""


def test_gigabytes_of_output(hostile: Hostile) -> None:
    """ckptcheck reads and drops the output.

    The terminal gets the beginning, without control characters.
    """
    project = hostile.project
    project.write("hostile.py", HEAD.format(pids=os.devnull) + GIGABYTES.replace("\\\\", "\\"))
    start = time.monotonic()
    run = project.check("hostile:model_fn", "params.json", "--mode", "predict")
    took = time.monotonic() - start
    assert run.code == 0, run
    assert len(run.err) < 1200000
    assert "more output of the traced code is not shown" in run.err
    assert "\x1b" not in run.err
    assert took < 60


MEMORY = """
import mmap


def predict(params):
    kept = []
    while True:
        kept.append(bytearray(b"x" * (10 << 20)))


def evaluate(params):
    # what a process that it starts takes is its own
    def fill():
        kept = mmap.mmap(-1, 4 << 30)
        while True:
            kept.write(b"x" * (10 << 20))
    daemon(fill)
    sleep()


def train(params):
    kept = [bytearray(b"x" * (10 << 20)) for _ in range(10)]
"""


def test_memory_without_bound(hostile: Hostile) -> None:
    """The limit counts only the memory of the model_fn.

    TensorFlow itself takes more than this limit.
    """
    run = hostile.check(MEMORY, "--memory-limit", "300M", "--timeout", "60")
    assert run.code == 1, run
    assert verdicts(run) == {"predict": "untraceable", "eval": "untraceable", "train": "restores"}
    what = {mode: (item["rule"], item["message"]) for mode, item in found(run).items()}
    assert what["predict"] == ("model-fn-out-of-memory", "MemoryError: ")
    used = "the process used more than 300M of memory, so ckptcheck stopped it (--memory-limit)"
    assert what["eval"] == ("model-fn-out-of-memory", used)
    line = (hostile.project.root / "hostile.py").read_text().splitlines()
    place = found(run)["predict"]["location"]
    assert "kept.append" in line[place["line"] - 1]


WRITES = """
def predict(params):
    with open(os.path.join(params["model_dir"], "params-used.json"), "w") as file:
        file.write("{}")
    os.makedirs(os.path.join(params["model_dir"], "dump"), exist_ok=True)


def evaluate(params):
    with open(os.path.join(params["model_dir"], "graph.pbtxt"), "a") as file:
        file.write("# more")


def train(params):
    vocabulary = os.path.join(params["model_dir"], "vocabulary.txt")
    if os.path.exists(vocabulary):
        os.remove(vocabulary)
"""


def test_writes_into_the_model_dir(hostile: Hostile) -> None:
    """ckptcheck finds and names the written files, and does not remove them."""
    project = hostile.project
    (project.model_dir / "vocabulary.txt").write_text("a")
    (project.model_dir / "graph.pbtxt").write_text("# a graph")
    project.write("hostile.py", HEAD.format(pids=os.devnull) + WRITES)
    params = project.params(
        {"num_hidden": 128, "dropout_rate": 0.3, "model_dir": str(project.model_dir)}
    )
    before = set(digest(project.model_dir))
    run = run_cli(
        *("model_dir", "hostile:model_fn", params, *JSON, "--fail-on", "warning"),
        cwd=project.root,
        env=project.environment(),
    )
    assert_civil(run)
    assert run.code == 1, run
    assert set(verdicts(run).values()) == {"restores"}
    assert [
        (finding["severity"], finding["key"], finding["message"])
        for finding in run.json["findings"]
        if finding["rule"] == "model-dir-changed"
    ] == [
        ("warning", _KEY.format("written"), "dump/, params-used.json appeared in model_dir"),
        ("warning", _KEY.format("changed"), "graph.pbtxt changed in model_dir"),
        ("warning", _KEY.format("removed"), "vocabulary.txt disappeared in model_dir"),
    ]
    assert set(digest(project.model_dir)) ^ before == {
        "dump",
        "params-used.json",
        "vocabulary.txt",
    }


_KEY = "model-dir-changed:{}"
