"""Distinguishes the user's code from libraries by the path of its file."""

import linecache
import os
import sys
import sysconfig
import types
from os.path import join, normpath
from typing import Any, Iterable, Iterator, List, Optional, Tuple

from ..protocol import Frame
from ..uses import Location

_INSTALLED = tuple(
    os.path.join(os.path.abspath(path), "")
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_HERE = os.getcwd()
"""The directory where ckptcheck was started, or that :func:`start_in` set. The user's code may
change the working directory."""
_getframe, _getline = sys._getframe, linecache.getline
"""Bound here, like the imports above, because the user's code may replace them."""
_SEPARATOR = os.sep
_LIBRARY_FOLDERS = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


_TARGETS: List[str] = []


def start_in(folder: str) -> None:
    """Makes a directory the one that relative paths start from."""
    global _HERE
    os.chdir(folder)
    _HERE = folder


def absolute(path: str) -> str:
    """A path as an absolute path, from the directory where ckptcheck was started."""
    return normpath(join(_HERE, path))


def add_target(path: str) -> None:
    """Makes a package or module count as the user's code, even if it is installed."""
    _TARGETS.append(absolute(path))


def is_user_file(path: Optional[str]) -> bool:
    """Whether a file is the user's: the target's, or outside the interpreter's directories."""
    if not path or path.startswith("<"):
        return False
    full = absolute(path)
    if any(full == target or full.startswith(target + _SEPARATOR) for target in _TARGETS):
        return True
    if any(folder in full for folder in _LIBRARY_FOLDERS):
        return False
    return not full.startswith(_INSTALLED)


def is_installed(path: Optional[str]) -> bool:
    """Whether a file belongs to an installed package, and not to the standard library."""
    return path is not None and any(folder in absolute(path) for folder in _LIBRARY_FOLDERS)


def caller() -> Optional[Location]:
    """The innermost line of the user's code on the stack."""
    frame: Optional[types.FrameType] = _getframe(1)
    while frame is not None:
        if is_user_file(frame.f_code.co_filename):
            return Location(shown(frame.f_code.co_filename), frame.f_lineno)
        frame = frame.f_back
    return None


def shown(path: str) -> str:
    """A path for messages: relative to the working directory if it is below it."""
    full, above = absolute(path), join(_HERE, "")
    return full[len(above) :] if full.startswith(above) else path


def created_at(frames: Iterable[Any]) -> Optional[Location]:
    """The innermost line of the user's code among the frames in which TensorFlow made an op."""
    for frame in reversed(list(frames)):
        if is_user_file(frame.filename):
            return Location(shown(frame.filename), frame.lineno)
    return None


def user_frames(error: BaseException, most: int = 4) -> Tuple[Frame, ...]:
    """The last frames of the user's code in a traceback, the innermost last.

    The line that Python cannot parse counts as the innermost.
    """
    frames = [_described(item) for item in _walk(error.__traceback__)]
    return (*frames, *_unparsed(error))[-most:]


def _unparsed(error: BaseException) -> Iterator[Frame]:
    if type(error) in (SyntaxError, IndentationError, TabError):
        path, number = getattr(error, "filename", None), getattr(error, "lineno", None)
        if type(path) is str and type(number) is int and is_user_file(path):
            yield Frame(shown(path), number, "<module>", _line(absolute(path), number))


def user_code_frames(traceback: Any) -> Iterator[types.FrameType]:
    """Yields the frames of the user's code in a traceback, the innermost last."""
    return (item.tb_frame for item in _walk(traceback))


def _described(item: types.TracebackType) -> Frame:
    code = item.tb_frame.f_code
    text = _line(absolute(code.co_filename), item.tb_lineno)
    return Frame(shown(code.co_filename), item.tb_lineno, code.co_name, text)


def _walk(traceback: Any) -> Iterator[types.TracebackType]:
    while traceback is not None:
        if is_user_file(traceback.tb_frame.f_code.co_filename):
            yield traceback
        traceback = traceback.tb_next


def _line(path: str, number: int) -> str:
    try:
        return _getline(path, number).strip()[:200]
    except Exception:  # the code has replaced functions that read files
        return ""
