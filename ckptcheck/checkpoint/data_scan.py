"""Reads all data of a checkpoint: verifies the checksum of every tensor and examines its values.

Several threads read the tensors in small pieces, so that memory does not grow with the checkpoint.
"""

import concurrent.futures
import dataclasses
import os
import threading
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..encoding.dtypes import element_size
from ..errors import UsageError
from ..model_dir import TensorScan
from ..protocol import VariableSpec
from .bundle import Bundle, StoredTensor
from .crc32c import extend, unmasked
from .data_files import DataFiles, Progress, ReadRange, size_problem
from .errors import DamagedError
from .tensor_stream import checksum_of_strings, checksum_of_variants

_READ = 1 << 21
"""Bytes per read. They fit into the processor's cache, but are so many that threads seldom wait for
Python's lock. Threads hold this lock while they compute a checksum."""
_BATCH = 1 << 24
"""Bytes of small tensors that a thread reads in a row."""
_MOST_WORKERS = 8
_MOST_TIMES = 4
_NEEDS_NUMPY = (
    "reading the data needs numpy: install it in the environment of ckptcheck (pip install numpy). "
    "Without numpy, ckptcheck inspect verifies the index and the sizes of the files"
)


class _Result(NamedTuple):
    """The result of reading a tensor, or one part of a partitioned variable.

    Attributes:
        name: the variable's name.
        problem: why it cannot be read; "" if it can.
        summary: the statistics of its values.
    """

    name: str
    problem: str
    summary: Any


def scan(
    bundle: Bundle,
    progress: Optional[Progress] = None,
    read: Optional[ReadRange] = None,
    held: Optional[Mapping[int, int]] = None,
    workers: int = 0,
) -> Tuple[TensorScan, ...]:
    """Reads every tensor of a checkpoint.

    Args:
        bundle: the index.
        progress: is called by one thread at a time.
        read: reads the data files if they are remote.
        held: descriptors of data files that are already open, by the file's number; see
            :func:`.held.data_held`.
        workers: the number of threads; by default the number of processors.

    Returns:
        One result for each variable, sorted by name. It combines the parts of a partitioned
        variable.

    Raises:
        UsageError: numpy is not installed, or this process may not open more files.
    """
    try:
        from . import values
    except ImportError:
        raise UsageError(_NEEDS_NUMPY)
    found: List[_Result] = []
    readable: List[StoredTensor] = []
    for item, problem in _problems(bundle, held or {}, read is not None):
        if problem:
            found.append(_Result(item.name, problem, values.Summary()))
        else:
            readable.append(item)
    scanner = _Scanner(bundle, values, read, held or {}, progress)
    count = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        try:
            for results in pool.map(scanner.scan_batch, _batches(readable)):
                found.extend(results)
        finally:
            scanner.stopped = True  # otherwise, Ctrl-C would wait for the end of large tensors
    return tuple(_by_variable(bundle, found))


def _problems(
    bundle: Bundle, held: Mapping[int, int], remote: bool
) -> Iterator[Tuple[StoredTensor, str]]:
    """Yields the tensors in the order of their bytes, each with the reason not to read it, or "".

    This needs no data. In a hostile checkpoint, an entry of the index may claim any size, and each
    of many entries can refer to all bytes of a large file.
    """
    items = sorted(bundle.stored(), key=lambda item: (item.shard, item.offset))
    ends: Dict[int, int] = {}
    for item in items:
        ends[item.shard] = max(ends.get(item.shard, 0), item.offset + item.size)
    read = dict.fromkeys(ends, 0)
    sizes: Dict[int, int] = {}
    for item in items:
        read[item.shard] += item.size
        if read[item.shard] > _MOST_TIMES * ends[item.shard]:
            yield item, "ckptcheck does not read it, because too many other tensors share its bytes"
        elif remote or not item.size:
            yield item, ""
        else:
            yield item, size_problem(bundle, item, held, sizes)


def _batches(items: Iterable[StoredTensor]) -> Iterator[List[StoredTensor]]:
    batch: List[StoredTensor] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size + 64
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    yield batch


class _Scanner:
    """Reads tensors.

    Attributes:
        stopped: whether the threads stop at their next read.
    """

    def __init__(
        self,
        bundle: Bundle,
        values: Any,
        read: Optional[ReadRange],
        held: Mapping[int, int],
        progress: Optional[Progress],
    ) -> None:
        self.stopped = False
        self._bundle = bundle
        self._values = values
        self._read = read
        self._held = held
        self._progress = progress
        self._lock = threading.Lock()

    def scan_batch(self, batch: List[StoredTensor]) -> List[_Result]:
        """Reads some tensors in one thread."""
        with self._values.quiet(), DataFiles(
            self._bundle, self._read, self._held, self._advance, batch
        ) as files:
            return [self._scan(item, files) for item in batch]

    def _advance(self, size: int) -> None:
        if self.stopped:
            raise concurrent.futures.CancelledError
        if self._progress is not None:
            with self._lock:
                self._progress(size)

    def _scan(self, item: StoredTensor, files: DataFiles) -> _Result:
        summary = self._values.Summary()
        try:
            matches = self._checksum(item, files, summary) == unmasked(item.crc32c)
        except DamagedError as error:
            return _Result(item.name, str(error), summary)
        return _Result(item.name, "" if matches else "Checksum does not match", summary)

    def _checksum(self, item: StoredTensor, files: DataFiles, summary: Any) -> int:
        """Computes the checksum of a tensor, and adds the statistics of its values."""
        if item.dtype == "string":
            return checksum_of_strings(files, item, self._bundle.big_endian)
        if item.dtype == "variant":
            return checksum_of_variants(files, item)
        one = element_size(item.dtype)
        if one is not None and one * item.elements != item.size:
            needed = one * item.elements
            raise DamagedError(f"it has {item.size} bytes; its shape and dtype need {needed}")
        known = self._values.has_values(item.dtype)
        crc = 0
        for start in range(0, item.size, _READ):
            data = files.read(item.shard, item.offset + start, min(_READ, item.size - start))
            crc = extend(crc, data)
            if known:
                summary.add(self._values.summarize(data, item.dtype, self._bundle.big_endian))
        return crc


def _by_variable(bundle: Bundle, results: Iterable[_Result]) -> Iterator[TensorScan]:
    """Combines the results of the parts of partitioned variables."""
    found: Dict[str, _Result] = {}
    for result in results:
        first = found.setdefault(result.name, result)
        if first is not result:
            first.summary.add(result.summary)
            found[result.name] = first._replace(problem=first.problem or result.problem)
    for item in bundle.tensors:
        if item.name in found:
            _, problem, summary = found[item.name]
            spec = VariableSpec(item.name, item.shape, item.dtype)
            # Statistics of damaged values would mean nothing.
            numbers = () if problem else dataclasses.astuple(summary)
            yield TensorScan(spec, problem, *numbers)
