"""Finds out which checkpoints and files exist, in the same way as TensorFlow."""

import glob
import os
import re
import stat
from typing import Collection, List, Tuple

from ..model_dir import pattern_in, step_of
from .files import Listing
from .names import SHADOW, SHARD, shard_name, without_ending
from .snapshot import list_model_dir
from .v1_format import first_versions, is_first_version, is_table

_INDEX = re.compile(r"(?P<name>.+)(?<!\.part-\d{5}-of-\d{5})\.index\Z", re.DOTALL)
"""An index, but not ``.part-00000-of-00002.index`` of a sharded save that is not merged yet."""


def checkpoint_exists(prefix: str) -> bool:
    """Whether TensorFlow finds a checkpoint: an index of a V2 checkpoint, or a V1 checkpoint.

    TensorFlow looks for files that match a glob pattern, so it does not find
    ``lr[0.1]/model.ckpt-1``.
    """
    if pattern_in(prefix) and not is_first_version(prefix):
        return "\\" not in prefix and bool(glob.glob(prefix + ".index"))
    is_prefix = without_ending(prefix) == prefix
    return has_exact_name(prefix) if is_prefix else os.path.exists(prefix + ".index")


def has_exact_name(prefix: str) -> bool:
    """Whether a checkpoint has exactly this name, even if the name is a glob pattern.

    TensorFlow looks for files that match the pattern, but then opens the file of this name.
    """
    return os.path.exists(prefix + ".index") or is_first_version(prefix)


def is_there(path: str) -> bool:
    """Whether there is a model_dir at a path, or a checkpoint whose prefix it is."""
    return os.path.exists(path) or has_exact_name(path)


def checkpoints_in(folder: str) -> List[str]:
    """Returns the prefixes of the checkpoints in a directory, sorted by step."""
    names = [match.group("name") for match in map(_INDEX.match, os.listdir(folder)) if match]
    known = {name.rstrip("/") for name in list_model_dir(folder)}
    others = {name for name in known if not name.endswith(".index") and name[:2] != SHADOW}
    saved = set(map(without_ending, others))
    paths = [os.path.join(folder, name) for name in names]
    paths = [path for path in paths if os.path.basename(path) in saved or _has_table(path)]
    return sorted([*paths, *first_versions(folder, known)], key=step_and_name)


def _has_table(prefix: str) -> bool:
    """Whether the index of a checkpoint that has no other files is a table."""
    path = prefix + ".index"
    return os.path.isfile(path) and os.access(path, os.R_OK) and is_table(path)


def step_and_name(prefix: str) -> Tuple[int, str]:
    """Returns a sort key that puts the latest checkpoint last."""
    number = step_of(prefix)
    return (-1 if number is None else number, prefix)


def missing_shards(prefix: str, listing: Listing) -> Tuple[str, ...]:
    """Returns the data files that a V2 checkpoint lacks.

    The names of the existing data files contain the expected number of data files.

    Args:
        prefix: the checkpoint.
        listing: the files in its directory, including files that a snapshot records.
    """
    if not os.path.isfile(prefix + ".index"):
        return ()  # a V1 checkpoint is one file
    folder, base = os.path.split(prefix)
    there, count = set(), 1
    for name, facts in listing.items():
        match = SHARD.match(name, len(base)) if name.startswith(base) else None
        if match and (not facts.problem or os.path.isfile(os.path.join(folder, name))):
            there.add(name)
            count = max(count, int(match.group("count")))
    expected = (shard_name(base, number, count) for number in range(count))
    return tuple(name for name in expected if name not in there)


def has_data_files(prefix: str) -> bool:
    """Whether a data file of a checkpoint exists, with or without an index."""
    folder, base = os.path.split(prefix)
    return any(SHARD.sub("", name) == base != name for name in _names(folder))


def data_files_in(folder: str) -> Tuple[str, ...]:
    """Returns the names of all data files in a directory."""
    names = [name for name in list_model_dir(folder) if name[:2] != SHADOW]
    return tuple(sorted(filter(SHARD.search, names)))


def path_exists(path: str) -> bool:
    """Whether a file or directory exists, or existed in the model_dir of a snapshot."""
    folder, name = os.path.split(path)
    if os.path.lexists(path) or not name:
        return os.path.exists(path)
    return not {name, name + "/"}.isdisjoint(_names(folder))


def _names(folder: str) -> Collection[str]:
    """Returns the names in a directory; none if it does not exist or cannot be listed."""
    try:
        return list_model_dir(folder) if folder_exists(folder) else []
    except PermissionError:
        return []


def folder_exists(folder: str) -> bool:
    """Whether a directory exists, even if it cannot be entered. TensorFlow 1 skips these."""
    try:
        return stat.S_ISDIR(os.stat(folder or os.curdir).st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def broken_link(prefix: str) -> str:
    """Returns the target of a checkpoint or index that is a broken link, else ""."""
    for path in (prefix + ".index", prefix):
        if os.path.islink(path) and not os.path.exists(path):
            return os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    return ""
