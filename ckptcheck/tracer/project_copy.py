"""Runs code in a copy of the user's project; see :class:`..protocol.ProjectCopy`.

Directories of the copy replace those of the project in Python's path. But the code may import
modules from the project all the same, for example through an editable install. Then the trace would
be about the project and not about the copy. This is an error.
"""

import dataclasses
import sys
from os.path import join as _join
from os.path import normpath
from os.path import realpath as _realpath
from typing import Dict, Iterator, Set, Tuple

from ..protocol import Judgement, ProjectCopy, Reply, TraceRequest
from . import target
from .failures import NoSuchCodeError, UsageError
from .user_code import absolute, is_user_file, shown, start_in

_MOST_NAMES = 3
_before: Set[str] = set()
"""The modules that were imported before any code of the copy ran."""


def enter(copy: ProjectCopy) -> None:
    """Makes this process run in the copy.

    Raises:
        UsageError: this interpreter does not see the copy.
    """
    folder = normpath(_join(copy.path, copy.folder))
    try:
        start_in(folder)
    except OSError as error:
        raise UsageError(
            f"the Python that has TensorFlow cannot enter {folder} ({error.strerror}). It needs "
            "the temporary directory under the same path (set TMPDIR to use another)"
        )
    _before.update(sys.modules)
    sys.path[:] = [_moved(copy, path) for path in sys.path]


def _moved(copy: ProjectCopy, path: str) -> str:
    """Returns the directory of the copy for one of the project; installed packages stay."""
    full = _realpath(path) if path else ""
    if not _is_original(full, copy) or not is_user_file(_join(full, "module.py")):
        return path
    return copy.path + full[len(copy.original) :]


def _is_original(path: str, copy: ProjectCopy) -> bool:
    """Whether a path is in the project and not in the copy. The copy may be inside the project."""
    return _is_below(path, copy.original) and not _is_below(path, copy.path)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(_join(folder, ""))


def noted(request: TraceRequest, reply: Reply) -> Reply:
    """Adds notes to a trace about imported modules that are not in the copy.

    Args:
        request: what was traced.
        reply: the trace.

    Raises:
        UsageError: the code imported modules of the project instead of those of the copy, or
            TARGET is not in the copy.
    """
    copy = request.copy
    if copy is None:
        return reply
    files = dict(_imported())
    _verify_target(request, copy, files)
    shared = []
    for name, file in sorted(files.items()):
        if _is_original(file, copy):
            raise UsageError(
                f"it imports {name} from the working tree: {file}. Give the directory that {name} "
                "is imported from as --app-dir"
            )
        if _is_below(file, copy.path) and not _is_below(_realpath(file), copy.path):
            shared.append(shown(file))
    if not shared or isinstance(reply, Judgement):
        return reply
    names = ", ".join(shared[:_MOST_NAMES])
    more = len(shared) - _MOST_NAMES
    names += f" and {more} more" if more > 0 else ""
    note = (
        f"whether these files were the same at the revision: {names}. git does not have them there"
    )
    seen = dataclasses.replace(reply.seen, notes=(*reply.seen.notes, note))
    return dataclasses.replace(reply, seen=seen)


def _imported() -> Iterator[Tuple[str, str]]:
    """Yields the user's modules that the code imported, with their files."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name not in _before and isinstance(file, str) and is_user_file(file):
            yield name, absolute(file)


def _verify_target(request: TraceRequest, copy: ProjectCopy, files: Dict[str, str]) -> None:
    file = files.get(target.module_of(request.target))
    if file is None or _is_below(_realpath(file), copy.path):
        return  # TARGET is in the copy, or the trace says why it could not be imported
    if _is_original(_realpath(file), copy) and _is_below(file, copy.path):
        raise NoSuchCodeError(
            f"TARGET {request.target}: no file there: git does not have {shown(file)} at this "
            "revision"
        )
    if not _is_below(file, copy.original):
        raise UsageError(
            f"TARGET {request.target} is {file}, which is not in the git repository {copy.original}"
        )
