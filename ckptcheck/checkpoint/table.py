"""Reads LevelDB's tables: sorted keys and values in blocks, each with a checksum.

The reader is strict, because it reads untrusted bytes. It verifies what TensorFlow verifies. It
also verifies that keys are sorted and that blocks do not overlap. It limits the total length of the
keys, so that the memory that a file takes is at most a multiple of its size.
"""

import struct
from typing import Iterator, List, Tuple

from ..encoding.wire import varint
from .crc32c import crc32c, masked
from .errors import CompressedError, DamagedError

MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
_TRAILER = 5
_NOT_COMPRESSED, _SNAPPY = 0, 1
_MOST_KEY_BYTES = 64
"""The limit for the bytes of all keys per byte of the file. An entry stores how many bytes its key
shares with the key before it, so a few bytes can make a long key. TensorFlow stores every 16th key
in full, so its tables have at most 16 bytes of keys per byte."""
_SLACK = 1 << 16

Pairs = List[Tuple[bytes, bytes]]


def table_blocks(data: bytes) -> Iterator[Pairs]:
    """Returns the keys and values of a table, block by block, in the order of the keys.

    Raises:
        DamagedError: the bytes are not a complete table.
        CompressedError: a block is compressed.
    """
    offset, size = _index_handle(data)
    room = _MOST_KEY_BYTES * len(data) + _SLACK
    index = _entries(_block(data, offset, size), "the index of its blocks", room)
    last, done = b"", 0
    for separator, handle in index:
        offset, at = varint(handle, 0, len(handle))
        size, _ = varint(handle, at, len(handle))
        if offset < done:
            raise DamagedError(f"its block at byte {offset} overlaps another")
        pairs = _entries(_block(data, offset, size), f"the block at byte {offset}", room)
        done = offset + size + _TRAILER
        if not pairs:
            raise DamagedError(f"its block at byte {offset} is empty")
        if (last and pairs[0][0] <= last) or pairs[-1][0] > separator:
            raise DamagedError(f"the keys of its block at byte {offset} are not in order")
        last = separator
        room -= sum([len(key) for key, _ in pairs])
        yield pairs


def _index_handle(data: bytes) -> Tuple[int, int]:
    """Returns the offset and size of the index block, which the end of the file stores."""
    if len(data) < _FOOTER:
        raise DamagedError(f"it has {len(data)} bytes, which is too short for an sstable")
    if data[-len(MAGIC) :] != MAGIC:
        raise DamagedError("it is not an sstable (its last 8 bytes are not the magic number)")
    footer = data[-_FOOTER : -len(MAGIC)]
    at = 0
    for _ in range(2):  # skips the metadata block, which TensorFlow does not use
        offset, at = varint(footer, at, len(footer))
        size, at = varint(footer, at, len(footer))
    return offset, size


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER > len(data) - _FOOTER:
        raise DamagedError(f"its block at byte {offset} reaches past the end of the file")
    block = data[offset:end]
    if data[end + 1 : end + _TRAILER] != struct.pack("<I", masked(crc32c(data[offset : end + 1]))):
        raise DamagedError(f"the checksum of its block at byte {offset} does not match")
    kind = data[end]
    if kind == _NOT_COMPRESSED:
        return block
    if kind == _SNAPPY:
        raise CompressedError(f"its block at byte {offset} is compressed with snappy")
    raise DamagedError(f"its block at byte {offset} has the unknown compression {kind}")


def _restarts(block: bytes, what: str) -> Tuple[int, Tuple[int, ...]]:
    """Returns where a block's entries end, and the offsets of entries that store the full key."""
    if len(block) < 4:
        raise DamagedError(f"{what} is too short")
    (count,) = struct.unpack_from("<I", block, len(block) - 4)
    if not 0 < count <= (len(block) - 4) // 4:
        raise DamagedError(f"{what} has a wrong number of restart points")
    limit = len(block) - 4 - 4 * count
    return limit, struct.unpack_from(f"<{count}I", block, limit)


def _entries(block: bytes, what: str, room: int) -> Pairs:
    """Returns the keys and values of one block. The loop is inlined, since it takes the most time.

    Args:
        block: the bytes.
        what: the name of the block, for messages.
        room: the largest total length of the keys.
    """
    limit, restarts = _restarts(block, what)
    pairs: Pairs = []
    whole = {0}
    key = b""
    at = 0
    while at < limit:
        start = at
        shared, fresh, size = block[at], block[at + 1], block[at + 2]
        if shared < 128 and fresh < 128 and size < 128:
            at += 3
        else:
            shared, at = varint(block, at, limit)
            fresh, at = varint(block, at, limit)
            size, at = varint(block, at, limit)
        middle = at + fresh
        end = middle + size
        if end > limit or shared > len(key):
            raise DamagedError(f"{what} has a bad entry at byte {start}")
        if shared == 0:
            whole.add(start)
            following = block[at:middle]
        else:
            following = key[:shared] + block[at:middle]
        if following <= key and pairs:
            raise DamagedError(f"the keys of {what} are not in order")
        room -= fresh + shared
        if room < 0:
            raise DamagedError(f"the keys of {what} are much longer than the file")
        key = following
        pairs.append((key, block[middle:end]))
        at = end
    if not whole.issuperset(restarts):
        raise DamagedError(f"{what} has a wrong restart point")
    return pairs
