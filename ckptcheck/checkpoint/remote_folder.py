"""Lists a remote directory and reads ranges of its files."""

import datetime
import os
import re
import urllib.parse
from typing import Any, Dict, NamedTuple, Optional

from ..errors import UsageError
from .addresses import joined
from .file_systems import explained, is_web

Entry = Dict[str, Any]
"""What a file system reports about a file."""


class RemoteFolder(NamedTuple):
    """A remote directory.

    Attributes:
        system: the file system.
        path: the path of the directory in the file system.
        url: the address of the directory as the user wrote it.
        entries: its files, by name.
    """

    system: Any
    path: str
    url: str
    entries: Dict[str, Entry]

    def address(self, name: str) -> str:
        """Returns the address of a file in the directory."""
        return joined(self.url, name)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Reads bytes of a file; returns b"" for a missing file or after the end of a file.

        Raises:
            UsageError: the bytes cannot be read, or the server sends fewer or more.
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
        """Reads bytes before the end of an existing file.

        Raises:
            UsageError: the server does not support ranges, and would send the whole file.
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
        except ValueError:  # fsspec would have to read the whole file
            raise UsageError(
                f"{self.address(name)} cannot be read in parts: the server does not support "
                "ranges: copy the directory to this machine"
            ) from None

    def _whole(self, path: str, size: int) -> bytes:
        """Reads a whole file from a web server, at most one byte more than its size."""
        data = b""
        with self.system.open(path, "rb", block_size=0) as file:
            while len(data) <= size:
                piece: bytes = file.read(size + 1 - len(data))
                if not piece:
                    break
                data += piece
        return data

    def sized(self, name: str) -> Entry:
        """Returns the entry of a file with its size, which may take a request.

        Raises:
            UsageError: the server does not tell the size.
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
    """Lists a directory; the name of a subdirectory ends with a slash."""
    found: Dict[str, Entry] = {}
    for entry in system.ls(folder, detail=True):
        name = unquoted(system, str(entry["name"]).rstrip("/").rpartition("/")[2])
        if _is_name(name):
            found[name + "/" if entry.get("type") == "directory" else name] = entry
    return found


def _is_name(name: str) -> bool:
    """Whether a name is valid for a local copy, which must be inside the temporary directory."""
    return name not in ("", ".", "..") and "\0" not in name and os.path.basename(name) == name


def unquoted(system: Any, name: str) -> str:
    """Returns a file's name. HTTP servers list names that are quoted for URLs."""
    return urllib.parse.unquote(re.split("[?#]", name)[0]) if is_web(system) else name


def modified(entry: Dict[str, Any]) -> float:
    """Returns the modification time of a file; 0 if it is not known."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = entry.get(key)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, datetime.datetime):
            return value.timestamp()
    return 0.0
