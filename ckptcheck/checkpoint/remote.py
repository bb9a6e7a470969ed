"""Model_dirs that are not on this machine: ``gs://``, ``s3://``, ``memory://`` and so on.

fsspec reads them. What a check needs is fetched into a temporary directory that is a snapshot: the
state file, the indexes, and one saved graph. Data is read in ranges, and only where the data itself
is asked for. So neither the checks nor TensorFlow know of another file system.
"""

import contextlib
import dataclasses
import os
import posixpath
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Set,
    Tuple,
    TypeVar,
)

from ..errors import UsageError, being_written
from ..model_dir import pattern_in, step_of
from ..protocol import Word
from . import addresses
from .addresses import is_remote, local_path, without_secrets
from .bounded import read_regular
from .bundle import LARGEST_INDEX, Bundle, read_bundle, verify_index_size
from .errors import DamagedError
from .file_systems import (
    explained,
    file_system,
    is_web,
    why,
)
from .files import FileFacts, GlobalStep, Listing, global_step_of, readable_graphs
from .graph import is_graph
from .gzip_file import unpacked_name
from .names import without_ending
from .own_folder import own_folder, said_of_a_full_disk
from .remote_folder import Entry, RemoteFolder, entries_of, modified, unquoted
from .snapshot import LARGEST_MARKER, MARKER, Marker, write_markers
from .state_file import (
    LARGEST_STATE_FILE,
    STATE_FILE,
    parse_state_bytes,
    read_state_file,
    verify_size,
)
from .table import MAGIC
from .v1_format import possible_first_versions, prefix_of, without_pattern

_LARGEST_GRAPH = 1 << 30
"""What the tracer reads of a graph."""
_MOST_INDEXES = 100
_MOST_ASKED = 1000
_MOST_NAMES = 3

T = TypeVar("T")
ReadRange = Callable[[str, int, int], bytes]
"""Reads some bytes (name, offset, size) of a file beside the checkpoint."""


class LocalView(NamedTuple):
    """A model_dir that can be read as a directory.

    Attributes:
        path: what to look at instead of what the user named; the same for a local one.
        folder: the remote directory, "" for a local one.
        local: the directory that stands for it.
        read: reads ranges of the remote files; None for a local one.
        left_out: the names of the checkpoints that nobody looked at, the newest first.
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
        """What is not known of a remote directory."""
        if not self.left_out:
            return self.unread
        rest = len(self.left_out) - _MOST_NAMES
        more = f" and {rest} more" if rest > 0 else ""
        names = ", ".join(self.left_out[:_MOST_NAMES])
        return (
            f"{names}{more}: of a remote directory only the newest checkpoints are looked at, and "
            "the one that is named",
            *self.unread,
        )

    def stands_for(self, prefix: str) -> bool:
        """Whether a checkpoint is a remote one.

        A remote state file may name a local checkpoint, and TensorFlow loads that.
        """
        return bool(self.local) and os.path.dirname(prefix) == self.local

    def reader_of(self, prefix: str) -> Optional[ReadRange]:
        """What reads the data of a checkpoint: None where it lies on this machine."""
        return self.read if self.stands_for(prefix) else None

    def shown(self, value: T) -> T:
        """A value, such as a report, with the paths that the user knows in all its texts."""

        def known(text: str) -> str:
            return without_secrets(addresses.shown(text, self.local, self.folder))

        return _replaced(value, known) if self.local else value


def _replaced(value: Any, by: Callable[[str], str]) -> Any:
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
    """Makes a model_dir readable as a directory for as long as the context lasts.

    Args:
        named: as the user wrote it.
        every_step: whether the global step of each checkpoint of a remote one is wanted, and not
            that of the chosen one alone: each is a request.

    Raises:
        UsageError: it is remote, and cannot be read.
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
    """Refuses a temporary directory in which TensorFlow would find no checkpoint.

    Raises:
        UsageError: it is one.
    """
    mark = pattern_in(folder)
    if mark:
        raise UsageError(
            f"the temporary directory {os.path.dirname(folder)}: TensorFlow takes the {mark} in it "
            "for a pattern: set TMPDIR to another one"
        )


