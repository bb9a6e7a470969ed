"""Reads the protobuf wire format without protobuf, as far as checkpoints and graphs use it.

The reader is strict, because it reads untrusted bytes. A field that extends past the end of its
message is an error.
"""

from typing import Iterator, Tuple, Union

from .errors import DamagedError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10

Value = Union[int, bytes]


def varint(data: bytes, at: int, end: int) -> Tuple[int, int]:
    """Returns the unsigned number at an offset, and the offset after it.

    Raises:
        DamagedError: no number ends before ``end``.
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
    """Converts an unsigned varint to a signed int64."""
    return number - (1 << 64) if number >= 1 << 63 else number


def field_at(data: bytes, at: int, end: int) -> Tuple[int, int, int]:
    """Finds the field at an offset of a message, without copying its value.

    Returns:
        The tag, and the offsets where the value starts and ends.

    Raises:
        DamagedError: no field ends before ``end``.
    """
    tag, start = varint(data, at, end)
    kind = tag & 7
    if kind == VARINT and tag > 7:
        return tag, start, varint(data, start, end)[1]
    size = _SIZES.get(kind, -1)
    if kind == BYTES:
        size, start = varint(data, start, end)
    # Field number 0 is invalid, as in protobuf. Otherwise a file of zeros would have many fields.
    if tag < 8 or size < 0 or size > end - start:
        raise DamagedError(f"no field of a message at byte {at}")
    return tag, start, start + size


def fields(data: bytes) -> Iterator[Tuple[int, int, Value]]:
    """Iterates over the fields of a message in order: number, wire type, and value.

    Raises:
        DamagedError: the bytes are not a message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:  # invalid, as in protobuf
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


MOST_FIELDS = 1 << 22
"""A graph of 300,000 nodes has fewer. In a hostile file, each field may take only two bytes."""
TOO_MANY = f"it has more than {MOST_FIELDS} fields"


def limited(found: Iterator[Tuple[int, int, Value]]) -> Iterator[Tuple[int, int, Value]]:
    """Iterates over fields, up to a limit.

    Raises:
        DamagedError: there are more than ``MOST_FIELDS``.
    """
    for count, field in enumerate(found):
        if count >= MOST_FIELDS:
            raise DamagedError(TOO_MANY)
        yield field


def packed_numbers(data: bytes) -> Iterator[int]:
    """Iterates over the signed numbers of a packed list.

    Raises:
        DamagedError: the list ends in the middle of a number, or is too long.
    """
    at = 0
    for _ in range(MOST_FIELDS):
        if at >= len(data):
            return
        number, at = varint(data, at, len(data))
        yield signed(number)
    raise DamagedError(TOO_MANY)


def number_of(kind: int, value: Value) -> int:
    """Returns the signed number in a varint field.

    Raises:
        DamagedError: the field is not a varint.
    """
    if kind != VARINT or not isinstance(value, int):
        raise DamagedError("a field that should be a number is none")
    return signed(value)


def bytes_of(kind: int, value: Value) -> bytes:
    """Returns the bytes of a field that holds a message or a string.

    Raises:
        DamagedError: the field has another wire type.
    """
    if kind != BYTES or not isinstance(value, bytes):
        raise DamagedError("a field that should be a message is none")
    return value
