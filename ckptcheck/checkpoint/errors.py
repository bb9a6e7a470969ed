"""Exceptions for checkpoint files that do not follow the format."""

from ..encoding.errors import DamagedError, TooLargeError

__all__ = ["CompressedError", "DamagedError", "FirstVersionError", "TooLargeError"]


class CompressedError(DamagedError):
    """A block of an index is compressed. TensorFlow 1.2 and later write no such blocks."""


class FirstVersionError(DamagedError):
    """A checkpoint has the V1 format, which only TensorFlow can list."""
