"""CRC32C, the checksum of LevelDB tables and of TensorFlow's tensors.

google-crc32c computes it at the speed of memory. Without that package a table does it: fast enough
for the index of a checkpoint, much too slow for its data.
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
    """What google-crc32c offers; None without it. It is looked for when it is first of use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it has only a slow fallback of its own
        try:
            import google_crc32c
        except ImportError:
            return None
    if google_crc32c.implementation != "c":
        return None
    extend: Callable[[int, bytes], int] = google_crc32c.extend
    return extend


def crc32c(data: bytes) -> int:
    """The checksum of some bytes."""
    return extend(0, data)


def extend(crc: int, data: bytes) -> int:
    """The checksum of what ``crc`` is the checksum of, followed by more bytes."""
    if len(data) < _WORTH_AN_IMPORT:
        return extend_by_table(crc, data)
    fast = compiled()
    return extend_by_table(crc, data) if fast is None else fast(crc, data)


def masked(crc: int) -> int:
    """The form in which files hold a checksum: of data with checksums in it, one should differ."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def unmasked(stored: int) -> int:
    """The checksum that a file holds in its masked form."""
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
    """The table for two bytes at once, made when it is first worth its making."""
    if not _PAIRS:
        table = _BYTES
        for pair in range(65536):
            once = table[pair & 255] ^ pair >> 8
            _PAIRS.append(once >> 8 ^ table[once & 255])
    return _PAIRS


def extend_by_table(crc: int, data: bytes) -> int:
    """As :func:`extend`, in Python alone."""
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
    """The checksum that stands masked in four bytes of a file."""
    (value,) = struct.unpack_from("<I", data, at)
    return unmasked(value)
