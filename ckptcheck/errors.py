"""The exceptions that ckptcheck raises for what it was asked wrongly."""

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def said_of_a_full_disk(error: BaseException) -> str:
    """What to say where the directory for temporary files is full; "" of any other error."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return ""
    import tempfile  # which takes time, and few disks are full

    return (
        f"TMPDIR ({tempfile.gettempdir()}) has no room for it ({error.strerror}). Free some space "
        "there, or set TMPDIR to another directory"
    )


class UsageError(Exception):
    """ckptcheck was asked wrongly, or could not do its work (exit code 2).

    The message names the thing, says what was expected, and what to do next.
    """


class UnknownFeaturesError(UsageError):
    """The features cannot be found, so the user has to say what they are.

    Attributes:
        problem: why they cannot be found, without what to do.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}. {advice}")
        self.problem = problem
