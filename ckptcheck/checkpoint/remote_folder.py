"""A directory of another file system: what is in it, and its files in ranges."""

import datetime
import os
import re
import urllib.parse
from typing import Any, Dict, NamedTuple, Optional

from ..errors import UsageError
from .addresses import joined
from .file_systems import explained, is_web

Entry = Dict[str, Any]
"""What a file system says of a file."""


class RemoteFolder(NamedTuple):
    """A remote directory.

    Attributes:
        system: the file system.
        path: the directory as the file system calls it.
        url: the directory as the user calls it.
        entries: what is in it.
    """

    system: Any
    path: str
    url: str
    entries: Dict[str, Entry]

    def address(self, name: str) -> str:
        """A file in it as the user calls it."""
        return joined(self.url, name)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Reads some bytes of a file; what is not there has none, as what is behind its end.

        Raises:
            UsageError: they cannot be read, or not all of them come.
        """
        if name not in self.entries:
            return b""
        whole = self.entries[name].get("size")
        wanted = size if whole is None else max(min(size, int(whole) - offset), 0)
        if not wanted:
            return b""
        with explained(self.address(name)):
            data = self._ranged(name, offset, wanted, whole)
            if whole is not None and len(data) != wanted:
                came = "more" if len(data) > wanted else f"{len(data)} of {wanted}"
                raise UsageError(f"{self.address(name)} cannot be read: {came} bytes came")
        return data

    def _ranged(self, name: str, offset: int, size: int, whole: Optional[int]) -> bytes:
        """Reads bytes that are there.

        Raises:
            UsageError: the server knows no ranges, and would send all that comes before.
        """
        path = self.entries[name]["name"]
        if whole is None or not is_web(self.system):
            data: bytes = self.system.cat_file(path, start=offset, end=offset + size)
            return data
        if size == whole:
            return self._whole(path, size)
        try:
            with self.system.open(path, "rb", size=whole, cache_type="none") as file:
                file.seek(offset)
                found: bytes = file.read(size)
                return found
        except ValueError:  # as fsspec says that it would have to read all of the file
            raise UsageError(
                f"{self.address(name)} cannot be read in parts: the server knows no ranges, which "
                "would take all of the file for each: copy the directory here"
            ) from None

    def _whole(self, path: str, size: int) -> bytes:
        """Reads all of a web server's file, or one byte more than there should be."""
        data = b""
        with self.system.open(path, "rb", block_size=0) as file:
            while len(data) <= size:
                piece: bytes = file.read(size + 1 - len(data))
                if not piece:
                    break
                data += piece
        return data

    def sized(self, name: str) -> Entry:
        """What is said of a file, with its size, which is asked for once.

        Raises:
            UsageError: nobody knows it.
        """
        entry = self.entries[name]
        if entry.get("size") is not None:
            return entry
        sized: Entry = self.system.info(entry["name"])
        if sized.get("size") is None:
            raise UsageError(
                f"the server does not say how large {entry['name']} is; copy the files that "
                "are no data (checkpoint, *.index, *.meta) and check the copy"
            )
        self.entries[name] = {**sized, "name": entry["name"]}
        return self.entries[name]


def entries_of(system: Any, folder: str) -> Dict[str, Entry]:
    """What is in a directory; a directory in it has a slash behind its name."""
    found: Dict[str, Entry] = {}
    for entry in system.ls(folder, detail=True):
        name = unquoted(system, str(entry["name"]).rstrip("/").rpartition("/")[2])
        if _is_name(name):
            found[name + "/" if entry.get("type") == "directory" else name] = entry
    return found


def _is_name(name: str) -> bool:
    """Whether a file can have a name: it decides where a copy is written."""
    return name not in ("", ".", "..") and "\0" not in name and os.path.basename(name) == name


def unquoted(system: Any, name: str) -> str:
    """A file's own name, which an HTTP server's list has as it stands in a URL."""
    return urllib.parse.unquote(re.split("[?#]", name)[0]) if is_web(system) else name


def modified(entry: Dict[str, Any]) -> float:
    """When a file was written, by the key that its file system has for it; 0 for not known."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = entry.get(key)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, datetime.datetime):
            return value.timestamp()
    return 0.0
