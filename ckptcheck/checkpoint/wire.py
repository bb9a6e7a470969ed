"""The protobuf wire format, as far as an index file uses it, without protobuf.

A strict reader of untrusted bytes: each length is bounded by what is there, and a message that
ends in the middle of a field is an error.
"""

from typing import Iterator, Tuple, Union

from .errors import DamagedError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10

Value = Union[int, bytes]


def varint(data: bytes, at: int, end: int) -> Tuple[int, int]:
    """The unsigned number at a place of ``data``, and the place after it.

    Raises:
        DamagedError: there is none before ``end``.
    """
    number = 0
    for count in range(min(_LONGEST_VARINT, end - at)):
        byte = data[at + count]
        number |= (byte & 127) << 7 * count
        if byte < 128:
            if number >= 1 << 64:
                break
            return number, at + count + 1
    raise DamagedError(f"no number at byte {at}")


def signed(number: int) -> int:
    """A varint as the int64 that it stands for."""
    return number - (1 << 64) if number >= 1 << 63 else number


def fields(data: bytes) -> Iterator[Tuple[int, int, Value]]:
    """The fields of a message in their order: number, wire type, and value.

    Raises:
        DamagedError: the bytes are no message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:  # as protobuf: a file of zeros is no message of millions of fields
            raise DamagedError(f"no field of a message at byte {at}")
        value: Value
        if kind == VARINT:
            value, at = varint(data, at, end)
        else:
            size = _SIZES.get(kind, -1)
            if kind == BYTES:
                size, at = varint(data, at, end)
            if size < 0 or size > end - at:
                raise DamagedError(f"no field of a message at byte {at}")
            value = data[at : at + size]
            at += size
        yield number, kind, value


def number_of(kind: int, value: Value) -> int:
    """The signed number in a varint field.

    Raises:
        DamagedError: the field is no varint.
    """
    if kind != VARINT or not isinstance(value, int):
        raise DamagedError("a field that should be a number is none")
    return signed(value)


def bytes_of(kind: int, value: Value) -> bytes:
    """The bytes of a field that holds a message or a string.

    Raises:
        DamagedError: the field holds none.
    """
    if kind != BYTES or not isinstance(value, bytes):
        raise DamagedError("a field that should be a message is none")
    return value
