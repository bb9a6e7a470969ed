"""Computes CRC32C, the checksum of LevelDB tables and of TensorFlow's tensors."""

import functools
import warnings
from typing import Callable

_MASK_DELTA = 0xA282EAD8


@functools.lru_cache(maxsize=None)
def _compiled() -> Callable[[int, bytes], int]:
    """Imports google-crc32c at its first use: on Python 3.7 and 3.8, this takes 60 ms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without its C extension, it is slow and warns
        import google_crc32c
    extend_by: Callable[[int, bytes], int] = google_crc32c.extend
    return extend_by


def crc32c(data: bytes) -> int:
    """Returns the checksum of some bytes."""
    return extend(0, data)


def extend(crc: int, data: bytes) -> int:
    """Extends the checksum ``crc`` of some bytes by the bytes that follow."""
    return _compiled()(crc, data)


def masked(crc: int) -> int:
    """Masks a checksum for storage, because a checksum over stored checksums is unreliable."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def unmasked(stored: int) -> int:
    """Returns the checksum for a masked checksum."""
    rotated = (stored - _MASK_DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF
