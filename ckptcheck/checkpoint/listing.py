"""What lies in a model_dir, so that what changes in it while code is traced is seen."""

import dataclasses
import os
import re
import time
from typing import Dict, List, Mapping, NamedTuple, Tuple

from ..model_dir import FileChange
from .names import without_ending
from .state_file import STATE_FILE

_MOST_ENTRIES = 20000
_FRESH_SECONDS = 10.0
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.05


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


class Attributed(NamedTuple):
    """Changes of files, by what may have caused them.

    Attributes:
        of_a_training: files such as a training run writes, if there are signs of one. The code may
            have written such files as well.
        others: everything else.
    """

    of_a_training: Tuple[FileChange, ...]
    others: Tuple[FileChange, ...]


def attributed(before: Listing, after: Listing) -> Attributed:
    """Tells the files that a training run writes from what happened between two listings."""
    found = changes(before, after)
    mine: Tuple[FileChange, ...] = ()
    if _shows_a_training(found):
        mine = tuple(change for change in found if _is_of_a_training(change.name))
    elif _is_fresh(before):  # the only sign of a training run is a save that has just ended
        mine = tuple(change for change in found if _is_of_a_save(change.name))
    return Attributed(mine, tuple(change for change in found if change not in mine))


def listing_after(folder: str, before: Listing) -> Listing:
    """Lists a directory again; in the middle of a save, once the state file was written."""
    after = listing(folder)
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        found = changes(before, after)
        if not any(_is_of_a_save(change.name) for change in found) or _shows_a_training(found):
            break
        time.sleep(_PAUSE_SECONDS)
        after = listing(folder)
    return after


_EVENTS = re.compile(r"events\.out\.tfevents\.")
_SAVING = re.compile(
    r"""(checkpoint|graph\.pbtxt|.+\.meta)\.tmp[0-9a-f]{32}
        |.+\.(index|data-\d{5}-of-\d{5})\.tempstate\d+
        |.+_temp(_[0-9a-f]{32})?/.*
        """,
    re.VERBOSE | re.DOTALL,
)
"""The temporary names of a save. A save of the code itself has renamed them when the code ends."""
_OTHERS = re.compile(
    r"(.*/)?(graph\.pbtxt|timeline-\d+\.json)|eval(_[^/]+)?/|(export|plugins)/.*", re.DOTALL
)
"""What else Estimator and its hooks write: the graph, profiles, evaluations, and exports."""


def _shows_a_training(found: Tuple[FileChange, ...]) -> bool:
    """Whether another process trains there: it saves, or adds to events that were there before.

    What the code writes of events is a new file.
    """
    return any(
        change.name == STATE_FILE
        or (change.kind == "written" and _SAVING.fullmatch(change.name) is not None)
        or (change.kind == "changed" and _is_events(change.name))
        for change in found
    )


def _is_fresh(before: Listing) -> bool:
    """Whether the state file was so new that its save may not have ended."""
    _, modified = before.entries.get(STATE_FILE, (0, 0))
    return modified / 1e9 > time.time() - _FRESH_SECONDS


def _is_of_a_save(name: str) -> bool:
    """Whether a file belongs to a checkpoint, or will be renamed to one that does."""
    return without_ending(name) != name or _SAVING.fullmatch(name) is not None


def _is_of_a_training(name: str) -> bool:
    return (
        name == STATE_FILE
        or _is_of_a_save(name)
        or _is_events(name)
        or _OTHERS.fullmatch(name) is not None
    )


def _is_events(name: str) -> bool:
    return _EVENTS.match(os.path.basename(name)) is not None
