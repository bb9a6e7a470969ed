"""Which checkpoint a restore would load from what the user named."""

import dataclasses
import glob
import os
import re
import stat
from pathlib import Path
from typing import Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import UsageError
from ..model_dir import Located, StateFile, pattern_in, step_of
from .files import Listing
from .names import SHADOW, shard_name, without_ending
from .snapshot import MARKER, list_model_dir
from .state_file import STATE_FILE, read_state_file
from .v1_format import first_versions, is_first_version, is_table, prefix_of, without_pattern

_PART = re.compile(r"\.part-\d{5}-of-\d{5}\.index\Z")
"""What a saver names the pieces that it has not merged yet."""
_INDEX = re.compile(r"(?P<name>.+)\.index\Z", re.DOTALL)


def locate(named: str) -> Located:
    """Finds the checkpoint that Estimator would load.

    Args:
        named: a directory, a checkpoint's prefix, or one of a checkpoint's files.

    Raises:
        UsageError: there is nothing of that name.
    """
    if not named or "\0" in named:
        raise UsageError(f"MODEL_DIR {named!r}: expected a model_dir or the prefix of a checkpoint")
    try:
        return _found(named, Path(named))
    except OSError as error:
        place = error.filename or named
        raise UsageError(f"MODEL_DIR {named}: {place} cannot be read: {error.strerror}")


def _found(named: str, path: Path) -> Located:
    if path.is_dir():
        return _in_directory(named, named.rstrip("/") or "/")
    prefix = prefix_of(without_ending(os.path.join(*os.path.split(named))))
    if checkpoint_exists(prefix):
        model_dir = os.path.dirname(prefix) or "."
        return _located(named, model_dir, prefix, True, None)
    if os.path.isfile(prefix + ".index"):
        raise UsageError(
            f"MODEL_DIR {named}: TensorFlow takes the {pattern_in(prefix)} in it for a pattern, "
            "and finds no such checkpoint: rename the directory"
        )
    raise UsageError(_nothing(named, path))


def _nothing(named: str, path: Path) -> str:
    expected = "expected a model_dir, or the prefix of a checkpoint such as {}".format(
        "runs/base/model.ckpt-1000"
    )
    if path.is_file() and path.name == STATE_FILE:
        return f"{named} is a state file: name its directory {path.parent}"
    if path.is_file():
        return f"{named} is a file and no checkpoint{_kind(path)}: {expected}"
    parent = path.parent
    if not parent.is_dir():
        return f"no directory {named}: {expected}"
    there = [os.path.basename(prefix) for prefix in checkpoints_in(str(parent))]
    if there:
        hint = "; {} holds {}".format(parent, ", ".join(there[-3:]))
    else:
        others = [name for name in os.listdir(str(parent)) if name != path.name]
        import difflib

        near = difflib.get_close_matches(path.name, others, 1, 0.75)
        hint = f"; did you mean {parent / near[0]}?" if near else ""
    return f"no directory or checkpoint {named}: {expected}{hint}"


def _kind(path: Path) -> str:
    """What else a file is that has weights in it, for those who take it for a checkpoint."""
    if path.suffix in (".h5", ".hdf5", ".keras"):
        return ", but what Keras saves, which Saver does not read"
    if path.suffix in (".pb", ".pbtxt"):
        variables = _saved_model(path.parent)
        return f", but a graph; {variables} holds its variables" if variables else ", but a graph"
    return ""


def _saved_model(folder: Path) -> str:
    """The prefix of the variables of a SavedModel, "" for a directory that is none."""
    prefix = os.path.join(str(folder), "variables", "variables")
    is_one = any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))
    return prefix if is_one and checkpoint_exists(prefix) else ""


def _saved_model_of(folder: Path) -> str:
    """The same of a directory, or of the one above it where that holds its variables."""
    if folder.name in ("", os.pardir):
        folder = Path(os.path.abspath(str(folder)))
    above = _saved_model(folder.parent) if folder.name == "variables" else ""
    return above or _saved_model(folder)


def _in_directory(named: str, model_dir: str) -> Located:
    """What a directory leads to, which the user may have named with slashes behind it."""
    state = read_state_file(Path(model_dir))
    latest = state.latest if state is not None and not state.problem else ""
    prefix = _spelled(model_dir, _opened(model_dir, latest)) if latest else ""
    listed = _listed(model_dir, state.all if state is not None else ())
    return dataclasses.replace(
        _located(named, model_dir, prefix, False, state),
        doubled_slash=bool(latest) and _DOUBLED.search(os.path.join(named, latest)) is not None,
        listed_here=listed.here,
        listed_elsewhere=listed.elsewhere,
        listed_nowhere=listed.nowhere,
    )


_DOUBLED = re.compile(r"//+[^/]+\Z")


def _opened(model_dir: str, written: str) -> str:
    """Which prefix TensorFlow opens for what a state file says.

    It takes ``..`` and doubled slashes out of the text, whatever links there are on the way.
    """
    prefix = written if os.path.isabs(written) else os.path.join(model_dir, written)
    folder, name = os.path.split(prefix)
    if ".." not in folder.split(os.sep) and "//" not in prefix:
        return prefix
    return os.path.join(os.path.normpath(folder), name)


