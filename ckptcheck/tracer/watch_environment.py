"""Watches which environment variables code reads."""

import os
import sys
from typing import Any, Tuple

from .watch import Watch

_getframe = sys._getframe
_OWN = ("TMPDIR", "TEMP", "TMP")
"""Variables that the tracer sets itself."""
_OWN_START = "CKPTCHECK_"
_OF_THE_SHELL = ("_", "OLDPWD", "PWD", "SHLVL", "TERM")
"""Variables that differ between terminals. They count only if the user's code reads them."""
_COPIES = ("copy", "__iter__", "items")
"""Functions that read all variables. They count if the user's code calls them."""


def watch_environment(watch: Watch) -> None:
    """Watches from now on, in this process and its forks."""
    kind: Any = type(os.environ)
    get, iterate, keys = kind.__getitem__, kind.__iter__, kind.keys
    copying: Tuple[Any, ...] = ()

    def __getitem__(self: Any, key: Any) -> Any:  # noqa: N807
        frame = _getframe(1)
        name = key.decode("utf-8", "surrogateescape") if type(key) is bytes else key
        if type(name) is str and name not in _OWN:
            copied = frame.f_code.co_name in _COPIES or (id(frame), frame.f_lasti) == copying
            own = name in _OF_THE_SHELL or name.startswith(_OWN_START)
            if not (copied or own) or watch.culprit():
                watch.variables.add(name)
        return get(self, key)

    def __iter__(self: Any) -> Any:  # noqa: N807
        if watch.culprit():
            watch.variables.add("*")
        return iterate(self)

    def keys_of(self: Any) -> Any:
        """Notes the calling line. ``dict(os.environ)`` reads each variable from this line."""
        nonlocal copying
        frame = _getframe(1)
        copying = (id(frame), frame.f_lasti)
        return keys(self)

    kind.__getitem__, kind.__iter__, kind.keys = __getitem__, __iter__, keys_of
