"""Compares the files of a checkpoint with its index, without reading the data."""

import os
import re
import stat
import struct
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from ..encoding.dtypes import element_size
from ..model_dir import GLOBAL_STEPS, CheckpointFiles, DataFile, EntryFlaw, FlawKind
from .bounded import GIT_LFS, is_pointer
from .bundle import Bundle, StoredTensor
from .crc32c import crc32c, unmasked
from .data_files import DataFiles, ReadRange
from .errors import DamagedError
from .gzip_file import ENDING
from .names import SHADOW, SHARD, shard_name, without_ending


class FileFacts(NamedTuple):
    """A file in a directory. ``problem`` says why it cannot be read; "" if it can."""

    size: int
    modified: float
    problem: str = ""


Listing = Dict[str, FileFacts]
"""The files of a directory, by name."""


def list_folder(folder: str) -> Listing:
    """Lists the files of a directory; the name of a subdirectory ends with a slash.

    Raises:
        OSError: it cannot be listed.
    """
    found: Listing = {}
    with os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            try:
                info = entry.stat()
            except OSError as error:  # the entry was removed, or is a broken link
                found[entry.name] = FileFacts(0, 0.0, str(error.strerror))
                continue
            name = entry.name + ("/" if stat.S_ISDIR(info.st_mode) else "")
            found[name] = FileFacts(info.st_size, info.st_mtime, _problem(entry.path, info))
    return found


def by_checkpoint(listing: Listing) -> Dict[str, Listing]:
    """Groups the files of a directory by the checkpoint that they belong to."""
    found: Dict[str, Listing] = {}
    for name, facts in listing.items():
        found.setdefault(without_ending(name), {})[name] = facts
    return found


def _problem(path: str, info: os.stat_result) -> str:
    if not stat.S_ISREG(info.st_mode):
        return "it is not a regular file"
    if not os.access(path, os.R_OK):
        return "Permission denied"
    try:
        return GIT_LFS if SHARD.search(path) and is_pointer(path, info.st_size) else ""
    except OSError as error:
        return str(error.strerror)


class GlobalStep(NamedTuple):
    """The global step that a checkpoint stores.

    Attributes:
        value: the step; None if it cannot be read, or does not match its checksum.
        damaged: the name of the tensor if its bytes do not match its checksum; else "".
    """

    value: Optional[int] = None
    damaged: str = ""


def look_at_files(
    bundle: Bundle, listing: Listing, step: GlobalStep, snapshot: bool = False
) -> CheckpointFiles:
    """Compares the index with the files beside it.

    Args:
        bundle: the index.
        listing: the files in its directory (for a snapshot, in the original directory).
        step: the global step.
        snapshot: whether this is a snapshot.
    """
    base = os.path.basename(bundle.prefix)
    stored = sorted(bundle.stored(), key=lambda item: (item.shard, item.offset, item.size))
    needed: Dict[int, int] = {}
    for item in stored:
        needed[item.shard] = max(needed.get(item.shard, 0), item.offset + item.size)
    files = {
        shard: _data_file(shard_name(base, shard, bundle.num_shards), listing, end)
        for shard, end in sorted(needed.items())
        if shard < bundle.num_shards
    }
    flaws = [*_flaws(stored, files, bundle.num_shards), *_overlaps(stored)]
    flaws.extend(
        EntryFlaw(name, FlawKind.MISSING_PART, "it is partitioned, and a part is missing")
        for name in bundle.missing_parts
    )
    unreadable = {flaw.variable for flaw in flaws if flaw.kind is not FlawKind.OVERLAP}
    if step.damaged and step.damaged not in unreadable:
        text = "Checksum does not match: index and data may come from two saves"
        flaws.append(EntryFlaw(step.damaged, FlawKind.CHECKSUM, text))
    names = {file.name for file in files.values()}
    return CheckpointFiles(
        files=tuple(files.values()),
        flaws=tuple(sorted(flaws, key=lambda flaw: (flaw.variable, flaw.kind))),
        unreferenced=tuple(_unreferenced(base, bundle.num_shards, listing)),
        remains=tuple(_remains(listing)),
        data_newer_by=_data_newer_by(base, names, listing),
        global_step=step.value,
        without_index=tuple(_without_index(base, listing)),
        saved_graph=base + ".meta" in listing or base + ".meta/" in listing,
        graph_problem=_graph_problem(base + ".meta", listing),
        other_graph="graph.pbtxt" in readable_graphs(base, listing),
        snapshot=snapshot,
    )


def _data_file(name: str, listing: Listing, needed: int) -> DataFile:
    facts = listing.get(name)
    if facts is None or facts.problem:
        is_directory = name + "/" in listing
        problem = facts.problem if facts else "it is a directory" if is_directory else ""
        return DataFile(name, None, needed, problem)
    return DataFile(name, facts.size, needed)


