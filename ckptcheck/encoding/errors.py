"""Exceptions for bytes that do not follow their format."""


class DamagedError(Exception):
    """A file is not as TensorFlow writes it.

    The message says what is wrong. The caller adds the file's name.
    """


class TooLargeError(DamagedError):
    """A file is larger than the limit for reading it; it may be valid."""
