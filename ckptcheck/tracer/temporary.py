"""Makes the temporary directories of a run, and cleans up after runs that were killed.

The command and the tracer both make their directories here, each in its own ``TMPDIR``. A process
holds a lock (flock) on its directory for as long as it lives. So if the lock is free, the process
was killed. The processes that traced code starts do not inherit the lock.

A directory's name says on which machine and for which run it was made. A lock may not be visible on
another machine, so directories of other machines are left alone. The processes of a run have its
:func:`mark` among their arguments or their environment variables.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from typing import Iterator, List, Optional, Tuple

from . import processes

MARK = "CKPTCHECK_RUN"
"""The environment variable that holds the run's id."""
_NAME = re.compile(r"ckptcheck-([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})(\.new)?")
_NEW = ".new"
"""The end of the name of a directory that is not locked yet. Such a directory is empty."""
_MOST_TRIES = 100
_MOST_LEFT = 50
"""Directories of killed runs that one run removes."""
_LONGEST = 5.0
"""Seconds after which no more directories are removed."""


def new_run() -> str:
    """Makes the id of a run."""
    return os.urandom(6).hex()


def mark(run: str) -> str:
    """Returns the mark of a run's processes, for an argument and an environment variable."""
    return f"{MARK}={run}"


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """Makes a directory that is removed at the end of the context.

    First it cleans up after runs that were killed.

    Raises:
        OSError: it cannot be made.
    """
    clean_up()
    path, lock = make(new_run())
    try:
        yield path
    finally:
        remove(path)
        os.close(lock)


def make(run: str) -> Tuple[str, int]:
    """Makes the directory of a run.

    Returns:
        Its path, and the descriptor that holds its lock.

    Raises:
        OSError: it cannot be made.
    """
    host, boot = _machine()
    path = os.path.join(parent(), f"ckptcheck-{host}{boot}{run}")
    for _ in range(_MOST_TRIES):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path + _NEW, 0o700)
        lock = _open(path + _NEW)
        if lock is None:  # another run has removed it
            continue
        _is_free(lock)
        try:
            os.rename(path + _NEW, path)
            return path, lock
        except FileNotFoundError:
            os.close(lock)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)


def parent() -> str:
    """Returns the directory for ckptcheck's temporary directories.

    ``tempfile`` skips a full TMPDIR and may finally use the working directory.
    """
    named = os.environ.get("TMPDIR", "")
    return os.path.abspath(named) if os.path.isdir(named) else tempfile.gettempdir()


def run_folder(path: str) -> str:
    """The run's directory that contains a directory; the directory itself if there is none."""
    folder = os.path.dirname(path)
    return folder if _NAME.fullmatch(os.path.basename(folder)) else path


def no_place(error: OSError) -> str:
    """The message for a directory that could not be made."""
    where = f": {error.filename}" if error.filename else ""
    return (
        f"cannot make a temporary directory: {error.strerror}{where}; set TMPDIR to a directory "
        "with free space"
    )


def _machine() -> Tuple[str, str]:
    """Returns digests of this machine's name, and of the id of its current boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read()
    except OSError:  # not Linux
        boot = b""
    host = os.fsencode(os.uname().nodename)
    first, second = (hashlib.sha256(part).hexdigest()[:4] for part in (host, boot or host))
    return first, second


def _open(path: str) -> Optional[int]:
    with contextlib.suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return None


def _is_free(lock: int) -> bool:
    """Tries to take a lock; returns whether it was free."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or this file system has no locks
        return False
    return True


def _is_still(path: str, lock: int) -> bool:
    """Whether a path still leads to the directory that was locked, and this user owns it."""
    with contextlib.suppress(OSError):
        there, locked = os.lstat(path), os.fstat(lock)
        return os.path.samestat(there, locked) and locked.st_uid == os.geteuid()
    return False


# --- what was left ---------------------------------------------------------------------------


def clean_up() -> None:
    """Ends the processes and removes the directories of this user's runs that were killed."""
    start, removed = time.monotonic(), 0
    for path, run in _found():
        if removed >= _MOST_LEFT or time.monotonic() - start > _LONGEST:
            return
        removed += _clean_up_after(path, run)


def _found() -> Iterator[Tuple[str, str]]:
    """The directories of this user's runs on this machine, each with the id of its run."""
    host, boot = _machine()
    names: List[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(parent())
    for match in filter(None, map(_NAME.fullmatch, names)):
        path = os.path.join(parent(), match.group())
        if (match.group(1) == host or match.group(2) == boot) and _is_own_directory(path):
            yield path, match.group(3)


def _is_own_directory(path: str) -> bool:
    with contextlib.suppress(OSError):  # it has just been removed
        info = os.lstat(path)
        return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid()
    return False


def _clean_up_after(path: str, run: str) -> bool:
    if path.endswith(_NEW):
        with contextlib.suppress(OSError):  # its run has just locked it
            os.rmdir(path)
        return True
    lock = _open(path)
    if lock is None:
        return False
    try:
        dead = _is_free(lock) and _is_still(path, lock)
        if not dead or not processes.end_marked(mark(run)):
            return False
        remove(path)
        return True
    finally:
        os.close(lock)


def remove(path: str) -> None:
    """Removes a directory with all that is in it; links are removed, never followed."""
    shutil.rmtree(path, ignore_errors=True)
    if os.path.isdir(path):
        _unlock(path)
        shutil.rmtree(path, ignore_errors=True)


def _unlock(root: str) -> None:
    """Makes directories writable again if the traced code removed the permission."""
    for folder, folders, _ in os.walk(root):
        for name in folders:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
