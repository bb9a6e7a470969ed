"""Reads the commit of a git repository from its files, without running git."""

import os
import re
from typing import Optional

_LARGEST_FILE = 4 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_FOLDERS = 50
_MOST_NAMES = 5
_open = open


def revision_of(path: str) -> str:
    """Returns the commit that is checked out in the repository of a file; "" if there is none."""
    folder = os.path.dirname(os.path.abspath(path))
    for _ in range(_MOST_FOLDERS):
        git = os.path.join(folder, ".git")
        if os.path.exists(git):
            return _commit(_git_folder(git))
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    return ""


def _git_folder(git: str) -> str:
    """Returns the directory of the repository. In a worktree, .git is a file that names it."""
    if os.path.isdir(git):
        return git
    named = _text(git).partition("gitdir:")[2].strip()
    return os.path.normpath(os.path.join(os.path.dirname(git), named))


def _commit(folder: str) -> str:
    common = os.path.join(folder, _text(os.path.join(folder, "commondir")).strip())
    head = _text(os.path.join(folder, "HEAD")).strip()
    for _ in range(_MOST_NAMES):
        if _COMMIT.fullmatch(head):
            return head
        if not head.startswith("ref:"):
            return ""
        name = head.partition(":")[2].strip()
        places = (os.path.join(place, name) for place in (folder, common))
        head = next((text for text in map(_text, places) if text), "").strip()
        head = head or _packed(os.path.join(common, "packed-refs"), name)
    return ""


def _packed(path: str, name: str) -> str:
    lines = (line.split() for line in _text(path).splitlines())
    return next((parts[0] for parts in lines if parts[1:] == [name]), "")


def _text(path: str) -> str:
    """Returns the text of a file, "" if it cannot be read."""
    content: Optional[bytes] = None
    try:
        with _open(path, "rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError:  # it is missing, or a directory
        return ""
    return content.decode("utf-8", "replace")
