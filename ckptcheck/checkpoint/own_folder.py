"""A temporary directory for what is fetched or unpacked, and what to say where it is full."""

import contextlib
import errno
from typing import Iterator

from ..errors import UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """Makes a temporary directory that is there for as long as the context lasts.

    Raises:
        UsageError: there is no place for it.
    """
    from ..tracer import temporary  # which takes time, and few checks need one

    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary.folder())
        except OSError as error:
            raise UsageError(temporary.no_place(error)) from None
        yield folder


def full_disk_message(error: BaseException) -> str:
    """What to say where the directory for temporary files is full; "" of any other error."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return ""
    from ..tracer import temporary

    return (
        f"TMPDIR ({temporary.parent()}) has no room for it ({error.strerror}). Free some space "
        "there, or set TMPDIR to another directory"
    )
