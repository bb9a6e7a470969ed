"""Knows which documents and pictures kept traces depend on: most traces depend on none."""

import os
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Set

from ..seen import Look
from .store import Store

if TYPE_CHECKING:
    from .dependencies import Dependencies

_KIND = "documents"
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


def is_document(path: str) -> bool:
    """Whether a file is a document or a picture by its name, which code of a model rarely reads."""
    name = os.path.basename(path).lower()
    return name.endswith(_ENDINGS) or name in _NAMES


class Change(NamedTuple):
    """A file that differs between two states of a repository.

    Attributes:
        path: its absolute path.
        same_names: whether it is in both, so that a list of its directory stays the same.
    """

    path: str
    same_names: bool


def remember_documents(store: Store, name: str, found: "Dependencies") -> None:
    """Writes what an entry depends on if only documents and pictures change.

    Args:
        store: the cache.
        name: the name of the entry.
        found: what it depends on.
    """
    parts: Dict[str, List[str]] = {"files": [], "names": [], "stats": []}
    for path, look, _ in found.files:
        if look in (str(Look.NAMES), str(Look.STATS)):
            parts[look].append(path)
        elif is_document(path):
            parts["files"].append(path)
    if any(parts.values()) or store.read(_KIND, name) is not None:
        store.write(_KIND, name, dict(parts))


def touch_documents(store: Store, name: str) -> None:
    """Notes that an entry was used."""
    store.touch(_KIND, name)


def matters(changes: Iterable[Change], folders: Iterable[str]) -> bool:
    """Whether a kept trace depends on one of some changed files.

    Args:
        changes: documents and pictures that have changed.
        folders: the directories of caches.
    """
    known: Dict[str, Set[str]] = {"files": set(), "names": set(), "stats": set()}
    for folder in folders:
        store = Store(folder)
        for name in store.names(_KIND):
            document = store.read(_KIND, name) or {}
            for key, paths in known.items():
                part = document.get(key)
                paths.update(map(str, part) if isinstance(part, list) else ())
    return any(_matters(change, known) for change in changes)


def _matters(change: Change, known: Dict[str, Set[str]]) -> bool:
    for path in {change.path, os.path.realpath(change.path)}:
        folder = os.path.dirname(path)
        if path in known["files"] or folder in known["stats"]:
            return True
        if not change.same_names and not known["names"].isdisjoint(_above(folder)):
            return True  # git has no directories: the file may be the first one in several
    return False


def _above(folder: str) -> List[str]:
    found = [folder]
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        found.append(folder)
    return found
