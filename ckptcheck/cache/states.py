"""Describes the state of a file or directory in a short text that changes with the file."""

import errno
import hashlib
import os
import re
import stat
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Sequence, Tuple

from ..seen import Look

ABSENT = "absent"
MOST_READ = 64 << 20
"""Bytes. A larger file is not read. Its size, times and inode number count instead."""
_UNREAD = "large "
_CHUNK = 1 << 20
_MOST_ENTRIES = 100000
_TOO_MANY = errno.E2BIG
_LASTING = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENAMETOOLONG, errno.ELOOP),
    None,  # no file can have this name
)
"""Errors that stay the same until the file, its permissions or its directory change."""
_NULL = os.stat(os.devnull).st_rdev
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def digest(data: bytes) -> str:
    """Returns a digest of some bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def text_digest(parts: Iterable[Any]) -> str:
    """Returns a digest of some values, by their ``repr``."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        made.update(repr(part).encode("utf-8", "surrogateescape") + b"\0")
    return made.hexdigest()


def state(path: str, look: Look, most_read: int = MOST_READ) -> str:
    """Returns the state of the file at a path, as precise as the look.

    Args:
        path: the file.
        look: what counts.
        most_read: the bytes of a file that may be read.
    """
    try:
        return _content(path, most_read) if look is Look.CONTENT else _STATES[look](path)
    except FileNotFoundError:
        return ABSENT
    except (OSError, ValueError) as error:  # ValueError: no file can have this name
        return f"error {getattr(error, 'errno', None)}"


def most_read_for(known: str) -> int:
    """Returns what to give as ``most_read`` to compare a file with its known state."""
    return 0 if known.startswith(_UNREAD) else MOST_READ


def is_lasting(found: str) -> bool:
    """Whether a state describes the file. It does not if the look at the file failed."""
    word, _, number = found.partition(" ")
    return word != "error" or number in map(str, _LASTING)


def why_not_lasting(path: str, found: str) -> str:
    """Returns a message for a state that :func:`is_lasting` refuses."""
    if found == f"error {_TOO_MANY}":
        return f"the directory {path} has too many files"
    return f"{path} cannot be read"


def _kind(path: str) -> str:
    return _kind_of(os.stat(path))


def _kind_of(info: os.stat_result) -> str:
    if stat.S_ISREG(info.st_mode):
        return "file"
    return "directory" if stat.S_ISDIR(info.st_mode) else "other"


def _size(path: str) -> str:
    info = os.stat(path)
    return f"{_kind_of(info)} {info.st_size if stat.S_ISREG(info.st_mode) else 0}"


def _stat(path: str) -> str:
    return _stat_of(os.stat(path))


def _stat_of(info: os.stat_result) -> str:
    return f"{info.st_mode} {info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"


def _content(path: str, most_read: int) -> str:
    descriptor = os.open(path, _READING)  # must not block if the file has just become a pipe
    try:
        info = os.fstat(descriptor)
        kind = _kind_of(info)
        if kind == "other" and info.st_rdev != _NULL:  # what it gives next is not known
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if kind != "file":
            return kind
        if info.st_size > most_read:
            return f"{_UNREAD}{_stat_of(info)} {info.st_ino}"
        made, size = hashlib.blake2b(digest_size=16), 0
        for data in iter(lambda: os.read(descriptor, _CHUNK), b""):
            made.update(data)
            size += len(data)
            if size > MOST_READ:  # the file grows while it is read
                return f"growing {info.st_ino} {size}"
        return f"file {size} {made.hexdigest()}"
    finally:
        os.close(descriptor)


def _names(path: str) -> str:
    before = _stat(path)
    try:
        return text_digest(sorted(_entries(path, _entry_kind)))
    except OSError as error:
        if error.errno != _TOO_MANY:
            raise
        return f"many {before}"


def _stats(path: str) -> str:
    return text_digest(sorted(_entries(path, lambda entry: _stat_of(entry.stat()))))


def _entry_kind(entry: "os.DirEntry[str]") -> str:
    return "directory" if entry.is_dir() else "file" if entry.is_file() else "other"


def _entries(path: str, describe: Callable[["os.DirEntry[str]"], str]) -> Iterator[Tuple[str, str]]:
    with os.scandir(path) as entries:
        for count, entry in enumerate(entries):
            if count > _MOST_ENTRIES:
                raise OSError(_TOO_MANY, os.strerror(_TOO_MANY))
            try:
                yield entry.name, describe(entry)
            except OSError:  # a broken link
                yield entry.name, "broken"


def _link(path: str) -> str:
    info = os.lstat(path)
    return f"link {os.readlink(path)}" if stat.S_ISLNK(info.st_mode) else "no link"


_STATES: Mapping[Look, Callable[[str], str]] = {
    Look.KIND: _kind,
    Look.SIZE: _size,
    Look.STAT: _stat,
    Look.NAMES: _names,
    Look.STATS: _stats,
    Look.LINK: _link,
}


def modules_found(folder: str, names: Sequence[str]) -> List[str]:
    """Returns the entries of a directory that have the names of some modules, sorted.

    An import takes ``net``, ``net.py`` or ``net.cpython-311-x86_64-linux-gnu.so`` for ``net``.
    """
    try:
        entries = os.listdir(folder)
    except OSError:
        return [ABSENT]
    wanted = set(names)
    return sorted(entry for entry in entries if entry.partition(".")[0] in wanted)


Row = Tuple[str, int, int, int, int, str]
"""A file of an installed package: path, size, two times, inode number, digest."""
_RACY_NS = 2 * 10**9
_SAMPLE = 1 << 20
_LARGE = 8 << 20
_NATIVE = re.compile(r".*\.(so(\.\d+)*|dylib|pyd)")
_NOTHING = (-1, -1, -1, -1)


def row_of(path: str, now_ns: int) -> Row:
    """Returns the state of a file of an installed package.

    Args:
        path: the file.
        now_ns: the current time. A file that has just changed may change again without a new time.
    """
    size, changed, status_changed, number = numbers(path)
    racy = status_changed > now_ns - _RACY_NS
    return (path, size, changed, -2 if racy else status_changed, number, _sampled(path, size))


def numbers(path: str) -> Tuple[int, int, int, int]:
    """Returns the size, the times and the inode number of a file."""
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return _NOTHING
    if stat.S_ISDIR(info.st_mode):  # the times of a directory change with its entries
        return (0, 0, 0, -1)
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def _sampled(path: str, size: int) -> str:
    """Returns a digest of a file, or of its first and last bytes if it is a large native library.

    The ends of a native library change if its content changes.
    """
    if not _NATIVE.fullmatch(path):
        return state(path, Look.CONTENT)
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGE + 1 if size <= _LARGE else _SAMPLE)
            if size > _LARGE:
                file.seek(-_SAMPLE, os.SEEK_END)
                data += file.read()
    except OSError as error:
        return f"error {error.errno}"
    return digest(data)


def first_changed(rows: Sequence[Row], now_ns: int) -> Tuple[str, List[Row]]:
    """Finds out whether files of installed packages have changed.

    Returns:
        The path of the first changed file, or "". The rows as they are now: a file with other
        times, but the same content, has not changed.
    """
    current: List[Row] = []
    for row in rows:
        now = row
        if numbers(row[0]) != tuple(row[1:5]):
            now = row_of(row[0], now_ns)
            if (now[1], now[5]) != (row[1], row[5]):
                return row[0], []
        current.append(now)
    return "", current
