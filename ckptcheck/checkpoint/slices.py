"""Encodes the keys of the parts of a partitioned variable.

A key is the tuple (0, name, rank, start and length in each dimension), encoded with TensorFlow's
``OrderedCode``. The encoded keys have the same order as the tuples.
"""

import re
from typing import Tuple

WHOLE = -1
"""The length of a part that covers a whole dimension."""

Extents = Tuple[Tuple[int, int], ...]
"""The start and the length of a part in each dimension."""


def slice_key(name: bytes, extents: Extents) -> bytes:
    """Returns the key of one part of a variable."""
    escaped = _SPECIAL.sub(lambda byte: _ESCAPES[byte.group()], name)
    numbers = b"".join(_signed(start) + _signed(length) for start, length in extents)
    return b"\0" + escaped + b"\0\1" + _unsigned(len(extents)) + numbers


_SPECIAL = re.compile(b"[\0\xff]")
_ESCAPES = {b"\0": b"\0\xff", b"\xff": b"\xff\0"}


def _unsigned(number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """Encodes the sign, a bit for each further byte, and the number, similar to UTF-8."""
    bits = (~number if number < 0 else number).bit_length()
    size = bits // 7 + 1
    header = ((1 << size) - 1) << (8 * size - size)
    return ((number ^ header) & (1 << 8 * size) - 1).to_bytes(size, "big")