def _fetch_settled(named: str, system: Any, path: str, parent: str, every_step: bool) -> LocalView:
    """Fetches what a check needs, again where a training run saves there meanwhile.

    Raises:
        UsageError: it cannot be read, or files are missing each time and others are there then.
    """
    # If TensorFlow takes the remote name for a pattern, the local copy gets such a name, too. This
    # does not hold for web servers, which TensorFlow does not open: what they serve is a copy of a
    # directory that may have another name.
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
            found = _fetch(named, there, prefix if explicit else None, local, every_step)
        except Exception as error:  # each file system has exceptions of its own
            if said_of_a_full_disk(error):  # the copies are incomplete; nothing has changed there
                raise
            again = _changed(there, names, local)
            if again is None:
                raise
        else:
            again = _changed(there, names, local) if _lacks_chosen(found, there) else None
            if again is None:
                return found
        there = again
    raise being_written(there.url)


_MOST_TRIES = 5


def _lacks_chosen(found: LocalView, there: RemoteFolder) -> bool:
    """Whether the state file names a checkpoint that was not there when the files were listed."""
    state = os.path.join(found.local, STATE_FILE)
    if found.path != found.local or not os.path.isfile(state):
        return False
    name = read_state_file(Path(found.local))
    latest = name.latest if name is not None else ""
    return bool(latest) and "/" not in latest and latest + ".index" not in there.entries


def _changed(there: RemoteFolder, names: Set[str], local: str) -> Optional[RemoteFolder]:
    """The directory as it is now; None where it has the same files and the same state file."""
    there.system.invalidate_cache()
    now = there._replace(entries=entries_of(there.system, there.path))
    state = b""
    if STATE_FILE in now.entries:
        state = now.read(STATE_FILE, 0, min(int(now.sized(STATE_FILE)["size"]), LARGEST_STATE_FILE))
    try:
        before = read_regular(os.path.join(local, STATE_FILE), LARGEST_STATE_FILE)
    except (OSError, DamagedError):  # it was not copied
        before = state
    return now if set(now.entries) != names or state != before else None


def _fetch(
    named: str, there: RemoteFolder, prefix: Optional[str], local: str, every_step: bool
) -> LocalView:
    """Fetches what a check needs of a directory, or of the checkpoint in it that was named."""
    explicit = prefix is not None
    base = unquoted(there.system, os.path.basename(prefix or ""))
    chosen = base if explicit else _chosen(there, local)
    old = _copy_first_versions(there, chosen, local)
    if explicit and base not in old and base + ".index" not in there.entries:
        raise UsageError(f"no directory or checkpoint {named}: expected a model_dir or a prefix")
    _copy_directories(there, (STATE_FILE, chosen + ".index"), local)
    listing = _listing(there, chosen)
    names = _copy_indexes(listing, chosen, local, there.read)
    _copy_graph(listing, _with_graph(chosen, [*names, *old], listing), local, there.read)
    snapshot = _is_snapshot(listing, chosen if chosen in names else "")
    unread: Tuple[str, ...] = ()
    if snapshot:
        _write(local, MARKER, there.read(MARKER, 0, min(listing[MARKER].size, LARGEST_MARKER)))
    else:
        unread = _mark(listing, names if every_step else [chosen], names, local, there.read)
    if not chosen:
        _copy_saved_model(there, local)
    where = os.path.join(local, chosen + ("" if chosen in old else ".index")) if explicit else local
    left_out = [name for name in _checkpoints(there.entries) if name not in (*names, *old)]
    read = None if snapshot else there.read
    return LocalView(where, there.url, local, read, tuple(left_out), unread)


def _copy_first_versions(there: RemoteFolder, chosen: str, local: str) -> List[str]:
    """Makes files that are recognised as V1 checkpoints, of which TensorFlow alone reads more.

    Returns:
        The names or patterns of those that were looked at.
    """
    found = sorted(possible_first_versions(there.entries), key=_newest_first)[:_MOST_INDEXES]
    if chosen + ".index" not in there.entries and without_ending(chosen) == chosen:
        found = [chosen, *(name for name in found if name != chosen)]
    files: Dict[str, List[str]] = {}
    for name in there.entries:
        for prefix in {name, prefix_of(name)}:
            files.setdefault(prefix, []).append(name)
    tables = [prefix for prefix in found if _has_table(there, files.get(prefix, []))]
    for name in (name for prefix in tables for name in files[prefix]):
        _write(local, name, MAGIC)
    return tables


