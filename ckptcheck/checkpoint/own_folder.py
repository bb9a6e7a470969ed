"""A temporary directory for files that are fetched or unpacked."""

import contextlib
import errno
from typing import Iterator

from ..errors import UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """Makes a temporary directory that exists while the context lasts.

    Raises:
        UsageError: it cannot be made.
    """
    from ..tracer import temporary  # takes time, and few checks need it

    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary.folder())
        except OSError as error:
            raise UsageError(temporary.no_place(error)) from None
        yield folder


def full_disk_message(error: BaseException) -> str:
    """Returns a message if the temporary directory is full; "" for any other error."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return ""
    from ..tracer import temporary

    return (
        f"TMPDIR ({temporary.parent()}) is full ({error.strerror}). Free some space "
        "there, or set TMPDIR to another directory"
    )
