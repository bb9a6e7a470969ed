"""Reads all data of a checkpoint: verifies the checksum of every tensor and examines its values.

Several threads read the data in pieces, so that memory does not grow with the checkpoint. A large
tensor has several pieces, and :func:`.combine.combined` combines their checksums.
"""

import concurrent.futures
import os
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

from ..encoding.dtypes import element_size
from ..errors import UsageError
from ..model_dir import TensorScan
from ..protocol import VariableSpec
from .bundle import Bundle, StoredTensor
from .combine import combined
from .crc32c import compiled, crc32c, extend, unmasked
from .data_files import DataFiles, ReadRange
from .errors import DamagedError
from .tensor_stream import checksum_of_strings, checksum_of_variants

_READ = 1 << 21
"""Bytes per read: few enough for the processor's cache, and enough that threads seldom wait for
Python's lock. Threads hold this lock while they compute a checksum."""
_PIECE = 1 << 26
_BATCH = 1 << 24
_MOST_WORKERS = 8
_LITTLE = 1 << 24
"""Up to this number of bytes, ckptcheck computes checksums without google-crc32c."""

MISSING_EXTRA = (
    "reading the data needs {}: install it with pip install 'ckptcheck[deep]' (without it, only "
    "the index and the sizes of the files are verified)"
)


class _Piece(NamedTuple):
    """A piece of a stored tensor: the tensor's number, and a range of its bytes."""

    number: int
    start: int
    size: int


class _PieceScan(NamedTuple):
    """The result of reading a piece."""

    piece: _Piece
    crc: int
    problem: str
    summary: Any


def scan(
    bundle: Bundle,
    progress: Optional[Callable[[int], None]] = None,
    read: Optional[ReadRange] = None,
    held: Optional[Mapping[int, int]] = None,
    workers: int = 0,
) -> Tuple[TensorScan, ...]:
    """Reads every tensor of a checkpoint.

    Args:
        bundle: the index.
        progress: is called in this thread with the number of bytes read since the last call.
        read: reads the data files if they are remote.
        held: descriptors of data files that are already open, by the file's number; see
            :func:`.held.data_held`.
        workers: the number of threads; by default the number of processors.

    Raises:
        UsageError: a package that this needs is not installed.
    """
    _verify_packages(bundle)
    stored = sorted(bundle.stored(), key=lambda item: (item.shard, item.offset))
    found: Dict[int, List[_PieceScan]] = {}
    count = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    with DataFiles(bundle, read, held) as files, concurrent.futures.ThreadPoolExecutor(
        count
    ) as pool:
        reader = _Reader(stored, files, bundle.big_endian)
        failed = _unreadable(stored, files)
        for number, problem in failed.items():
            found[number] = [_PieceScan(_Piece(number, 0, 0), 0, problem, None)]
        for batch in _in_order(pool, reader.read_batch, _batches(stored, failed), 2 * count):
            for item in batch:
                found.setdefault(item.piece.number, []).append(item)
                if item.problem:
                    failed[item.piece.number] = item.problem
            if progress is not None:
                progress(sum(item.piece.size for item in batch))
    scans = [_tensor_scan(item, found.get(number, [])) for number, item in enumerate(stored)]
    return _by_variable(bundle, stored, scans)


def _verify_packages(bundle: Bundle) -> None:
    """Verifies that numpy is installed, and google-crc32c if there is much data.

    Raises:
        UsageError: a package is missing.
    """
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
    """Like ``pool.map``, but submits at most ``ahead`` items at a time, to limit memory."""
    waiting: List[Any] = []
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _unreadable(stored: Sequence[StoredTensor], files: DataFiles) -> Dict[int, str]:
    """Returns why tensors cannot be read, by the tensor's number.

    This needs no data. An index may claim any size, and reading a tensor with a false size could
    take forever.
    """
    found = {number: files.problem(item) for number, item in enumerate(stored)}
    found.update((number, _TOO_OFTEN) for number in _read_too_often(stored))
    return {number: problem for number, problem in found.items() if problem}


