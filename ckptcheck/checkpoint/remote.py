"""Makes remote model_dirs readable: ``gs://``, ``s3://``, ``memory://`` and so on.

ckptcheck reads them with fsspec. It fetches the files that a check needs (the state file, the
indexes, and one saved graph) into a temporary directory, which is a snapshot. It reads data in
ranges, and only for a command that reads the data. So checks and TensorFlow see only local files.
"""

import contextlib
import dataclasses
import os
import posixpath
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, TypeVar

from ..codec import Word
from ..errors import UsageError, being_written
from ..model_dir import pattern_in, without_pattern
from ..records.reader import LARGEST_RECORD
from ..records.writer import record_path
from . import addresses
from .addresses import is_remote, local_path, without_secrets
from .bundle import LARGEST_INDEX, read_bundle, verify_index_size
from .data_files import ReadRange
from .errors import DamagedError
from .existing import step_and_name
from .files import FileFacts, GlobalStep, Listing, read_global_step, readable_graphs
from .graph_file import is_graph
from .gzip_file import unpacked_name
from .names import SHARD, without_ending
from .own_folder import full_disk_message, own_folder
from .remote_files import RemoteFolder, explained, file_system, is_web, unquoted, why
from .snapshot import LARGEST_MARKER, MARKER, Marker, without_source, write_markers
from .state_file import LARGEST_STATE_FILE, STATE_FILE, parse_state_bytes, verify_size
from .table import MAGIC
from .v1_format import possible_first_versions, prefix_of

