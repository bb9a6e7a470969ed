"""Makes and reads snapshots. A snapshot is a checkpoint without data, small enough to commit.

A snapshot is a directory with the state file, the index and the compressed saved graph of one
checkpoint. The file ``ckptcheck-snapshot.json`` marks the directory. It records the files of the
original model_dir, so that the data files do not count as missing.
"""

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import UsageError
from ..records.reader import LARGEST_RECORD
from ..records.value import ENDING as RECORD_ENDING
from ..records.writer import record_path
from .bounded import GIT_LFS, is_pointer, read_regular, read_whole
from .bundle import Bundle
from .errors import DamagedError
from .files import FileFacts, GlobalStep, Listing, list_folder, read_global_step, readable_graphs
from .graph_file import is_graph
from .gzip_file import ENDING, packed
from .names import SHARD
from .state_file import STATE_FILE

MARKER = "ckptcheck-snapshot.json"
_VERSION = 1
_NOT_PACKED = (".index", ENDING, RECORD_ENDING)
"""The endings of files that are small, or compressed already."""
LARGEST_MARKER = 64 << 20
_LARGEST_SIZE = (1 << 63) - 1
_LARGEST_GRAPH = 2 << 30
"""The size limit of protocol buffers."""


class Marker(NamedTuple):
    """What a snapshot records about one checkpoint of the original model_dir.

    Attributes:
        listing: the checkpoint's files.
        step: the global step.
        recorded: messages about the model_dir that a check of the snapshot cannot find.
        source: the model_dir that the snapshot was made from, relative to the snapshot; "" if they
            are neither in one directory nor both below the working directory.
    """

    listing: Listing
    step: GlobalStep
    recorded: Tuple[str, ...] = ()
    source: str = ""


class _Document(NamedTuple):
    """The content of a marker file: the checkpoints, and the files that belong to no checkpoint."""

    markers: Dict[str, Marker]
    others: Listing


Contents = Dict[str, bytes]
"""The files of a snapshot, by name."""


def read_marker(folder: str, base: str, listing: Listing) -> Optional[Marker]:
    """Reads what a snapshot records about a checkpoint; returns None outside a snapshot.

    A checkpoint with data files is not in a snapshot, even if there is a marker file.

    Args:
        folder: the directory.
        base: the checkpoint's name.
        listing: the files in the directory.

    Raises:
        UsageError: the marker file is damaged.
    """
    if _has_data(base, listing):
        return None
    document = _read_document(folder)
    marker = document.markers.get(base)
    return marker and marker._replace(listing={**document.others, **marker.listing})


def _has_data(base: str, listing: Listing) -> bool:
    return any(name.startswith(base + ".data-") for name in listing)


def list_model_dir(folder: str) -> Listing:
    """Lists a directory, and for a snapshot also the files of the original model_dir.

    If there is data, a damaged marker file does not matter.

    Raises:
        OSError: it cannot be listed.
        UsageError: it is a snapshot with a damaged marker file.
    """
    here = list_folder(folder)
    if MARKER not in here:
        return here
    try:
        document = _read_document(folder)
    except UsageError:
        if any(map(SHARD.search, here)):
            return here
        raise
    found = {**here, **document.others}
    for base, marker in document.markers.items():
        if not _has_data(base, here):
            found.update(marker.listing)
    return found


def _read_document(folder: str) -> _Document:
    """Reads the marker file of a directory; returns an empty result if there is none.

    A damaged marker file is a usage error, not a finding: TensorFlow never reads this file.
    """
    path = os.path.join(folder, MARKER)
    if not os.path.isfile(path):
        return _Document({}, {})
    try:
        content = json.loads(read_whole(path, LARGEST_MARKER).decode("utf-8"))
        if type(content["version"]) is int and content["version"] > _VERSION:
            raise UsageError(f"{path} is from a newer version of ckptcheck: upgrade ckptcheck")
        if content["version"] != _VERSION:
            raise ValueError(content["version"])
        markers = {str(base): _marker(fields) for base, fields in content["checkpoints"].items()}
        return _Document(markers, _listing(content.get("others", {})))
    except (OSError, DamagedError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {reason}")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise UsageError(
            f"{path} is damaged, or from another version of ckptcheck: make the snapshot again"
        )


