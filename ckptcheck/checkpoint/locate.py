"""Finds the checkpoint that Estimator would load, given a MODEL_DIR argument."""

import functools
import itertools
import os
import re
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from ..errors import UsageError
from ..model_dir import Absence, Found, Located, Missing, ModelDir, Named, Unnamed, pattern_in
from ..results import natural_key
from . import existing
from .files import Listing
from .names import without_ending
from .snapshot import MARKER, list_model_dir
from .state_file import STATE_FILE, read_state_file
from .v1_format import prefix_of

_EXPECTED = "expected a model_dir, or a checkpoint such as runs/base/model.ckpt-1000"


def locate(named: str) -> Located:
    """Finds the checkpoint that Estimator would load.

    Args:
        named: a directory, a checkpoint's prefix, or one of a checkpoint's files.

    Raises:
        UsageError: ``named`` does not exist.
    """
    if not named or "\0" in named:
        raise UsageError(f"MODEL_DIR {named!r}: {_EXPECTED}")
    try:
        if Path(named).is_dir():
            return _in_directory(named, named.rstrip("/") or "/")
        return _named_checkpoint(named)
    except OSError as error:
        place = error.filename or named
        raise UsageError(f"MODEL_DIR {named}: {place} cannot be read: {error.strerror}")


def named_alone(located: Located, prefix: str, listing: Listing) -> Named:
    """Returns a checkpoint of a directory as if the user had named it.

    Args:
        located: the result of :func:`locate` for the directory.
        prefix: the checkpoint.
        listing: the files in its directory.
    """
    shards = existing.missing_shards(prefix, listing)
    return Named(prefix, located.model_dir, (prefix,), prefix, missing_shards=shards)


def checkpoints_of(located: Located) -> List[str]:
    """Returns the checkpoints in a model_dir, and listed checkpoints in its subdirectories."""
    listed = [prefix for prefix in located.listed_here if existing.checkpoint_exists(prefix)]
    return sorted({*located.candidates, *listed}, key=existing.step_and_name)


# --- A checkpoint that the user names --------------------------------------------------------


def _named_checkpoint(named: str) -> Named:
    prefix = prefix_of(without_ending(os.path.join(*os.path.split(named))))
    if existing.checkpoint_exists(prefix):
        folder = os.path.dirname(prefix)
        shards = existing.missing_shards(prefix, list_model_dir(folder))
        candidates = tuple(existing.checkpoints_in(folder or "."))
        return Named(named, folder or ".", candidates, prefix, missing_shards=shards)
    if os.path.isfile(prefix + ".index"):
        raise UsageError(
            f"MODEL_DIR {named}: its path contains {pattern_in(prefix)}, so TensorFlow treats it "
            "as a glob pattern, and does not find the checkpoint. Rename the directory"
        )
    raise UsageError(_no_checkpoint(named, Path(named)))


def _no_checkpoint(named: str, path: Path) -> str:
    """Describes the problem with an argument that is neither a directory nor a checkpoint."""
    if path.is_file() and path.name == STATE_FILE:
        return f"{named} is a state file. Give its directory instead: {path.parent}"
    if path.is_file():
        return f"{named} is {_file_type(path)}: {_EXPECTED}"
    if not path.parent.is_dir():
        return f"no directory {named}: {_EXPECTED}"
    return f"no directory or checkpoint {named}: {_EXPECTED}{_similar(path)}"


def _similar(path: Path) -> str:
    """Suggests checkpoints or files with similar names, in case the user mistyped one."""
    parent = path.parent
    checkpoints = [os.path.basename(prefix) for prefix in existing.checkpoints_in(str(parent))]
    if checkpoints:
        return "; {} holds {}".format(parent, ", ".join(checkpoints[-3:]))
    import difflib

    names = [name for name in os.listdir(str(parent)) if name != path.name]
    similar = difflib.get_close_matches(path.name, names, 1, 0.75)
    return f"; did you mean {parent / similar[0]}?" if similar else ""


