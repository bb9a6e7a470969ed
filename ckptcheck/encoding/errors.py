"""What is raised where bytes are not what their format says."""


class DamagedError(Exception):
    """A file is not as TensorFlow writes it.

    The message says what is wrong with it; who catches it knows the file's name.
    """


class TooLargeError(DamagedError):
    """A file has more bytes than are read of it, whatever is in it."""
