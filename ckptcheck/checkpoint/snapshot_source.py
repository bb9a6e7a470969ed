"""Finds the model_dir that a snapshot was made from, and whether it has changed since."""

import os
from typing import Optional

from ..errors import UsageError
from ..model_dir import NewerSource
from .bounded import read_whole
from .bundle import LARGEST_INDEX, Bundle, read_bundle
from .errors import DamagedError
from .locate import locate


def source_of(named: str, out: str) -> str:
    """Returns what to record about the source of a snapshot; "" if it is not nearby.

    A model_dir is nearby if it and the snapshot are in one directory, or if both are below the
    working directory. In these cases, the relative path is the same on other machines.

    Args:
        named: the MODEL_DIR argument.
        out: the directory of the snapshot.
    """
    try:
        source, target = os.path.realpath(named), os.path.realpath(out)
        here = os.path.join(os.path.realpath(os.curdir), "")
    except OSError:  # the working directory was removed
        return ""
    beside = os.path.dirname(source) == os.path.dirname(target)
    below = source.startswith(here) and target.startswith(here)
    return os.path.relpath(source, target) if beside or below else ""


def newer_source(folder: str, source: str, bundle: Bundle) -> Optional[NewerSource]:
    """Returns the checkpoint that has replaced the one in a snapshot; None if none has.

    Each save changes the bytes of the index, which has the checksums of all tensors. Times are not
    compared, because git does not preserve them.

    Args:
        folder: the directory of the snapshot.
        source: the path that the snapshot records.
        bundle: the index in the snapshot.
    """
    named = os.path.normpath(os.path.join(folder, source))
    if not source:
        return None
    try:
        located = locate(named)
        if not located.exists:
            return None
        now = read_whole(located.prefix + ".index", LARGEST_INDEX)
        if now == read_whole(bundle.prefix + ".index", LARGEST_INDEX):
            return None
        variables = read_bundle(located.prefix).checkpoint_index().variables
    except (UsageError, OSError, DamagedError):
        return None  # the model_dir does not exist or cannot be compared
    same = variables == bundle.checkpoint_index().variables
    return NewerSource(source, located.prefix, same)
