"""Fetches the files of a remote directory that a check needs."""

import os
import posixpath
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ..errors import UsageError
from ..model_dir import step_of
from .addresses import is_remote, without_secrets
from .bundle import LARGEST_INDEX, Bundle, read_bundle, verify_index_size
from .data_files import ReadRange
from .errors import DamagedError
from .file_systems import why
from .files import FileFacts, GlobalStep, Listing, global_step_of, readable_graphs
from .graph_file import is_graph
from .gzip_file import unpacked_name
from .names import without_ending
from .remote_folder import Entry, RemoteFolder, modified, unquoted
from .snapshot import LARGEST_MARKER, MARKER, Marker, write_markers
from .state_file import STATE_FILE, parse_state_bytes, verify_size
from .table import MAGIC
from .v1_format import possible_first_versions, prefix_of, without_pattern

_LARGEST_GRAPH = 1 << 30
"""Bytes. The tracer does not read a larger graph."""
_MOST_INDEXES = 100
_MOST_ASKED = 1000


class Fetched(NamedTuple):
    """The result of :func:`fetch`.

    Attributes:
        path: the local path of the directory or checkpoint.
        snapshot: whether the remote directory is a snapshot itself.
        left_out: the names of the checkpoints that were not fetched, the newest first.
        unread: what could not be read, and is not needed for the rest.
    """

    path: str
    snapshot: bool
    left_out: List[str]
    unread: Tuple[str, ...]


def fetch(
    named: str, there: RemoteFolder, prefix: Optional[str], local: str, every_step: bool
) -> Fetched:
    """Fetches what a check needs from a remote directory.

    Args:
        named: the argument as the user wrote it.
        there: the directory.
        prefix: the checkpoint, if the user named one; else None.
        local: an empty directory for the files.
        every_step: see :func:`.remote.local_view`.

    Raises:
        UsageError: ``named`` does not exist, or a file is too large or cannot be read.
    """
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
    path = os.path.join(local, chosen + ("" if chosen in old else ".index")) if explicit else local
    left_out = [name for name in _checkpoints(there.entries) if name not in (*names, *old)]
    return Fetched(path, snapshot, left_out, unread)


def _copy_first_versions(there: RemoteFolder, chosen: str, local: str) -> List[str]:
    """Writes local files that ckptcheck recognizes as V1 checkpoints. They hold no data.

    Returns:
        The names or patterns of the V1 checkpoints.
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
    """Whether one of the files is a table. It reads only the last bytes of each file."""
    sizes = [(name, int(there.sized(name)["size"])) for name in names]
    return any(
        there.read(name, max(size - len(MAGIC), 0), len(MAGIC)) == MAGIC for name, size in sizes
    )


def _copy_directories(there: RemoteFolder, names: Iterable[str], local: str) -> None:
    """Makes local copies of directories that have the names of a checkpoint's files."""
    for name in names:
        if name + "/" in there.entries and name not in there.entries:
            os.mkdir(os.path.join(local, name))


def _checkpoints(entries: Dict[str, Entry]) -> List[str]:
    """The names of possible checkpoints in a directory, the newest first."""
    names = [name[: -len(".index")] for name in entries if name.endswith(".index")]
    return sorted([*names, *possible_first_versions(entries)], key=_newest_first)


def _newest_first(name: str) -> Tuple[int, str]:
    return (-_order(name), name)


def _listing(there: RemoteFolder, chosen: str) -> Listing:
    """Lists the files with their sizes. It leaves out old checkpoints, to limit the requests.

    An HTTP server lists names only, and each size takes a request. This function requests the sizes
    of the chosen checkpoint's files first, and then starts with the newest checkpoint.
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
    """Returns the size and time of a file; for an unreadable data file, the error."""
    try:
        entry = there.sized(name) if is_asked_for else there.entries[name]
    except Exception as error:  # each file system has its own exceptions
        if ".data-" not in name or isinstance(error, UsageError):
            raise
        return FileFacts(0, 0.0, without_secrets(why(error)))
    return FileFacts(int(entry.get("size") or 0), modified(entry))


def _must_be_asked(there: RemoteFolder, name: str) -> bool:
    """Whether the size of a file is needed but not known.

    A check needs only the names of data files without an index.
    """
    base = without_ending(name)
    lone = not any(base + end in there.entries for end in (".index", ".index/"))
    needed = _matters(name) and not (lone and name.startswith(base + ".data-"))
    return needed and there.entries[name].get("size") is None


def _matters(name: str) -> bool:
    """Whether the size of a file is needed."""
    plain = unpacked_name(name)
    return plain in (STATE_FILE, MARKER, "graph.pbtxt") or without_ending(plain) != plain


def _chosen(there: RemoteFolder, local: str) -> str:
    """Copies the state file; returns the checkpoint that it names, "" if none.

    Raises:
        UsageError: it names a checkpoint in another directory, or is too large.
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
    """Copies the indexes, the chosen one first; returns the names of the checkpoints."""
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
    """Chooses files up to a total size, since a small archive may unpack to large files."""
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
    """Chooses the checkpoint with the saved graph to fetch: the chosen one, else the newest."""
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
    """Makes the local directory a snapshot; returns what could not be read.

    Args:
        listing: the files of the remote directory.
        with_step: the checkpoints to read the global step from.
        names: the checkpoints with a copied index.
        local: the local directory.
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
            pass  # reading the index later reports it
    others = {name: facts for name, facts in listing.items() if without_ending(name) not in names}
    write_markers(local, markers, others)
    return tuple(unread)


def _is_snapshot(listing: Listing, chosen: str) -> bool:
    """Whether a remote directory is a snapshot. A directory with data is not."""
    return MARKER in listing and not any(
        name.startswith((chosen or without_ending(name)) + ".data-") for name in listing
    )


def _copy_saved_model(there: RemoteFolder, local: str) -> None:
    """Writes empty files, so that ckptcheck recognizes the local directory as a SavedModel."""
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
