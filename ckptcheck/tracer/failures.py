"""Turns an exception of the user's code into a :class:`..protocol.Failure`."""

import re
from typing import Any, Callable, Optional

from ..protocol import Failure, FailureKind
from .user_code import user_frames

_LONGEST_MESSAGE = 2000
_LONGEST_NAME = 200
_MOST_READ = 1 << 16


class UsageError(Exception):
    """An argument is wrong, or something is missing. The message says what to do."""


class NoSuchCodeError(UsageError):
    """The user named code that does not exist."""


class StructureMismatch(BaseException):
    """The guessed structure of the features or labels is wrong.

    A BaseException, so that ``except Exception`` in the user's code does not catch it.
    """


def failure_of(error: BaseException, doing: str = "") -> Failure:
    """Returns the Failure for an exception that the user's code raised.

    Args:
        error: the exception.
        doing: what the tracer did, such as ``importing net``; "" for the call of model_fn.
    """
    if isinstance(error, UsageError):
        missing = isinstance(error, NoSuchCodeError)
        return Failure(FailureKind.NO_SUCH_CODE if missing else FailureKind.USAGE, "", str(error))
    if isinstance(error, SystemExit):
        kind, name = FailureKind.EXITED, "SystemExit"
        text = f"called sys.exit({_text_of(repr, error.code)})"
    else:
        kind = FailureKind.OUT_OF_MEMORY if isinstance(error, MemoryError) else FailureKind.RAISED
        name = type(error).__name__[:_LONGEST_NAME]
        text = _text_of(str, error)
    said = f"{doing}: {text}" if doing else text
    return Failure(kind, name, said, user_frames(error))


_SPACES = re.compile(r"\s+").sub
"""Compiled here, like all patterns in this file, because user code may replace functions of re."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}\b").sub
"""The address of an object, which differs from trace to trace. Without it, messages can be compared
and findings of several modes are one finding."""


def _text_of(write: Callable[[Any], str], value: Any) -> str:
    """Returns ``str`` or ``repr`` of a user's value, in one line."""
    try:
        text = str.__str__(write(value))[:_MOST_READ]
    except BaseException as broken:  # a method of the user's class raised; show the class name
        return f"(its message cannot be shown: {type(broken).__name__})"
    return _ADDRESS("", _SPACES(" ", text)).strip()[:_LONGEST_MESSAGE]


_MISSING_NAME = re.compile(r"module '(tensorflow[\w.]*)' has no attribute '(\w+)'")
_HOME = re.compile(r"^tensorflow(\._api)?(\._?v\d)*\.?")
_ESTIMATOR_HOME = "tensorflow_estimator.python.estimator.api."
_MISSING_MODULE = re.compile(r"No module named '(tensorflow(?:\.\w+)*)'")


def missing_tensorflow_name(error: Optional[BaseException]) -> str:
    """Returns the dotted name below ``tf`` that the code did not find; "" if it missed none."""
    if isinstance(error, AttributeError):
        found = _MISSING_NAME.search(str(error))
        if found:
            module = _HOME.sub("", found.group(1).replace(_ESTIMATOR_HOME, "tensorflow."))
            return ".".join(part for part in (module, found.group(2)) if part)
    if isinstance(error, ImportError):
        found = _MISSING_MODULE.search(str(error))
        if found:
            return found.group(1).partition(".")[2]
    return ""
