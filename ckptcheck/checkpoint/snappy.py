"""Decompression of snappy blocks, which a table may be made of (TensorFlow itself writes none)."""

from .errors import DamagedError
from .wire import varint

_LONGEST_EXPANSION = 22
"""No element makes more of its bytes: a copy of 64 bytes takes three."""


def decompress(data: bytes) -> bytes:
    """What a snappy block stands for.

    Raises:
        DamagedError: it is none, or is not of the length that it says.
    """
    length, at = varint(data, 0, len(data))
    if length > _LONGEST_EXPANSION * len(data):
        raise DamagedError("a compressed block says that it is longer than it can be")
    out = bytearray()
    end = len(data)
    while at < end:
        tag = data[at]
        at = _literal(data, at, out) if tag & 3 == 0 else _copy(data, at, out)
        if len(out) > length:
            break
    if len(out) != length:
        raise DamagedError("a compressed block has not the length that it says")
    return bytes(out)


def _literal(data: bytes, at: int, out: bytearray) -> int:
    size = (data[at] >> 2) + 1
    at += 1
    if size > 60:
        extra = size - 60
        size = int.from_bytes(data[at : at + extra], "little") + 1
        at += extra
    if at + size > len(data):
        raise DamagedError("a compressed block ends too soon")
    out += data[at : at + size]
    return at + size


def _copy(data: bytes, at: int, out: bytearray) -> int:
    tag = data[at]
    kind = tag & 3
    extra = (1, 2, 4)[kind - 1]
    if at + extra >= len(data):
        raise DamagedError("a compressed block ends too soon")
    offset = int.from_bytes(data[at + 1 : at + 1 + extra], "little")
    size = (tag >> 2) + 1
    if kind == 1:
        size = (tag >> 2 & 7) + 4
        offset |= (tag >> 5) << 8
    if not 0 < offset <= len(out):
        raise DamagedError("a compressed block copies from before its start")
    start = len(out) - offset
    if offset >= size:
        out += out[start : start + size]
    else:  # the copy overlaps what it makes: a pattern that repeats
        pattern = bytes(out[start:])
        out += (pattern * (size // offset + 1))[:size]
    return at + 1 + extra
