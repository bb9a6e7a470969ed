"""Reads all of a checkpoint's data: the checksum of every tensor, and what its values are.

The data is read in pieces, several at a time, so that memory does not grow with the checkpoint. A
large tensor is several pieces; their checksums are put together (:func:`..combine.combined`).
"""

import concurrent.futures
import contextlib
import errno
import os
import struct
import threading
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..errors import UsageError
from ..model_dir import TensorScan
from ..protocol import VariableSpec
from .bundle import Bundle, StoredTensor
from .combine import combined
from .crc32c import compiled, crc32c, extend, masked, unmasked
from .dtypes import element_size
from .errors import DamagedError
from .names import shard_name
from .wire import varint

_READ = 1 << 21
"""Bytes that are read at once: few enough to stay in a processor's cache until all is done, and so
many that threads seldom wait for each other: the checksum is computed under Python's lock, which
takes longer to hand over than it takes to go through less."""
_FEW = 64
_PIECE = 1 << 26
_BATCH = 1 << 24
_MOST_WORKERS = 8
_LITTLE = 1 << 24
_MOST_IDLE = 16
"""Data files that stay open though nobody reads them: a checkpoint can have more of them than a
process may open."""

MISSING_EXTRA = (
    "reading the data needs {}: install it with pip install 'ckptcheck[deep]' (without it, only "
    "the index and the sizes of the files are verified)"
)


class _Piece(NamedTuple):
    """A part of a stored tensor that is read at once: where it begins, and how long it is."""

    number: int
    start: int
    size: int


class _Seen(NamedTuple):
    """What has been seen in a piece."""

    piece: _Piece
    crc: int
    problem: str
    summary: Any


def scan(
    bundle: Bundle,
    progress: Optional[Callable[[int], None]] = None,
    read: Optional[Callable[[str, int, int], bytes]] = None,
    held: Optional[Mapping[int, int]] = None,
    workers: int = 0,
) -> Tuple[TensorScan, ...]:
    """Reads every tensor of a checkpoint.

    Args:
        bundle: its index.
        progress: is called, in this thread, with the bytes that were read since the last time.
        read: reads (name, offset, size) where the data files lie elsewhere.
        held: descriptors of data files that are open already, by their numbers: see
            :func:`.held.data_held`.
        workers: threads; by default as many as there are processors.

    Raises:
        UsageError: the packages that this needs are not installed.
    """
    _verify_packages(bundle)
    stored = sorted(bundle.stored(), key=lambda item: (item.shard, item.offset))
    found: Dict[int, List[_Seen]] = {}
    count = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    with _Files(bundle, read, held) as files, concurrent.futures.ThreadPoolExecutor(count) as pool:
        reader = _Reader(stored, files, bundle.big_endian)
        failed = _failed_at_once(stored, files)
        for number, problem in failed.items():
            found[number] = [_Seen(_Piece(number, 0, 0), 0, problem, None)]
        for batch in _in_order(pool, reader.read_batch, _batches(stored, failed), 2 * count):
            for seen in batch:
                found.setdefault(seen.piece.number, []).append(seen)
                if seen.problem:
                    failed[seen.piece.number] = seen.problem
            if progress is not None:
                progress(sum(seen.piece.size for seen in batch))
    scans = [_scan(item, found.get(number, [])) for number, item in enumerate(stored)]
    return _by_variable(bundle, stored, scans)


def _verify_packages(bundle: Bundle) -> None:
    """The checksums of little data can be computed without a package for it."""
    try:
        from . import values  # noqa: F401 (it imports numpy)
    except ImportError:
        raise UsageError(MISSING_EXTRA.format("numpy"))
    little = sum(item.size for item in bundle.stored()) <= _LITTLE
    if compiled() is None and not little:
        raise UsageError(MISSING_EXTRA.format("google-crc32c"))


def _in_order(
    pool: concurrent.futures.Executor, function: Any, items: Iterator[Any], ahead: int
) -> Iterator[Any]:
    """As ``pool.map``, with only so many items on their way that memory is bounded."""
    waiting: List[Any] = []
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _failed_at_once(stored: Sequence[StoredTensor], files: "_Files") -> Dict[int, str]:
    """What is wrong with tensors that the sizes of the files rule out, by their number.

    An index may say any size: the pieces of such a tensor could be without end.
    """
    found = {number: files.problem(item) for number, item in enumerate(stored)}
    found.update((number, _TOO_OFTEN) for number in _read_too_often(stored))
    return {number: problem for number, problem in found.items() if problem}