def _spelled(model_dir: str, prefix: str) -> str:
    """A checkpoint in a model_dir or below it by the path of that, as its other ones are.

    What TensorFlow takes for a pattern is one by its text, and stays as it is.
    """
    folder, name = os.path.split(prefix)
    inside = None if "\0" in prefix or pattern_in(folder) else _inside(folder, model_dir)
    return prefix if inside is None else os.path.join(model_dir, inside, name)


def _inside(folder: str, model_dir: str) -> Optional[str]:
    """A directory's path below a model_dir, "" for that itself, None where it lies elsewhere."""
    below = os.path.relpath(os.path.realpath(folder or os.curdir), os.path.realpath(model_dir))
    if below.split(os.sep)[0] == os.pardir:
        return None
    return "" if below == os.curdir else below


class _Listed(NamedTuple):
    """The checkpoints that a state file lists: see :class:`..spec.Located`."""

    here: Tuple[str, ...]
    elsewhere: Tuple[str, ...]
    nowhere: Tuple[str, ...]


def _listed(model_dir: str, paths: Sequence[str]) -> _Listed:
    """Where the checkpoints are that a state file lists.

    A copy of a model_dir, such as a snapshot, knows nothing of other directories.
    """
    here: List[str] = []
    elsewhere: List[str] = []
    nowhere: Dict[str, None] = {}
    inside: Dict[str, Optional[str]] = {}
    is_copy = os.path.exists(os.path.join(model_dir, MARKER))
    for prefix in (_opened(model_dir, path) for path in paths if path and "\0" not in path):
        folder, name = os.path.split(prefix)
        if folder not in inside:
            inside[folder] = _inside(folder, model_dir)
            searched = _searched(prefix)
            if not is_copy and _is_missing(searched):
                nowhere[searched] = None
        below = inside[folder]
        if below is not None:
            here.append(os.path.join(model_dir, below, name))
        elif not is_copy and _searched(prefix) not in nowhere and checkpoint_exists(prefix):
            elsewhere.append(prefix)
    return _Listed(tuple(here), tuple(elsewhere), tuple(nowhere))


def _searched(prefix: str) -> str:
    """The directory in which TensorFlow begins to look for what matches a path."""
    mark = pattern_in(prefix)
    return os.path.dirname(prefix[: prefix.index(mark)] if mark else prefix)


def _is_missing(folder: str) -> bool:
    """Whether no directory is there; TensorFlow 1 passes over one that it may not enter."""
    try:
        return not stat.S_ISDIR(os.stat(folder or os.curdir).st_mode)
    except PermissionError:
        return False
    except OSError:
        return True


def _located(
    named: str, model_dir: str, prefix: str, explicit: bool, state: Optional[StateFile]
) -> Located:
    folder = os.path.dirname(prefix)
    possible = "\0" not in prefix  # else no file can have that name
    found = bool(prefix) and possible and checkpoint_exists(prefix)
    exists = found and (not pattern_in(prefix) or _is_named_so(prefix))
    candidates = checkpoints_in(model_dir)
    graphs = [without_pattern(prefix) + ".meta"] if prefix and possible else []
    if not exists:  # the model is that of the other checkpoints
        graphs.extend(
            without_pattern(other) + ".meta" for other in candidates[-1:] if other != prefix
        )
    graphs.append(os.path.join(model_dir, "graph.pbtxt"))
    lost = possible and bool(prefix) and not exists
    hidden = lost and pattern_in(folder) != "" and _is_named_so(prefix)
    return Located(
        named=named,
        model_dir=model_dir,
        prefix=prefix,
        explicit=explicit,
        state=state,
        exists=exists,
        lacks_index=lost and not hidden and bool(_data_files(prefix)),
        hidden=hidden,
        names_file=lost and (found or _is_there(prefix)),
        link=_lost_link(prefix) if prefix and possible else "",
        folder_exists=not possible or not _is_missing(_searched(prefix)),
        elsewhere=bool(prefix) and possible and _inside(folder, model_dir) is None,
        missing_shards=_missing_shards(prefix, list_model_dir(folder)) if exists else (),
        candidates=tuple(candidates),
        graphs=tuple(graphs),
        saved_model="" if prefix else _saved_model_of(Path(model_dir)),
        below=() if prefix or candidates else _below(model_dir),
        data_alone=() if prefix or candidates else _data_alone(model_dir),
    )


_MOST_BELOW = 1000


