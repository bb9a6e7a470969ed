"""Notes what traced code depends on, so that its trace can be kept and used again.

The watch must not change what the code computes: each function that it replaces calls the original
one with the same arguments. It uses several sources, which overlap: Python's audit
events, replaced functions, and the opens that Linux reports (:mod:`.watch_opens`).

If the watch cannot follow something, this is a reason not to keep the trace.
"""

import contextlib
import logging
import os
import sys
import tempfile
import types
from os.path import dirname, join
from typing import Any, Callable, Dict, Iterator, Optional, Set, Tuple

from ..seen import Look, Seen, Sight, State, state_of
from .user_code import absolute, is_user_file, shown

_getframe, _getcwd, _fspath, _readlink = sys._getframe, os.getcwd, os.fspath, os.readlink
_fsdecode = os.fsdecode
_OWN_FILES = "<_ckptcheck"
_WATCH_FILES = "<_ckptcheck.tracer.watch"
_TRUSTED_PACKAGES = frozenset(
    (
        *("tensorflow", "tensorflow_core", "tensorflow_estimator", "keras", "tf_keras", "tf_slim"),
        *("absl", "google", "numpy", "tensorboard"),
    )
)
_TRUSTED_MODULES = frozenset((logging.__file__, tempfile.__file__))
_PACKAGES = ("/site-packages/", "/dist-packages/")
_LONGEST_NAME = 1000
_MOST_SIGHTS = 20000
_SPECIAL = ("/dev/", "/proc/", "/sys/")
_ORDINARY = "/dev/shm/"
"""Shared memory: its files are like those on a disk."""
_OF_DESCRIPTORS = (Look.NAMES, Look.STATS, Look.STAT)
USER, TRUSTED, OTHER = "user", "trusted", "other"


