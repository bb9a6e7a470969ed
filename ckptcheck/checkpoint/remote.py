"""Makes remote model_dirs readable: ``gs://``, ``s3://``, ``memory://`` and so on.

ckptcheck reads them with fsspec. It fetches the files that a check needs (the state file, the
indexes, and one saved graph) into a temporary directory, which is a snapshot. It reads data in
ranges, and only for a command that reads the data. So checks and TensorFlow see only local files.
"""

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple, Optional, Set, Tuple, TypeVar

from ..codec import Word
from ..errors import UsageError, being_written
from ..model_dir import pattern_in
from . import addresses
from .addresses import is_remote, local_path, without_secrets
from .bounded import read_regular
from .data_files import ReadRange
from .errors import DamagedError
from .fetch import Fetched, fetch
from .file_systems import explained, file_system, is_web
from .names import without_ending
from .own_folder import full_disk_message, own_folder
from .remote_folder import RemoteFolder, entries_of
from .state_file import LARGEST_STATE_FILE, STATE_FILE, read_state_file
from .v1_format import prefix_of, without_pattern

_MOST_NAMES = 3
_MOST_TRIES = 5

T = TypeVar("T")


class LocalView(NamedTuple):
    """A model_dir that can be read as a local directory.

    Attributes:
        path: the path to read instead of the user's argument; the argument itself if it is local.
        folder: the remote directory; "" if it is local.
        local: the directory with the fetched files; "" if it is local.
        read: the function that reads ranges of remote files; None if it is local, or a snapshot.
        left_out: the names of the checkpoints that were not fetched, the newest first.
        unread: what could not be read, and is not needed for the rest.
    """

    path: str
    folder: str = ""
    local: str = ""
    read: Optional[ReadRange] = None
    left_out: Tuple[str, ...] = ()
    unread: Tuple[str, ...] = ()

    @property
    def not_judged(self) -> Tuple[str, ...]:
        """What a check cannot judge about a remote directory."""
        if not self.left_out:
            return self.unread
        rest = len(self.left_out) - _MOST_NAMES
        more = f" and {rest} more" if rest > 0 else ""
        names = ", ".join(self.left_out[:_MOST_NAMES])
        return (
            f"{names}{more}: of a remote directory, ckptcheck reads only the newest checkpoints "
            "and the one that is named",
            *self.unread,
        )

    def stands_for(self, prefix: str) -> bool:
        """Whether a checkpoint is remote.

        A remote state file may name a local checkpoint, and TensorFlow loads that one.
        """
        return bool(self.local) and os.path.dirname(prefix) == self.local

    def reader_of(self, prefix: str) -> Optional[ReadRange]:
        """Returns the function that reads a checkpoint's data; None if the data is local."""
        return self.read if self.stands_for(prefix) else None

    def shown(self, value: T) -> T:
        """Replaces local paths in a value, such as a report, by remote addresses."""

        def known(text: str) -> str:
            return without_secrets(addresses.shown(text, self.local, self.folder))

        return _replaced(value, known) if self.local else value


def _replaced(value: Any, by: Callable[[str], str]) -> Any:
    """Returns a value after applying ``by`` to all strings in it."""
    if isinstance(value, str):
        return value if isinstance(value, Word) else by(value)
    if type(value) in (tuple, list):
        return type(value)(_replaced(item, by) for item in value)
    if isinstance(value, dict):
        return {key: _replaced(item, by) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _replaced(getattr(value, field.name), by)
            for field in dataclasses.fields(value)
            if field.init
        }
        return dataclasses.replace(value, **changes)
    return value


