"""A place of its own for each trace, thrown away after it.

It holds a stand-in for the model_dir, so that no code that is traced writes into the real one, and
the temporary files that the code makes, such as the directory of an Estimator that was given none.
Small files are copied, since code may open them for writing (params.json, a vocabulary). Large
ones and TensorFlow's own are symbolic links; directories are always new ones.
"""

import os
import re
import shutil
import tempfile
from typing import List

from .temporary import remove as remove

_MOST_ENTRIES = 10000
_LARGEST_COPY = 1 << 20
_OF_TENSORFLOW = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$|tfevents|^graph\.pbtxt$")
_DEEPEST = 4


def make(model_dir: str) -> str:
    """Makes the place in the temporary directory, which is the run's own; returns its path."""
    root = tempfile.mkdtemp(prefix="")
    shown = model_dir_in(root)
    for path in (shown, _temporary(root)):
        os.mkdir(path)
    if os.path.isdir(model_dir):
        _mirror(os.path.abspath(model_dir), shown, [_MOST_ENTRIES], _DEEPEST)
    return root


def model_dir_in(root: str) -> str:
    """The directory that shows the files of the model_dir."""
    return os.path.join(root, "model_dir")


def _temporary(root: str) -> str:
    return os.path.join(root, "tmp")


def use(root: str) -> None:
    """Lets this process make its temporary files there."""
    os.environ["TMPDIR"] = tempfile.tempdir = _temporary(root)


def _mirror(source: str, target: str, left: List[int], depth: int) -> None:
    """Shows a directory's files; what cannot be read is left out, as the code could not either."""
    try:
        entries = list(os.scandir(source))
    except OSError:
        return
    for entry in entries[: left[0]]:
        left[0] -= 1
        to = os.path.join(target, entry.name)
        if _is_folder(entry):
            os.mkdir(to)
            if depth > 1 and not entry.is_symlink():
                _mirror(entry.path, to, left, depth - 1)
        else:
            _show_file(entry, to)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _show_file(entry: "os.DirEntry[str]", to: str) -> None:
    try:
        if entry.stat().st_size <= _LARGEST_COPY and not _OF_TENSORFLOW.search(entry.name):
            shutil.copyfile(entry.path, to)
        else:
            os.symlink(os.path.abspath(entry.path), to)
    except OSError:  # a broken link, or a file that may not be read
        return
