"""Writes records beside checkpoints. Runs in the training process: standard library only."""

import contextlib
import hashlib
import os
from typing import List

from .value import ENDING, Record, document_of

_CHUNK = 1 << 20
_TEMPORARY = ".tmp"


def record_path(prefix: str) -> str:
    """Returns the path of a checkpoint's record."""
    return prefix + ENDING


def index_digest(prefix: str) -> str:
    """Returns the digest of a checkpoint's index, which each save changes; "" without an index.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(prefix + ".index", "rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()[:32]


def write(prefix: str, record: Record) -> str:
    """Replaces the record of a checkpoint in one step, so that no program reads half of it.

    Args:
        prefix: the checkpoint.
        record: what to write.

    Returns:
        The path of the record.

    Raises:
        OSError: it cannot be written. Nothing is left behind then.
    """
    path = record_path(prefix)
    temporary = f"{path}.{os.getpid()}{_TEMPORARY}"
    data = document_of(record)
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise
    return path


def remove_orphans(folder: str) -> List[str]:
    """Removes the records of checkpoints that are deleted, and the remains of killed writers.

    Only files whose names are those of records are removed.

    Returns:
        The names of the removed files.

    Raises:
        OSError: the directory cannot be listed, or a file cannot be removed.
    """
    names = set(os.listdir(folder or os.curdir))
    removed = []
    for name in sorted(names):
        base, found, rest = name.partition(ENDING)
        if not (base and found) or base + ".index" in names:
            continue
        if not rest or _is_temporary(rest):
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                os.remove(os.path.join(folder, name))
            removed.append(name)
    return removed


def _is_temporary(rest: str) -> bool:
    return rest.endswith(_TEMPORARY) and rest[1 : -len(_TEMPORARY)].isdigit()