def _listing(fields: Any) -> Listing:
    return {_name(name): _facts(facts) for name, facts in fields.items()}


def _name(name: str) -> str:
    """Verifies a file's name, or a directory's name with a slash at the end.

    Raises:
        ValueError: no file can have this name.
    """
    plain = name[:-1] if name.endswith("/") else name
    if plain in ("", ".", "..") or "/" in plain or "\0" in plain:
        raise ValueError(name)
    plain.encode("utf-8", "surrogateescape")
    return name


def _marker(fields: Any) -> Marker:
    listing = _listing(fields["files"])
    value = fields["global_step"]
    step = GlobalStep(None if value is None else int(value), str(fields.get("damaged_step", "")))
    texts, source = fields.get("said", []), fields.get("source", "")
    if not isinstance(texts, list):
        raise ValueError(texts)
    if not isinstance(source, str) or os.path.isabs(source) or "\0" in source:
        raise ValueError(source)
    return Marker(listing, step, tuple(map(str, texts)), source)


def _facts(fields: Any) -> FileFacts:
    size, modified = int(fields["size"]), float(fields["modified"])
    if not (0 <= size <= _LARGEST_SIZE and math.isfinite(modified)):
        raise ValueError(fields)
    return FileFacts(size, modified, str(fields.get("problem", "")))


def snapshot_of(bundle: Bundle, source: str = "") -> Contents:
    """Returns the files of a checkpoint's snapshot, before compression.

    Args:
        bundle: the index.
        source: see :class:`Marker`.

    Raises:
        UsageError: a file cannot be read.
    """
    folder, base = os.path.split(bundle.prefix)
    try:
        listing = list_folder(folder)
        marker = read_marker(folder, base, listing) or Marker(listing, read_global_step(bundle))
        paths = {name: os.path.join(folder, name) for name in _copied(folder, base, listing)}
        contents = {name: read_regular(path, _LARGEST_GRAPH) for name, path in paths.items()}
        record = record_path(base)
        if record in listing and listing[record].size <= LARGEST_RECORD:
            contents[record] = read_regular(os.path.join(folder, record), LARGEST_RECORD)
    except OSError as error:
        place = error.filename or folder
        raise UsageError(
            f"ckptcheck cannot make a snapshot: {place} cannot be read: {error.strerror}"
        )
    except DamagedError as error:
        raise UsageError(f"ckptcheck cannot make a snapshot of {bundle.prefix}: {error}")
    contents[STATE_FILE] = f"model_checkpoint_path: {_quoted(base)}\n".encode()
    contents[MARKER] = _document({base: marker._replace(source=source)})
    return contents


@contextlib.contextmanager
def written_snapshot(contents: Contents, out: str) -> Iterator[None]:
    """Writes a snapshot, and removes it again if the context ends with an exception.

    Args:
        contents: the files of the snapshot.
        out: the directory to make. It may exist if it is empty.

    Raises:
        UsageError: ``out`` is a file or not empty, or cannot be written.
    """
    made = _missing_folders(out)
    written: List[str] = []
    try:
        for folder in reversed(made):  # os.makedirs is recursive, and fails for deep paths
            if not os.path.isdir(folder):
                os.mkdir(folder)
        for name, content in contents.items():
            with open(os.path.join(out, name), "xb") as file:
                written.append(file.name)
                file.write(content)
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):
            for path in written:
                os.remove(path)
            for folder in made:
                os.rmdir(folder)
        if isinstance(error, OSError):
            place = error.filename or out
            raise UsageError(f"the snapshot cannot be written: {place}: {error.strerror}")
        raise


