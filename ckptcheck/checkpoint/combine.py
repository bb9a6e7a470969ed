"""Combines the checksums of two pieces of data.

A CRC is the remainder of a polynomial over GF(2), so appending bytes to a piece multiplies its
checksum by a power of x.
"""

import functools

_POLYNOMIAL = 0x82F63B78
_ONE, _X = 1 << 31, 1 << 30
"""The polynomials 1 and x. A reflected CRC stores the coefficient of x**0 in the highest bit."""


def combined(first: int, second: int, size: int) -> int:
    """Returns the checksum of a piece followed by another piece.

    Args:
        first: the checksum of the first piece.
        second: the checksum of the second piece.
        size: the number of bytes of the second piece.
    """
    return _product(_power(8 * size), first) ^ second


def _product(left: int, right: int) -> int:
    result = 0
    while left:
        if left & _ONE:
            result ^= right
        left = (left << 1) & 0xFFFFFFFF
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return result


@functools.lru_cache(maxsize=64)
def _power(exponent: int) -> int:
    """Returns x to the power of ``exponent``."""
    result, square = _ONE, _X
    while exponent:
        if exponent & 1:
            result = _product(result, square)
        square = _product(square, square)
        exponent >>= 1
    return result
