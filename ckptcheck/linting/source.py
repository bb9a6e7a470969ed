"""Finds and reads the Python files to lint."""

import ast
import fnmatch
import io
import os
import re
import stat
import tokenize
import warnings
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple, Union

from ..errors import UsageError
from ..skipped_folders import is_skipped
from .syntax import Ignore, Module

LARGEST_FILE = 4 << 20
"""The most bytes of a file. A larger file is probably generated, and is not parsed."""
_RELEVANT = re.compile(rb"tensorflow|tf_slim|ckptcheck:")
"""What a file must contain for a rule to find something in it."""
_BETWEEN = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
"""Tokens that begin no statement."""
_COMMENT = re.compile(r"#\s*ckptcheck:\s*ignore\b(?:\[([^\]]*)\])?")


class NotParsed(NamedTuple):
    """A file that cannot be judged, and why."""

    path: str
    reason: str


def python_files(given: Sequence[str], exclude: Sequence[str]) -> List[str]:
    """Returns the Python files that paths name: files, and those below directories, sorted.

    Raises:
        UsageError: a path does not exist, or cannot be read.
    """
    found: Dict[str, str] = {}
    for path in given:
        for name in _files_of(path, exclude):
            found.setdefault(os.path.abspath(name), name)
    return sorted(found.values())


def _files_of(path: str, exclude: Sequence[str]) -> Iterator[str]:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise UsageError(
            f"{path} cannot be linted: {error.strerror}; expected Python files or directories"
        ) from None
    if stat.S_ISDIR(mode):
        yield from _files_below(path, exclude)
    elif not stat.S_ISREG(mode):
        raise UsageError(f"{path} cannot be linted: expected Python files or directories")
    elif not _excluded(path, exclude):
        yield os.path.normpath(path)


def _files_below(root: str, exclude: Sequence[str]) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be listed: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=fail):
        paths = {name: os.path.join(folder, name) for name in sorted(folders)}
        folders[:] = [
            name
            for name, path in paths.items()
            if not is_skipped(path) and not _excluded(path, exclude)
        ]
        for name in names:
            path = os.path.normpath(os.path.join(folder, name))
            if name.endswith(".py") and os.path.isfile(path) and not _excluded(path, exclude):
                yield path


def _excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches a path, a directory above it, or the name of one of these.

    Directories above the working directory do not count.
    """
    parts = os.path.relpath(path).split(os.sep) if patterns else []
    above = (os.path.join(*parts[: number + 1]) for number in range(len(parts)))
    names = {*above, *parts, os.path.normpath(path)}
    return any(fnmatch.fnmatch(name, os.path.normpath(p)) for p in patterns for name in names)


def read_module(path: str, imported: bool = False) -> Union[Module, NotParsed, None]:
    """Reads and parses a file.

    Args:
        path: the file.
        imported: whether another file imports it. Such a file is parsed, whatever it contains.

    Returns:
        None if no rule can find anything in it.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if not imported and _RELEVANT.search(data) is None:
        return None
    if len(data) > LARGEST_FILE:
        return NotParsed(path, f"larger than {LARGEST_FILE >> 20} MiB")
    try:
        text = _decoded(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about the code, such as an invalid escape
            tree = ast.parse(text, "<file>")
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        line = f" at line {error.lineno}" if getattr(error, "lineno", None) else ""  # type: ignore[union-attr]
        why = getattr(error, "msg", None) or f"{error}"
        return NotParsed(path, f"not Python 3 code{line}: {why}")
    except (ValueError, RecursionError, MemoryError) as error:
        return NotParsed(path, f"Python cannot parse it: {error or type(error).__name__}")
    ignores = ignores_in(text) if b"ckptcheck:" in data else ()
    return Module(path, text, tree, ignores)


def _decoded(data: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    with io.TextIOWrapper(io.BytesIO(data), encoding) as file:
        return file.read()


def ignores_in(text: str) -> Tuple[Ignore, ...]:
    """Returns the comments of a file that ignore findings."""
    found = []
    begin = 0  # the line at which a statement begins; 0 between statements
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            begin = 0
        elif token.type not in _BETWEEN:
            begin = begin or token.start[0]
        elif token.type == tokenize.COMMENT:
            match = _COMMENT.search(token.string)
            if match is not None:
                rules = (match.group(1) or "").split(",")
                line, column = token.start
                at = column + match.start() + 1
                names = [name.strip() for name in dict.fromkeys(rules)]
                found += [Ignore(line, at, name, begin or line) for name in names]
    return tuple(found)
