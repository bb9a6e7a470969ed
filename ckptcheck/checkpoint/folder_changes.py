"""Detects the files of a model_dir that change while code is traced."""

import contextlib
import os
import re
import time
from typing import Dict, Mapping, NamedTuple, Tuple

from ..model_dir import ChangeKind, FileChange
from .names import without_ending
from .state_file import STATE_FILE

_MOST_ENTRIES = 20000
_FRESH_SECONDS = 10.0
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.05


class FolderState(NamedTuple):
    """The files and directories below a directory at one time.

    Attributes:
        entries: the size and modification time of each file by its name. The name of a directory
            ends with a slash; its size and time are 0, since they only reflect its contents.
        complete: whether these are all entries. Only the first 20,000 are listed.
    """

    entries: Mapping[str, Tuple[int, int]]
    complete: bool


def folder_state(folder: str) -> FolderState:
    """Lists a directory recursively. It skips what it may not read, and does not follow links."""
    entries: Dict[str, Tuple[int, int]] = {}
    waiting = [folder]
    while waiting and len(entries) < _MOST_ENTRIES:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:
            for entry in found:
                name = os.path.relpath(entry.path, folder)
                if entry.is_dir(follow_symlinks=False):
                    entries[name + "/"] = (0, 0)
                    waiting.append(entry.path)
                    continue
                entries[name] = (0, 0)  # it may have been removed in the meantime
                with contextlib.suppress(OSError):
                    info = entry.stat(follow_symlinks=False)
                    entries[name] = (info.st_size, info.st_mtime_ns)
    return FolderState(entries, not waiting)


def changes(before: FolderState, after: FolderState) -> Tuple[FileChange, ...]:
    """Returns the changes between two states, sorted by name; () if a state is incomplete."""
    if not (before.complete and after.complete):
        return ()
    old, new = before.entries, after.entries
    kinds = dict.fromkeys(set(new) - set(old), ChangeKind.WRITTEN)
    kinds.update(dict.fromkeys(set(old) - set(new), ChangeKind.REMOVED))
    both = set(old) & set(new)
    kinds.update((name, ChangeKind.CHANGED) for name in both if old[name] != new[name])
    return tuple(FileChange(name, kinds[name]) for name in sorted(kinds))


class Attributed(NamedTuple):
    """Changes of files, by their likely cause.

    Attributes:
        of_a_training: changes of files that a training run writes, if there are signs of one. The
            code may have changed these files, too.
        others: all other changes.
    """

    of_a_training: Tuple[FileChange, ...]
    others: Tuple[FileChange, ...]


def attributed(before: FolderState, after: FolderState) -> Attributed:
    """Separates the files that a training run writes from the other changes."""
    found = changes(before, after)
    of_a_training: Tuple[FileChange, ...] = ()
    if _shows_a_training(found):
        of_a_training = tuple(change for change in found if _is_of_a_training(change.name))
    elif _is_fresh(before):  # the only sign of a training run: a save has just ended
        of_a_training = tuple(change for change in found if _is_of_a_save(change.name))
    others = tuple(change for change in found if change not in of_a_training)
    return Attributed(of_a_training, others)


def state_after(folder: str, before: FolderState) -> FolderState:
    """Looks at a directory again. During a save, it waits until the state file is written."""
    after = folder_state(folder)
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        found = changes(before, after)
        if not any(_is_of_a_save(change.name) for change in found) or _shows_a_training(found):
            break
        time.sleep(_PAUSE_SECONDS)
        after = folder_state(folder)
    return after


_EVENTS = re.compile(r"(.*/)?events\.out\.tfevents\.[^/]*", re.DOTALL)
_SAVING = re.compile(
    r"""(checkpoint|graph\.pbtxt|.+\.meta)\.tmp[0-9a-f]{32}
        |.+\.(index|data-\d{5}-of-\d{5})\.tempstate\d+
        |.+_temp(_[0-9a-f]{32})?/.*
        """,
    re.VERBOSE | re.DOTALL,
)
"""The temporary names of a save. They show that another process saves: code that saves renames its
own temporary files before it ends."""
_OTHERS = re.compile(
    r"""(.*/)?(graph\.pbtxt|timeline-\d+\.json)|eval(_[^/]+)?/|(export|plugins)/.*
        |.+\.ckptcheck\.json(\.\d+\.tmp)?
        """,
    re.VERBOSE | re.DOTALL,
)
"""Other files that Estimator and its hooks write: graphs, profiles, evaluations, exports, and
records."""


def _shows_a_training(found: Tuple[FileChange, ...]) -> bool:
    """Whether another process trains there: it saves, or adds to an existing event file.

    Traced code would write events to a new file, so it is not the cause.
    """
    return any(
        change.name == STATE_FILE
        or (change.kind is ChangeKind.WRITTEN and _SAVING.fullmatch(change.name) is not None)
        or (change.kind is ChangeKind.CHANGED and _EVENTS.fullmatch(change.name) is not None)
        for change in found
    )


def _is_fresh(before: FolderState) -> bool:
    """Whether the state file was so new that its save may still have been running."""
    _, modified = before.entries.get(STATE_FILE, (0, 0))
    return modified / 1e9 > time.time() - _FRESH_SECONDS


def _is_of_a_save(name: str) -> bool:
    """Whether a file belongs to a checkpoint, or will be renamed to such a file."""
    return without_ending(name) != name or _SAVING.fullmatch(name) is not None


def _is_of_a_training(name: str) -> bool:
    if name == STATE_FILE or _is_of_a_save(name):
        return True
    return any(pattern.fullmatch(name) for pattern in (_EVENTS, _OTHERS))
