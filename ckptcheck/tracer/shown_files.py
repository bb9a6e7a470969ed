"""Copies the files of the model_dir for traced code, and records the files that it cannot copy.

The code can do what it likes with the copies: no link leads from them to the user's files. Large
files are cloned if the file system can do that. If not, a bounded number of bytes is copied, small
files first. A file beyond that bound is shown as a *blank*: its size, times and mode are right, and
its content is a hole. Blanks are watched. If the code opens one, the tracer discards the trace and
repeats it with a real copy of that file.

A file that cannot be copied (a FIFO, a socket, a device, a file that is being written) is also a
watched blank. If the code opens it, there is no verdict. Some files cannot be watched: entries
beyond the bound, and all blanks on a system without inotify. If there are such files, and the code
asks for the path of its model_dir, there is no verdict.

If several links lead to a directory, it is copied once, and the other links lead to this copy.
"""

import collections
import contextlib
import errno
import fcntl
import os
import stat
import sys
from typing import Collection, Deque, Dict, Iterator, List, NamedTuple, Optional, Tuple

from . import scratch
from .failures import UsageError
from .fork import size_text, write_all
from .left_out import Ledger, LeftOut
from .open_watch import UNWATCHED, OpenWatch
from .temporary import run_folder

_MOST_ENTRIES = 20000
_MOST_BYTES = 64 << 20
_MOST_TRACES = 4
"""The most traces that write to TMPDIR at the same time: one for each mode."""
_WORTH_CLONING = 1 << 20
_CHUNK = 1 << 20
_MOST_TRIES = 3
_FICLONE = 0x40049409
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""If a file has just become a FIFO or a terminal, the tracer must not wait for it."""
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN_LINKS = "broken-links"
_SPECIAL = {"p": "a FIFO", "s": "a socket", "c": "a device", "b": "a device"}
"""Files that are neither directories nor regular files, by the first letter of their mode."""


def show(root: str, model_dir: str, ledger: Ledger, opened: Collection[str] = ()) -> str:
    """Fills the directory that traced code sees as its model_dir; returns its path.

    Args:
        root: what :func:`scratch.make` made.
        model_dir: the real directory; if there is none, an empty one is shown.
        ledger: gets what is left out.
        opened: names of files that an earlier trace opened. They are copied even if they are large.

    Raises:
        UsageError: TMPDIR is full.
    """
    shown = scratch.model_dir_in(root)
    try:
        mirror = _Mirror(root, ledger.watch, opened)
        if os.path.isdir(model_dir):
            mirror.fill(os.path.abspath(model_dir))
        ledger.write(mirror.left_out)
    except OSError as error:
        raise no_room(os.path.dirname(run_folder(root)), error)
    return shown


def no_room(temporary: str, error: OSError) -> UsageError:
    """Returns the error for a TMPDIR that the copies cannot be written to."""
    advice = "Free some space there, or set TMPDIR to another directory"
    if error.errno not in _FULL:
        advice = "The code may have removed ckptcheck's directory there"
    return UsageError(
        f"cannot copy MODEL_DIR to TMPDIR ({temporary}) for the code: {error.strerror}. {advice}"
    )


class _File(NamedTuple):
    """A file to show: where it is, its path below the model_dir, and its state."""

    path: str
    name: str
    info: os.stat_result


class _UnreadableError(Exception):
    """A file or directory in the user's model_dir cannot be read.

    Attributes:
        forbidden: whether this process has no permission.
        mode: the mode of the file that replaces it.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot be read ({error.strerror})")
        self.forbidden = isinstance(error, PermissionError)
        self.mode = 0 if self.forbidden else 0o600


