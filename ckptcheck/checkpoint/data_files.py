"""Reads the data files of a checkpoint, which hold the bytes of its tensors."""

import contextlib
import errno
import os
import types
from typing import Callable, Dict, Iterable, Mapping, Optional, Tuple

from ..errors import UsageError
from .bundle import Bundle, StoredTensor
from .errors import DamagedError
from .names import shard_name

_AHEAD = 1 << 24
"""Bytes per remote request, at most: enough that most tensors need no request of their own."""

ReadRange = Callable[[str, int, int], bytes]
"""Reads bytes (name, offset, size) of a file in the checkpoint's directory."""
Progress = Callable[[int], object]
"""Called with the number of bytes read since the last call."""


class DataFiles:
    """Reads tensors' bytes in one thread, and keeps at most one data file open."""

    def __init__(
        self,
        bundle: Bundle,
        remote: Optional[ReadRange] = None,
        held: Mapping[int, int] = types.MappingProxyType({}),
        progress: Progress = lambda size: None,
        items: Iterable[StoredTensor] = (),
    ) -> None:
        """Opens no file yet.

        Args:
            bundle: the index.
            remote: reads the data files if they are remote.
            held: descriptors of data files that are already open, by the file's number.
            progress: is called after each read.
            items: the tensors to read.
        """
        self._bundle = bundle
        self._remote = remote
        self._held = held
        self._progress = progress
        self._ends = _ends(items)
        self._shard = self._descriptor = -1
        self._opened = contextlib.ExitStack()
        self._start, self._ahead = 0, b""

    def __enter__(self) -> "DataFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def read(self, shard: int, offset: int, size: int) -> bytes:
        """Reads bytes of a data file.

        Raises:
            DamagedError: the file does not have these bytes, or cannot be read.
            UsageError: this process may not open more files. The data may be fine.
        """
        path = shard_name(self._bundle.prefix, shard, self._bundle.num_shards)
        name = os.path.basename(path)
        try:
            if self._remote is None:
                data = os.pread(self._open(shard, path), size, offset)
            else:
                data = self._read_remote(self._remote, name, shard, offset, size)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
                raise UsageError(
                    f"{name} cannot be opened: {os.strerror(errno.EMFILE)}. Raise the limit of "
                    "open files (ulimit -n)"
                )
            raise DamagedError(_unreadable(name, error))
        if len(data) != size:
            raise DamagedError(_too_short(name))
        self._progress(size)
        return data

    def _open(self, shard: int, path: str) -> int:
        if shard in self._held:  # threads can share it, since pread() does not use its position
            return self._held[shard]
        if shard != self._shard:
            self._opened.close()
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self._opened.callback(os.close, self._descriptor)
            self._shard = shard
        return self._descriptor

    def _read_remote(
        self, remote: ReadRange, name: str, shard: int, offset: int, size: int
    ) -> bytes:
        """Reads remote bytes and, in the same request, bytes that are needed next."""
        place = offset - self._start
        if shard != self._shard or not 0 <= place <= len(self._ahead) - size:
            ahead = min(self._ends.get(shard, 0) - offset, _AHEAD)
            self._ahead = remote(name, offset, max(size, ahead))
            self._shard, self._start, place = shard, offset, 0
        return self._ahead[place : place + size]


def _ends(items: Iterable[StoredTensor]) -> Dict[int, int]:
    """Returns where the last tensor ends in each data file, if there are no large gaps."""
    spans: Dict[int, Tuple[int, int, int]] = {}
    for item in items:
        first, end, needed = spans.get(item.shard, (item.offset, 0, 0))
        end = max(end, item.offset + item.size)
        spans[item.shard] = (min(first, item.offset), end, needed + item.size)
    return {
        shard: end for shard, (first, end, needed) in spans.items() if end - first <= 2 * needed
    }


def size_problem(
    bundle: Bundle, item: StoredTensor, held: Mapping[int, int], sizes: Dict[int, int]
) -> str:
    """Returns why the file is too small for a tensor; "" if it is not.

    Args:
        bundle: the index.
        item: a tensor that has bytes.
        held: descriptors of data files that are already open, by the file's number.
        sizes: the known sizes of the data files; this function adds to them.
    """
    path = shard_name(bundle.prefix, item.shard, bundle.num_shards)
    name = os.path.basename(path)
    try:
        if item.shard not in sizes:
            sizes[item.shard] = os.stat(held.get(item.shard, path)).st_size
    except OSError as error:
        return _unreadable(name, error)
    return "" if item.offset + item.size <= sizes[item.shard] else _too_short(name)


def _too_short(name: str) -> str:
    return f"{name} is too short to hold this tensor"


def _unreadable(name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} is missing"
    return f"{name} cannot be read: {getattr(error, 'strerror', error)}"