_MOST_TIMES = 4
_TOO_OFTEN = "its bytes are those of other tensors, which are read too often for it to be read too"


def _read_too_often(stored: Sequence[StoredTensor]) -> Iterator[int]:
    """Tensors at which the same bytes would be read again and again: no save lets any overlap.

    A small index can name a large file as often as it has entries.
    """
    ends: Dict[int, int] = {}
    for item in stored:
        ends[item.shard] = max(ends.get(item.shard, 0), item.offset + item.size)
    read: Dict[int, int] = {}
    for number, item in enumerate(stored):
        read[item.shard] = read.get(item.shard, 0) + item.size
        if read[item.shard] > _MOST_TIMES * ends[item.shard]:
            yield number


def _batches(stored: Sequence[StoredTensor], failed: Mapping[int, str]) -> Iterator[List[_Piece]]:
    """The pieces of all tensors but those that have failed by then; small ones go together."""
    batch: List[_Piece] = []
    size = 0
    for number, item in enumerate(stored):
        for piece in _pieces(number, item):
            if number in failed:
                break
            batch.append(piece)
            size += piece.size + 64
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _pieces(number: int, item: StoredTensor) -> Iterator[_Piece]:
    in_one = element_size(item.dtype) is None  # strings say their lengths at the start
    step = max(item.size, 1) if in_one else _PIECE
    for start in range(0, max(item.size, 1), step):
        yield _Piece(number, start, min(step, item.size - start))


class _Ahead(threading.local):
    """What a thread has read from afar before it is asked for."""

    def __init__(self) -> None:
        self._spans: Dict[int, Tuple[int, int]] = {}
        self._shard = -1
        self._data = b""

    def expect(self, spans: Dict[int, Tuple[int, int]]) -> None:
        """Takes what will be asked for: from and to, by data file."""
        self._spans, self._shard, self._data = spans, -1, b""

    def read(
        self, read: Callable[[str, int, int], bytes], base: str, shard: int, offset: int, size: int
    ) -> bytes:
        """Some bytes; fewer than asked for where the file ends before."""
        first, end = self._spans.get(shard, (0, 0))
        if not first <= offset <= offset + size <= end or end - first > 2 * _BATCH:
            return read(base, offset, size)
        if self._shard != shard:
            self._data = read(base, first, end - first)
            self._shard = shard
        return self._data[offset - first : offset - first + size]


