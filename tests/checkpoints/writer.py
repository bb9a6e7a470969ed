"""Writes indexes as TensorFlow does, and wrong ones, for tests of the reader without TensorFlow.

The functions have arguments for the values that a hostile or damaged file may have instead.
"""

import struct
from typing import Iterable, List, Mapping, Optional, Sequence, Tuple

from ckptcheck.checkpoint.crc32c import crc32c, masked
from ckptcheck.checkpoint.slices import slice_key
from ckptcheck.checkpoint.table import MAGIC

Pair = Tuple[bytes, bytes]
DTYPES = {"float32": 1, "float64": 2, "int32": 3, "string": 7, "int64": 9, "bool": 10}


def varint(number: int) -> bytes:
    """A number as protobuf and LevelDB write it."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value: object) -> bytes:
    """One field of a protobuf message: an int is a varint, bytes are bytes."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    assert isinstance(value, int)
    return varint(number << 3) + varint(value)


# --- Tables ----------------------------------------------------------------------------------


def block(pairs: Iterable[Pair], interval: int = 16, restarts: Optional[List[int]] = None) -> bytes:
    """The entries of a block and its restart points."""
    out = bytearray()
    points: List[int] = []
    last = b""
    for count, (key, value) in enumerate(pairs):
        shared = 0
        if count % interval == 0:
            points.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        last = key
    points = restarts if restarts is not None else points or [0]
    return bytes(out) + struct.pack(f"<{len(points) + 1}I", *points, len(points))


def sealed(content: bytes, kind: int = 0) -> bytes:
    """A block with its compression and its checksum behind it."""
    body = content + bytes([kind])
    return body + struct.pack("<I", masked(crc32c(body)))


def footer(index_offset: int, index_size: int) -> bytes:
    """The last 48 bytes of a table."""
    handles = varint(0) + varint(0) + varint(index_offset) + varint(index_size)
    return handles.ljust(40, b"\0") + MAGIC


def table_of_blocks(blocks: Sequence[Tuple[bytes, bytes, int]]) -> bytes:
    """A table of (last key, content, compression)."""
    out = b""
    handles = []
    for last, content, kind in blocks:
        handles.append((last, varint(len(out)) + varint(len(content))))
        out += sealed(content, kind)
    index = block(handles, interval=1)
    return out + sealed(index) + footer(len(out), len(index))


def table(pairs: Sequence[Pair], per_block: int = 100) -> bytes:
    """A whole table."""
    blocks = []
    for start in range(0, len(pairs), per_block):
        chunk = pairs[start : start + per_block]
        blocks.append((chunk[-1][0], block(chunk), 0))
    return table_of_blocks(blocks)


# --- Indexes ---------------------------------------------------------------------------------


def header(
    num_shards: int = 1, endianness: int = 0, producer: int = 1, least: int = 0, bad: int = 0
) -> bytes:
    """A BundleHeaderProto."""
    version = field(1, producer) + (field(2, least) if least else b"")
    version += field(3, bad) if bad else b""
    order = field(2, endianness) if endianness else b""
    return field(1, num_shards) + order + field(3, version)


def shape_proto(shape: Sequence[int]) -> bytes:
    """A TensorShapeProto."""
    return b"".join(field(2, field(1, size)) for size in shape)


def entry(
    dtype: int = 1,
    shape: Sequence[int] = (),
    shard: int = 0,
    offset: int = 0,
    size: int = 0,
    crc: int = 0,
    slices: Sequence[Sequence[Tuple[int, int]]] = (),
) -> bytes:
    """A BundleEntryProto, its fields in the order in which TensorFlow writes them."""
    out = field(1, dtype) + field(2, shape_proto(shape))
    out += b"".join(field(n, v) for n, v in ((3, shard), (4, offset), (5, size)) if v)
    out += b"\x35" + struct.pack("<I", crc) if crc else b""
    for extents in slices:
        parts = [b"" if length == -1 else field(1, s) + field(2, length) for s, length in extents]
        out += field(7, b"".join(field(1, part) for part in parts))
    return out


def index(
    entries: Mapping[bytes, bytes],
    num_shards: int = 1,
    per_block: int = 100,
    first: Optional[bytes] = None,
) -> bytes:
    """An index file."""
    head = header(num_shards) if first is None else first
    return table([(b"", head), *sorted(entries.items())], per_block)


def partitioned(name: bytes, rows: int, columns: int, dtype: int = 1) -> Mapping[bytes, bytes]:
    """The entries of a variable with a part for each row."""
    slices = [((row, 1), (0, -1)) for row in range(rows)]
    found = {name: entry(dtype, (rows, columns), slices=slices)}
    for row, extents in enumerate(slices):
        size = 4 * columns
        found[slice_key(name, extents)] = entry(dtype, (1, columns), 0, row * size, size, row + 1)
    return found