_MOST_TIMES = 4
_TOO_OFTEN = "it shares its bytes with too many other tensors, so ckptcheck does not read it"


def _read_too_often(stored: Sequence[StoredTensor]) -> Iterator[int]:
    """Finds tensors that would make ckptcheck read the same bytes again and again.

    In a valid checkpoint, tensors do not overlap. In a hostile one, each entry of a small index can
    refer to all bytes of a large file.
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
    """Puts the pieces of all tensors into batches, without the tensors that have failed so far."""
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
    whole = element_size(item.dtype) is None  # must be read in order from the start
    step = max(item.size, 1) if whole else _PIECE
    for start in range(0, max(item.size, 1), step):
        yield _Piece(number, start, min(step, item.size - start))


class _Reader:
    """Reads pieces of tensors."""

    def __init__(self, stored: Sequence[StoredTensor], files: DataFiles, big_endian: bool) -> None:
        from . import values

        self._stored = stored
        self._files = files
        self._big_endian = big_endian
        self._values = values
        self._extend = compiled() or extend

    def read_batch(self, batch: Sequence[_Piece]) -> List[_PieceScan]:
        self._files.expect(self._spans(batch))
        with self._values.quiet():
            return [self._read_piece(piece) for piece in batch]

    def _spans(self, batch: Sequence[_Piece]) -> Dict[int, Tuple[int, int]]:
        """Returns the byte range of a batch in each data file, unless the range has large gaps."""
        found: Dict[int, Tuple[int, int]] = {}
        for piece in batch:
            item = self._stored[piece.number]
            start = item.offset + piece.start
            first, end = found.get(item.shard, (start, start))
            found[item.shard] = (min(first, start), max(end, start + piece.size))
        return {shard: span for shard, span in found.items() if span[1] - span[0] <= 2 * _BATCH}

    def _read_piece(self, piece: _Piece) -> _PieceScan:
        item = self._stored[piece.number]
        summary = self._values.Summary()
        try:
            return _PieceScan(piece, self._checksum(item, piece, summary), "", summary)
        except DamagedError as error:
            return _PieceScan(piece, 0, str(error), summary)

    def _checksum(self, item: StoredTensor, piece: _Piece, summary: Any) -> int:
        if item.dtype == "string":
            return checksum_of_strings(self._files, item, self._big_endian, self._values.varints)
        if item.dtype == "variant":
            return checksum_of_variants(self._files, item)
        return self._checksum_of_numbers(item, piece, summary)

    def _checksum_of_numbers(self, item: StoredTensor, piece: _Piece, summary: Any) -> int:
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


def _tensor_scan(item: StoredTensor, pieces: Sequence[_PieceScan]) -> TensorScan:
    spec = VariableSpec(item.name, item.shape, item.dtype)
    problems = [piece.problem for piece in pieces if piece.problem]
    if problems:
        return TensorScan(spec, problems[0])
    ordered = sorted(pieces, key=lambda scanned: scanned.piece.start)
    crc, summary = crc32c(b""), ordered[0].summary
    for number, scanned in enumerate(ordered):
        crc = combined(crc, scanned.crc, scanned.piece.size) if number else scanned.crc
        if number:
            summary.add(scanned.summary)
    if crc != unmasked(item.crc32c):
        return TensorScan(spec, "Checksum does not match")
    return TensorScan(spec, "", summary.nan, summary.infinite, summary.least, summary.most)


def _by_variable(
    bundle: Bundle, stored: Sequence[StoredTensor], scans: Sequence[TensorScan]
) -> Tuple[TensorScan, ...]:
    """Returns one result per variable, and combines the parts of partitioned variables."""
    found: Dict[str, TensorScan] = {}
    shapes = {item.name: item.shape for item in bundle.tensors}
    for item, part in zip(stored, scans):
        spec = VariableSpec(item.name, shapes[item.name], item.dtype)
        found[item.name] = _joined(spec, part, found.get(item.name))
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
