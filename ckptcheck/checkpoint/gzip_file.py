"""Packed files: a saved graph is thirteen times as large as what is in it."""

import zlib
from typing import BinaryIO

from .bounded import read_whole
from .errors import DamagedError, TooLargeError

ENDING = ".gz"
_PIECE = 1 << 20
_GZIP = 31
"""What zlib calls the form of gzip's files."""


def unpacked_name(name: str) -> str:
    """The name of what a packed file was made of; other names as they are."""
    return name[: -len(ENDING)] if name.endswith(ENDING) else name


def packed(data: bytes) -> bytes:
    """Bytes in the form of gzip's files; the same bytes are the same file at any time."""
    import gzip
    import io

    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, 0) as file:
        file.write(data)
    return buffer.getvalue()


def unpack(path: str, out: BinaryIO, most: int) -> None:
    """Writes what is in a packed file.

    Raises:
        DamagedError: it is not one.
        TooLargeError: there are more bytes in it than ``most``.
        OSError: it cannot be read, or not be written.
    """
    data = read_whole(path, most)
    unpacker = zlib.decompressobj(_GZIP)
    left = most
    try:
        while data and not unpacker.eof:
            piece = unpacker.decompress(data, _PIECE)
            data = unpacker.unconsumed_tail
            left -= len(piece)
            if left < 0:
                raise TooLargeError(f"there are more than {most} bytes in it")
            out.write(piece)
    except zlib.error as error:
        raise DamagedError(str(error))
    if not unpacker.eof or unpacker.unused_data:
        raise DamagedError("it does not end where it should")
