"""The checksum and its masked form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.crc32c import crc32c, extend, masked, unmasked


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


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_checksum_can_be_extended(left: bytes, right: bytes) -> None:
    assert extend(crc32c(left), right) == crc32c(left + right)


@given(st.integers(0, (1 << 32) - 1))
def test_masks_come_off(crc: int) -> None:
    assert unmasked(masked(crc)) == crc


def test_the_mask_is_leveldbs() -> None:
    assert masked(0) == 0xA282EAD8
    assert masked(1) == 0xA284EAD8
