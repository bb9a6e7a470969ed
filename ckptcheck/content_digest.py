"""A digest of a tensor's values, which both sides of the pipe compute."""

import hashlib
from typing import Tuple


def content_digest(content: bytes, size: int) -> Tuple[str, int]:
    """Returns a digest of a tensor's values. Both sides of the pipe compute the same digest.

    TensorFlow may write or omit repetitions of the last value, so the digest ignores them.

    Args:
        content: the values.
        size: the bytes of one value.

    Returns:
        The digest in hexadecimal, and the number of bytes without the repetitions.
    """
    end = len(content)
    last = content[-size:]
    for step in (size << 16, size << 8, size):
        if end < step + size:
            continue
        repeated = last * (step // size)
        while content.endswith(repeated, max(end - size - step, 0), max(end - size, 0)):
            end -= step
    return _sha256(memoryview(content)[:end]).hexdigest(), end


_sha256 = hashlib.sha256
"""Bound here because traced code may replace it in its module."""
