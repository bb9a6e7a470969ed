"""Reads the protobuf wire format without protobuf, as far as checkpoints and graphs use it.

The reader is strict, because it reads untrusted bytes. A field that extends past the end of its
message is an error.
"""

from typing import Dict, Iterator, Tuple, Union

from .errors import DamagedError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10

NOT_BYTES = "a field has the wrong type: expected a message or a string"

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
    raise DamagedError(f"the number at byte {at} is invalid or incomplete")


def signed(number: int) -> int:
    """Converts an unsigned varint to a signed int64."""
    return number - (1 << 64) if number >= 1 << 63 else number


def invalid_field(at: int) -> str:
    """Returns the message about a field that is damaged."""
    return f"the field at byte {at} is invalid or incomplete"


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
        raise DamagedError(invalid_field(at))
    return tag, start, start + size


MOST_FIELDS = 1 << 22
"""The most fields of a message. A graph of 300,000 nodes has fewer. In a hostile file, a field may
have only two bytes."""
TOO_MANY = f"it has more than {MOST_FIELDS} fields"


def fields(data: bytes) -> Iterator[Tuple[int, int, Value]]:
    """Yields the fields of a message in order: number, wire type, and value.

    Raises:
        DamagedError: the bytes are not a message, or have more than ``MOST_FIELDS`` fields.
    """
    at, end = 0, len(data)
    for _ in range(MOST_FIELDS):
        if at >= end:
            return
        tag, start, at = field_at(data, at, end)
        kind = tag & 7
        yield tag >> 3, kind, varint(data, start, end)[0] if kind == VARINT else data[start:at]
    if at < end:
        raise DamagedError(TOO_MANY)


def number_of(kind: int, value: Value) -> int:
    """Returns the signed number in a varint field.

    Raises:
        DamagedError: the field is not a varint.
    """
    if kind != VARINT or not isinstance(value, int):
        raise DamagedError("a field has the wrong type: expected a number")
    return signed(value)


def numbers_of(kind: int, value: Value) -> Iterator[int]:
    """Yields the signed numbers in a repeated field, which may be packed.

    Raises:
        DamagedError: the field does not hold numbers, or too many.
    """
    if not isinstance(value, bytes):
        yield number_of(kind, value)
        return
    at = 0
    for _ in range(MOST_FIELDS):
        if at >= len(value):
            return
        number, at = varint(value, at, len(value))
        yield signed(number)
    raise DamagedError(TOO_MANY)


def bytes_of(kind: int, value: Value) -> bytes:
    """Returns the bytes of a field that holds a message or a string.

    Raises:
        DamagedError: the field has another wire type.
    """
    if kind != BYTES or not isinstance(value, bytes):
        raise DamagedError(NOT_BYTES)
    return value


def numbers_in(message: bytes, defaults: Dict[int, int]) -> Tuple[int, ...]:
    """Returns the signed numbers in some fields of a message.

    Args:
        message: the message.
        defaults: the result for each field if it is missing, by the field's number.

    Raises:
        DamagedError: the message is damaged.
    """
    found = dict(defaults)
    for number, kind, value in fields(message):
        if number in found:
            found[number] = number_of(kind, value)
    return tuple(found.values())


def all_bytes(message: bytes, wanted: int) -> Iterator[bytes]:
    """Yields the values of a repeated field of messages or strings.

    Raises:
        DamagedError: the message is damaged.
    """
    for number, kind, value in fields(message):
        if number == wanted:
            yield bytes_of(kind, value)


def bytes_in(message: bytes, *wanted: int) -> Tuple[bytes, ...]:
    """Returns the values of some fields that hold messages or strings; b"" for a missing one.

    It reads all fields, to detect a truncated message.

    Raises:
        DamagedError: the message is damaged.
    """
    found = dict.fromkeys(wanted, b"")
    for number, kind, value in fields(message):
        if number in found:
            found[number] = bytes_of(kind, value)
    return tuple(found.values())