@contextlib.contextmanager
def local_view(named: str, every_step: bool = False) -> Iterator[LocalView]:
    """Makes a model_dir readable as a local directory while the context lasts.

    Args:
        named: the argument as the user wrote it.
        every_step: whether to read the global step of every checkpoint in a remote directory, not
            only of the chosen one. Each checkpoint takes a request.

    Raises:
        UsageError: it is remote and cannot be read.
    """
    if not is_remote(named):
        yield LocalView(local_path(named))
        return
    place = f"MODEL_DIR {named}"
    with own_folder() as parent:
        with explained(place):
            system, path = file_system(named, os.path.join(parent, "cache"))
        _verify_no_pattern(parent)
        with explained(place):
            found = _fetch_settled(named, system, path.rstrip("/"), parent, every_step)
        try:
            yield found
        except UsageError as error:
            raise UsageError(found.shown(str(error))) from None


def _verify_no_pattern(folder: str) -> None:
    """Verifies that TensorFlow can find a checkpoint in a temporary directory.

    Raises:
        UsageError: TensorFlow takes its path for a pattern.
    """
    character = pattern_in(folder)
    if character:
        raise UsageError(
            f"the temporary directory {os.path.dirname(folder)}: TensorFlow takes the {character} "
            "in it for a pattern: set TMPDIR to another one"
        )


def _fetch_settled(named: str, system: Any, path: str, parent: str, every_step: bool) -> LocalView:
    """Fetches what a check needs, and again if a training run saves at the same time.

    Raises:
        UsageError: it cannot be read, or the files change during every try.
    """
    # If the remote path contains a glob character, the local path must contain one too, so that
    # TensorFlow behaves the same. This does not apply to web servers: TensorFlow cannot open them,
    # and the directory that they serve may have another name.
    is_pattern = pattern_in(without_pattern(named)) and not is_web(system)
    explicit = not system.isdir(path)
    prefix = prefix_of(without_ending(path)) if explicit else ""
    folder = prefix.rpartition("/")[0] if explicit else path
    url = addresses.without_last_slash(named)
    if explicit:
        url = addresses.folder_of(url)
    there = RemoteFolder(system, folder, url, entries_of(system, folder))
    for number in range(_MOST_TRIES):
        local = os.path.join(parent, f"[{number}]" if is_pattern else str(number))
        os.mkdir(local)
        names = set(there.entries)
        try:
            fetched = fetch(named, there, prefix if explicit else None, local, every_step)
        except Exception as error:  # each file system has its own exceptions
            if full_disk_message(error):  # the files are incomplete, but nothing has changed
                raise
            again = _changed(there, names, local)
            if again is None:
                raise
        else:
            lacks = not explicit and _lacks_chosen(local, there)
            again = _changed(there, names, local) if lacks else None
            if again is None:
                return _view(fetched, there, local)
        there = again
    raise being_written(there.url)


def _view(fetched: Fetched, there: RemoteFolder, local: str) -> LocalView:
    read = None if fetched.snapshot else there.read
    return LocalView(fetched.path, there.url, local, read, tuple(fetched.left_out), fetched.unread)


def _lacks_chosen(local: str, there: RemoteFolder) -> bool:
    """Whether the state file names a checkpoint that is missing in the list of files."""
    if not os.path.isfile(os.path.join(local, STATE_FILE)):
        return False
    state = read_state_file(Path(local))
    latest = state.latest if state is not None else ""
    return bool(latest) and "/" not in latest and latest + ".index" not in there.entries


def _changed(there: RemoteFolder, names: Set[str], local: str) -> Optional[RemoteFolder]:
    """Lists the directory again; returns None if its files and its state file are the same."""
    there.system.invalidate_cache()
    now = there._replace(entries=entries_of(there.system, there.path))
    state = b""
    if STATE_FILE in now.entries:
        state = now.read(STATE_FILE, 0, min(int(now.sized(STATE_FILE)["size"]), LARGEST_STATE_FILE))
    try:
        before = read_regular(os.path.join(local, STATE_FILE), LARGEST_STATE_FILE)
    except (OSError, DamagedError):  # it was not fetched
        before = state
    return now if set(now.entries) != names or state != before else None
