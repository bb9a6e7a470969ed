"""What is raised where a checkpoint's bytes are not what the format says."""


class DamagedError(Exception):
    """A file of a checkpoint is not as TensorFlow writes it.

    The message says what is wrong with it; who catches it knows the file's name.
    """


class TooLargeError(DamagedError):
    """A file has more bytes than are read of it, whatever is in it."""


class CompressedError(DamagedError):
    """A block of an index is compressed. TensorFlow 1.2 and later write no such blocks."""


class FirstVersionError(DamagedError):
    """A checkpoint of the V1 format, which TensorFlow alone can list."""