def _file_type(path: Path) -> str:
    """Describes a file that is not a checkpoint."""
    if path.suffix in (".h5", ".hdf5", ".keras"):
        return "a Keras file, which Saver cannot read"
    if path.suffix in (".pb", ".pbtxt"):
        variables = _saved_model(path.parent)
        holds = f"; its variables are in {variables}" if variables else ""
        return f"a graph, not a checkpoint{holds}"
    return "a file, but not a checkpoint"


# --- A directory -----------------------------------------------------------------------------


def _in_directory(named: str, model_dir: str) -> Located:
    """Finds the checkpoint that Estimator would load from a directory.

    Args:
        named: the directory as the user wrote it. It may end with slashes.
        model_dir: the same directory without slashes at the end.
    """
    state = read_state_file(Path(model_dir))
    written = state.latest if state is not None else ""
    prefix = _spelled(model_dir, _opened(model_dir, written)) if written else ""
    possible = "\0" not in prefix  # no file can have a name with a null byte
    here, elsewhere, nowhere = _listed(model_dir, state.all if state is not None else ())
    place = ModelDir(
        named=named,
        model_dir=model_dir,
        candidates=tuple(existing.checkpoints_in(model_dir)),
        prefix=prefix,
        listed_here=here,
        elsewhere=bool(prefix) and possible and _inside(os.path.dirname(prefix), model_dir) is None,
    )
    if not prefix:
        saved_model = _saved_model(Path(model_dir))
        return Unnamed(
            **vars(place),
            state=state,
            saved_model=saved_model,
            without_variables=not saved_model and _has_saved_model(Path(model_dir)),
            exports=() if saved_model or place.candidates else _exports(model_dir),
            below=() if place.candidates else _below(model_dir),
            data_alone=() if place.candidates else existing.data_files_in(model_dir),
        )
    if not possible:
        return Missing(**vars(place), written=written)
    if _is_usable(prefix):
        return Found(
            **vars(place),
            written=written,
            missing_shards=existing.missing_shards(prefix, list_model_dir(os.path.dirname(prefix))),
            double_slash=re.search(r"//+[^/]+\Z", os.path.join(named, written)) is not None,
            listed_elsewhere=elsewhere,
            listed_nowhere=nowhere,
        )
    return Missing(
        **vars(place),
        written=written,
        absence=_absence(prefix),
        link=existing.broken_link(prefix),
        folder_exists=existing.folder_exists(_searched(prefix)),
    )


def _is_usable(prefix: str) -> bool:
    """Whether TensorFlow finds a checkpoint and can then open it.

    It finds a checkpoint by a glob pattern, but opens the file with exactly this name.
    """
    exact = not pattern_in(prefix) or existing.has_exact_name(prefix)
    return exact and existing.checkpoint_exists(prefix)


def _absence(prefix: str) -> Absence:
    if existing.checkpoint_exists(prefix) or existing.path_exists(prefix):
        return Absence.NOT_A_CHECKPOINT
    if existing.broken_link(prefix):
        return Absence.BROKEN_LINK
    if pattern_in(os.path.dirname(prefix)) and existing.has_exact_name(prefix):
        return Absence.GLOB
    return Absence.NO_INDEX if existing.has_data_files(prefix) else Absence.NO_FILES


# --- Other contents of a directory -------------------------------------------------------------


def _saved_model(folder: Path) -> str:
    """Returns the prefix of a SavedModel's variables; "" if there is no SavedModel.

    Args:
        folder: the directory of a SavedModel, or the directory of its variables.
    """
    if folder.name in ("", os.pardir):
        folder = Path(os.path.abspath(str(folder)))
    for place in (folder.parent, folder) if folder.name == "variables" else (folder,):
        prefix = os.path.join(str(place), "variables", "variables")
        if _has_saved_model(place) and existing.checkpoint_exists(prefix):
            return prefix
    return ""


def _has_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))


_MOST_BELOW = 1000
_LEVELS = 3