class _Mirror:
    """Copies one model_dir."""

    def __init__(self, root: str, watch: OpenWatch, opened: Collection[str]) -> None:
        self.left_out: List[LeftOut] = []
        self._root = root
        self._shown = scratch.model_dir_in(root)
        self._watch = watch
        self._opened = opened
        self._entries = 0
        self._broken_links = 0
        self._files: List[_File] = []
        self._links: Deque[Tuple[str, str]] = collections.deque()
        self._directories: Dict[Tuple[int, int], str] = {}
        self._room = min(_MOST_BYTES, self._free() // _MOST_TRACES // 2)
        self._clones = sys.platform.startswith("linux")

    def fill(self, model_dir: str) -> None:
        """Makes all directories, then the files, small ones first.

        Directories come before links to directories, so that a link to a copied directory stays a
        link.
        """
        run = run_folder(self._root)
        self._directories[_identity(os.stat(run))] = ""  # TMPDIR may be in the model_dir
        waiting: Deque[Tuple[str, str]] = collections.deque([(model_dir, "")])
        while waiting or self._links:
            source, name = (waiting or self._links).popleft()
            waiting.extend(self._show_directory(source, name))
        for file in sorted(self._files, key=lambda file: file.info.st_size):
            self._show_file(file)

    def _show_directory(self, source: str, name: str) -> List[Tuple[str, str]]:
        """Shows a directory without its files; returns the directories in it."""
        target = os.path.join(self._shown, name) if name else self._shown
        try:
            identity = _identity(os.stat(source))
        except OSError:  # it has just been removed
            return []
        if identity in self._directories:
            if self._directories[identity]:
                os.symlink(self._directories[identity], target)
            return []
        self._directories[identity] = target
        if name:
            os.mkdir(target)
        try:
            return [
                (entry.path, os.path.join(name, entry.name))
                for entry in self._scanned(source)
                if self._is_plain_directory(entry, os.path.join(name, entry.name))
            ]
        except _UnreadableError as error:
            self._show_unreadable_directory(source, name, error)
            return []

    def _show_unreadable_directory(self, source: str, name: str, error: _UnreadableError) -> None:
        target = os.path.join(self._shown, name)
        if error.forbidden:
            os.chmod(target, 0)
        if os.access(source, os.X_OK) or os.access(target, os.R_OK):  # the code can use the entries
            self.left_out.append(LeftOut(name, str(error), UNWATCHED))

    def _scanned(self, source: str) -> Iterator["os.DirEntry[str]"]:
        """The entries of a directory, up to the bound for all directories."""
        try:
            with os.scandir(source) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries <= _MOST_ENTRIES:
                        yield entry
                        continue
                    if self._entries == _MOST_ENTRIES + 1:
                        reason = f"more than {_MOST_ENTRIES:,} files and directories"
                        self.left_out.append(LeftOut("", reason, UNWATCHED))
                    return
        except OSError as error:
            raise _UnreadableError(error)

    def _is_plain_directory(self, entry: "os.DirEntry[str]", name: str) -> bool:
        """Whether an entry is a directory and no link. Keeps other entries for later."""
        try:
            info = entry.stat()
        except OSError as error:
            self._show_dead_end(entry, name, error)
            return False
        if not stat.S_ISDIR(info.st_mode):
            self._files.append(_File(entry.path, name, info))
            return False
        if entry.is_symlink():
            self._links.append((entry.path, name))
            return False
        return True

    def _show_dead_end(self, entry: "os.DirEntry[str]", name: str, error: OSError) -> None:
        """Shows a broken link, or an entry that this process may not look at."""
        if error.errno not in _NOWHERE:
            unreadable = _UnreadableError(error)
            self._blank(name, 0, unreadable.mode, None, str(unreadable))
        elif entry.is_symlink():  # else it has just been removed
            # The code may create the target of a broken link, so the link gets another target.
            folder = os.path.join(self._root, _BROKEN_LINKS)
            os.makedirs(folder, exist_ok=True)
            self._broken_links += 1
            missing = os.path.join(folder, str(self._broken_links))
            os.symlink(missing, os.path.join(self._shown, name))

    def _show_file(self, file: _File) -> None:
        kind = _SPECIAL.get(stat.filemode(file.info.st_mode)[0])
        if kind:
            self._blank(file.name, 0, 0o600, None, f"is {kind}, not a regular file")
            return
        try:
            source = os.open(file.path, _READING)
        except FileNotFoundError:  # it has just been removed
            return
        except OSError as error:
            self._show_unreadable_file(file, _UnreadableError(error))
            return
        try:
            self._show_open_file(source, file)
        except _UnreadableError as error:
            self._discard(file.name)
            self._show_unreadable_file(file, error)
        finally:
            os.close(source)

    def _show_unreadable_file(self, file: _File, error: _UnreadableError) -> None:
        self._blank(file.name, file.info.st_size, error.mode, file.info, str(error))

    def _show_open_file(self, source: int, file: _File) -> None:
        for _ in range(_MOST_TRIES):
            info = os.fstat(source)
            if not stat.S_ISREG(info.st_mode):  # the file was replaced after it was listed
                self._blank(file.name, 0, 0o600, None, "is not a regular file")
                return
            if not self._clone(source, file.name, info) and not self._copy(source, file.name, info):
                reason = self._no_copy(info.st_size) if file.name in self._opened else ""
                self._blank(file.name, info.st_size, _readable(info), info, reason)
                return
            if _state(os.fstat(source)) == _state(info):
                return
            self._discard(file.name)
        self._blank(file.name, info.st_size, _readable(info), info, "is being written (try again)")

    def _no_copy(self, size: int) -> str:
        temporary = os.path.dirname(run_folder(self._root))
        return (
            f"({size_text(size)}) is too large to copy to TMPDIR ({temporary}): set TMPDIR to a "
            "directory with more space"
        )

    def _has_room(self, name: str, size: int) -> bool:
        """Whether a file may be copied. Half of the free space stays free."""
        if size <= self._room:
            self._room -= size
            return True
        return name in self._opened and size <= self._free() // 2

    def _free(self) -> int:
        info = os.statvfs(self._root)
        return info.f_bavail * info.f_frsize

    def _clone(self, source: int, name: str, info: os.stat_result) -> bool:
        """Clones a large file, if the file system supports this; returns whether it was cloned."""
        if not self._clones or info.st_size < _WORTH_CLONING:
            return False
        try:
            with self._create(name) as target:
                fcntl.ioctl(target, _FICLONE, source)
                _set_state(target, _readable(info), info)
            return True
        except OSError:  # the file system cannot clone; do not try again
            self._clones = False
            self._discard(name)
            return False

    def _copy(self, source: int, name: str, info: os.stat_result) -> bool:
        """Copies a file if there is room for it; returns whether it did."""
        if not self._has_room(name, info.st_size):
            return False
        try:
            with self._create(name) as target:
                os.lseek(source, 0, os.SEEK_SET)
                left = info.st_size
                while left:
                    data = _read(source, min(left, _CHUNK))
                    if not data:  # the file is shorter now; the comparison of states finds this
                        break
                    write_all(target, data)
                    left -= len(data)
                _set_state(target, _readable(info), info)
            return True
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._room = 0  # another process has used the space
            self._discard(name)
            return False

    def _blank(
        self, name: str, size: int, mode: int, info: Optional[os.stat_result], reason: str
    ) -> None:
        """Shows a file without its content; see the head of this module."""
        with self._create(name) as target:
            os.ftruncate(target, size)
            _set_state(target, mode, info)
        path = os.path.join(self._shown, name)
        if os.access(path, os.R_OK):  # otherwise, the code gets the same error as for the real file
            self.left_out.append(LeftOut(name, reason, self._watch.add(path)))

    @contextlib.contextmanager
    def _create(self, name: str) -> Iterator[int]:
        """Opens a new file for writing."""
        path = os.path.join(self._shown, name)
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            yield target
        finally:
            os.close(target)

    def _discard(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._shown, name))


def _identity(info: os.stat_result) -> Tuple[int, int]:
    return info.st_dev, info.st_ino


def _state(info: os.stat_result) -> Tuple[int, int]:
    return info.st_size, info.st_mtime_ns


def _readable(info: os.stat_result) -> int:
    """The mode of a copy, which this process owns and can always read."""
    return info.st_mode | stat.S_IRUSR


def _set_state(descriptor: int, mode: int, info: Optional[os.stat_result]) -> None:
    if info is not None:
        os.utime(descriptor, ns=(info.st_atime_ns, info.st_mtime_ns))
    os.fchmod(descriptor, mode & 0o777)


def _read(source: int, size: int) -> bytes:
    try:
        return os.read(source, size)
    except OSError as error:
        raise _UnreadableError(error)
