"""Finds the model_dirs, model_fns and params files of a project, for a first configuration."""

import ast
import contextlib
import itertools
import json
import os
import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from .errors import UsageError
from .records.reader import read_record
from .sanitize import printable
from .skipped_folders import is_skipped

_MOST_FILES = 50000
_LARGEST = 1 << 20
_PARAMS_WORDS = ("param", "config", "flags", "settings")


class Found(NamedTuple):
    """What a project has, as paths relative to its directory.

    Attributes:
        model_dirs: the directories with checkpoints.
        targets: what TARGET can be, such as ``models.net:model_fn``.
        params: the JSON files that may hold params.
        complete: whether the search looked at all files.
        unnamed: the directories with checkpoints whose names are not UTF-8, as TOML has to be.
    """

    model_dirs: Tuple[str, ...]
    targets: Tuple[str, ...]
    params: Tuple[str, ...]
    complete: bool = True
    unnamed: Tuple[str, ...] = ()


def project_files(root: str) -> Found:
    """Looks through a project, but not into hidden directories and environments."""
    model_dirs: List[str] = []
    targets: List[str] = []
    params: List[str] = []
    unnamed: List[str] = []
    count = 0
    for folder, names in _folders(root):
        place = os.path.relpath(folder, root)
        count += len(names)
        if count > _MOST_FILES:
            break
        named = _is_unicode(place)
        if any(_is_checkpoint(os.path.join(folder, name)) for name in names):
            (model_dirs if named else unnamed).append(place)
        for name in sorted(filter(_is_unicode, names if named else ())):
            path = os.path.normpath(os.path.join(place, name))
            if name.endswith(".py"):
                targets.extend(_targets(root, path))
            elif name.endswith(".json") and _may_be_params(os.path.join(root, path)):
                params.append(path)
    complete = count <= _MOST_FILES
    return Found(tuple(model_dirs), tuple(targets), tuple(params), complete, tuple(unnamed))


def _folders(root: str) -> Iterator[Tuple[str, List[str]]]:
    """Yields the directories of a project with the names of their files, each directory once.

    Links to directories come last, so that a directory has its own name if it has one.
    """
    seen: Set[str] = set()
    starts = [root]
    for start in starts:
        for folder, below, names in os.walk(start):
            real = os.path.realpath(folder)
            if real in seen:
                below.clear()
                continue
            seen.add(real)
            is_export = not _EXPORTS.isdisjoint(names)
            paths = [os.path.join(folder, name) for name in sorted(below)]
            if is_export:
                paths = [path for path in paths if os.path.basename(path) != "variables"]
            kept = [path for path in paths if not is_skipped(path)]
            below[:] = map(os.path.basename, kept)
            starts.extend(filter(os.path.islink, kept))
            yield folder, names


_EXPORTS = {"saved_model.pb", "saved_model.pbtxt"}
"""The files of a SavedModel. Beside them, ``variables`` is a checkpoint that is no model_dir."""


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_checkpoint(path: str) -> bool:
    name = os.path.basename(path)
    return (name == "checkpoint" or name.endswith(".index")) and os.path.isfile(path)


def _targets(root: str, path: str) -> Iterator[str]:
    """Yields the model_fns of a module: functions that take features and a mode."""
    tree = _parsed(os.path.join(root, path))
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef):
            names = {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
            if {"features", "mode"} <= names:
                yield f"{_module(root, path)}:{node.name}"


def _module(root: str, path: str) -> str:
    """Returns the name of a module in a package or at the top, or else the path of its file."""
    parts = path[: -len(".py")].split(os.sep)
    folders = [os.path.join(root, *parts[:count]) for count in range(1, len(parts))]
    in_package = all(os.path.isfile(os.path.join(f, "__init__.py")) for f in folders)
    is_name = in_package and all(part.isidentifier() for part in parts)
    return ".".join(parts) if is_name else path


def _parsed(path: str) -> Optional[ast.Module]:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        return ast.parse(data) if b"mode" in data and len(data) <= _LARGEST else None
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):  # not for this Python
        return None