def _exports(folder: str) -> Tuple[str, ...]:
    """Finds the variables of the SavedModels below a directory, the newest last.

    An exporter of Estimator writes to ``export/NAME/TIME`` in the model_dir.
    """
    found: List[str] = []
    level = [folder]
    for _ in range(_LEVELS):
        inner = (below for place in level for below in _folders(place))
        level = list(itertools.islice(inner, _MOST_BELOW))
        found += filter(None, (_saved_model(Path(place)) for place in level))
    return tuple(sorted(found, key=lambda prefix: natural_key(prefix.split(os.sep)[-3])))


def _folders(folder: str) -> Iterator[str]:
    """Yields the subdirectories of a directory; none if it cannot be read."""
    _, names, _ = next(os.walk(folder), ("", [], []))
    return (os.path.join(folder, name) for name in sorted(names) if name != "variables")


def _below(folder: str) -> Tuple[str, ...]:
    """Finds subdirectories with checkpoints. It looks only at the first thousand directories."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    paths = [os.path.join(folder, name) for name in names[:_MOST_BELOW]]
    return tuple(path for path in paths if _has_checkpoint(path))


def _has_checkpoint(folder: str) -> bool:
    """Whether a directory has a state file and an index. It need not be readable."""
    _, _, names = next(os.walk(folder), ("", [], []))
    return STATE_FILE in names and any(name.endswith(".index") for name in names)


# --- The paths in a state file ---------------------------------------------------------------


def _opened(model_dir: str, written: str) -> str:
    """Returns the prefix that TensorFlow opens for a path in a state file.

    TensorFlow resolves ``..`` and double slashes in the text, without following links.
    """
    prefix = written if os.path.isabs(written) else os.path.join(model_dir, written)
    folder, name = os.path.split(prefix)
    if ".." not in folder.split(os.sep) and "//" not in prefix:
        return prefix
    return os.path.join(os.path.normpath(folder), name)


def _spelled(model_dir: str, prefix: str) -> str:
    """Spells a prefix in a model_dir or its subdirectories like the prefixes in ``candidates``.

    A path that TensorFlow treats as a glob pattern stays as it is, since its exact text matters.
    """
    folder, name = os.path.split(prefix)
    inside = None if "\0" in prefix or pattern_in(folder) else _inside(folder, model_dir)
    return prefix if inside is None else os.path.join(model_dir, inside, name)


def _inside(folder: str, model_dir: str) -> Optional[str]:
    """Returns a directory's path in a model_dir: "" for the model_dir, None if it is outside."""
    below = os.path.relpath(os.path.realpath(folder or os.curdir), os.path.realpath(model_dir))
    if below.split(os.sep)[0] == os.pardir:
        return None
    return "" if below == os.curdir else below


def _listed(model_dir: str, paths: Sequence[str]) -> Tuple[Tuple[str, ...], ...]:
    """Groups the checkpoints that a state file lists by their directory.

    For a snapshot, it ignores other directories, since these belong to the original model_dir.

    Returns:
        The attributes ``listed_here``, ``listed_elsewhere`` and ``listed_nowhere`` of
        :class:`..model_dir.Found`.
    """
    inside = functools.lru_cache(maxsize=None)(lambda folder: _inside(folder, model_dir))
    exists = functools.lru_cache(maxsize=None)(existing.folder_exists)
    here: List[str] = []
    elsewhere: List[str] = []
    nowhere: Dict[str, None] = {}
    is_snapshot = os.path.exists(os.path.join(model_dir, MARKER))
    for prefix in (_opened(model_dir, path) for path in paths if path and "\0" not in path):
        folder, name = os.path.split(prefix)
        below = inside(folder)
        if below is not None:
            here.append(os.path.join(model_dir, below, name))
        if is_snapshot:
            continue
        searched = _searched(prefix)
        if not exists(searched):
            nowhere[searched] = None
        elif below is None and existing.checkpoint_exists(prefix):
            elsewhere.append(prefix)
    return tuple(here), tuple(elsewhere), tuple(nowhere)


def _searched(prefix: str) -> str:
    """Returns the directory where TensorFlow starts to look for files that match a prefix."""
    character = pattern_in(prefix)
    return os.path.dirname(prefix[: prefix.index(character)] if character else prefix)
