"""A directory for each trace, removed after it.

It holds the copy of the model_dir that the code is shown (see :mod:`.shown_files`), and the
temporary files that the code makes, such as the directory of an Estimator that got no model_dir.
"""

import os
import tempfile

from .temporary import remove as remove

_ASKED, _DRY_RUN = "asked", "dry-run"
"""Notes: the code asked for the path of the directory that it is shown; a dry run began."""

_rename = os.rename
"""Bound before any code of the user's runs, which may replace it."""


def make() -> str:
    """Makes the directory in the run's temporary directory, without the files of the model_dir.

    Returns:
        Its path.

    Raises:
        OSError: it cannot be made.
    """
    root = tempfile.mkdtemp(prefix="")
    try:
        for path in (model_dir_in(root), _temporary(root)):
            os.mkdir(path)
        for name in (_ASKED, _DRY_RUN):
            os.close(os.open(_not_yet(root, name), os.O_CREAT | os.O_WRONLY, 0o600))
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


def _not_yet(root: str, name: str) -> str:
    return os.path.join(root, f"not-{name}")


def note_asked(model_dir: str) -> None:
    """Notes that the code asked for the path of the directory that it is shown."""
    _note(model_dir, _ASKED)


def was_asked(root: str) -> bool:
    """Whether the code asked for the path of the directory that it was shown."""
    return not os.path.exists(_not_yet(root, _ASKED))


def note_dry_run(model_dir: str) -> None:
    """Notes that a dry run begins."""
    _note(model_dir, _DRY_RUN)


def began_dry_run(root: str) -> bool:
    """Whether a dry run began."""
    return not os.path.exists(_not_yet(root, _DRY_RUN))


def _note(model_dir: str, name: str) -> None:
    """Renames a file, which needs no room and outlasts this process."""
    root = os.path.dirname(model_dir)
    try:
        _rename(_not_yet(root, name), os.path.join(root, name))
    except OSError:  # it is noted already
        return