class _Files:
    """The data files, of which only a few are open at a time."""

    def __init__(
        self,
        bundle: Bundle,
        elsewhere: Optional[Callable[[str, int, int], bytes]] = None,
        held: Optional[Mapping[int, int]] = None,
    ) -> None:
        self._bundle = bundle
        self._elsewhere = elsewhere
        self._held = held or {}
        self._sizes: Dict[int, int] = {}
        self._idle: List[Tuple[int, int]] = []
        self._lock = threading.Lock()
        self._thread = _Ahead()

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, *_: object) -> None:
        self._close_idle(0)

    def problem(self, item: StoredTensor) -> str:
        """Why a tensor cannot be read, as far as the size of its file tells; "" for no reason."""
        if self._elsewhere is not None or item.size == 0:
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
        """Some bytes of a data file.

        Raises:
            DamagedError: they are not there.
            UsageError: this process may open no more files, which says nothing of the data.
        """
        base = os.path.basename(self._name(shard))
        try:
            if self._elsewhere is None:
                with self._descriptor(shard) as descriptor:
                    data = os.pread(descriptor, size, offset)
            else:
                data = self._thread.read(self._elsewhere, base, shard, offset, size)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in _TOO_MANY:
                raise UsageError(f"{base} cannot be opened: {os.strerror(errno.EMFILE)}")
            raise DamagedError(_unreadable(base, error))
        if len(data) != size:
            raise DamagedError(f"{base} ends before its bytes do")
        return data

    def expect(self, spans: Dict[int, Tuple[int, int]]) -> None:
        """Says what this thread reads next: from afar it comes at once, and not by the tensor."""
        self._thread.expect(spans)

    def _name(self, shard: int) -> str:
        return shard_name(self._bundle.prefix, shard, self._bundle.num_shards)

    @contextlib.contextmanager
    def _descriptor(self, shard: int) -> Iterator[int]:
        """An open file for one thread alone, so that no other closes it meanwhile.

        All threads share a file that is held open: nobody closes it here, and pread() moves no
        position in it.
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
            if error.errno not in _TOO_MANY:
                raise
        self._close_idle(0)
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK)

    def _close_idle(self, most: int) -> None:
        """Closes those that nobody has read for the longest time."""
        with self._lock:
            surplus = max(len(self._idle) - most, 0)
            closing, self._idle = self._idle[:surplus], self._idle[surplus:]
        for _, descriptor in closing:
            os.close(descriptor)


_TOO_MANY = (errno.EMFILE, errno.ENFILE)


def _unreadable(base: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{base} is not there"
    return f"{base} cannot be read: {getattr(error, 'strerror', error)}"


class _Reader:
    def __init__(self, stored: Sequence[StoredTensor], files: _Files, big_endian: bool) -> None:
        from . import values

        self._stored = stored
        self._files = files
        self._big_endian = big_endian
        self._values = values
        self._extend = compiled() or extend

    def read_batch(self, batch: Sequence[_Piece]) -> List[_Seen]:
        self._files.expect(self._spans(batch))
        with self._values.quiet():
            return [self._read_piece(piece) for piece in batch]

    def _spans(self, batch: Sequence[_Piece]) -> Dict[int, Tuple[int, int]]:
        """Where the bytes of a batch begin and end, by data file."""
        found: Dict[int, Tuple[int, int]] = {}
        for piece in batch:
            item = self._stored[piece.number]
            start = item.offset + piece.start
            first, end = found.get(item.shard, (start, start))
            found[item.shard] = (min(first, start), max(end, start + piece.size))
        return found

    def _read_piece(self, piece: _Piece) -> _Seen:
        item = self._stored[piece.number]
        summary = self._values.Summary()
        try:
            if item.dtype == "string":
                return _Seen(piece, self._strings(item), "", summary)
            if item.dtype == "variant":
                return _Seen(piece, self._variants(item), "", summary)
            return _Seen(piece, self._numbers(item, piece, summary), "", summary)
        except DamagedError as error:
            return _Seen(piece, 0, str(error), summary)

    def _numbers(self, item: StoredTensor, piece: _Piece, summary: Any) -> int:
        one = element_size(item.dtype)
        if one is not None and one * item.elements != item.size:
            raise DamagedError(f"it has {item.size} bytes for the shape {list(item.shape)}")
        known = self._values.has_values(item.dtype)
        crc = 0
        for start in range(piece.start, piece.start + piece.size, _READ):
            size = min(_READ, piece.start + piece.size - start)
            data = self._files.read(item.shard, item.offset + start, size)
            crc = self._extend(crc, data)
            if known:
                summary.add(self._values.summarize(data, item.dtype, self._big_endian))
        return crc

    def _strings(self, item: StoredTensor) -> int:
        """All lengths, which go in as numbers of fixed size, a checksum of them, all bytes."""
        if item.size == 0:
            return 0
        order = ">" if self._big_endian else "<"
        stream = _Stream(self._files, item)
        crc, total = 0, 0
        for lengths in stream.numbers(item.elements, self._values.varints):
            total += sum(lengths)
            crc = extend(crc, _fixed(lengths, order))
            if total > item.size:
                break
        sums = stream.take(4)
        (stored,) = struct.unpack(order + "I", sums)
        if unmasked(stored) != crc:
            raise DamagedError("the checksum of its strings' lengths does not match")
        if total != stream.left:
            raise DamagedError("its strings' lengths are not those of its bytes")
        return stream.rest(extend(crc, sums))

    def _variants(self, item: StoredTensor) -> int:
        """Of each value its length, its bytes, and a checksum of all so far."""
        stream = _Stream(self._files, item)
        crc = 0
        for _ in range(item.elements if item.size else 0):
            length = stream.number()
            crc = stream.rest(extend(crc, struct.pack("<Q", length)), length)
            sums = stream.take(4)
            if struct.pack("<I", masked(crc)) != sums:
                raise DamagedError("the checksum of one of its values does not match")
            crc = extend(crc, sums)
        return crc


def _fixed(lengths: Sequence[int], order: str) -> bytes:
    """Lengths as numbers of a fixed size, which is larger where one of them is."""
    if max(lengths) < 1 << 32:
        return struct.pack(f"{order}{len(lengths)}I", *lengths)
    return b"".join(struct.pack(order + ("I" if n < 1 << 32 else "Q"), n) for n in lengths)


class _Stream:
    """A tensor's bytes, one after the other."""

    def __init__(self, files: _Files, item: StoredTensor) -> None:
        self._files = files
        self._item = item
        self._read = 0
        self._buffer = b""
        self._at = 0

    @property
    def left(self) -> int:
        """The bytes that have not been taken."""
        return self._item.size - self._read + len(self._buffer) - self._at

    def _fill(self, size: int) -> None:
        if len(self._buffer) - self._at < size and self._read < self._item.size:
            more = min(_READ, self._item.size - self._read)
            data = self._files.read(self._item.shard, self._item.offset + self._read, more)
            self._buffer = self._buffer[self._at :] + data
            self._at = 0
            self._read += more

    def number(self) -> int:
        """The next varint."""
        self._fill(10)
        value, self._at = varint(self._buffer, self._at, len(self._buffer))
        return value

    def numbers(self, count: int, varints: Any) -> Iterator[Sequence[int]]:
        """The next varints, many at a time.

        Args:
            count: how many.
            varints: reads as many as there are whole ones in some bytes.
        """
        ahead = _FEW
        while count:
            self._fill(10)
            found, size = varints(self._buffer[self._at : self._at + ahead], count)
            self._at += size
            # One that is no common number is read alone, and what was looked at for it is little.
            ahead = min(ahead * 8, _READ) if found else _FEW
            found = found or [self.number()]
            count -= len(found)
            yield found

    def take(self, size: int) -> bytes:
        """The next few bytes."""
        self._fill(size)
        data = self._buffer[self._at : self._at + size]
        if len(data) != size:
            raise DamagedError("its bytes end too soon")
        self._at += size
        return data

    def rest(self, crc: int, size: Optional[int] = None) -> int:
        """The checksum extended by the next bytes, by default by all that are left."""
        wanted = self.left if size is None else size
        if wanted > self.left:
            raise DamagedError("its bytes end too soon")
        while wanted:
            self._fill(1)
            data = self._buffer[self._at : self._at + wanted]
            self._at += len(data)
            wanted -= len(data)
            crc = extend(crc, data)
        return crc