def _flaws(
    stored: Sequence[StoredTensor], files: Dict[int, DataFile], num_shards: int
) -> Iterator[EntryFlaw]:
    """Yields the flaws of entries: tensors that TensorFlow cannot read."""
    for item in stored:
        file = files.get(item.shard)
        end = item.offset + item.size
        wrong = _wrong_size(item)
        if file is None:
            known = "the only one is number 0"
            if num_shards > 1:
                known = f"they have the numbers 0 to {num_shards - 1}"
            text = f"the index refers to data file number {item.shard}, but {known}"
            yield EntryFlaw(item.name, FlawKind.NO_SHARD, text)
        elif file.size is None:
            yield EntryFlaw(item.name, FlawKind.NO_FILE, f"{file.name} is missing", file.name)
        elif end > file.size:
            text = f"its bytes end at {end}, but {file.name} ends at {file.size}"
            yield EntryFlaw(item.name, FlawKind.PAST_END, text, file.name)
        if wrong:
            yield EntryFlaw(item.name, FlawKind.SIZE, wrong)


def _wrong_size(item: StoredTensor) -> str:
    """Describes a wrong size, which TensorFlow reports as an invalid size in a bundle entry."""
    one = element_size(item.dtype)
    count = item.elements
    if one is None:
        wrong = item.dtype == "string" and item.size < count
        return f"it has {item.size} bytes for {count} strings" if wrong else ""
    if item.size == one * count:
        return ""
    return f"it has {item.size} bytes, but its shape and dtype need {one * count}"


def _overlaps(stored: Sequence[StoredTensor]) -> Iterator[EntryFlaw]:
    """Finds tensors that start before another tensor in the same file ends."""
    last: Optional[StoredTensor] = None
    for item in stored:
        if item.size == 0:
            continue
        if last is not None and item.shard == last.shard and item.offset < last.offset + last.size:
            text = f"its bytes overlap those of {last.name}"
            yield EntryFlaw(item.name, FlawKind.OVERLAP, text)
            if item.offset + item.size <= last.offset + last.size:
                continue
        last = item


def _unreferenced(base: str, count: int, listing: Listing) -> Iterator[str]:
    """Finds data files that another save with this prefix left behind."""
    for name in sorted(listing):
        match = SHARD.match(name, len(base)) if name.startswith(base) else None
        if match and not int(match.group("number")) < count == int(match.group("count")):
            yield name


def _without_index(base: str, listing: Listing) -> Iterator[str]:
    """Finds data files with other prefixes that have no index."""
    for name in sorted(listing):
        match = SHARD.search(name)
        other = name[: match.start()] if match else base
        if other != base and name[:2] != SHADOW and other + ".index" not in listing:
            yield name


def readable_graphs(base: str, listing: Listing) -> List[str]:
    """Returns the files that may hold the saved graph of a checkpoint, in order of preference.

    The files of a snapshot are compressed.
    """
    plain = (base + ".meta", "graph.pbtxt")
    names = [end for name in plain for end in (name, name + ENDING) if end in listing]
    return [name for name in names if not _graph_problem(name, listing)]


def _graph_problem(name: str, listing: Listing) -> str:
    if name + "/" in listing:
        return "it is a directory"
    facts = listing.get(name)
    if facts is None or facts.problem or facts.size:
        return facts.problem if facts else ""
    return "it is empty"


_TEMPORARY = re.compile(
    r"""(.*\.(index|data-\d{5}-of-\d{5})\.tempstate\d+
        |.*_temp_[0-9a-f]{32}/
        |.*ckpt(-\d+)?_temp/
        |checkpoint\.tmp[0-9a-f]{32})\Z""",
    re.VERBOSE | re.DOTALL,
)
"""Temporary names that only savers use."""
_COPIED = re.compile(
    r"""(\.(checkpoint|.+\.(index|meta|data-\d{5}-of-\d{5}))\.[0-9A-Za-z]{6}
        |.+\.(index|meta|data-\d{5}-of-\d{5})(_\.gstmp|\.[0-9A-Fa-f]{8}))\Z""",
    re.VERBOSE | re.DOTALL,
)
"""Temporary names that rsync, gsutil, and the AWS command line use."""


def _remains(listing: Listing) -> List[str]:
    """Returns the temporary files and directories of an interrupted save or copy."""
    return sorted(name for name in listing if _TEMPORARY.match(name) or _COPIED.match(name))


def _data_newer_by(base: str, names: Set[str], listing: Listing) -> float:
    """Returns how many seconds newer than the index the data is. It ignores unreadable files."""
    index = listing.get(base + ".index")
    there = [listing[name] for name in names if name in listing]
    times = [facts.modified for facts in there if not facts.problem]
    if index is None or index.problem or not times or not index.modified:
        return 0.0
    return max(times) - index.modified


def read_global_step(bundle: Bundle, remote: Optional[ReadRange] = None) -> GlobalStep:
    """Reads the global step. Its value differs between saves.

    Args:
        bundle: the index.
        remote: reads the data files if they are remote.

    Raises:
        UsageError: a remote file cannot be read.
    """
    for item in bundle.tensors:
        if item.name not in GLOBAL_STEPS or (item.dtype, item.shape, item.size) != ("int64", (), 8):
            continue
        path = shard_name(bundle.prefix, item.shard, bundle.num_shards)
        if remote is None and not os.path.isfile(path):  # opening a device may do something
            break
        try:
            with DataFiles(bundle, remote) as files:
                data = files.read(item.shard, item.offset, item.size)
        except DamagedError:
            break
        if crc32c(data) != unmasked(item.crc32c):
            return GlobalStep(damaged=item.name)
        (value,) = struct.unpack(">q" if bundle.big_endian else "<q", data)
        return GlobalStep(int(value))
    return GlobalStep()
