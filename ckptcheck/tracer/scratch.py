"""A place of its own for each trace, thrown away after it.

It holds a stand-in for the model_dir (see :mod:`.shown_files`), so that no code that is traced
writes into the real one, and the temporary files that the code makes, such as the directory of an
Estimator that was given none.
"""

import os
import shutil
import tempfile

_ASKED, _NOT_ASKED = "asked", "not-asked"

_rename = os.rename
"""Bound before any code of the user's runs, which may replace it."""


def make() -> str:
    """Makes the place, without the files of the model_dir, and returns its path.

    Raises:
        OSError: there is no room for it, or no directory for temporary files.
    """
    root = tempfile.mkdtemp(prefix="ckptcheck-", dir=parent())
    try:
        for path in (model_dir_in(root), _temporary(root)):
            os.mkdir(path)
        os.close(os.open(os.path.join(root, _NOT_ASKED), os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        remove(root)
        raise
    return root


def parent() -> str:
    """The directory for temporary files.

    TMPDIR is not passed over where it is full, as ``tempfile`` does: the next choice may be the
    working directory.
    """
    named = os.environ.get("TMPDIR", "")
    return os.path.abspath(named) if os.path.isdir(named) else tempfile.gettempdir()


def model_dir_in(root: str) -> str:
    """The directory that shows the files of the model_dir."""
    return os.path.join(root, "model_dir")


def _temporary(root: str) -> str:
    return os.path.join(root, "tmp")


def use(root: str) -> None:
    """Lets this process make its temporary files there."""
    os.environ["TMPDIR"] = tempfile.tempdir = _temporary(root)


def note_asked(model_dir: str) -> None:
    """Notes that the code asked for the path of the directory that it is shown.

    The note is a file that is renamed: that needs no room, and outlasts this process.
    """
    root = os.path.dirname(model_dir)
    try:
        _rename(os.path.join(root, _NOT_ASKED), os.path.join(root, _ASKED))
    except OSError:  # it is noted already
        return


def was_asked(root: str) -> bool:
    """Whether the code asked for the path of the directory that it was shown."""
    return not os.path.exists(os.path.join(root, _NOT_ASKED))


def remove(path: str) -> None:
    """Removes what :func:`make` made; links are removed, never followed."""
    shutil.rmtree(path, ignore_errors=True)
    if os.path.isdir(path):
        _unlock(path)
        shutil.rmtree(path, ignore_errors=True)


def _unlock(root: str) -> None:
    """Makes directories writable again whose rights the traced code has taken away."""
    for folder, folders, _ in os.walk(root):
        for name in folders:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
