"""Watches which files Python code looks at."""

import functools
import genericpath
import importlib.machinery
import inspect
import linecache
import os
import pathlib
import posix
import posixpath
import sys
import tokenize
from typing import Any, Callable, Container, FrozenSet, Mapping, Sequence

from ..seen import Look
from .user_code import is_installed, is_user_file
from .watch import Watch

_getframe = sys._getframe
HAS_AUDIT = hasattr(sys, "addaudithook")
"""Python 3.8 and later report every open, even by functions that were bound before."""
_SETS = ("supports_fd", "supports_dir_fd", "supports_follow_symlinks", "supports_effective_ids")
_IMPORTERS = ("<frozen importlib._bootstrap_external>", "<frozen importlib._bootstrap>")
_EXISTENCE = frozenset(("exists", "isfile", "isdir", "is_file", "is_dir", "is_symlink", "resolve"))
"""Functions that use only whether a file exists, and its kind."""
_LINKS = frozenset(("islink", "lexists", "realpath", "_joinrealpath", "is_symlink"))


def _files_of(*functions: Any) -> FrozenSet[str]:
    """Returns the files of functions as frames name them: ``<frozen posixpath>`` is one."""
    return frozenset(function.__code__.co_filename for function in functions)


_PATHS = _files_of(genericpath.exists, posixpath.realpath)
_PATHLIB = _files_of(pathlib.Path.stat, pathlib.Path.exists, pathlib.Path.is_symlink)
_READERS = _files_of(linecache.checkcache, tokenize.detect_encoding, inspect.getsource)


def watch_files(watch: Watch) -> None:
    """Watches from now on, in this process."""
    if HAS_AUDIT:
        handlers = {"open": _opened, "sqlite3.connect": _connected}
        sys.addaudithook(functools.partial(_audited, watch, handlers))
        _watch_os_open(watch, every=False)  # the audit event does not have the directory
    else:
        _watch_opens(watch)
    replace_in_os("fstat", _by_user(watch, posix.fstat), watch)
    looks = {"stat": _stat_look, "lstat": _lstat_look, "access": _access_look}
    for name, look in looks.items():
        replace_in_os(name, _looking(watch, getattr(posix, name), look), watch)
    plain = {"readlink": Look.LINK, "listdir": Look.NAMES, "chdir": Look.KIND}
    for name, kind in plain.items():
        replace_in_os(name, _noting(watch, getattr(posix, name), kind), watch)
    replace_in_os("scandir", _scanning(watch, posix.scandir), watch)
    for name in ("mkdir", "rename", "replace", "remove", "unlink", "rmdir", "symlink", "link"):
        replace_in_os(name, _changing(watch, getattr(posix, name)), watch)


def watch_opens_of_import(watch: Watch) -> None:
    """Watches what is opened while the tracer imports TensorFlow, such as files of settings."""

    def hook(event: str, given: Any) -> None:
        if watch.starts and event == "open":
            note_open(watch, given[0], given[2])

    if HAS_AUDIT:
        sys.addaudithook(hook)


def replace_in_os(name: str, made: Any, watch: Watch) -> None:
    """Replaces a function of ``os``, also in ``posix`` and where :mod:`pathlib` refers to it.

    Other modules that imported the function by its name keep the original.
    """
    original = getattr(posix, name)
    setattr(posix, name, made)
    if getattr(os, name, None) is original:
        setattr(os, name, made)
    for group in _SETS:
        members = getattr(os, group)
        if original in members:
            members.add(made)
    accessor: Any = getattr(pathlib, "_NormalAccessor", None)  # up to Python 3.10
    if accessor is not None and hasattr(accessor, name):
        setattr(accessor, name, staticmethod(made))

    def is_in_place(_: Watch) -> None:
        if getattr(os, name, None) is not made:
            watch.give_up(f"replaces os.{name}")

    watch.at_the_end(is_in_place)


def wrapped(original: Any, call: Callable[..., Any]) -> Any:
    """Gives a function the name and the docstring of the function that it replaces."""
    return functools.wraps(original)(call)


def argument(args: Sequence[Any], named: Mapping[str, Any], place: int, *names: str) -> Any:
    """Returns what was given at a place or by a name; None if nothing was given."""
    found = [*args[place : place + 1], *(named[name] for name in names if name in named)]
    return found[0] if found else None


def _looking(watch: Watch, original: Any, look: Callable[[Any], Look]) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        path = argument(args, named, 0, "path")
        watch.note(path, look(_getframe(1)), named.get("dir_fd"))
        if not named.get("follow_symlinks", True):
            watch.note(path, Look.LINK, named.get("dir_fd"))
        return original(*args, **named)

    return wrapped(original, call)


def _by_user(watch: Watch, original: Any) -> Any:
    """Notes that the user's code asks for the state of an open file."""

    def call(*args: Any, **named: Any) -> Any:
        if watch.culprit():
            watch.note(argument(args, named, 0, "fd"), Look.STAT)
        return original(*args, **named)

    return wrapped(original, call)


