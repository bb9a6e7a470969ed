"""Finds keys of the params that the user's code names, although no trace reads them.

An input_fn may read such a key, or a branch of the model_fn that the trace did not take.
"""

import re
import sys
from typing import Any, Collection, Iterator, Mapping, Tuple

from .source_digests import source_of
from .user_code import is_user_file

_NAMED = re.compile(rb"([\"'])([^\"'\\\n]{1,200})\1|params\.(\w{1,200})")
"""A string, or an attribute of a variable such as ``params`` or ``hparams``."""
_MOST_MODULES = 1500
_MOST_KEYS = 1000


def named_keys(params: Mapping[str, Any], read: Collection[str]) -> Tuple[str, ...]:
    """Returns the keys that the model_fn did not read and that a module of the user names.

    Args:
        params: the params, as the user gave them.
        read: the keys that the model_fn read. Keys are dotted if params are nested.
    """
    unread = [key for key in _keys(params, "") if key not in read]
    if not unread:
        return ()
    names = set(_names())
    found = (key for key in unread if key.rpartition(".")[2].encode("utf-8", "replace") in names)
    return tuple(sorted(found))[:_MOST_KEYS]


def _keys(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def _names() -> Iterator[bytes]:
    """Yields the strings and the attributes of params in the modules of the user."""
    for path in sorted(_user_files())[:_MOST_MODULES]:
        for found in _NAMED.finditer(source_of(path) or b""):
            yield found.group(2) or found.group(3)


def _user_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        try:
            path = vars(module).get("__file__")
        except TypeError:  # an object in the place of a module
            continue
        if type(path) is str and path.endswith(".py") and is_user_file(path):
            yield path
