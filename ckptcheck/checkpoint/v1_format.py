"""Recognizes checkpoints of the V1 format, which only TensorFlow reads.

A V1 checkpoint is a table in a file with the checkpoint's name. A sharded saver writes several
such files. The state file then names the pattern ``model.ckpt-1-?????-of-00002``. The functions
here use this pattern, too.
"""

import glob
import os
import re
from typing import Collection, List

from ..model_dir import without_pattern
from .table import MAGIC

_GRAPH = ".meta"
_INDEX = ".index"
_SHARD = re.compile(r"(?<!\.data)-\d{5}(?P<count>-of-\d{5})$")


def is_first_version(prefix: str) -> bool:
    """Whether a V1 checkpoint of this name or pattern exists.

    If there is also a V2 checkpoint of this name, TensorFlow uses that one.
    """
    return not os.path.exists(prefix + _INDEX) and any(map(is_table, files_of(prefix)))


def files_of(prefix: str) -> List[str]:
    """Returns the files of the V1 checkpoint with this name or pattern."""
    if without_pattern(prefix) == prefix:
        return [prefix] if os.path.isfile(prefix) else []
    return sorted(glob.glob(prefix))


def prefix_of(path: str) -> str:
    """Returns the pattern that matches a shard's path. Other paths stay as they are."""
    return _SHARD.sub(r"-?????\g<count>", path)


def first_versions(folder: str, names: Collection[str]) -> List[str]:
    """Returns the names or patterns of V1 checkpoints in a directory that have a saved graph.

    Args:
        folder: the directory.
        names: the names of the files in it.
    """
    paths = [os.path.join(folder, name) for name in possible_first_versions(names)]
    return [path for path in paths if _can_be_read(path) and is_first_version(path)]


def possible_first_versions(names: Collection[str]) -> List[str]:
    """Returns the names or patterns of possible V1 checkpoints, by file names only."""
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
