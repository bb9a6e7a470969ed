"""The checksum, compiled or not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.crc32c import crc32c, extend, extend_by_table, masked, unmasked


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_known_values(data: bytes, expected: int) -> None:
    """The check value of the polynomial, and the examples of RFC 3720."""
    assert crc32c(data) == expected
    assert extend_by_table(0, data) == expected


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_checksum_can_be_extended(left: bytes, right: bytes) -> None:
    assert extend(crc32c(left), right) == crc32c(left + right)
    assert extend_by_table(crc32c(left), right) == crc32c(left + right)


@pytest.mark.parametrize("size", [(1 << 17) - 1, 1 << 17, (1 << 17) + 1])
def test_the_large_table_and_the_small_one_agree(size: int) -> None:
    data = random.Random(size).getrandbits(8 * size).to_bytes(size, "big")
    pieces = 0
    for start in range(0, size, 1000):
        pieces = extend_by_table(pieces, data[start : start + 1000])
    assert extend_by_table(0, data) == pieces == crc32c(data)


@given(st.integers(0, (1 << 32) - 1))
def test_masks_come_off(crc: int) -> None:
    assert unmasked(masked(crc)) == crc


def test_the_mask_is_leveldbs() -> None:
    assert masked(0) == 0xA282EAD8
    assert masked(1) == 0xA284EAD8