def _has_table(there: RemoteFolder, names: List[str]) -> bool:
    """As :func:`.first_version.is_table` of some files; what is not needed is not read."""
    sizes = [(name, int(there.sized(name)["size"])) for name in names]
    return any(
        there.read(name, max(size - len(MAGIC), 0), len(MAGIC)) == MAGIC for name, size in sizes
    )


def _copy_directories(there: RemoteFolder, names: Iterable[str], local: str) -> None:
    """Makes directories that stand where TensorFlow wants files."""
    for name in names:
        if name + "/" in there.entries and name not in there.entries:
            os.mkdir(os.path.join(local, name))


def _checkpoints(entries: Dict[str, Entry]) -> List[str]:
    """The names of what can be checkpoints in a directory, the newest first."""
    names = [name[: -len(".index")] for name in entries if name.endswith(".index")]
    return sorted([*names, *possible_first_versions(entries)], key=_newest_first)


def _newest_first(name: str) -> Tuple[int, str]:
    return (-_order(name), name)


def _listing(there: RemoteFolder, chosen: str) -> Listing:
    """The files whose sizes are known, of which those that matter are asked for first.

    An HTTP server's list has names only, and each size is a request: older checkpoints, for which
    there would be too many, are left out as a whole.
    """
    groups: Dict[str, List[str]] = {"": [], chosen: []}
    for name in sorted(there.entries):
        base = without_ending(name)
        groups.setdefault("" if base == name else base, []).append(name)
    others = sorted((base for base in groups if base not in ("", chosen)), key=_newest_first)
    found: Listing = {}
    asked = 0
    for base in dict.fromkeys(["", chosen, *others]):
        unknown = [name for name in groups[base] if _must_be_asked(there, name)]
        asked += len(unknown)
        if unknown and asked > _MOST_ASKED and base not in ("", chosen):
            continue
        for name in groups[base]:
            found[name] = _facts(there, name, name in unknown)
    return found


def _facts(there: RemoteFolder, name: str, is_asked_for: bool) -> FileFacts:
    """What is known of a file; data that must not be read is as here where that is so."""
    try:
        entry = there.sized(name) if is_asked_for else there.entries[name]
    except Exception as error:  # each file system has exceptions of its own
        if ".data-" not in name or isinstance(error, UsageError):
            raise
        return FileFacts(0, 0.0, without_secrets(why(error)))
    return FileFacts(int(entry.get("size") or 0), modified(entry))


def _must_be_asked(there: RemoteFolder, name: str) -> bool:
    """Whether a file's size is needed, and not known.

    Of data without an index it is enough that they are there.
    """
    base = without_ending(name)
    lone = not any(base + end in there.entries for end in (".index", ".index/"))
    needed = _matters(name) and not (lone and name.startswith(base + ".data-"))
    return needed and there.entries[name].get("size") is None


def _matters(name: str) -> bool:
    """Whether a file's size is needed."""
    plain = unpacked_name(name)
    return plain in (STATE_FILE, MARKER, "graph.pbtxt") or without_ending(plain) != plain


def _chosen(there: RemoteFolder, local: str) -> str:
    """The checkpoint that the state file names; the state file is copied.

    Raises:
        UsageError: it names one in another directory, or is too large.
    """
    if STATE_FILE not in there.entries:
        return ""
    size = int(there.sized(STATE_FILE)["size"])
    verify_size(there.address(STATE_FILE), size)
    data = there.read(STATE_FILE, 0, size)
    latest = parse_state_bytes(data).latest
    _write(local, STATE_FILE, data)
    if not latest or is_remote(latest):
        return ""
    latest = posixpath.normpath(latest)
    if "/" not in latest:
        return latest
    if not latest.startswith("/"):
        raise UsageError(
            f"MODEL_DIR {there.url}: its state file names {there.address(latest)}, in another "
            "directory: give that checkpoint itself as MODEL_DIR"
        )
    return ""


