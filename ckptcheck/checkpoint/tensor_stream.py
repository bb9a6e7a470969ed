"""Reads the bytes of one tensor in order, for dtypes with values of different lengths."""

import struct
from typing import Iterator, Sequence

from ..encoding.wire import varint
from .bundle import StoredTensor
from .crc32c import extend, masked, unmasked
from .data_files import DataFiles
from .errors import DamagedError

_READ = 1 << 21
"""Bytes per read."""
_MANY = 64


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

    def numbers(self, count: int) -> Iterator[Sequence[int]]:
        """Yields varints: single ones, or groups of varints with one byte each."""
        while count:
            self._fill(_MANY)
            few = self._buffer[self._at : self._at + min(count, _MANY)]
            if few and few.isascii():
                self._at += len(few)
                count -= len(few)
                yield few
            else:
                count -= 1
                yield [self.number()]

    def take(self, size: int) -> bytes:
        """Takes at most ``_READ`` bytes."""
        if size > self.left:
            raise DamagedError("its data is too short")
        self._fill(size)
        data = self._buffer[self._at : self._at + size]
        self._at += size
        return data

    def extend(self, crc: int, size: int) -> int:
        """Takes bytes, and returns ``crc`` extended by them."""
        while size:
            data = self.take(min(size, max(len(self._buffer) - self._at, 1)))
            size -= len(data)
            crc = extend(crc, data)
        return crc


def checksum_of_strings(files: DataFiles, item: StoredTensor, big_endian: bool) -> int:
    """Computes the checksum of a tensor of strings.

    TensorFlow stores all lengths as varints, a checksum of the lengths, and all strings. Both
    checksums cover the lengths as integers of 32 bits, or of 64 bits if they need them.

    Args:
        files: the data files.
        item: the tensor.
        big_endian: the byte order of the data.

    Raises:
        DamagedError: the bytes are not a valid tensor of strings.
    """
    if item.size == 0:
        return 0
    order = ">" if big_endian else "<"
    stream = _Stream(files, item)
    crc, total = 0, 0
    for lengths in stream.numbers(item.elements):
        total += sum(lengths)
        if total > item.size:
            raise DamagedError(_WRONG_LENGTHS)
        width = "I" if max(lengths) < 1 << 32 else "Q"  # a long length is alone in its group
        crc = extend(crc, struct.pack(f"{order}{len(lengths)}{width}", *lengths))
    sums = stream.take(4)
    (stored,) = struct.unpack(order + "I", sums)
    if unmasked(stored) != crc:
        raise DamagedError("the checksum of the lengths of its strings does not match")
    if total != stream.left:
        raise DamagedError(_WRONG_LENGTHS)
    return stream.extend(extend(crc, sums), total)


_WRONG_LENGTHS = "the lengths of its strings do not add up to its size"


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
        crc = stream.extend(extend(crc, struct.pack("<Q", length)), length)
        sums = stream.take(4)
        if struct.pack("<I", masked(crc)) != sums:
            raise DamagedError("the checksum of one of its values does not match")
        crc = extend(crc, sums)
    return crc