def _copied(folder: str, base: str, listing: Listing) -> List[str]:
    """Returns the names of the files to copy: the index and the saved graph.

    They include unreadable graph files, so that a check of the snapshot has the same findings.

    Raises:
        UsageError: the saved graph is only a Git LFS pointer.
    """
    graphs = readable_graphs(base, listing)
    for number, name in enumerate(graphs):
        if is_graph(os.path.join(folder, name)):
            return [base + ".index", *graphs[: number + 1]]
    for path in (os.path.join(folder, name) for name in graphs):
        if is_pointer(path, os.path.getsize(path)):
            raise UsageError(f"ckptcheck cannot make a snapshot: {path}: {GIT_LFS}")
    return [base + ".index", *graphs[:1]]


def packed_contents(contents: Contents) -> Contents:
    """Compresses the graphs of a snapshot. This takes time."""
    found: Contents = {}
    for name, content in contents.items():
        if name.endswith(_NOT_PACKED) or name in (STATE_FILE, MARKER):
            found[name] = content
        else:
            found[name + ENDING] = packed(content)
    return found


def add_records(out: str, records: Sequence[str]) -> None:
    """Adds messages about the original model_dir to a snapshot.

    Raises:
        OSError: it cannot be written.
    """
    markers = _read_document(out).markers
    for base, marker in markers.items():
        texts = (*marker.recorded, *(text for text in records if text not in marker.recorded))
        markers[base] = marker._replace(recorded=texts)
    write_markers(out, markers)


def _document(markers: Dict[str, Marker], others: Optional[Listing] = None) -> bytes:
    checkpoints = {}
    for base, (listing, step, recorded, source) in markers.items():
        mine = {name: facts for name, facts in listing.items() if name.startswith(base + ".")}
        content: Dict[str, Any] = {"files": _fields(mine), "global_step": step.value}
        if step.damaged:
            content["damaged_step"] = step.damaged
        if recorded:
            content["said"] = list(recorded)
        if source:
            content["source"] = source
        checkpoints[base] = content
    document: Dict[str, Any] = {"version": _VERSION, "checkpoints": checkpoints}
    if others:
        document["others"] = _fields(others)
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _fields(listing: Listing) -> Dict[str, Any]:
    return {
        name: {key: value for key, value in facts._asdict().items() if value != ""}
        for name, facts in listing.items()
    }


def write_markers(
    folder: str, markers: Dict[str, Marker], others: Optional[Listing] = None
) -> None:
    """Marks a directory as a snapshot.

    Args:
        folder: the directory.
        markers: what to record about each checkpoint, by its name.
        others: the files that belong to no checkpoint.

    Raises:
        OSError: it cannot be written.
    """
    with open(os.path.join(folder, MARKER), "wb") as file:
        file.write(_document(markers, others))


def without_source(data: bytes) -> bytes:
    """Returns a marker file for a copy of a snapshot, which is not beside its source.

    A damaged file is returned unchanged. The reader then reports the damage.
    """
    try:
        content = json.loads(data.decode("utf-8"))
        for fields in content["checkpoints"].values():
            fields.pop("source", None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return data
    return json.dumps(content).encode()


def _missing_folders(out: str) -> List[str]:
    """Returns the directories to make for a snapshot, the innermost first.

    Raises:
        UsageError: ``out`` is a file or not empty, or cannot be read.
    """
    if not out:
        raise UsageError("OUT is an empty string; expected the name of a new directory")
    if os.path.lexists(out) and not os.path.isdir(out):
        raise UsageError(f"OUT {out} is a file; expected a new directory, or an empty one")
    try:
        names = os.listdir(out) if os.path.isdir(out) else []
    except OSError as error:
        raise UsageError(f"OUT {out} cannot be read: {error.strerror}")
    if MARKER in names:
        raise UsageError(
            f"OUT {out} is a snapshot already: replace it with --force, or give a new directory"
        )
    if names:
        raise UsageError(f"OUT {out} is not empty; expected a new directory, or an empty one")
    path = Path(out)
    return [str(item) for item in (path, *path.parents) if not os.path.lexists(str(item))]


def _quoted(text: str) -> str:
    """Quotes a string for protobuf's text format."""
    data = text.encode("utf-8", "surrogateescape")
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data
    )
    return f'"{plain}"'
