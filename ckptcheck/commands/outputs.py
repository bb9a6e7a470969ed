"""Refuses to write a report over a file of the command."""

import contextlib
import os
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence, Tuple

from ..checkpoint.addresses import is_remote
from ..config.toml_file import OWN_FILE, SHARED_FILE
from ..errors import UsageError

_SHOWN = {"params": "PARAMS", "features": "the features file"}


def kind_of_source(path: str) -> str:
    """Returns what a file is if its name shows that it is not a report; "" if it may be one."""
    names = {os.path.basename(path)}
    with contextlib.suppress(OSError):  # the working directory was removed
        names.add(os.path.basename(os.path.realpath(path)))
    if any(name.endswith(".py") for name in names):
        return "a Python source file"
    return "the configuration" if names & {OWN_FILE, SHARED_FILE} else ""


def verify_outputs(outputs: Sequence[str], find: Callable[[], Iterable[Tuple[str, str]]]) -> None:
    """Refuses outputs that would replace a file of the command.

    Args:
        outputs: the outputs, each as ``FORMAT=FILE``.
        find: returns the files and directories that the command reads, each with what it is.

    Raises:
        UsageError: an output is one of the files, or in one of the directories.
    """
    for output in outputs:
        kind = kind_of_source(output.partition("=")[2])
        if kind:  # a parsed command line may be older than the file
            raise UsageError(f"--output {output}: it would replace {kind}; give another file")
    for place, shown in find() if outputs else ():
        for output in outputs:
            path = output.partition("=")[2]
            problem = _problem(path, place, shown)
            if problem:
                raise UsageError(f"--output {output}: {problem}; give another file")


def _problem(path: str, place: str, shown: str) -> str:
    """Returns why an output cannot be written; "" if it can."""
    if not os.path.isdir(place):
        return f"it would replace {shown}" if _is_same(path, place) else ""
    real, folder = os.path.realpath(path), os.path.realpath(place)
    return f"it is in {shown} {place}" if real.startswith(os.path.join(folder, "")) else ""


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):  # one of them does not exist
        return os.path.realpath(path) == os.path.realpath(other)


def files_of(options: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """Yields the files and the directories that a check reads, each with what it is.

    Args:
        options: the arguments of the check, as they were given.
    """
    for key, shown in _SHOWN.items():
        value = options.get(key)
        if isinstance(value, (str, os.PathLike)) and os.fspath(value) not in ("", "-"):
            yield os.fspath(value), shown
    yield from folders_of(options.get("model_dir", ""))


def folders_of(model_dir: Any) -> Iterator[Tuple[str, str]]:
    """Yields the directory of a model_dir, of a checkpoint or of one of its files."""
    folder = os.fspath(model_dir or "")
    if folder and not is_remote(folder):
        inside = folder if os.path.isdir(folder) else os.path.dirname(folder) or os.curdir
        if os.path.isdir(inside):
            yield inside, "MODEL_DIR"
