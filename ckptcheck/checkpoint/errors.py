"""Exceptions for checkpoint files that do not follow the format."""


class DamagedError(Exception):
    """A file of a checkpoint does not follow the format.

    The message says what is wrong, without the name of the file.
    """


class TooLargeError(DamagedError):
    """A file is larger than what ckptcheck reads."""


class CompressedError(DamagedError):
    """A block of an index is compressed. TensorFlow 1.2 and later write no such blocks."""


class FirstVersionError(DamagedError):
    """A checkpoint has the V1 format, which only TensorFlow can list."""
