"""The files of the cache: small, written at once or not at all, and never trusted."""

import contextlib
import json
import os
import re
import tempfile
import time
import zlib
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

FORMAT = 1
FOLDER = ".ckptcheck_cache"
_ENDING = ".z"
_TEMPORARY = ".tmp"
_STARTED = "ckptcheck-"
_OWN = re.compile(rf"(check|line|packages)-\w+{re.escape(_ENDING)}|{_STARTED}\w+{_TEMPORARY}")
"""The names of the files that :class:`Store` writes. The user's directory may have other files."""
_LONGEST_WRITE = 3600.0
"""Seconds. An older temporary file was left by a killed run."""
_LARGEST_FILE = 32 << 20
"""Bytes of one file, compressed."""
_LARGEST_TEXT = 256 << 20
MOST_BYTES = 256 << 20
"""Bytes of all files. Beyond that, those that were used least recently are removed."""
_TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache of ckptcheck.\n"
)
_IGNORE = ".gitignore"
_PROJECT = ("ckptcheck.toml", "pyproject.toml", ".git")
"""A project's directory has one of these."""


def folder_for(given: str, start: str = "") -> str:
    """Returns the directory of the cache.

    Args:
        given: the directory that the user chose. If it is "", the environment variable decides. If
            that is not set, the cache is in the project's directory. Outside of a project, it is in
            the user's directory for caches.
        start: the directory of the check, by default the working directory.
    """
    given = given or os.environ.get("CKPTCHECK_CACHE_DIR", "")
    folder = start or working_directory()
    if given:
        return os.path.join(folder, given)
    while folder:
        if any(os.path.exists(os.path.join(folder, name)) for name in _PROJECT):
            return os.path.join(folder, FOLDER)
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser(os.path.join("~", ".cache"))
    return os.path.join(base, "ckptcheck")


def working_directory() -> str:
    """Returns the working directory; "" if it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


class Size(NamedTuple):
    """What a cache holds.

    Attributes:
        entries: the number of checks.
        size: the bytes of all files.
    """

    entries: int
    size: int


class Store:
    """A directory with entries. No method raises an error because of what is in it."""

    def __init__(self, folder: str, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes

    def read(self, kind: str, name: str) -> Optional[Dict[str, Any]]:
        """Returns an entry; None if there is none, or it is damaged."""
        path = self._path(kind, name)
        try:
            with open(path, "rb") as file:
                data = file.read(_LARGEST_FILE + 1)
            if len(data) > _LARGEST_FILE:
                return None
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(data, _LARGEST_TEXT)
            if not unpacker.eof:
                return None
            found = json.loads(text.decode("ascii"))
        except (OSError, ValueError, RecursionError, zlib.error):
            return None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            return None
        return found if found.get("name") == name else None

    def names(self, kind: str) -> List[str]:
        """Returns the names of all entries of a kind."""
        found = (os.path.basename(path) for path, _ in self._files())
        start = f"{kind}-"
        ours = (name for name in found if name.startswith(start) and name.endswith(_ENDING))
        return [name[len(start) : -len(_ENDING)] for name in ours]

    def write(self, kind: str, name: str, value: Dict[str, Any]) -> str:
        """Writes an entry. Readers see the old one or the new one.

        Returns:
            Why it could not be written; "" if it was.
        """
        text = json.dumps({**value, "format": FORMAT, "name": name}, separators=(",", ":"))
        data = zlib.compress(text.encode("ascii"), 3)
        if len(data) > _LARGEST_FILE or len(text) > _LARGEST_TEXT:
            return "it is too large"
        path, temporary = self._path(kind, name), ""
        try:
            self._prepare()
            descriptor, temporary = tempfile.mkstemp(_TEMPORARY, _STARTED, self.folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            return f"{self.folder}: {error.strerror}"
        self._trim()
        return ""

    def touch(self, kind: str, name: str) -> None:
        """Notes that an entry was used."""
        with contextlib.suppress(OSError):
            os.utime(self._path(kind, name))

    def clear(self) -> Size:
        """Removes all entries; returns what was removed.

        Raises:
            OSError: an entry cannot be removed.
        """
        before = self.size()
        for path, _ in self._files():
            with contextlib.suppress(FileNotFoundError):  # another process has removed it
                os.unlink(path)
        return before

    def size(self) -> Size:
        """Returns what the cache holds."""
        entries, size = 0, 0
        for path, info in self._files():
            entries += os.path.basename(path).startswith("check-") and path.endswith(_ENDING)
            size += info.st_size
        return Size(entries, size)

    def _path(self, kind: str, name: str) -> str:
        return os.path.join(self.folder, f"{kind}-{name}{_ENDING}")

    def _prepare(self) -> None:
        """Makes the directory. Backup programs and Git skip it, unless it has other files."""
        os.makedirs(self.folder, exist_ok=True)
        if not os.listdir(self.folder):
            for name, text in ((_TAG, _TAG_TEXT), (_IGNORE, "*\n")):
                with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                    file.write(text)

    def _files(self) -> Iterator[Tuple[str, os.stat_result]]:
        """The files that this class has written."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return
        for name in names:
            if not _OWN.fullmatch(name):
                continue
            path = os.path.join(self.folder, name)
            with contextlib.suppress(OSError):  # another process has removed it
                yield path, os.lstat(path)

    def _trim(self) -> None:
        """Removes the least recently used entries, and temporary files of killed runs."""
        found: List[Tuple[float, str, int]] = [
            (info.st_mtime, path, info.st_size) for path, info in self._files()
        ]
        for changed, path, _ in found:
            if path.endswith(_TEMPORARY) and changed < time.time() - _LONGEST_WRITE:
                with contextlib.suppress(OSError):
                    os.unlink(path)
        excess = sum(size for _, _, size in found) - self._most_bytes
        for _, path, size in sorted(found):
            if excess <= 0:
                return
            with contextlib.suppress(OSError):
                os.unlink(path)
                excess -= size
