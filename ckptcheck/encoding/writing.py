"""Writes the wire format of protocol buffers."""

from .wire import BYTES


def varint_of(number: int) -> bytes:
    """Encodes a number that is not negative."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field_of(number: int, content: bytes) -> bytes:
    """Encodes a field that holds a message or a text."""
    return varint_of(number << 3 | BYTES) + varint_of(len(content)) + content
