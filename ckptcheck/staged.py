"""Finds out whether a commit can change a configured check. It runs before anything slow."""

import fnmatch
import os
import subprocess
from typing import Any, Iterator, List, Mapping, Optional

from .cache.documents import Change, is_document, matters
from .cache.store import folder_for
from .config.toml_file import Document, find_file, read_document
from .errors import UsageError
from .sanitize import printable

_DIFF = (
    *("-c", "diff.relative=false", "diff", "--cached", "--raw", "-z"),
    *("--no-renames", "--ignore-submodules=dirty", "--no-ext-diff"),
)
_ROOT = ("rev-parse", "--show-toplevel")
_OTHER_FILES = "PRE_COMMIT_FROM_REF"
"""pre-commit sets it if the files come from a range of commits, such as before a push."""
_PATIENCE = 30.0
"""Seconds for git."""
_FILES = ("000000", "100644", "100755")
"""The modes of regular files, and of no file. Links and submodules have others."""
_MODIFIED = "M"
_NO_PATHS = {"ignore", "severity"}
"""Tables of the configuration in which ``*`` is no glob of files."""


def why_skipped(given: Mapping[str, Any]) -> str:
    """Returns why no configured check has to run; "" if the checks have to run.

    Only documents and pictures are staged, no trace in the cache depends on one of them, and the
    configuration names none. If this is not known, the checks run.

    Args:
        given: the options of the command line.
    """
    changes = _staged()
    if not changes or not all(is_document(change.path) for change in changes):
        return ""
    try:
        file = os.path.abspath(given.get("config") or find_file(os.getcwd()))
        document = read_document(file)
    except (OSError, UsageError):  # the command says what is wrong
        return ""
    if not document.table.get("check") or _is_named(changes, document):
        return ""
    if matters(changes, _caches(given.get("cache_dir", ""), document)):
        return ""
    first, more = os.path.relpath(changes[0].path), len(changes) - 1
    others = f" and {more} more" if more else ""
    staged = f"only documents and pictures are staged ({printable(first, 200)}{others})"
    return f"ckptcheck: skipped all checks: {staged}\n"


def _staged() -> Optional[List[Change]]:
    """Returns the staged files; None if git does not know, or if one is no regular file."""
    if _OTHER_FILES in os.environ:
        return None
    listing, root = _git(*_DIFF), ""
    if not listing:
        return None
    changes: List[Change] = []
    parts = iter(listing.split(b"\0"))
    for head in filter(None, parts):
        before, after, *_, status = head.decode("ascii", "replace").lstrip(":").split(" ")
        path = os.fsdecode(next(parts, b""))
        if before not in _FILES or after not in _FILES or not is_document(path):
            return None
        root = root or os.fsdecode(_git(*_ROOT) or b"").rstrip("\n")
        if not root:
            return None
        changes.append(Change(os.path.join(root, path), status == _MODIFIED))
    return changes


def _git(*arguments: str) -> Optional[bytes]:
    """Returns what git prints; None if it fails.

    The variables of the hook stay: git sets ``GIT_INDEX_FILE`` if a commit takes only some files.
    """
    try:
        done = subprocess.run(
            ["git", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _is_named(changes: List[Change], document: Document) -> bool:
    """Whether a text of the configuration names a staged file, or is a glob that matches one."""
    root = os.path.realpath(os.path.dirname(document.file))
    paths = [os.path.relpath(os.path.realpath(change.path), root) for change in changes]
    table = {key: document.table[key] for key in set(document.table) - _NO_PATHS}
    patterns = {os.path.normpath(text.replace("{name}", "*")) for text in _texts(table)}
    return any(fnmatch.fnmatchcase(path, pattern) for path in paths for pattern in patterns)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _caches(given: str, document: Document) -> List[str]:
    """Returns the directories of the caches that the checks use."""
    root = os.path.dirname(document.file)
    if given:
        return [os.path.abspath(given)]
    checks = document.table["check"]
    tables = [document.table, *(checks if isinstance(checks, list) else [])]
    named = [
        table.get(key)
        for table in tables
        if isinstance(table, dict)
        for key in ("cache-dir", "cache_dir")
    ]
    return [folder_for(name if isinstance(name, str) else "", root) for name in {None, *named}]
