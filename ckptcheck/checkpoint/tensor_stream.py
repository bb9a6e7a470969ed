"""Reads the bytes of one tensor in order, for dtypes with values of different lengths."""

import struct
from typing import Any, Iterator, Optional, Sequence

from ..encoding.wire import varint
from .bundle import StoredTensor
from .crc32c import extend, masked, unmasked
from .data_files import DataFiles
from .errors import DamagedError

_READ = 1 << 21
"""Bytes per read."""
_FEW = 64


class _Stream:
    """The bytes of a tensor, read in order."""

    def __init__(self, files: DataFiles, item: StoredTensor) -> None:
        self._files = files
        self._item = item
        self._read = 0
        self._buffer = b""
        self._at = 0

    @property
    def left(self) -> int:
        """The number of bytes that are left."""
        return self._item.size - self._read + len(self._buffer) - self._at

    def _fill(self, size: int) -> None:
        if len(self._buffer) - self._at < size and self._read < self._item.size:
            more = min(_READ, self._item.size - self._read)
            data = self._files.read(self._item.shard, self._item.offset + self._read, more)
            self._buffer = self._buffer[self._at :] + data
            self._at = 0
            self._read += more

    def number(self) -> int:
        """Takes a varint."""
        self._fill(10)
        value, self._at = varint(self._buffer, self._at, len(self._buffer))
        return value

    def numbers(self, count: int, varints: Any) -> Iterator[Sequence[int]]:
        """Takes varints, many at a time.

        Args:
            count: how many to take.
            varints: a function that reads the complete varints at the start of some bytes.
        """
        ahead = _FEW
        while count:
            self._fill(10)
            found, size = varints(self._buffer[self._at : self._at + ahead], count)
            self._at += size
            # ``varints`` cannot read long varints. Read one alone, and try fewer next time.
            ahead = min(ahead * 8, _READ) if found else _FEW
            found = found or [self.number()]
            count -= len(found)
            yield found

    def take(self, size: int) -> bytes:
        """Takes a few bytes."""
        self._fill(size)
        data = self._buffer[self._at : self._at + size]
        if len(data) != size:
            raise DamagedError("its bytes end too soon")
        self._at += size
        return data

    def rest(self, crc: int, size: Optional[int] = None) -> int:
        """Takes bytes, by default all that are left, and returns ``crc`` extended by them."""
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


def checksum_of_strings(
    files: DataFiles, item: StoredTensor, big_endian: bool, varints: Any
) -> int:
    """Computes the checksum of a tensor of strings.

    TensorFlow stores all lengths as varints, a checksum of the lengths, and all strings. Both
    checksums cover the lengths as integers of a fixed size.

    Args:
        files: the data files.
        item: the tensor.
        big_endian: the byte order of the data.
        varints: see :meth:`_Stream.numbers`.

    Raises:
        DamagedError: the bytes are not a valid tensor of strings.
    """
    if item.size == 0:
        return 0
    order = ">" if big_endian else "<"
    stream = _Stream(files, item)
    crc, total = 0, 0
    for lengths in stream.numbers(item.elements, varints):
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


def _fixed(lengths: Sequence[int], order: str) -> bytes:
    """Encodes lengths as integers of 32 bits, or of 64 bits if they need it."""
    if max(lengths) < 1 << 32:
        return struct.pack(f"{order}{len(lengths)}I", *lengths)
    return b"".join(struct.pack(order + ("I" if n < 1 << 32 else "Q"), n) for n in lengths)


def checksum_of_variants(files: DataFiles, item: StoredTensor) -> int:
    """Computes the checksum of a tensor of variants.

    TensorFlow stores the length of each value, its bytes, and a checksum of everything so far.

    Raises:
        DamagedError: the bytes are not a valid tensor of variants.
    """
    stream = _Stream(files, item)
    crc = 0
    for _ in range(item.elements if item.size else 0):
        length = stream.number()
        crc = stream.rest(extend(crc, struct.pack("<Q", length)), length)
        sums = stream.take(4)
        if struct.pack("<I", masked(crc)) != sums:
            raise DamagedError("the checksum of one of its values does not match")
        crc = extend(crc, sums)
    return crc
