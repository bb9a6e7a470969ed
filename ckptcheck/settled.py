"""Looks at a model_dir again while a training run writes to it.

A save takes several steps: it writes the data, the index, and the state file, removes an old
checkpoint, and finally writes the saved graph. Between these steps, files seem to be missing. With
``keep_checkpoint_max=1``, a save even removes the checkpoint that the state file just named.
"""

import os
import time
from typing import Callable, Iterator, List, NamedTuple, Optional, Set, Tuple, TypeVar

from .checkpoint.examine import Examined, examine
from .checkpoint.locate import locate
from .checkpoint.marks import marks_of
from .checkpoint.remote import LocalView
from .errors import UsageError, being_written
from .file_facts import file_facts
from .model_dir import CheckpointFiles, Located, Unnamed
from .results import Finding
from .rules import all_rules

_MOST_TRIES = 200
_MOST_SECONDS = 20.0
_FRESH_SECONDS = 10.0
"""If the files of a save are older than this, ckptcheck does not wait for the save to end."""
_PATIENCE_SECONDS = 1.0
"""Seconds to wait for files that a save renames or removes."""
_PATIENCE_FOR_A_GRAPH_SECONDS = 5.0
"""Seconds to wait for the saved graph, which takes longer to write."""
_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.2

_RULES = (
    "checkpoint-moved",
    "corrupt-index",
    "corrupt-tensor",
    "data-without-index",
    "leftover-files",
    "missing-saved-graph",
    "index-data-mtime-gap",
    "newer-checkpoint",
    "no-checkpoint",
    "unreadable-checkpoint",
    "step-mismatch",
)
"""Rules whose findings may disappear when a save ends."""

T = TypeVar("T")


class Doubt(NamedTuple):
    """Whether a save may be running.

    Attributes:
        wrong: whether anything is wrong with the files.
        folder: the directory of the checkpoint.
        patience: seconds to wait for missing files, if a save may be running.
    """

    wrong: bool
    folder: str = ""
    patience: float = 0.0


def look_at(named: str) -> Tuple[Located, Examined]:
    """Finds the checkpoint that a restore would load, and examines its files.

    Raises:
        UsageError: nothing of that name exists.
    """
    located = locate(named)
    return located, examine(located.prefix) if located.exists else Examined()


def settled_look(
    place: LocalView, read: Callable[[Located, Examined], T]
) -> Tuple[Located, Examined, T]:
    """Looks at a checkpoint until its files are settled.

    Args:
        place: the model_dir.
        read: reads more from the same files.

    Returns:
        The checkpoint that a restore would load, the state of its files, and what ``read`` returns.

    Raises:
        UsageError: see :func:`settled`.
    """

    def look() -> Tuple[Tuple[Located, Examined, T], Doubt]:
        folder = folder_of(place.path)
        marks = marks_of([folder])
        located, examined = look_at(place.path)
        elsewhere = {_holding(located)} - {folder}
        marks += marks_of(elsewhere)
        more = read(located, examined)
        changed = marks_of([folder, *elsewhere]) != marks
        return (located, examined, more), doubt_of(located, examined, changed)

    return settled(place, look, lambda looked: looked[1])[0]


def settled(place: LocalView, look: Callable[[], T], doubt: Callable[[T], Doubt]) -> T:
    """Looks until nothing is wrong, or until the files stay the same.

    A local copy of a remote directory does not change, so it looks only once at that.

    Args:
        place: the model_dir.
        look: looks at the files. If it keeps raising a UsageError, this function raises it, too.
        doubt: judges the result of ``look``.

    Raises:
        UsageError: the files change during every try, or the named checkpoint was removed.
    """
    if place.local:
        return look()
    named = place.path
    begin = changed = time.monotonic()
    folders = [folder_of(named)]
    was_there = False
    for number in range(_MOST_TRIES):
        before = marks_of(folders)
        found: List[T] = []
        error: Optional[UsageError] = None
        judged = Doubt(True, folders[0])
        try:
            found.append(look())
            judged = doubt(found[0])
        except UsageError as caught:
            error = caught
        if not judged.wrong:
            return found[0]
        now = time.monotonic()
        if judged.folder not in folders:
            folders.append(judged.folder)
            changed = now
        elif marks_of(folders) != before:
            changed = now
        elif now - changed >= judged.patience:
            if error is None:
                return found[0]
            if was_there and not os.path.isdir(named):
                raise UsageError(
                    f"{named} was removed while ckptcheck read it, perhaps by a training run. "
                    f"Give another checkpoint, or give the directory to use the checkpoint that "
                    f"its state file names"
                )
            raise error
        was_there = was_there or error is None
        if now - begin > _MOST_SECONDS:
            break
        time.sleep(min(_PAUSE_SECONDS * number, _LONGEST_PAUSE_SECONDS))
    raise being_written(named)


def folder_of(named: str) -> str:
    """Returns the directory that the user named, or that holds the named checkpoint."""
    possible = "\0" not in named
    return named if possible and os.path.isdir(named) else os.path.dirname(named)


def doubt_of(located: Located, examined: Examined, lost: bool = False) -> Doubt:
    """Judges a checkpoint by the rules about files.

    Args:
        located: the checkpoint.
        examined: the state of its files.
        lost: whether files changed or disappeared while ckptcheck looked at them.
    """
    found = _findings(located, examined)
    first = _first_files(located, examined.files, {item.rule for item in found})
    patience = max((seconds for path, seconds in first if is_fresh(path)), default=0.0)
    return Doubt(lost or bool(found), _holding(located), patience)


def _holding(located: Located) -> str:
    """Returns the directory that holds the checkpoint."""
    return os.path.dirname(located.prefix) or located.model_dir


def _findings(located: Located, examined: Examined) -> List[Finding]:
    """Returns the findings, without notes about leftover files, which do not indicate a save."""
    facts = file_facts(located, examined)
    found = [finding for rule in _RULES for finding in all_rules()[rule].check(facts)]
    return [item for item in found if (item.rule, item.severity) != ("leftover-files", "note")]


def _first_files(
    located: Located, files: Optional[CheckpointFiles], rules: Set[str]
) -> Iterator[Tuple[str, float]]:
    """Yields the files that a save writes before the missing ones, with the seconds to wait."""
    if files is not None and files.snapshot:
        return
    graph = os.path.join(located.model_dir, "graph.pbtxt")  # written before the first save
    if "missing-saved-graph" in rules and os.path.isfile(graph):
        yield located.prefix + ".index", _PATIENCE_FOR_A_GRAPH_SECONDS
    others: List[str] = []
    if rules & {"newer-checkpoint", "no-checkpoint"}:
        others.extend(prefix + ".index" for prefix in located.candidates)
    if isinstance(located, Unnamed):
        others.extend(os.path.join(located.model_dir, name) for name in located.data_alone)
    if "data-without-index" in rules and files is not None:
        folder = os.path.dirname(located.prefix)
        others.extend(os.path.join(folder, name) for name in files.without_index)
    yield from ((path, _PATIENCE_SECONDS) for path in others)


def wait_while(there: Callable[[], bool]) -> None:
    """Waits for the next step of a save, but not for long."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while there() and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)


def is_fresh(path: str) -> bool:
    """Whether a file is so new that the save that wrote it may still be running."""
    try:
        return os.stat(path).st_mtime > time.time() - _FRESH_SECONDS
    except (OSError, ValueError):  # it was removed in the meantime
        return False
