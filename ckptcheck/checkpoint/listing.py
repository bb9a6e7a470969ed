"""What lies in a model_dir, so that what changes in it while code is traced is seen."""

import dataclasses
import os
from typing import Dict, List, Mapping, Tuple

from ..spec import FileChange

_MOST_ENTRIES = 20000


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files and directories below a directory.

    Attributes:
        entries: each one's size and time of change by its name; a directory's name ends with a
            slash, and it has neither, since both follow from what is in it.
        whole: whether they are all; a listing has bounds.
    """

    entries: Mapping[str, Tuple[int, int]]
    whole: bool


def listing(folder: str) -> Listing:
    """Lists a directory; what may not be read is left out, and links are not followed."""
    entries: Dict[str, Tuple[int, int]] = {}
    waiting = [folder]
    while waiting and len(entries) < _MOST_ENTRIES:
        for entry in _scan(waiting.pop()):
            name = os.path.relpath(entry.path, folder)
            if entry.is_dir(follow_symlinks=False):
                entries[name + "/"] = (0, 0)
                waiting.append(entry.path)
            else:
                entries[name] = _state(entry)
    return Listing(entries, not waiting)


def _scan(folder: str) -> List["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _state(entry: "os.DirEntry[str]") -> Tuple[int, int]:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:  # it has just been removed
        return (0, 0)
    return info.st_size, info.st_mtime_ns


def changes(before: Listing, after: Listing) -> Tuple[FileChange, ...]:
    """What happened between two listings, by name; nothing where one of them is not whole."""
    if not (before.whole and after.whole):
        return ()
    old, new = before.entries, after.entries
    kinds = dict.fromkeys(set(new) - set(old), "written")
    kinds.update((name, "removed") for name in set(old) - set(new))
    kinds.update((name, "changed") for name in set(old) & set(new) if old[name] != new[name])
    return tuple(FileChange(name, kinds[name]) for name in sorted(kinds))