class Watch:
    """What was noted so far.

    Attributes:
        written: the files that code only wrote.
        starts: whether the tracer starts, and imports TensorFlow.
        active: whether the user's code is watched, and not only the tracer's own start.
    """

    def __init__(self) -> None:
        self.sights: Dict[Tuple[str, Look], Optional[State]] = {}
        self.modules: Dict[str, Set[str]] = {}
        self.variables: Set[str] = set()
        self.written: Set[str] = set()
        self.installed: Set[str] = set()
        self.starts = True
        self.active = False
        self._reasons: Dict[str, None] = {}
        self._kinds: Dict[str, str] = {}
        self._paused = 0
        self._ignored = ""
        self._shown = ""
        self._model_dir = ""
        self._last_looks: Tuple[Callable[[Watch], object], ...] = ()

    def use_folders(self, run: str, shown_dir: str, model_dir: str) -> None:
        """Says which directories are not the user's.

        Args:
            run: the directory of this run. Reads in it do not count, because the
                directory is removed afterwards.
            shown_dir: the directory in it that shows the model_dir.
            model_dir: the real one.
        """
        self.active = True
        self._ignored = join(run, "")
        self._shown = join(shown_dir, "")
        self._model_dir = absolute(model_dir)

    def at_the_end(self, *looks: Callable[["Watch"], object]) -> None:
        """Says what to look at when the code has run."""
        self._last_looks += looks

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Notes nothing until the context ends, because ckptcheck itself reads files there."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    # --- who did it -------------------------------------------------------------------------

    def kind(self, file: str) -> str:
        """Says whose code a file is: the user's, TensorFlow's (or similar packages'), or other."""
        known = self._kinds.get(file)
        if known is None:
            known = self._kinds[file] = _kind(file)
        return known

    def culprit(self, imports: bool = True) -> str:
        """Returns the line of the user's code that is running, such as ``net.py:12``.

        Returns "" if TensorFlow or a similar package does something by itself.

        Args:
            imports: whether actions of an installed package during its import count, too.
        """
        frame: Optional[types.FrameType] = _getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(_WATCH_FILES):
            frame = frame.f_back
        while frame is not None:
            kind = self.kind(frame.f_code.co_filename)
            if kind == USER:
                return f"{shown(frame.f_code.co_filename)}:{frame.f_lineno}"
            if kind == TRUSTED or (not imports and frame.f_code.co_name == "<module>"):
                return ""
            frame = frame.f_back
        return ""

    def user_line(self) -> str:
        """Returns the innermost line of the user's code on the stack; "" if there is none."""
        frame: Optional[types.FrameType] = _getframe(1)
        while frame is not None:
            if self.kind(frame.f_code.co_filename) == USER:
                return f"{shown(frame.f_code.co_filename)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    # --- what code did ----------------------------------------------------------------------

    def give_up(self, reason: str, line: str = "") -> str:
        """Notes why the trace cannot be kept.

        Returns:
            What :meth:`take_back` takes; "" if this was known already.
        """
        text = f"{line} {reason}" if line else f"the code {reason}"
        if self._paused or text in self._reasons:
            return ""
        self._reasons[text] = None
        return text

    def take_back(self, text: str) -> None:
        """Removes a reason that :meth:`give_up` noted, because it does not matter."""
        self._reasons.pop(text, None)

    def note(self, path: Any, look: Look, folder: Any = None) -> None:
        """Notes that code looks at a path.

        Args:
            path: as the code gave it. An open descriptor counts only if the look is at more than
                the content.
            look: what it looks at.
            folder: the descriptor of the directory that the path starts in; None for the
                working directory.
        """
        if self._paused or path is None or (type(path) is int and look not in _OF_DESCRIPTORS):
            return
        try:
            full = self._full(path, folder)
        except (OSError, TypeError, ValueError) as error:
            self.give_up(f"uses a path that ckptcheck cannot resolve ({type(error).__name__})")
            return
        if full is None or (full, look) in self.sights:
            return
        if look not in (Look.NAMES, Look.STATS) and not is_user_file(full):
            if not full.endswith(".pyc"):  # the source counts
                self.installed.add(full)
        elif len(self.sights) < _MOST_SIGHTS:
            self.sights[full, look] = state_of(full, look)
        else:
            self.give_up(f"looks at more than {_MOST_SIGHTS:,} files")

    def note_text(self, text: str) -> None:
        """Notes a text that may be the name of a file, which C++ code may open."""
        if 1 < len(text) <= _LONGEST_NAME and "\0" not in text and ("." in text or "/" in text):
            self.note(text, Look.CONTENT)

    def note_unseen(self, path: str) -> None:
        """Notes that something opened a file at an unknown time."""
        full = self._full(path, None)
        if full is not None and full not in self.written and is_user_file(full):
            self.sights.setdefault((full, Look.CONTENT), None)

    def note_written(self, path: Any, folder: Any = None) -> None:
        """Notes that code opens a file only to write it, which its directory has to allow."""
        if type(path) is not int:
            full = self._full(path, folder)
            if full is not None:
                self.written.add(full)
                self.note(dirname(full), Look.KIND)

    def _full(self, path: Any, folder: Any) -> Optional[str]:
        """Returns the real path; None if it does not count."""
        if type(path) is int:
            path = _readlink(f"/proc/self/fd/{path}")
        text = _fsdecode(path if type(path) in (str, bytes) else _fspath(path))
        if "://" in text:
            self.give_up(f"uses the remote file {text}", self.user_line())
            return None
        if text[:1] != "/":
            text = join(_readlink(f"/proc/self/fd/{folder}") if folder else _getcwd(), text)
        if text.startswith(self._shown) and self._shown:
            return join(self._model_dir, text[len(self._shown) :])
        if self._ignored and (text + "/").startswith(self._ignored):
            return self._model_dir if text + "/" == self._shown else None
        if text.startswith(_SPECIAL) and not text.startswith(_ORDINARY):
            line = "" if text == "/dev/null" else self.user_line()
            if line:
                self.give_up(f"reads {text}", line)
            return None
        return text

    def seen(self) -> Seen:
        """Returns what was noted. Threads of the code may note more meanwhile."""
        for look in self._last_looks:
            look(self)
        sights = [*self.sights.items()]
        return Seen(
            tuple(Sight(path, look, state) for (path, look), state in sights),
            tuple(self.installed),
            {folder: tuple(names) for folder, names in [*self.modules.items()]},
            tuple(self.variables),
            tuple(self._reasons),
            sys.executable,
        )


def _kind(file: str) -> str:
    if file.startswith(_OWN_FILES):
        return TRUSTED
    if is_user_file(file):
        return USER
    if file in _TRUSTED_MODULES:
        return TRUSTED
    for folder in _PACKAGES:
        _, found, rest = file.rpartition(folder)
        if found and rest.partition("/")[0] in _TRUSTED_PACKAGES:
            return TRUSTED
    return OTHER


WATCH = Watch()
"""The watch of this process."""
