"""Reads the data files that a model names, such as vocabularies, in bounded time and memory."""

import os
import stat
from hashlib import sha256
from typing import Any, Iterable, Iterator, List, Optional, Tuple

from ..origins import DataContent
from .user_code import absolute

_MOST_FILES = 100
_MOST_NAMES = 20000
_LONGEST_NAME = 1000
_MOST_READ = 64 << 20
"""Bytes of one file. The digest of a larger file is that of its first bytes."""
_LARGEST_TEXT = 1 << 20
_MOST_WORDS = 50000
_DIGITS = 32
_open, _stat, _sha256 = open, os.stat, sha256


def data_contents(names: Iterable[str], without: str = "") -> Tuple[DataContent, ...]:
    """Reads the files among some texts.

    Args:
        names: texts, such as the values of params. Most are not the names of files.
        without: a directory whose files are left out, such as the model_dir; "" for none.

    Returns:
        The files, sorted by path.
    """
    left_out = os.path.join(os.path.realpath(without), "") if without else ""
    found: List[DataContent] = []
    for name in sorted(set(names))[:_MOST_NAMES]:
        full = absolute(name)
        if _is_data(name, full) and not (left_out and os.path.realpath(full).startswith(left_out)):
            found.append(read_content(name))
        if len(found) == _MOST_FILES:
            break
    return tuple(found)


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


def read_content(name: str) -> DataContent:
    """Reads a file. If that fails, or it is a pipe or a device, the result has no digest."""
    if not _is_regular(absolute(name)):
        return DataContent(name, 0, "")
    try:
        with _open(absolute(name), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, _MOST_READ))
    except (OSError, ValueError):
        return DataContent(name, 0, "")
    return DataContent(name, size, _sha256(data).hexdigest()[:_DIGITS], _words(data, size))


def _words(data: bytes, size: int) -> Optional[Tuple[str, ...]]:
    """Returns the lines of a small text; None if the data is something else."""
    if size > _LARGEST_TEXT or b"\0" in data:
        return None
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    if lines and not lines[-1]:
        lines.pop()
    return tuple(lines) if len(lines) <= _MOST_WORDS else None


def texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Yields the strings in params, at all levels."""
    if isinstance(value, str):
        yield value
    elif depth < 20:
        items = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list, tuple)):
            for item in items:
                yield from texts_in(item, depth + 1)