def _below(folder: str) -> Tuple[str, ...]:
    """The directories in one that hold checkpoints; of very many, those that come first."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    return tuple(
        os.path.join(folder, name)
        for name in names[:_MOST_BELOW]
        if _has_checkpoint(os.path.join(folder, name))
    )


def _has_checkpoint(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:  # it is not what was asked for
        return False
    return STATE_FILE in names and any(name.endswith(".index") for name in names)


def _data_alone(folder: str) -> Tuple[str, ...]:
    names = [name for name in list_model_dir(folder) if name[:2] != SHADOW]
    return tuple(sorted(filter(_SHARD.search, names)))


def named_alone(located: Located, prefix: str, listing: Listing) -> Located:
    """A checkpoint of a directory as if it had been named, and nothing else were there.

    Args:
        located: what the directory leads to.
        prefix: the checkpoint, whose index is there.
        listing: what is in its directory.
    """
    return Located(
        named=prefix,
        model_dir=located.model_dir,
        prefix=prefix,
        explicit=True,
        state=None,
        exists=True,
        missing_shards=_missing_shards(prefix, listing),
        candidates=(prefix,),
        graphs=located.graphs,
    )


def checkpoint_exists(prefix: str) -> bool:
    """As TensorFlow asks: the index of a V2 checkpoint, or the files of a V1 one.

    It asks for files that match a pattern, so ``lr[0.1]/model.ckpt-1`` is no checkpoint.
    """
    if pattern_in(prefix) and not is_first_version(prefix):
        return "\\" not in prefix and bool(glob.glob(prefix + ".index"))
    return os.path.exists(prefix + ".index") or (
        without_ending(prefix) == prefix and is_first_version(prefix)
    )


def _is_named_so(prefix: str) -> bool:
    """Whether there are files of this very name: TensorFlow looks for a pattern, and opens that."""
    return os.path.exists(prefix + ".index") or is_first_version(prefix)


def _lost_link(prefix: str) -> str:
    """Where the link leads that stands for a checkpoint or its index, if nothing is there."""
    for path in (prefix + ".index", prefix):
        if os.path.islink(path) and not os.path.exists(path):
            return os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    return ""


_SHARD = re.compile(r"\.data-(?P<number>\d{5})-of-(?P<count>\d{5})\Z")


def _shards(prefix: str, listing: Listing) -> List[str]:
    """The data files beside the index of a V2 checkpoint; those that a snapshot knows of, too."""
    folder, base = os.path.split(prefix)
    return [
        name
        for name, facts in listing.items()
        if name.startswith(base + ".data-")
        and _SHARD.search(name)
        and (not facts.problem or os.path.isfile(os.path.join(folder, name)))
    ]


def _is_there(path: str) -> bool:
    """Whether there is a file or directory, or was where this is a snapshot."""
    folder, name = os.path.split(path)
    if os.path.exists(path) or os.path.islink(path) or not name:
        return os.path.exists(path)
    there = _names(folder)
    return name in there or name + "/" in there


def _names(folder: str) -> Collection[str]:
    """What is in a directory; nothing of one that is not there or that nobody may look into."""
    try:
        return [] if _is_missing(folder) else list_model_dir(folder)
    except PermissionError:
        return []


def _data_files(prefix: str) -> List[str]:
    """The data files of a prefix that are there, whether or not there is an index."""
    folder, base = os.path.split(prefix)
    return [name for name in _names(folder) if _SHARD.sub("", name) == base != name]


def _missing_shards(prefix: str, listing: Listing) -> Tuple[str, ...]:
    """The data files that a V2 checkpoint lacks, by the count that the others' names give."""
    if not os.path.isfile(prefix + ".index"):
        return ()  # a V1 checkpoint is one file
    base = os.path.basename(prefix)
    there = _shards(prefix, listing)
    counts = {int(match.group("count")) for match in map(_SHARD.search, there) if match}
    count = max(counts) if counts else 1
    expected = [shard_name(base, number, count) for number in range(count)]
    return tuple(name for name in expected if name not in there)


def checkpoints_in(folder: str) -> List[str]:
    """The prefixes of the checkpoints in a directory, by step."""
    names = os.listdir(folder)
    found = [
        match.group("name")
        for match in map(_INDEX.match, names)
        if match and not _PART.search(match.group())
    ]
    known = {name.rstrip("/") for name in list_model_dir(folder)}
    files = {name for name in known if not name.endswith(".index") and name[:2] != SHADOW}
    saved = set(map(without_ending, files))
    paths = [os.path.join(folder, name) for name in found]
    paths = [path for path in paths if os.path.basename(path) in saved or _is_index(path)]
    return sorted([*paths, *first_versions(folder, known)], key=step_and_name)


def checkpoints_of(located: Located) -> List[str]:
    """The checkpoints in a model_dir, and those below it that its state file lists, by step."""
    listed = [prefix for prefix in located.listed_here if checkpoint_exists(prefix)]
    return sorted({*located.candidates, *listed}, key=step_and_name)


def _is_index(prefix: str) -> bool:
    """Whether the file that is named as an index, with no other of a checkpoint's, is one."""
    path = prefix + ".index"
    return os.path.isfile(path) and os.access(path, os.R_OK) and is_table(path)


def step_and_name(prefix: str) -> Tuple[int, str]:
    """What checkpoints are sorted by, so that the latest is the last."""
    number = step_of(prefix)
    return (-1 if number is None else number, prefix)
