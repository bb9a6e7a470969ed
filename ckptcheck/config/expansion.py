"""Expands the globs of a configured check into checks."""

import glob
import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Tuple

from ..checkpoint.addresses import is_remote
from ..errors import UsageError
from ..options import hyphenated

NAME = "{name}"
"""In the path of params, this is replaced by the last part of the model_dir."""
_MOST = 1000
"""Checks of one table."""


class NothingMatchesError(UsageError):
    """A glob matches nothing."""


class Expanded(NamedTuple):
    """One check of a table.

    Attributes:
        name: its name.
        places: its model_dir and its params, as far as the table has them.
        problem: why it cannot run: a glob matches nothing; "" if it can.
        wrong: the key that the problem is about.
    """

    name: str
    places: Dict[str, Any]
    problem: str
    wrong: str


def expanded(name: str, places: Mapping[str, Any], root: str) -> Iterator[Expanded]:
    """Yields the checks of a table.

    A glob means every model_dir or every params file that it matches. A glob that matches nothing
    stands for one check, which has a problem. ``{name}`` in the path of the params is the last part
    of the model_dir.

    Args:
        name: the name of the table.
        places: its ``model_dir``, a path, a glob, or a list of them, and its ``params``. Each may
            be missing.
        root: the directory that relative paths start from.

    Raises:
        UsageError: the globs match too much, or they cannot be used.
    """
    given = places.get("model_dir")
    patterns = given if isinstance(given, list) else [given]
    folders = _folders(patterns, root)
    matches = _is_glob(given, root) and not folders[0][1]
    several = len(folders) > 1 or isinstance(given, list) or matches
    count = 0
    for folder, missing in folders:
        for params, differs, problem in _params(places, folder, missing, root):
            labels = [str(folder)] if several else []
            labels += [str(params)] if differs else []
            label = f"{name}[{', '.join(labels)}]" if labels else name
            count += 1
            if count > _MOST:
                raise UsageError(f"the globs of {name} stand for more than {_MOST} checks")
            found = {"model_dir": folder, "params": params}
            given_places = {key: value for key, value in found.items() if value is not None}
            wrong = "model_dir" if missing else "params"
            yield Expanded(label, given_places, missing or problem, wrong)


def _folders(patterns: List[Any], root: str) -> List[Tuple[Any, str]]:
    """Returns each model_dir once, and what is wrong with it."""
    found: Dict[str, Tuple[Any, str]] = {}
    for pattern in patterns:
        try:
            matches, problem = _matches("model_dir", pattern, root), ""
        except NothingMatchesError as error:
            matches, problem = [pattern], str(error)
        for folder in matches:
            text = str(folder)
            same = text if is_remote(text) else os.path.normpath(text)
            found.setdefault(same, (folder, problem))
    return list(found.values())


def _params(
    places: Mapping[str, Any], folder: Any, missing: str, root: str
) -> Iterator[Tuple[Any, bool, str]]:
    """Yields the params for a model_dir, whether there are several, and what is wrong."""
    given = places.get("params")
    if not isinstance(given, str) or missing:
        yield given, False, ""
        return
    if folder is None and NAME in given:
        raise UsageError(
            f"params: {given}: {NAME} stands for the last part of the model_dir, but this check "
            "has no model_dir"
        )
    pattern = given.replace(NAME, os.path.basename(str(folder).rstrip("/")))
    try:
        found = _matches("params", pattern, root)
    except NothingMatchesError as error:
        yield pattern, False, str(error)
        return
    for params in found:
        yield params, _is_glob(pattern, root), ""


def _matches(key: str, pattern: Any, root: str) -> List[Any]:
    """Returns what a glob matches; a path without a glob matches itself.

    Raises:
        NothingMatchesError: a glob matches nothing.
        UsageError: a glob is remote.
    """
    if not _is_glob(pattern, root):
        return [pattern]
    if is_remote(pattern):
        raise UsageError(
            f"{hyphenated(key)}: {pattern}: a glob cannot be remote; list the directories"
        )
    found = sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True))
    wanted = os.path.isdir if key == "model_dir" else os.path.isfile
    matches = [os.path.relpath(path, root) for path in found if wanted(path)]
    if not matches:
        kind = "directory" if key == "model_dir" else "file"
        raise NothingMatchesError(f"{hyphenated(key)}: {pattern}: no {kind} matches")
    return matches


def _is_glob(pattern: Any, root: str) -> bool:
    """Whether a path is a pattern, and not the name of something that exists."""
    magic = isinstance(pattern, str) and glob.has_magic(pattern)
    return magic and not os.path.exists(os.path.join(root, pattern))
