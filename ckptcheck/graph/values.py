"""Decodes the values of attributes: numbers, dtypes, shapes, and digests of constants."""

import struct
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Union

from ..content_digest import content_digest
from ..encoding.dtypes import dtype_name, element_size
from ..encoding.errors import DamagedError
from ..encoding.wire import (
    Value,
    bytes_in,
    bytes_of,
    fields,
    number_of,
    numbers_in,
    numbers_of,
)
from ..protocol import Shape

_LONGEST_CONTENT, _LONGEST_TEXTS = 64, 1 << 12


class Constant(NamedTuple):
    """A TensorProto.

    Attributes:
        dtype: TensorFlow's name of the dtype.
        shape: the shape.
        digest: a digest of the values, in hexadecimal. It does not depend on which of its
            encodings TensorFlow used.
        content: the bytes of the values in memory, without repetitions of the last value; b"" if
            there are many.
    """

    dtype: str
    shape: Shape
    digest: str
    content: bytes = b""


AttributeValue = Union[bytes, int, float, bool, str, Shape, Constant]
"""Strings and names of functions are bytes. Dtypes are TensorFlow's names as str."""


def attribute_values(data: bytes) -> Iterator[AttributeValue]:
    """Yields the values in an AttrValue, which holds one value or a list.

    Raises:
        DamagedError: the bytes are not an AttrValue.
    """
    for number, kind, part in fields(data):
        if number == _LIST:
            for inner in fields(bytes_of(kind, part)):
                yield from _values_in(*inner, _FUNCTION_IN_LIST)
        else:
            yield from _values_in(number, kind, part, _FUNCTION)


_LIST, _STRING, _FLOAT, _SHAPE, _TENSOR, _FUNCTION_IN_LIST, _FUNCTION = 1, 2, 4, 7, 8, 9, 10
_NUMBERS: Dict[int, Callable[[int], AttributeValue]] = {3: int, 5: bool, 6: dtype_name}


def _values_in(number: int, kind: int, part: Value, function: int) -> Iterator[AttributeValue]:
    """Yields the values in a field of an AttrValue or of its list, which may be packed."""
    if number in _NUMBERS:
        yield from map(_NUMBERS[number], numbers_of(kind, part))
    elif number == _FLOAT:
        yield from (item[0] for item in struct.iter_unpack("<f", _numbers(part, 4)))
    elif number == _STRING:
        yield bytes_of(kind, part)
    elif number == _SHAPE:
        yield parse_shape(bytes_of(kind, part))
    elif number == _TENSOR:
        yield parse_constant(bytes_of(kind, part))
    elif number == function:
        yield from bytes_in(bytes_of(kind, part), 1)


def _numbers(part: Value, size: int) -> bytes:
    if not isinstance(part, bytes) or len(part) % size:
        raise DamagedError("a field has the wrong type: expected a list of numbers")
    return part


def parse_shape(data: bytes) -> Shape:
    """Reads a TensorShapeProto; returns None for an unknown rank.

    Raises:
        DamagedError: the bytes are not a TensorShapeProto.
    """
    sizes: List[Optional[int]] = []
    for number, kind, part in fields(data):
        if number == 3 and number_of(kind, part):
            return None
        if number == 2:
            (size,) = numbers_in(bytes_of(kind, part), {1: 0})
            sizes.append(None if size < 0 else size)
    return tuple(sizes)


_CONTENT, _TEXT = 4, 8
_FIXED = {5: 4, 6: 8, 9: 4, 12: 8}
"""The fields of a TensorProto with real or complex floats: the bytes of each, by number."""
_VARINTS = (7, 10, 11, 13, 16, 17)


def parse_constant(data: bytes) -> Constant:
    """Reads a TensorProto.

    Raises:
        DamagedError: the bytes are not a TensorProto.
    """
    dtype, shape = 0, b""
    parts: List[bytes] = []
    texts: List[bytes] = []
    for number, kind, value in fields(data):
        if number == 1:
            dtype = number_of(kind, value)
        elif number == 2:
            shape = bytes_of(kind, value)
        elif number == _TEXT:
            texts.append(bytes_of(kind, value))
        else:
            parts.append(_content(number, kind, value, dtype))
    name = dtype_name(dtype)
    if texts and name != "string":  # the tracer's digest of a large constant
        return Constant(name, parse_shape(shape), texts[0].hex())
    content, size = b"".join(parts), element_size(name) or 1
    if texts:
        content = _joined(texts)
        size = max(len(content), 1)
    digest, kept = content_digest(content, size)
    few = content[:kept] if kept <= (_LONGEST_TEXTS if texts else _LONGEST_CONTENT) else b""
    return Constant(name, parse_shape(shape), digest, few)


def _content(number: int, kind: int, value: Value, dtype: int) -> bytes:
    """Returns the bytes in memory of the values in a field; b"" for a field without values."""
    if number == _CONTENT:
        return bytes_of(kind, value)
    if number in _FIXED:
        return _numbers(value, _FIXED[number])
    if number not in _VARINTS:
        return b""
    size = element_size(dtype_name(dtype)) or 8
    mask = (1 << 8 * size) - 1
    return b"".join((item & mask).to_bytes(size, "little") for item in numbers_of(kind, value))


def _joined(texts: List[bytes]) -> bytes:
    """Joins texts, each after its length, without repetitions of the last text."""
    while len(texts) > 1 and texts[-1] == texts[-2]:
        texts.pop()
    return b"".join(struct.pack("<Q", len(text)) + text for text in texts)
