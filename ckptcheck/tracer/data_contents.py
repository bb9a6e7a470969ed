"""Reads the files that a model names, such as vocabularies, in bounded time and memory."""

import os
import re
import stat
from hashlib import sha256
from os.path import realpath
from typing import Iterable, List, Optional, Sequence, Tuple

from ..origins import DataContent
from .user_code import absolute

_MOST_FILES = 100
_MOST_NAMES = 20000
_LONGEST_NAME = 1000
_MOST_READ = 64 << 20
"""Bytes of one file. The digest of a larger file is that of its first bytes."""
_MOST_READ_IN_ALL = 256 << 20
"""Bytes of all files. Files beyond this limit are not read."""
_LARGEST_TEXT = 1 << 20
_MOST_WORDS = 50000
_MOST_FIELDS = 2
"""Fields in a line: a word, and maybe its id or its count."""
_LONGEST_WORD = 5
"""The most words in a name, such as ``Papua New Guinea``."""
_fields = re.compile(r"[^\t,;|]+").findall
_DIGITS = 32
_open, _stat, _sha256 = open, os.stat, sha256


def data_files_among(names: Iterable[str], without: str = "") -> List[str]:
    """Returns the names of files that the code reads among some texts, sorted.

    Args:
        names: texts, such as the values of params. Most are not the names of files.
        without: a directory whose files are left out, such as the model_dir; "" for none.
    """
    left_out = os.path.join(realpath(without), "") if without else ""
    found: List[str] = []
    for name in sorted(set(names))[:_MOST_NAMES]:
        full = absolute(name)
        if _is_data(name, full) and not (left_out and realpath(full).startswith(left_out)):
            found.append(name)
        if len(found) == _MOST_FILES:
            break
    return found


def is_below(name: str, folders: Sequence[str]) -> bool:
    """Whether a file is in one of some directories, and not hidden there.

    The root directory does not count.
    """
    full = realpath(absolute(name))
    for folder in folders:
        above = os.path.join(realpath(absolute(folder)), "")
        if above != os.sep and full.startswith(above):
            return os.sep + "." not in full[len(above) - 1 :]
    return False


def _is_data(name: str, full: str) -> bool:
    """Whether a text is the name of a regular file that is not source code.

    A word without a dot or slash does not count: it is more likely to be something else.
    """
    if len(name) > _LONGEST_NAME or "\0" in name or name.endswith((".py", ".pyc")):
        return False
    return ("." in name or os.sep in name) and _is_regular(full)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(_stat(path).st_mode)
    except (OSError, ValueError):  # such as a name that cannot be encoded
        return False


def read_contents(names: Iterable[str]) -> List[DataContent]:
    """Reads files. If they are too large together, only the first ones are read."""
    left = _MOST_READ_IN_ALL
    found: List[DataContent] = []
    for name in names:
        content = read_content(name, left)
        found.append(content)
        left -= min(content.size, _MOST_READ) if content.digest else 0
    return found


def read_content(name: str, most: int = _MOST_READ_IN_ALL) -> DataContent:
    """Reads a file.

    Args:
        name: its path.
        most: the bytes that may be read.

    Returns:
        Its content. It has no digest if more had to be read. It has no size either if the file
        cannot be read, or is a pipe or a device.
    """
    if not _is_regular(absolute(name)):
        return DataContent(name, 0, "")
    try:
        with _open(absolute(name), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if min(size, _MOST_READ) > most:
                return DataContent(name, size, "")
            data = file.read(min(size, _MOST_READ))
    except (OSError, ValueError):
        return DataContent(name, 0, "")
    return DataContent(name, size, _sha256(data).hexdigest()[:_DIGITS], _words(data, size))


def _words(data: bytes, size: int) -> Optional[Tuple[str, ...]]:
    """Returns the lines of a small vocabulary; None if the data is something else.

    Texts and tables, such as training data, are not vocabularies. A record must not have their
    lines.
    """
    if size > _LARGEST_TEXT or b"\0" in data:
        return None
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > _MOST_WORDS or len(set(lines)) < len(lines):
        return None
    return tuple(lines) if all(map(_is_word, lines)) else None


def _is_word(line: str) -> bool:
    return len(line.split()) <= _LONGEST_WORD and len(_fields(line)) <= _MOST_FIELDS
