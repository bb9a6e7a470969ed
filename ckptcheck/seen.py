"""The dependencies of the tracer's process: the tracer notes them while it imports and runs code.

ckptcheck sends this file to the user's interpreter, like :mod:`.protocol`.
"""

import dataclasses
import os
import stat
from typing import Dict, Mapping, Optional, Sequence, Tuple

from .codec import Word

State = Tuple[int, ...]
"""A file's size, times of the last changes and inode number; () if the file does not exist."""


class Look(Word):
    """What a look at a path can tell."""

    CONTENT = "content"
    """The content of a file."""
    KIND = "kind"
    """Whether it exists, and whether it is a file or a directory."""
    SIZE = "size"
    """The size of a file."""
    STAT = "stat"
    """Also its times and permissions, as ``os.stat`` tells them."""
    NAMES = "names"
    """The names and kinds of what is in a directory."""
    STATS = "stats"
    """Also what ``os.stat`` tells of all that is in it."""
    LINK = "link"
    """Whether it is a symbolic link, and to what."""


@dataclasses.dataclass(frozen=True)
class Sight:
    """A look at a path.

    Attributes:
        path: the absolute path, through any symbolic links.
        look: the aspect that the code looked at.
        state: the state of the file at that time; None if it is not known.
    """

    path: str
    look: Look
    state: Optional[State] = None


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a process depends on.

    Attributes:
        sights: the files and directories that code looked at.
        installed: the files of the interpreter and of installed packages that it used.
        modules: the names of modules that it looked for, by the directory.
        variables: the names of the environment variables that it read. ``*`` stands for all.
        reasons: why the code may do something else the next time, although its dependencies are the
            same.
        executable: the interpreter.
    """

    sights: Tuple[Sight, ...] = ()
    installed: Tuple[str, ...] = ()
    modules: Mapping[str, Tuple[str, ...]] = dataclasses.field(default_factory=dict, hash=False)
    variables: Tuple[str, ...] = ()
    reasons: Tuple[str, ...] = ()
    executable: str = ""


_stat = os.stat
"""Bound before the user's code runs, because that code may replace it."""


def state_of(path: str, look: Look) -> State:
    """Returns the state of what a path leads to; () if it leads to nothing.

    The times of a directory count only if a look tells what is in it.
    """
    try:
        info = _stat(path)
    except (OSError, ValueError):
        return ()
    if stat.S_ISDIR(info.st_mode) and look not in (Look.NAMES, Look.STATS):
        return (stat.S_IFMT(info.st_mode), info.st_ino)
    return (info.st_mode, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def united(parts: Sequence[Seen]) -> Seen:
    """Returns what several processes depend on together."""
    modules: Dict[str, Dict[str, None]] = {}
    for part in parts:
        for folder, names in part.modules.items():
            modules.setdefault(folder, {}).update(dict.fromkeys(names))
    return Seen(
        sights=tuple(dict.fromkeys(sight for part in parts for sight in part.sights)),
        installed=tuple(sorted({path for part in parts for path in part.installed})),
        modules={folder: tuple(sorted(names)) for folder, names in sorted(modules.items())},
        variables=tuple(sorted({name for part in parts for name in part.variables})),
        reasons=tuple(dict.fromkeys(reason for part in parts for reason in part.reasons)),
        executable=parts[0].executable,
    )
