"""Remembers parsed command lines. To parse one takes as long as a check from the cache."""

import importlib.util
import os
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

from .. import __version__
from ..seen import Look
from .states import numbers, state, text_digest
from .store import Store, folder_for

_KIND = "line"
_PACKAGE = Path(__file__).resolve().parent.parent
_PARSER = "typer"
_SOURCES = (
    *("options.py", "reporters/__init__.py"),
    *("commands/check.py", "commands/checking.py", "commands/outputs.py", "commands/parsing.py"),
)
"""The files that decide how a command line is parsed, in addition to the parser."""
_FOLDER = "--cache-dir"
_NONE = "--no-cache"
_SECRET = "--env"
_REMOTE = "://"


class Lines:
    """The command lines of ``ckptcheck check`` that were parsed before."""

    def __init__(self, words: Sequence[str]) -> None:
        """Prepares for one command line.

        Args:
            words: the command line.
        """
        self._words = list(words)
        self._used = _NONE not in words and not os.environ.get("CKPTCHECK_NO_CACHE")
        self._store = Store(folder_for(_folder(words)))

    def known(self) -> Optional[Dict[str, Any]]:
        """Returns what :meth:`remember` was given; None if this line was not parsed before."""
        if not self._used or not os.path.isdir(self._store.folder):
            return None
        document = self._store.read(_KIND, self._name())
        if document is None or document.get("words") != self._words:
            return None
        found = document.get("arguments")
        return found if isinstance(found, dict) else None

    def remember(self, arguments: Mapping[str, Any]) -> None:
        """Remembers how the line was parsed, if the cache holds anything.

        A line that may hold a password or a token is not written down.
        """
        secret = any(_REMOTE in w or w.partition("=")[0] == _SECRET for w in self._words)
        if self._used and not secret and os.path.isdir(self._store.folder):
            document = {"words": self._words, "arguments": dict(arguments)}
            self._store.write(_KIND, self._name(), document)

    def _name(self) -> str:
        spec = importlib.util.find_spec(_PARSER)
        parser = spec.origin if spec is not None and spec.origin else ""
        sources = [state(str(_PACKAGE / name), Look.CONTENT) for name in _SOURCES]
        formats = state(str(_PACKAGE / "reporters"), Look.NAMES)
        parts = [__version__, self._words, parser, numbers(parser), sources, formats]
        return text_digest(parts)


def _folder(words: Sequence[str]) -> str:
    """Returns the directory of the cache that a command line names."""
    for place, word in enumerate(words):
        name, found, value = word.partition("=")
        if name == _FOLDER:
            return value if found else "".join(words[place + 1 : place + 2])
    return ""
