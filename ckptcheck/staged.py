"""Looks at what git has staged: documents and pictures change a check only if it reads them."""

import os
import subprocess
from typing import List, Optional

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
_ENDINGS = (
    *(".md", ".markdown", ".rst", ".adoc", ".pdf"),
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico"),
)
_NAMES = frozenset(
    name + ending
    for name in (
        *("authors", "changelog", "changes", "codeowners", "contributing", "contributors"),
        *("copying", "history", "licence", "license", "notice", "readme"),
    )
    for ending in ("", ".txt")
)


def staged_documents() -> List[str]:
    """Returns the staged files if all of them are documents and pictures.

    Returns:
        Their absolute paths; none if other files are staged, or if git does not know.
    """
    paths = None if _OTHER_FILES in os.environ else _staged()
    if not paths or not all(map(is_document, paths)):
        return []
    root = os.fsdecode(_git(*_ROOT) or b"").rstrip("\n")
    return [os.path.join(root, path) for path in paths] if root else []


def is_document(path: str) -> bool:
    """Whether a file is a document or a picture by its name, which code of a model rarely reads."""
    name = os.path.basename(path).lower()
    return name.endswith(_ENDINGS) or name in _NAMES


def _staged() -> Optional[List[str]]:
    """Returns the staged files; None if git does not know, or if one is no regular file."""
    listing = _git(*_DIFF)
    if listing is None:
        return None
    paths = []
    parts = iter(listing.split(b"\0"))
    for head in filter(None, parts):
        before, after, *_ = head.decode("ascii", "replace").lstrip(":").split(" ")
        if before not in _FILES or after not in _FILES:
            return None
        paths.append(os.fsdecode(next(parts, b"")))
    return paths


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
