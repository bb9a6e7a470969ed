"""Reads the data files of a checkpoint, and keeps only a few of them open at a time."""

import contextlib
import errno
import os
import threading
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from ..errors import UsageError
from .bundle import Bundle, StoredTensor
from .errors import DamagedError
from .names import shard_name

_MOST_IDLE = 16
"""The number of data files that stay open between reads. A checkpoint can have more data files than
a process may open."""
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)

ReadRange = Callable[[str, int, int], bytes]
"""Reads bytes (name, offset, size) of a file in the checkpoint's directory."""
Spans = Mapping[int, Tuple[int, int]]
"""The start and end of a range of bytes, by data file."""


class _ReadAhead(threading.local):
    """Remote bytes that a thread has read before it needs them."""

    def __init__(self) -> None:
        self._spans: Spans = {}
        self._shard = -1
        self._data = b""

    def expect(self, spans: Spans) -> None:
        """Sets the ranges that the thread reads next."""
        self._spans, self._shard, self._data = spans, -1, b""

    def read(self, read: ReadRange, base: str, shard: int, offset: int, size: int) -> bytes:
        """Returns ``size`` bytes, or fewer if the file ends before."""
        first, end = self._spans.get(shard, (0, 0))
        if not first <= offset <= offset + size <= end:
            return read(base, offset, size)
        if self._shard != shard:
            self._data = read(base, first, end - first)
            self._shard = shard
        return self._data[offset - first : offset - first + size]


class DataFiles:
    """The data files of a checkpoint, for several threads."""

    def __init__(
        self,
        bundle: Bundle,
        remote: Optional[ReadRange] = None,
        held: Optional[Mapping[int, int]] = None,
    ) -> None:
        """Opens no file yet.

        Args:
            bundle: the index.
            remote: reads the data files if they are remote.
            held: descriptors of data files that are already open, by the file's number.
        """
        self._bundle = bundle
        self._remote = remote
        self._held = held or {}
        self._sizes: Dict[int, int] = {}
        self._idle: List[Tuple[int, int]] = []
        self._lock = threading.Lock()
        self._ahead = _ReadAhead()

    def __enter__(self) -> "DataFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._close_idle(0)

    def problem(self, item: StoredTensor) -> str:
        """Returns why the size of its file makes a tensor unreadable; "" if it does not."""
        if self._remote is not None or item.size == 0:
            return ""
        name = self._name(item.shard)
        try:
            if item.shard not in self._sizes:
                self._sizes[item.shard] = os.stat(self._held.get(item.shard, name)).st_size
        except OSError as error:
            return _unreadable(os.path.basename(name), error)
        if item.offset + item.size > self._sizes[item.shard]:
            return f"{os.path.basename(name)} ends before its bytes do"
        return ""

    def read(self, shard: int, offset: int, size: int) -> bytes:
        """Reads bytes of a data file.

        Raises:
            DamagedError: the file does not have these bytes, or cannot be read.
            UsageError: this process may not open more files. The data may be fine.
        """
        base = os.path.basename(self._name(shard))
        try:
            if self._remote is None:
                with self._descriptor(shard) as descriptor:
                    data = os.pread(descriptor, size, offset)
            else:
                data = self._ahead.read(self._remote, base, shard, offset, size)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in _TOO_MANY_FILES:
                raise UsageError(f"{base} cannot be opened: {os.strerror(errno.EMFILE)}")
            raise DamagedError(_unreadable(base, error))
        if len(data) != size:
            raise DamagedError(f"{base} ends before its bytes do")
        return data

    def expect(self, spans: Spans) -> None:
        """Sets the ranges that this thread reads next. Each range takes only one remote request."""
        self._ahead.expect(spans)

    def _name(self, shard: int) -> str:
        return shard_name(self._bundle.prefix, shard, self._bundle.num_shards)

    @contextlib.contextmanager
    def _descriptor(self, shard: int) -> Iterator[int]:
        """Provides an open file that no other thread closes.

        Threads share only the held files, which stay open. This is safe because pread() does not
        use the file's position.
        """
        if shard in self._held:
            yield self._held[shard]
            return
        descriptor = self._taken(shard)
        if descriptor is None:
            descriptor = self._opened(self._name(shard))
        try:
            yield descriptor
        finally:
            with self._lock:
                self._idle.append((shard, descriptor))
            self._close_idle(_MOST_IDLE)

    def _taken(self, shard: int) -> Optional[int]:
        with self._lock:
            for at, (number, descriptor) in enumerate(self._idle):
                if number == shard:
                    del self._idle[at]
                    return descriptor
        return None

    def _opened(self, name: str) -> int:
        try:
            return os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno not in _TOO_MANY_FILES:
                raise
        self._close_idle(0)
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK)

    def _close_idle(self, most: int) -> None:
        """Closes the least recently read files, until at most ``most`` idle files are open."""
        with self._lock:
            surplus = max(len(self._idle) - most, 0)
            closing, self._idle = self._idle[:surplus], self._idle[surplus:]
        for _, descriptor in closing:
            os.close(descriptor)


def _unreadable(base: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{base} is missing"
    return f"{base} cannot be read: {getattr(error, 'strerror', error)}"
