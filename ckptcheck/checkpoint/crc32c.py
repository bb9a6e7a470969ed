"""Computes CRC32C, the checksum of LevelDB tables and of TensorFlow's tensors.

The package google-crc32c is about as fast as memory. Without it, Python code with a lookup table
computes the checksum: fast enough for the index of a checkpoint, much too slow for its data. It is
an optional package because its import takes 60 ms or more on Python 3.7 and 3.8.
"""

import array
import functools
import struct
import sys
import warnings
from typing import Callable, List, Optional

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_WORTH_A_LARGE_TABLE = 1 << 17
_WORTH_AN_IMPORT = 1 << 12


@functools.lru_cache(maxsize=None)
def compiled() -> Optional[Callable[[int, bytes], int]]:
    """Returns google-crc32c's function; None if the package or its C code is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns if it has only its own slow fallback
        try:
            import google_crc32c
        except ImportError:
            return None
    if google_crc32c.implementation != "c":
        return None
    extend: Callable[[int, bytes], int] = google_crc32c.extend
    return extend


def crc32c(data: bytes) -> int:
    """Returns the checksum of some bytes."""
    return extend(0, data)


def extend(crc: int, data: bytes) -> int:
    """Extends the checksum ``crc`` of some bytes by the bytes that follow."""
    if len(data) < _WORTH_AN_IMPORT:
        return extend_by_table(crc, data)
    fast = compiled()
    return extend_by_table(crc, data) if fast is None else fast(crc, data)


def masked(crc: int) -> int:
    """Masks a checksum for storage: a checksum of data that contains checksums is unreliable."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def unmasked(stored: int) -> int:
    """Returns the checksum for a masked checksum."""
    rotated = (stored - _MASK_DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def _byte_table() -> List[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_BYTES = _byte_table()
_PAIRS: List[int] = []


def _pair_table() -> List[int]:
    """Returns the table for two bytes at once. The first call makes it."""
    if not _PAIRS:
        table = _BYTES
        for pair in range(65536):
            once = table[pair & 255] ^ pair >> 8
            _PAIRS.append(once >> 8 ^ table[once & 255])
    return _PAIRS


def extend_by_table(crc: int, data: bytes) -> int:
    """Like :func:`extend`, without google-crc32c."""
    crc ^= 0xFFFFFFFF
    even = 0
    if len(data) >= _WORTH_A_LARGE_TABLE or _PAIRS:
        even = len(data) & ~1
        crc = _extend_by_pairs(crc, data[:even])
    table = _BYTES
    for byte in data[even:]:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def _extend_by_pairs(crc: int, data: bytes) -> int:
    table = _pair_table()
    pairs = array.array("H", data)
    if sys.byteorder == "big":
        pairs.byteswap()
    for pair in pairs:
        crc = crc >> 16 ^ table[(crc ^ pair) & 65535]
    return crc


def stored_checksum(data: bytes, at: int) -> int:
    """Reads a masked checksum of four bytes, and returns it unmasked."""
    (value,) = struct.unpack_from("<I", data, at)
    return unmasked(value)