_MOST_NAMES = 3
_MOST_TRIES = 5
_MOST_INDEXES = 100
_LARGEST_GRAPH = 1 << 30
"""Bytes. The tracer does not read a larger graph."""

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class LocalView:
    """A model_dir that can be read as a local directory.

    Attributes:
        path: the path to read instead of the user's argument; the argument itself if it is local.
        folder: the remote directory; "" if it is local.
        local: the directory with the fetched files; "" if it is local.
        read: the function that reads ranges of remote files; None if it is local, or a snapshot.
        left_out: the names of the checkpoints that were not fetched, the newest first.
        unread: what could not be read, although the rest can be checked without it.
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
            f"{names}{more}: ckptcheck reads only the newest checkpoints of a remote directory, "
            "and the one that the state file or MODEL_DIR names",
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
    with own_folder() as parent:
        character = pattern_in(parent)
        if character:
            raise UsageError(
                f"the path of the temporary directory {os.path.dirname(parent)} contains "
                f"{character}, so TensorFlow treats it as a glob pattern. Set TMPDIR to another "
                "directory"
            )
        with explained(f"MODEL_DIR {named}"):
            found = _fetched(named, parent, every_step)
        try:
            yield found
        except UsageError as error:
            raise UsageError(found.shown(str(error))) from None


def _fetched(named: str, parent: str, every_step: bool) -> LocalView:
    """Fetches what a check needs, and again if a training run saves at the same time.

    Raises:
        UsageError: ``named`` does not exist or cannot be read, a file is too large, or the files
            change during every try.
    """
    system, path = file_system(named, os.path.join(parent, "cache"))
    path, url = path.rstrip("/"), addresses.without_last_slash(named)
    base: Optional[str] = None
    if not system.isdir(path):
        path, _, base = prefix_of(without_ending(path)).rpartition("/")
        url, base = addresses.folder_of(url), unquoted(system, base)
    # If the remote path contains a glob character, the local path must contain one too, so that
    # TensorFlow behaves the same. This does not apply to web servers: TensorFlow cannot open them,
    # and the directory that they serve may have another name.
    is_pattern = pattern_in(without_pattern(named)) and not is_web(system)
    for number in range(_MOST_TRIES):
        local = os.path.join(parent, f"[{number}]" if is_pattern else str(number))
        os.mkdir(local)
        copy = _Copy(RemoteFolder(system, path, url), local, base)
        try:
            found = copy.view(every_step)
        except Exception as error:  # each file system has its own exceptions
            if full_disk_message(error) or not copy.is_outdated():
                raise
        else:
            if not copy.lacks_chosen or not copy.is_outdated():
                return found
    raise being_written(url)


class _Copy:
    """A local copy of the files of a remote directory that a check needs.

    Args:
        there: the remote directory.
        local: an empty directory for the copy.
        base: the name of the checkpoint that the user named; None if the user named the directory.
    """

    def __init__(self, there: RemoteFolder, local: str, base: Optional[str]) -> None:
        self._there = there
        self._local = local
        self._is_named = base is not None
        self._chosen = base or ""
        self._state: Optional[bytes] = None
        self._listing: Listing = {}

    def view(self, every_step: bool) -> LocalView:
        """Fetches the files.

        Args:
            every_step: see :func:`local_view`.

        Raises:
            UsageError: the checkpoint does not exist, or a file is too large or cannot be read.
        """
        there = self._there
        if not self._is_named:
            self._copy_state_file()
        index = self._chosen + ".index"
        old = self._copy_first_versions()
        if self._is_named and self._chosen not in old and index not in there.files:
            raise UsageError(
                f"no directory or checkpoint {there.address(self._chosen)}: expected a model_dir, "
                "or a checkpoint such as runs/base/model.ckpt-1000"
            )
        for name in (STATE_FILE, index):
            if name + "/" in there.files and name not in there.files:
                os.mkdir(os.path.join(self._local, name))
        names = [name for name in _newest_first(_indexes(there.files)) if name != self._chosen]
        del names[_MOST_INDEXES:]
        if index in there.files:
            names.insert(0, self._chosen)
        self._listing = self._list([self._chosen, *names, *old])
        names = self._copy_indexes(names)
        self._copy_graph([*names, *old])
        self._copy_record()
        unread: Tuple[str, ...] = ()
        of_chosen = self._chosen + ".data-" if self._chosen in names else ""
        snapshot = MARKER in there.files and not any(
            name.startswith(of_chosen) and SHARD.search(name) for name in there.files
        )
        if snapshot:
            self._write(MARKER, without_source(there.read(MARKER, 0, LARGEST_MARKER)))
        else:
            unread = self._mark(names, names if every_step else [self._chosen])
        if not self._chosen:
            self._copy_saved_model()
        path = self._local
        if self._is_named:
            path = os.path.join(path, self._chosen if self._chosen in old else index)
        left_out = {*_indexes(there.files), *possible_first_versions(there.files)}
        left_out -= {*names, *old}
        return LocalView(
            path=path,
            folder=there.url,
            local=self._local,
            read=None if snapshot else there.read,
            left_out=tuple(_newest_first(left_out)),
            unread=unread,
        )

    @property
    def lacks_chosen(self) -> bool:
        """Whether the state file names a checkpoint that is missing in the list of files."""
        is_missing = self._chosen + ".index" not in self._there.files
        return is_missing and self._chosen != "" and not self._is_named

    def is_outdated(self) -> bool:
        """Whether the list of files or the state file has changed since they were read."""
        there = self._there
        there.system.invalidate_cache()
        now = RemoteFolder(there.system, there.path, there.url)
        if set(now.files) != set(there.files):
            return True
        return self._state is not None and self._state != now.read(
            STATE_FILE, 0, LARGEST_STATE_FILE
        )

    def _copy_state_file(self) -> None:
        """Copies the state file, and chooses the checkpoint that it names.

        Raises:
            UsageError: it names a checkpoint in another directory, or is too large.
        """
        there = self._there
        if STATE_FILE not in there.files:
            return
        size = there.size_of(STATE_FILE)
        verify_size(there.address(STATE_FILE), size)
        self._state = there.read(STATE_FILE, 0, size)
        self._write(STATE_FILE, self._state)
        latest = parse_state_bytes(self._state).latest
        if not latest or is_remote(latest) or latest.startswith("/"):
            return
        self._chosen = posixpath.normpath(latest)
        if "/" in self._chosen:
            raise UsageError(
                f"MODEL_DIR {there.url}: its state file names {there.address(self._chosen)}, "
                "which is in another directory. Give that checkpoint as MODEL_DIR"
            )

    def _copy_first_versions(self) -> List[str]:
        """Writes local files that ckptcheck recognizes as V1 checkpoints. They hold no data.

        Returns:
            The names or patterns of the V1 checkpoints.
        """
        files: Dict[str, List[str]] = {}
        for name in self._there.files:
            for prefix in {name, prefix_of(name)}:
                files.setdefault(prefix, []).append(name)
        found = _newest_first(possible_first_versions(self._there.files))[:_MOST_INDEXES]
        if self._chosen + ".index" not in files and without_ending(self._chosen) == self._chosen:
            found = [self._chosen, *(name for name in found if name != self._chosen)]
        tables = [prefix for prefix in found if any(map(self._is_table, files.get(prefix, ())))]
        for name in (name for prefix in tables for name in files[prefix]):
            self._there.size_of(name)  # so that the list of files has the size
            self._write(name, MAGIC)
        return tables

    def _is_table(self, name: str) -> bool:
        """Whether a file is a table. It reads only the last bytes."""
        start = max(self._there.size_of(name) - len(MAGIC), 0)
        return self._there.read(name, start, len(MAGIC)) == MAGIC

    def _list(self, checkpoints: List[str]) -> Listing:
        """Lists all files, with the sizes of those that a check needs.

        An HTTP server lists names only, and each size takes a request.

        Args:
            checkpoints: the checkpoints whose files have to be listed with their sizes.
        """
        bases = set(map(without_pattern, checkpoints))
        found: Listing = {}
        for name in sorted(self._there.files):
            plain = unpacked_name(name)
            problem = ""
            if without_ending(plain) in bases or plain in (STATE_FILE, MARKER, "graph.pbtxt"):
                try:
                    self._there.size_of(name)
                except Exception as error:  # each file system has its own exceptions
                    if ".data-" not in name or isinstance(error, UsageError):
                        raise
                    problem = without_secrets(why(error))
            file = self._there.files[name]
            found[name] = FileFacts(file.size or 0, file.modified, problem)
        return found

    def _copy_indexes(self, names: List[str]) -> List[str]:
        """Copies indexes; returns the names of their checkpoints.

        It limits the total size, since a small archive may unpack to large files.
        """
        left = LARGEST_INDEX
        copied = []
        for name in names:
            index = name + ".index"
            size = self._listing[index].size
            if name == self._chosen:
                verify_index_size(index, size)
            if size <= left:
                left -= size
                self._copy(index)
                copied.append(name)
        return copied

    def _copy_graph(self, names: List[str]) -> None:
        """Copies the saved graph of the chosen checkpoint, or of the newest one without it."""
        base = self._chosen
        if base not in names and base + ".meta" not in self._listing:
            base = max(names, key=step_and_name, default="")
        for name in readable_graphs(without_pattern(base), self._listing):
            if self._listing[name].size <= _LARGEST_GRAPH:
                self._copy(name)
                if is_graph(os.path.join(self._local, name)):
                    return

    def _copy_record(self) -> None:
        name = record_path(self._chosen)
        if name in self._there.files:
            size = self._there.size_of(name)
            if size <= LARGEST_RECORD:
                self._write(name, self._there.read(name, 0, size))

    def _mark(self, names: List[str], with_step: List[str]) -> Tuple[str, ...]:
        """Makes the local directory a snapshot; returns what could not be read.

        Args:
            names: the checkpoints with a copied index.
            with_step: the checkpoints to read the global step from.
        """
        listing = self._listing
        markers = {name: Marker(listing, GlobalStep()) for name in names}
        unread: List[str] = []
        for name in (name for name in names if name in with_step):
            try:
                bundle = read_bundle(os.path.join(self._local, name))
                markers[name] = Marker(listing, read_global_step(bundle, self._there.read))
            except UsageError as error:
                unread.append(f"the global step in {name}: {error}")
            except DamagedError:
                pass  # reading the index later reports it
        others = {
            name: facts for name, facts in listing.items() if without_ending(name) not in names
        }
        write_markers(self._local, markers, others)
        return tuple(unread)

    def _copy_saved_model(self) -> None:
        """Writes empty files, so that ckptcheck recognizes the local directory as a SavedModel."""
        there = self._there
        names = [name for name in ("saved_model.pb", "saved_model.pbtxt") if name in there.files]
        index = f"{there.path}/variables/variables.index"
        if names and "variables/" in there.files and there.system.exists(index):
            os.mkdir(os.path.join(self._local, "variables"))
            self._write("variables/variables.index", b"")
            self._write(names[0], b"")

    def _copy(self, name: str) -> None:
        self._write(name, self._there.read(name, 0, self._listing[name].size))

    def _write(self, name: str, data: bytes) -> None:
        with open(os.path.join(self._local, name), "wb") as file:
            file.write(data)


def _indexes(names: Iterable[str]) -> List[str]:
    """Returns the names of the checkpoints whose indexes are among the names of files."""
    return [name[: -len(".index")] for name in names if name.endswith(".index")]


def _newest_first(names: Iterable[str]) -> List[str]:
    return sorted(names, key=step_and_name, reverse=True)
