"""A directory for each trace, removed after it.

It holds the copy of the model_dir that the code sees (see :mod:`.shown_files`), and the
temporary files that the code makes, such as the directory of an Estimator that got no model_dir.
"""

import os
import tempfile

from .temporary import remove as remove

_rename = os.rename
"""Bound before the user's code runs, because that code may replace it."""


def make() -> str:
    """Makes the directory in the temporary directory of the run. It has no files yet.

    Returns:
        Its path.

    Raises:
        OSError: it cannot be made.
    """
    root = tempfile.mkdtemp(prefix="")
    try:
        for path in (model_dir_in(root), _temporary(root)):
            os.mkdir(path)
        os.close(os.open(_not_asked(root), os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        remove(root)
        raise
    return root


def model_dir_in(root: str) -> str:
    """The directory that shows the files of the model_dir."""
    return os.path.join(root, "model_dir")


def _temporary(root: str) -> str:
    return os.path.join(root, "tmp")


def use(root: str) -> None:
    """Lets this process make its temporary files there."""
    os.environ["TMPDIR"] = tempfile.tempdir = _temporary(root)


def _not_asked(root: str) -> str:
    return os.path.join(root, "not-asked")


def note_asked(model_dir: str) -> None:
    """Notes that the code asked for the path of its model_dir.

    It renames a file: this needs no disk space, and lasts after the end of this process.
    """
    root = os.path.dirname(model_dir)
    try:
        _rename(_not_asked(root), os.path.join(root, "asked"))
    except OSError:  # this was noted before
        return


def was_asked(root: str) -> bool:
    """Whether the code asked for the path of its model_dir."""
    return not os.path.exists(_not_asked(root))
