"""Expands the globs of a configured check into checks."""

import glob
import os
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from ..checkpoint.addresses import is_remote
from ..errors import UsageError

NAME = "{name}"
"""In the path of params, this is replaced by the last part of the model_dir."""
_MOST = 1000
"""Checks of one table."""


def expanded(
    name: str, places: Mapping[str, Any], root: str
) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yields the name, the model_dir and the params of each check of a table.

    A glob means every model_dir or every params file that it matches. ``{name}`` in the path of
    the params is the last part of the model_dir.

    Args:
        name: the name of the table.
        places: its ``model_dir``, a path, a glob, or a list of them, and its ``params``. Each may
            be missing.
        root: the directory that relative paths start from.

    Raises:
        UsageError: a glob matches nothing, or too much.
    """
    given = places.get("model_dir")
    patterns = given if isinstance(given, list) else [given]
    folders = [found for pattern in patterns for found in _matches("model_dir", pattern, root)]
    several = len(folders) > 1 or isinstance(given, list) or _is_glob(given, root)
    count = 0
    for folder in folders:
        for params, differs in _params(places, folder, root):
            labels = [str(folder)] if several else []
            labels += [str(params)] if differs else []
            label = f"{name}[{', '.join(labels)}]" if labels else name
            count += 1
            if count > _MOST:
                raise UsageError(f"the globs of {name} stand for more than {_MOST} checks")
            found = {"model_dir": folder, "params": params}
            yield label, {key: value for key, value in found.items() if value is not None}


def _params(places: Mapping[str, Any], folder: Any, root: str) -> Iterator[Tuple[Any, bool]]:
    """Yields the params for a model_dir, and whether there are several."""
    given = places.get("params")
    if not isinstance(given, str):
        yield given, False
        return
    if folder is None and NAME in given:
        raise UsageError(
            f"params: {given}: {NAME} stands for the last part of the model_dir, but this check "
            "has no model_dir"
        )
    pattern = given.replace(NAME, os.path.basename(str(folder).rstrip("/")))
    found = _matches("params", pattern, root)
    for params in found:
        yield params, _is_glob(pattern, root)


def _matches(key: str, pattern: Any, root: str) -> List[Any]:
    """Returns what a glob matches; a path without a glob matches itself."""
    if not _is_glob(pattern, root):
        return [pattern]
    if is_remote(pattern):
        raise UsageError(f"{key}: {pattern}: a glob cannot be remote; list the directories")
    found = sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True))
    wanted = os.path.isdir if key == "model_dir" else os.path.isfile
    matches = [os.path.relpath(path, root) for path in found if wanted(path)]
    if not matches:
        kind = "directory" if key == "model_dir" else "file"
        raise UsageError(f"{key}: {pattern}: no {kind} matches")
    return matches


def _is_glob(pattern: Any, root: str) -> bool:
    """Whether a path is a pattern, and not the name of something that exists."""
    magic = isinstance(pattern, str) and glob.has_magic(pattern)
    return magic and not os.path.exists(os.path.join(root, pattern))
