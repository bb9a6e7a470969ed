"""Snappy blocks, bounded."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.errors import DamagedError
from ckptcheck.checkpoint.snappy import decompress

from ..checkpoints.writer import compressed, varint


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0", b""),
        (b"\5\x10hello", b"hello"),
        (b"\x0a\x0cabcd\x09\4", b"abcdabcdab"),
        (b"\x0c\x00a\x2a\1\0", b"a" * 12),
        (b"\x08\x0cabcd\x0f\4\0\0\0", b"abcdabcd"),
        (b"\x40\xf0\x3f" + b"x" * 64, b"x" * 64),
        (b"\x80\2\xf4\xff\0" + b"y" * 256, b"y" * 256),
    ],
    ids=["empty", "literal", "copy1", "repeat", "copy4", "length1", "length2"],
)
def test_elements(data: bytes, expected: bytes) -> None:
    assert decompress(data) == expected


@given(st.binary(max_size=500))
def test_what_was_compressed_comes_back(data: bytes) -> None:
    assert decompress(compressed(data)) == data
    assert decompress(compressed(data * 3)) == data * 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\5",
        b"\5\x10hell",
        b"\6\x10hello",
        b"\4\x10hello",
        b"\4\x01\1",
        b"\5\x00a\x01\0",
        b"\5\x00a\x01\2",
        b"\5\x00a\x02\1",
        b"\5\x00a\x03\1\0\0",
        b"\x40\xf0",
        b"\x40\xfc\xff\xff\xff\xff",
        varint(1 << 62) + b"\0a",
    ],
)
def test_what_is_not_whole_is_an_error(data: bytes) -> None:
    with pytest.raises(DamagedError):
        decompress(data)


def test_a_small_block_cannot_become_a_large_one() -> None:
    """65 bytes that say 4 GiB are refused at once; nothing is set aside for them."""
    start = time.process_time()
    with pytest.raises(DamagedError, match="longer than it can be"):
        decompress(varint(1 << 32) + b"\0a" + b"\xfe\1\0" * 20)
    assert time.process_time() - start < 0.1


@given(st.binary(max_size=80))
def test_any_bytes_are_a_block_or_an_error(data: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert len(decompress(data)) <= 22 * len(data)
