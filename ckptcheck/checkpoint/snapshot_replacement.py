"""Replaces a snapshot by a new one."""

import contextlib
import os
import shutil
from typing import Iterator, List

from ..errors import UsageError
from ..records.value import ENDING as RECORD_ENDING
from .gzip_file import ENDING
from .snapshot import MARKER, list_model_dir
from .state_file import STATE_FILE

_ENDINGS = (".index", f".meta{ENDING}", RECORD_ENDING)
_NAMES = (MARKER, STATE_FILE, f"graph.pbtxt{ENDING}")


def is_filled(out: str) -> bool:
    """Whether there is something to replace: a directory that is not empty."""
    try:
        return os.path.isdir(out) and bool(os.listdir(out))
    except OSError as error:
        raise UsageError(f"OUT {out} cannot be read: {error.strerror}")


@contextlib.contextmanager
def replacing(out: str) -> Iterator[str]:
    """Yields a path for a new snapshot. At the end, the new snapshot replaces the old one.

    Until the new snapshot is complete, the old one stays as it is. Then two renames replace it. If
    the context ends with an exception, nothing has changed.

    Args:
        out: a snapshot.

    Raises:
        UsageError: ``out`` is not a snapshot, or holds other files, or cannot be replaced.
    """
    names = _names_in(out)
    path = os.path.realpath(out)
    new, old = (f"{path}.{word}-{os.getpid()}" for word in ("new", "old"))
    yield new
    try:
        shutil.copymode(path, new)
        os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            os.rename(old, path)
            raise
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise UsageError(f"OUT {out} cannot be replaced: {error.strerror}")
    try:
        for name in names:
            os.remove(os.path.join(old, name))
        os.rmdir(old)
    except OSError as error:
        raise UsageError(f"OUT {out} is replaced, but {old} cannot be removed: {error.strerror}")


def _names_in(out: str) -> List[str]:
    """Returns the names of the files of a snapshot.

    Raises:
        UsageError: it is not a snapshot, or holds files that no snapshot has.
    """
    try:
        names = sorted(os.listdir(out))
        recorded = list_model_dir(out) if MARKER in names else None
    except OSError as error:
        raise UsageError(f"OUT {out} cannot be read: {error.strerror}")
    if recorded is None:
        raise UsageError(
            f"OUT {out} is not a snapshot: --force replaces only a directory that ckptcheck "
            "snapshot has written"
        )
    for name in names:
        path = os.path.join(out, name)
        known = name in _NAMES or name.endswith(_ENDINGS)
        if not known or not os.path.isfile(path) or os.path.islink(path):
            raise UsageError(
                f"OUT {out} holds {name}, which is not a file of a snapshot: --force removes "
                "only files of a snapshot. Move it away, or give another directory"
            )
    return names