def _copy_indexes(listing: Listing, chosen: str, local: str, read: ReadRange) -> List[str]:
    """Copies the indexes, the chosen one first; returns the names of their checkpoints."""
    names = [name[: -len(".index")] for name in listing if name.endswith(".index")]
    others = sorted((name for name in names if name != chosen), key=_newest_first)
    first = [chosen] if chosen in names else []
    wanted = [name + ".index" for name in (*first, *others[:_MOST_INDEXES])]
    for name in first:
        verify_index_size(name + ".index", listing[name + ".index"].size)
    wanted = _within(LARGEST_INDEX, wanted, listing)
    for name in wanted:
        _write(local, name, read(name, 0, listing[name].size))
    return [name[: -len(".index")] for name in wanted]


def _within(most: int, names: List[str], listing: Listing) -> List[str]:
    """The first of some files, up to a total size: a small archive may unpack to a large one."""
    found = []
    for name in names:
        if listing[name].size <= most:
            found.append(name)
            most -= listing[name].size
    return found


def _order(name: str) -> int:
    step = step_of(name)
    return -1 if step is None else step


def _with_graph(chosen: str, names: List[str], listing: Listing) -> str:
    """The checkpoint whose saved graph is wanted: the newest where the chosen one is gone."""
    newest = max(names, key=lambda name: (_order(name), name), default="")
    there = chosen in names or chosen + ".meta" in listing
    return without_pattern(chosen if there else newest)


def _copy_graph(listing: Listing, base: str, local: str, read: ReadRange) -> None:
    for name in readable_graphs(base, listing):
        if listing[name].size > _LARGEST_GRAPH:
            continue
        _write(local, name, read(name, 0, listing[name].size))
        if is_graph(os.path.join(local, name)):
            return


def _mark(
    listing: Listing, with_step: List[str], names: List[str], local: str, read: ReadRange
) -> Tuple[str, ...]:
    """Makes the local directory a snapshot; returns what could not be read for that.

    Args:
        listing: what is in the remote directory.
        with_step: the checkpoints whose global step is wanted.
        names: those whose index is here.
        local: the directory.
        read: reads the remote files.
    """
    markers = {name: Marker(listing, GlobalStep()) for name in names}
    unread: List[str] = []
    for name in (name for name in names if name in with_step):
        try:
            step = _global_step(read_bundle(os.path.join(local, name)), listing, read)
            markers[name] = Marker(listing, step)
        except UsageError as error:
            unread.append(f"the global step in {name}: {error}")
        except DamagedError:
            pass  # it is said when the index is read again
    others = {name: facts for name, facts in listing.items() if without_ending(name) not in names}
    write_markers(local, markers, others)
    return tuple(unread)


def _is_snapshot(listing: Listing, chosen: str) -> bool:
    """Whether a remote directory is one; beside data what it says of itself counts no more."""
    return MARKER in listing and not any(
        name.startswith((chosen or without_ending(name)) + ".data-") for name in listing
    )


def _copy_saved_model(there: RemoteFolder, local: str) -> None:
    """Makes the directory of a SavedModel known as one."""
    names = [name for name in ("saved_model.pb", "saved_model.pbtxt") if name in there.entries]
    index = f"{there.path}/variables/variables.index"
    if names and "variables/" in there.entries and there.system.exists(index):
        os.mkdir(os.path.join(local, "variables"))
        _write(local, "variables/variables.index", b"")
        _write(local, names[0], b"")


def _global_step(bundle: Bundle, listing: Listing, read: ReadRange) -> GlobalStep:
    def read_there(name: str, offset: int, size: int) -> bytes:
        facts = listing.get(name)
        return read(name, offset, size) if facts and facts.size >= offset + size else b""

    return global_step_of(bundle, read_there)


def _write(local: str, name: str, data: bytes) -> None:
    with open(os.path.join(local, name), "wb") as file:
        file.write(data)
