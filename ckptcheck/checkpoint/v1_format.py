"""Checkpoints of the V1 format, which only TensorFlow reads.

One is a table file of the checkpoint's own name, or, from a sharded saver, several of them; the
state file then names the pattern ``model.ckpt-1-?????-of-00002``, and so does everything here.
"""

import glob
import os
import re
from typing import Collection, List

from .table import MAGIC

_PATTERN = re.compile(r"-\?{5}-of-\d{5}$")
_GRAPH = ".meta"
_INDEX = ".index"
_SHARD = re.compile(r"(?<!\.data)-\d{5}(?P<count>-of-\d{5})$")


def is_first_version(prefix: str) -> bool:
    """Whether there is a V1 checkpoint of this name or pattern.

    TensorFlow takes the V2 checkpoint of the same name where there are both.
    """
    return not os.path.exists(prefix + _INDEX) and any(map(is_table, files_of(prefix)))


def files_of(prefix: str) -> List[str]:
    """The files that a V1 checkpoint of this name or pattern consists of."""
    if not _PATTERN.search(prefix):
        return [prefix] if os.path.isfile(prefix) else []
    return sorted(glob.glob(prefix))


def prefix_of(path: str) -> str:
    """The pattern of which a shard's path is one, other paths as they are."""
    return _SHARD.sub(r"-?????\g<count>", path)


def without_pattern(prefix: str) -> str:
    """The name that the saver was given, after which the graph's file is named."""
    return _PATTERN.sub("", prefix)


def first_versions(folder: str, names: Collection[str]) -> List[str]:
    """The names or patterns of the V1 checkpoints in a directory that a graph's file stands beside.

    Args:
        folder: the directory.
        names: what is in it.
    """
    paths = [os.path.join(folder, name) for name in possible_first_versions(names)]
    return [path for path in paths if _can_be_read(path) and is_first_version(path)]


def possible_first_versions(names: Collection[str]) -> List[str]:
    """The names or patterns of what can be V1 checkpoints, by the names in a directory alone."""
    there = set(names)
    tables = {name[: -len(_GRAPH)] for name in there if name.endswith(_GRAPH)} & there
    patterns = {prefix_of(name) for name in there} - there
    sharded = {name for name in patterns if without_pattern(name) + _GRAPH in there}
    return sorted(name for name in tables | sharded if name + _INDEX not in there)


def _can_be_read(prefix: str) -> bool:
    return all(os.access(path, os.R_OK) for path in files_of(prefix))


def is_table(path: str) -> bool:
    """Whether a file ends with LevelDB's magic number."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() < len(MAGIC):
            return False
        file.seek(-len(MAGIC), os.SEEK_END)
        return file.read() == MAGIC
