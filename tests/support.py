"""Helpers of the tests: working copies of fixtures, runs of the command, digests of directories."""

import atexit
import contextlib
import fcntl
import functools
import hashlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union
from unittest import mock

import pytest

from ckptcheck.cli import main

PROJECT = Path(__file__).resolve().parent.parent
FIXTURES = PROJECT / "fixtures"
COMMAND_TIMEOUT_SECONDS = 240


def tensorflow_version() -> Optional[str]:
    """The version of this interpreter's TensorFlow, from its metadata; None if it has none."""
    if sys.version_info >= (3, 8):
        from importlib import metadata
    else:
        import importlib_metadata as metadata
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos"):
        try:
            return str(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return None


TENSORFLOW = tensorflow_version()
MAJOR = int(TENSORFLOW.partition(".")[0]) if TENSORFLOW else 0
SAVED_BY = "tf115" if MAJOR == 1 else "tf215"

needs_tensorflow = pytest.mark.skipif(
    TENSORFLOW is None,
    reason="NOT TESTED WITH TENSORFLOW: there is none in this interpreter",
)

needs_estimator = pytest.mark.skipif(
    TENSORFLOW is None or tuple(map(int, TENSORFLOW.split(".")[:2])) >= (2, 16),
    reason="NOT TESTED WITH AN ESTIMATOR: this TensorFlow has no tf.estimator",
)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Makes a folder that all processes of a run share. Only the first one makes it.

    Args:
        factory: pytest's fixture.
        name: the name of the folder. No other test may use it.
        make: fills the folder.

    Returns:
        The folder.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = folder.with_name(f"{name}.done")
    with open(folder.with_name(f"{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


class Run:
    """The output and the exit code of one run of the command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Dict[str, Any]:
        """Standard output, parsed. It must be one JSON document."""
        document: Dict[str, Any] = json.loads(self.out)
        return document

    def __repr__(self) -> str:
        return (
            f"exit code {self.code}\n--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-4000:]}"
        )


def environment(**changes: str) -> Dict[str, str]:
    """Returns the variables for a child process, such as for a quiet TensorFlow on the CPU."""
    found = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    found["TF_ENABLE_ONEDNN_OPTS"] = "0"
    found["PYTHONPATH"] = str(PROJECT)
    found.setdefault("CKPTCHECK_NO_CACHE", "1")
    found.update(changes)
    return found


@functools.lru_cache(maxsize=None)
def warm_interpreter() -> str:
    """The path of an interpreter that has imported TensorFlow, in the environment of the tests."""
    folder = tempfile.mkdtemp(prefix="warm-")
    python, path = Path(folder) / "python", os.path.join(folder, "socket")
    words = [sys.executable, "-u", str(PROJECT / "tests" / "warm.py"), path]
    server = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd="/"
    )
    assert server.stdin is not None and server.stdout is not None
    assert server.stdout.readline() == b"ready\n", f"{words} ended with {server.wait()}"
    words[1:2] = ["-I", "-S"]  # the client imports only the standard library
    python.write_text('#!/bin/sh\nexec {} "$@"\n'.format(" ".join(map(shlex.quote, words))))
    python.chmod(0o755)
    atexit.register(_end, server, folder)
    return str(python)


def _end(server: "subprocess.Popen[bytes]", folder: str) -> None:
    with server:  # closes the pipes, so that the process ends, and waits
        pass
    shutil.rmtree(folder)


def run_cli(
    *arguments: Union[str, Path],
    cwd: Union[str, Path],
    stdin: Union[str, bytes] = "",
    env: Optional[Dict[str, str]] = None,
    warm: bool = False,
) -> Run:
    """Runs the command line.

    Args:
        arguments: of the command.
        cwd: its working directory.
        stdin: what it is given to read.
        env: its environment variables; by default, those of `environment`.
        warm: whether its interpreter has imported TensorFlow already. Then the command line runs in
            this process, which takes less time and lets the coverage be measured.
    """
    words = [str(word) for word in arguments]
    data = stdin.encode("utf-8") if isinstance(stdin, str) else stdin
    if warm:
        return _run_here(words, str(cwd), data, env or environment())
    done = subprocess.run(
        [sys.executable, "-m", "ckptcheck", *words],
        cwd=str(cwd),
        input=data,
        capture_output=True,
        env=env or environment(),
        timeout=COMMAND_TIMEOUT_SECONDS,
    )
    return Run(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def _run_here(words: List[str], cwd: str, stdin: bytes, env: Dict[str, str]) -> Run:
    """Runs the command line in this process, and restores the state of the process."""
    given, out, err = (io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (stdin, b"", b""))
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.getsignal(number))
        stack.callback(os.chdir, os.getcwd())
        python = warm_interpreter()
        stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
        stack.enter_context(mock.patch.object(sys, "executable", python))
        stack.enter_context(mock.patch.object(sys, "stdin", given))
        stack.enter_context(mock.patch.object(tempfile, "tempdir", None))  # so that TMPDIR counts
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        os.chdir(cwd)
        ended = stack.enter_context(pytest.raises(SystemExit))
        main(words)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))
    assert isinstance(ended.value.code, int)
    return Run(ended.value.code, *texts)


def digest(root: Union[str, Path]) -> Dict[str, str]:
    """Every file and directory below a directory: its content, mode and time of change."""
    found = {}
    hashes: Dict[Tuple[int, int], str] = {}
    for folder, folders, files in os.walk(str(root)):
        for name in [".", *folders, *files]:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            found[os.path.relpath(path, str(root))] = (
                f"{info.st_mode:o} {info.st_mtime_ns} {_hash(path, hashes)}"
            )
    return found


def _hash(path: str, known: Dict[Tuple[int, int], str]) -> str:
    """Returns the digest of a file's content. A file with several hard links is read once."""
    if not os.path.isfile(path):
        return ""
    info = os.stat(path)
    identity = (info.st_dev, info.st_ino)
    if identity not in known:
        with open(path, "rb") as file:
            known[identity] = hashlib.sha256(file.read()).hexdigest()
    return known[identity]


def sparse_file(path: Path, size: int, end: bytes = b"") -> Path:
    """Makes a sparse file, with some bytes at its end."""
    with open(str(path), "wb") as file:
        file.truncate(size)
        file.seek(size - len(end))
        file.write(end)
    return path


def names_below(root: Union[str, Path]) -> List[str]:
    """Returns all files below a directory, without the bytecode of imports."""
    return sorted(
        str(path.relative_to(root))
        for path in Path(root).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


class Project:
    """A user's directory with code, params and a model_dir. The command runs in it.

    Each run verifies that the command is harmless: the model_dir does not change, no file appears
    beside the code, no temporary directory is left, and the output has no traceback and no path of
    ckptcheck's own files.
    """

    warm = TENSORFLOW is not None
    """Whether runs use the warm interpreter. A run with its own environment never does."""

    def __init__(self, root: Path, temporary: Path) -> None:
        self.root = root
        self.temporary = temporary
        self.model_dir = root / "model_dir"

    def write(self, name: str, text: str) -> Path:
        """Writes a file in the user's directory."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def params(self, value: Any) -> str:
        """Replaces params.json and returns its name."""
        self.write("params.json", json.dumps(value))
        return "params.json"

    @property
    def prefix(self) -> str:
        """The only checkpoint of the model_dir, relative to the working directory."""
        (index,) = self.model_dir.glob("*.index")
        return os.path.join("model_dir", index.stem)

    def environment(self, **changes: str) -> Dict[str, str]:
        """Returns the variables of :func:`environment`, with the project's own TMPDIR."""
        return environment(TMPDIR=str(self.temporary), **changes)

    def run(
        self,
        *arguments: Union[str, Path],
        stdin: Union[str, bytes] = "",
        env: Optional[Dict[str, str]] = None,
        cwd: Optional[Path] = None,
        writes: Sequence[str] = (),
    ) -> Run:
        """Runs the command and verifies that it was harmless.

        Args:
            arguments: of the command.
            stdin: what it is given to read.
            env: its environment variables.
            cwd: its working directory; the root by default.
            writes: the files below the root that the command is asked to write.
        """
        before, names = digest(self.model_dir), names_below(self.root)
        env, warm = env or self.environment(), self.warm and env is None
        run = run_cli(*arguments, cwd=cwd or self.root, stdin=stdin, env=env, warm=warm)
        assert digest(self.model_dir) == before, "the model_dir was changed"
        appeared = [name for name in names_below(self.root) if name not in writes]
        known = [name for name in names if name not in writes]
        assert appeared == known, "a file appeared in the working directory"
        assert self.left_behind() == [], "a temporary directory was left"
        assert_civil(run)
        return run

    def left_behind(self) -> List[str]:
        """Returns the temporary directories of ckptcheck. Those of the user's code do not count."""
        return [name for name in os.listdir(str(self.temporary)) if name.startswith("ckptcheck")]

    def check(self, *arguments: Union[str, Path], **options: Any) -> Run:
        """Runs a check of this project's model_dir."""
        return self.run("model_dir", *arguments, **options)


def assert_civil(run: Run) -> None:
    """Verifies that the output has no traceback, internal error, or path of ckptcheck's code."""
    for text in (run.out, run.err):
        assert "Traceback (most recent call last)" not in text, run
        assert "internal error" not in text, run
        assert str(PROJECT / "ckptcheck") not in text, run
        assert "_ckptcheck" not in text, run


def copy_fixture(name: str, tmp_path: Path) -> Project:
    """A working copy of a fixture with the model_dir of this interpreter's TensorFlow.

    The major version decides which model_dir, by the metadata: TensorFlow is not imported.
    """
    root, temporary = tmp_path / "project", tmp_path / "temporary"
    source = FIXTURES / name
    shutil.copytree(
        str(source), str(root), ignore=shutil.ignore_patterns("tf[0-9]*", "__pycache__", "train.py")
    )
    shutil.copytree(str(source / SAVED_BY), str(root / "model_dir"))
    temporary.mkdir()
    return Project(root, temporary)


def said(run: Run) -> str:
    """Returns ckptcheck's own lines on standard error, as one line."""
    lines = run.err.splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("ckptcheck: ")]
    return " ".join(lines[starts[0] :]) if starts else ""


def python_of_version(version: str) -> Optional[str]:
    """Returns a Python of an old version, such as ``2.7``, that can run; None if there is none."""
    folders = [Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"]
    found: Sequence[Any] = [
        shutil.which("python" + version),
        *(path for folder in folders for path in folder.glob(version + "*/bin/python")),
    ]
    for candidate in filter(None, found):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run(
            [str(candidate), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if done.stdout.decode("utf-8").strip() == version:
            return str(candidate)
    return None


def is_running(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def keeps_running(pid: int) -> bool:
    """Whether a process still runs after some seconds. A killed process may end late."""
    for _ in range(50):
        if not is_running(pid):
            return False
        time.sleep(0.1)
    return True


def place_of_all() -> str:
    """Returns a directory where every user may make files. TMPDIR may belong to root.

    Raises:
        OSError: there is no such directory.
    """
    for place in map(os.path.realpath, (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):
        entered = all(path.is_dir() and path.stat().st_mode & 0o001 for path in Path(place).parents)
        if entered and os.path.isdir(place) and os.stat(place).st_mode & 0o003 == 0o003:
            return place
    raise OSError("every user may write to /tmp on a common machine, but not on this one")


@contextlib.contextmanager
def folder_of_all() -> Iterator[Path]:
    """Yields a temporary directory that `as_a_user` may enter."""
    with tempfile.TemporaryDirectory(dir=place_of_all()) as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextlib.contextmanager
def as_a_user() -> Iterator[None]:
    """Runs the block without the permissions of root, who may read everything."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)  # os.access uses the real user id
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
