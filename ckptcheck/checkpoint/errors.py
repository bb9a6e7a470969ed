"""What is raised where a checkpoint's bytes are not what the format says."""

from ..encoding.errors import DamagedError, TooLargeError

__all__ = ["DamagedError", "FirstVersionError", "TooLargeError"]


class FirstVersionError(DamagedError):
    """A checkpoint of the V1 format, which TensorFlow alone can list."""