def _noting(watch: Watch, original: Any, look: Look) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        importer = _getframe(1).f_code.co_filename
        if importer not in _IMPORTERS:  # see :mod:`.watch_imports`
            path = argument(args, named, 0, "path")
            watch.note("." if path is None else path, look, named.get("dir_fd"))
        return original(*args, **named)

    return wrapped(original, call)


def _scanning(watch: Watch, original: Any) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        file = _getframe(1).f_code.co_filename
        look = Look.STATS if is_user_file(file) or is_installed(file) else Look.NAMES
        path = argument(args, named, 0, "path")
        watch.note("." if path is None else path, look)
        return original(*args, **named)

    return wrapped(original, call)


def _changing(watch: Watch, original: Any) -> Any:
    """Notes the kinds of the paths before the code changes them."""

    def call(*args: Any, **named: Any) -> Any:
        first = argument(args, named, 0, "path", "src")
        watch.note(first, Look.KIND, named.get("dir_fd", named.get("src_dir_fd")))
        second = argument(args, named, 1, "dst")
        if type(second) is not int:  # not the mode of a new directory
            watch.note(second, Look.KIND, named.get("dst_dir_fd"))
        return original(*args, **named)

    return wrapped(original, call)


def _stat_look(frame: Any) -> Look:
    """Returns what a caller of ``os.stat`` wants to know."""
    code = frame.f_code
    file, name = code.co_filename, code.co_name
    if file in _IMPORTERS:
        return Look.KIND
    if file in _READERS:
        return Look.CONTENT
    if file in _PATHS and name == "getsize":
        return Look.SIZE
    return Look.KIND if _is_within(frame, _EXISTENCE) else Look.STAT


def _lstat_look(frame: Any) -> Look:
    return Look.LINK if _is_within(frame, _LINKS) else Look.STAT


def _is_within(frame: Any, names: Container[str]) -> bool:
    """Whether a function of ``os.path`` or ``pathlib`` with one of the names makes the call."""
    while frame is not None and frame.f_code.co_filename in _PATHS | _PATHLIB:
        if frame.f_code.co_name in names:
            return True
        frame = frame.f_back
    return False


def _access_look(frame: Any) -> Look:
    return Look.STAT


def _audited(
    watch: Watch, handlers: Mapping[str, Callable[[Watch, Any], None]], event: str, given: Any
) -> None:
    handler = handlers.get(event)
    if handler is not None:
        handler(watch, given)


def _opened(watch: Watch, given: Any) -> None:
    path, _, flags = given
    note_open(watch, path, flags)


def note_open(watch: Watch, path: Any, flags: int, folder: Any = None) -> None:
    """Notes that a file is opened; see :meth:`.Watch.note`."""
    if flags & os.O_EXCL:
        watch.note(path, Look.KIND, folder)
    if flags & os.O_ACCMODE == os.O_WRONLY or flags & os.O_TRUNC:
        watch.note_written(path, folder)
    elif flags & os.O_DIRECTORY:
        watch.note(path, Look.KIND, folder)
    else:
        watch.note(path, Look.CONTENT, folder)


def _connected(watch: Watch, given: Any) -> None:
    path = given[0]
    if path and path != ":memory:":
        watch.note(path, Look.CONTENT)


def _watch_opens(watch: Watch) -> None:
    """Watches the opens of Python 3.7, which has no audit events."""
    import builtins
    import io

    def opening(original: Any) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            mode = argument(args, named, 1, "mode") or "r"
            written = isinstance(mode, str) and "r" not in mode and "+" not in mode
            (watch.note_written if written else _note_content)(argument(args, named, 0, "file"))
            return original(*args, **named)

        return wrapped(original, call)

    def _note_content(file: Any) -> None:
        watch.note(file, Look.CONTENT)

    made = opening(io.open)
    for module in (builtins, io, sys.modules["_io"]):
        module.open = made  # type: ignore[attr-defined]
    _watch_os_open(watch, every=True)


def _watch_os_open(watch: Watch, every: bool) -> None:
    """Watches ``os.open``: every call, or those that name a directory by its descriptor."""
    original = posix.open

    def os_open(*args: Any, **named: Any) -> Any:
        folder = named.get("dir_fd")
        if every or folder is not None:
            flags = argument(args, named, 1, "flags") or 0
            note_open(watch, argument(args, named, 0, "path"), flags, folder)
        return original(*args, **named)

    replace_in_os("open", wrapped(original, os_open), watch)


def compile_sources(watch: Watch) -> None:
    """Lets Python compile the user's modules from their sources, and notes these.

    A cached ``.pyc`` file can be that of an older source of the same size and time.
    """
    loader: Any = importlib.machinery.SourceFileLoader
    original = loader.path_stats

    def path_stats(self: Any, path: str) -> Any:
        if not is_user_file(path):
            return original(self, path)
        watch.note(path, Look.CONTENT)
        raise OSError("the source is compiled again")

    loader.path_stats = wrapped(original, path_stats)
