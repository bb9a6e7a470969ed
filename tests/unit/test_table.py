"""Tests of LevelDB's tables: only complete tables are read."""

import contextlib
import struct
import time
import tracemalloc
from typing import Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptcheck.checkpoint.errors import DamagedError
from ckptcheck.checkpoint.table import table_blocks

from ..checkpoints import writer

PAIRS = [(b"", b"header"), (b"dense/bias", b"1"), (b"dense/kernel", b"22"), (b"step", b"")]


def read(data: bytes) -> List[Tuple[bytes, bytes]]:
    return [pair for pairs in table_blocks(data) for pair in pairs]


def refused(data: bytes) -> str:
    with pytest.raises(DamagedError) as caught:
        read(data)
    return str(caught.value)


@pytest.mark.parametrize("per_block", [1, 2, 100])
def test_a_table(per_block: int) -> None:
    assert read(writer.table(PAIRS, per_block)) == PAIRS


@given(st.dictionaries(st.binary(max_size=200), st.binary(max_size=300), min_size=1, max_size=60))
def test_any_table(content: Dict[bytes, bytes]) -> None:
    pairs = sorted(content.items())
    assert read(writer.table(pairs, per_block=7)) == pairs
    assert read(writer.table(pairs, per_block=50)) == pairs


def test_every_byte_of_a_block_is_under_a_checksum() -> None:
    """The footer's padding has no checksum.

    Any other changed byte is refused, or changes nothing.
    """
    data = writer.table(PAIRS, per_block=2)
    for at in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            try:
                assert read(bytes(damaged)) == PAIRS, (at, bit)
                assert at >= len(data) - 48
            except DamagedError:
                pass


def test_every_length_of_a_cut_file_is_refused() -> None:
    data = writer.table(PAIRS, per_block=2)
    for length in range(len(data)):
        refused(data[:length])


def test_messages() -> None:
    assert refused(b"") == "it has 0 bytes, which is too short for an sstable"
    assert "magic number" in refused(bytes(48))
    assert "compression 7" in refused(writer.table_of_blocks([(b"a", b"x" * 20, 7)]))
    damaged = bytearray(writer.table(PAIRS))
    damaged[3] ^= 1
    assert refused(bytes(damaged)) == "the checksum of its block at byte 0 does not match"


def one_block(content: bytes) -> str:
    return refused(writer.table_of_blocks([(b"\xff", content, 0)]))


def test_bad_blocks() -> None:
    assert "too short" in one_block(b"abc")
    assert "number of restart points" in one_block(struct.pack("<I", 0))
    assert "number of restart points" in one_block(struct.pack("<I", 1 << 31))
    assert "is empty" in one_block(writer.block([]))
    assert "restart point" in one_block(writer.block(PAIRS, restarts=[3]))
    assert "restart point" in one_block(writer.block(PAIRS, restarts=[1 << 31]))
    assert "not in order" in one_block(writer.block([(b"b", b""), (b"a", b"")]))
    assert "not in order" in one_block(writer.block([(b"b", b""), (b"b", b"")]))
    assert "bad entry" in one_block(b"\1\1\1ab" + struct.pack("<II", 0, 1))
    assert "bad entry" in one_block(b"\0\1\x40ab" + struct.pack("<II", 0, 1))
    assert "bad entry" in one_block(b"\0\1" + struct.pack("<II", 0, 1))
    long = writer.varint(1 << 63)
    assert "bad entry" in one_block(b"\0\1" + long + b"ab" + struct.pack("<II", 0, 1))


def test_blocks_that_are_not_in_order() -> None:
    a, b = writer.block([(b"a", b"")]), writer.block([(b"b", b"")])
    assert "not in order" in refused(writer.table_of_blocks([(b"b", b, 0), (b"c", a, 0)]))
    assert "not in order" in refused(writer.table_of_blocks([(b"a", b, 0)]))


def test_a_block_that_is_listed_twice() -> None:
    """A thousand handles of one large block would use the memory of a thousand blocks."""
    content = writer.block([(b"a", b"")])
    handle = writer.varint(0) + writer.varint(len(content))
    index = writer.block([(b"a", handle), (b"b", handle)], interval=1)
    body = writer.sealed(content)
    data = body + writer.sealed(index) + writer.footer(len(body), len(index))
    assert "overlaps another" in refused(data)


@pytest.mark.parametrize("handle", [(1 << 60, 4), (0, 1 << 60), (5, 10), ((1 << 64) - 1, 1)])
def test_handles_to_nowhere(handle: Tuple[int, int]) -> None:
    entry = writer.varint(handle[0]) + writer.varint(handle[1])
    index = writer.block([(b"a", entry)])
    data = writer.sealed(index) + writer.footer(0, len(index))
    refused(data)
    refused(bytes(60) + writer.footer(*handle))


def growing_keys(first: int, count: int) -> bytes:
    """Returns a block in which each key shares all bytes of the long key before it."""
    out = writer.varint(0) + writer.varint(first) + b"\0" + b"k" * first
    for number in range(count):
        out += writer.varint(first + number) + b"\1\0z"
    return out + struct.pack("<II", 0, 1)


def test_keys_that_grow_cannot_fill_the_memory() -> None:
    """Half a megabyte of entries stands for tens of gigabytes of keys."""
    data = writer.table_of_blocks([(b"\xff", growing_keys(200000, 60000), 0)])
    tracemalloc.start()
    start = time.process_time()
    try:
        assert "much longer" in refused(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(data)
    assert time.process_time() - start < 5


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_an_error(data: bytes) -> None:
    for candidate in (data, data + writer.footer(0, max(0, len(data) - 5))):
        with contextlib.suppress(DamagedError):
            read(candidate)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_sealed_bytes_are_a_table_or_an_error(data: bytes) -> None:
    """Fuzzing of contents with a correct checksum."""
    for kind in (0, 1):
        index = writer.sealed(data, kind) + writer.footer(0, len(data))
        for candidate in (index, writer.table_of_blocks([(b"\xff", data, kind)])):
            with contextlib.suppress(DamagedError):
                read(candidate)