def _scan(item: StoredTensor, pieces: Sequence[_Seen]) -> TensorScan:
    spec = VariableSpec(item.name, item.shape, item.dtype)
    problems = [seen.problem for seen in pieces if seen.problem]
    if problems:
        return TensorScan(spec, problems[0])
    ordered = sorted(pieces, key=lambda seen: seen.piece.start)
    crc, summary = crc32c(b""), ordered[0].summary
    for number, seen in enumerate(ordered):
        crc = combined(crc, seen.crc, seen.piece.size) if number else seen.crc
        if number:
            summary.add(seen.summary)
    if crc != unmasked(item.crc32c):
        return TensorScan(spec, "Checksum does not match")
    return TensorScan(spec, "", summary.nan, summary.infinite, summary.least, summary.most)


def _by_variable(
    bundle: Bundle, stored: Sequence[StoredTensor], scans: Sequence[TensorScan]
) -> Tuple[TensorScan, ...]:
    """One scan for each variable: the parts of a partitioned one are put together."""
    found: Dict[str, TensorScan] = {}
    shapes = {item.name: item.shape for item in bundle.tensors}
    for item, part in zip(stored, scans):
        known = found.get(item.name)
        spec = VariableSpec(item.name, shapes[item.name], item.dtype)
        found[item.name] = _joined(spec, part, known)
    return tuple(found[name] for name in sorted(found))


def _joined(spec: VariableSpec, one: TensorScan, other: Optional[TensorScan]) -> TensorScan:
    if other is None:
        return TensorScan(spec, one.problem, one.nan, one.infinite, one.least, one.most)
    leasts = [value for value in (one.least, other.least) if value is not None]
    mosts = [value for value in (one.most, other.most) if value is not None]
    return TensorScan(
        spec,
        one.problem or other.problem,
        one.nan + other.nan,
        one.infinite + other.infinite,
        min(leasts, default=None),
        max(mosts, default=None),
    )