def _may_be_params(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        return len(data) <= _LARGEST and isinstance(json.loads(data.decode("utf-8")), dict)
    except (OSError, ValueError, RecursionError):
        return False


def first_configuration(root: str, found: Found) -> str:
    """Returns the text of a first ``ckptcheck.toml``.

    Raises:
        UsageError: the project has no checkpoint that a configuration can name.
    """
    if not found.model_dirs:
        where = root if found.complete else f"the first {_MOST_FILES:,} files of {root}"
        if found.unnamed:
            raise UsageError(
                f"ckptcheck init cannot use the checkpoints in {where}: the names of their "
                "directories are not UTF-8; rename the directories"
            )
        raise UsageError(
            f"there is no checkpoint in {where}: run ckptcheck init in the directory of your "
            "project, or write ckptcheck.toml by hand (docs/configuration.md)"
        )
    blocks = ["\n".join([_HEAD, *_left_out(found)])]
    taken: Set[str] = set()
    for folder in found.model_dirs:
        name = os.path.basename(os.path.abspath(os.path.join(root, folder))).lstrip("-")
        name = name if name and _is_unicode(name) else "check"
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        label = next(text for text in itertools.chain([name], numbered) if text not in taken)
        taken.add(label)
        blocks.append("\n".join(_check(root, folder, label, found)))
    return "\n\n".join(blocks) + "\n"


_HEAD = """# "ckptcheck" runs all of these checks, and "ckptcheck check NAME" runs one.
# All options: docs/configuration.md of ckptcheck."""


def _left_out(found: Found) -> Iterator[str]:
    """Yields comments about what the search did not look at."""
    if not found.complete:
        yield f"# The search ended after {_MOST_FILES:,} files: there may be more checkpoints."
    for folder in found.unnamed:
        yield f"# Left out, because the name is not UTF-8: {printable(folder)}"


def _check(root: str, folder: str, name: str, found: Found) -> Iterator[str]:
    yield "[[check]]"
    yield f"name = {_text(name)}"
    yield f"model-dir = {_text(folder)}"
    recorded = _recorded(os.path.join(root, folder))
    if recorded:
        yield f"# The record of the checkpoint has TARGET and PARAMS: {recorded}"
        return
    yield from _choice("target", _nearest(folder, found.targets))
    likely = [path for path in found.params if _is_likely(path)] or list(found.params)
    yield from _choice("params", _nearest(folder, likely))
    yield '# if-missing = "skip"  # for clones without the checkpoint'


def _choice(key: str, candidates: Sequence[str]) -> Iterator[str]:
    if not candidates:
        example = "models.net:model_fn" if key == "target" else "params.json"
        yield f"# {key} = {_text(example)}  # none was found"
        return
    yield f"{key} = {_text(candidates[0])}"
    for other in candidates[1:_MOST_SHOWN]:
        yield f"# {key} = {_text(other)}"
    if len(candidates) > _MOST_SHOWN:
        count = len(candidates) - _MOST_SHOWN
        more = "1 more candidate is" if count == 1 else f"{count} more candidates are"
        yield f"# {more} not shown"


_MOST_SHOWN = 4


def _is_likely(path: str) -> bool:
    name = os.path.basename(path).lower()
    return any(word in name for word in _PARAMS_WORDS)


def _nearest(folder: str, candidates: Sequence[str]) -> List[str]:
    """Sorts candidates. The first ones share most of their path with a directory.

    The next ones share most words with it, such as ``runs/deepfm`` and ``models/deepfm.py``.
    """
    parts, known = folder.split(os.sep), _words(folder)

    def distance(candidate: str) -> Tuple[int, int, int]:
        module, colon, _ = candidate.rpartition(":")
        is_module = colon and not module.endswith(".py")
        words = (module.replace(".", os.sep) if is_module else candidate).split(os.sep)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(parts, words))
        return -len(list(same)), -len(known & _words(candidate)), len(words)

    return sorted(candidates, key=distance)


def _words(path: str) -> Set[str]:
    return set(re.findall(r"[a-z]+|[0-9]+", path.lower()))


def _recorded(folder: str) -> str:
    """Returns the TARGET in the record of the newest checkpoint; "" for none."""
    saved: Dict[str, float] = {}
    for name in os.listdir(folder):
        if name.endswith(".index"):
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):  # a link to nothing, or removed meanwhile
                saved[path[: -len(".index")]] = os.path.getmtime(path)
    record = read_record(max(saved, key=saved.__getitem__)).record if saved else None
    return printable(record.target) if record is not None else ""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
