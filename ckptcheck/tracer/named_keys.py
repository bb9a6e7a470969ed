"""Finds keys of the params that the user's code names, although no trace reads them.

An input_fn may read such a key, or a branch of the model_fn that the trace did not take.
"""

import ast
import re
import sys
from typing import Any, Collection, Iterator, List, Mapping, Set, Tuple

from .source_digests import is_docstring, source_of, tree_of
from .user_code import is_user_file

_AST, _Attribute, _Name = ast.AST, ast.Attribute, ast.Name
"""Bound before the user's code runs, because that code may replace them."""
_MAYBE = re.compile(rb"[\"'](\w*)|params((?:\.\w+)+)")
"""The first word of what may be a string, or the attributes of a variable such as ``params``."""
_first_word = re.compile(rb"\w*").match
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
    wanted = {_last(key) for key in unread} - {""}
    names: Set[str] = set()
    for path in sorted(_user_files())[:_MOST_MODULES]:
        names |= names_in(source_of(path) or b"", wanted - names)
    return tuple(sorted(key for key in unread if _last(key) in names))[:_MOST_KEYS]


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _keys(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def names_in(source: bytes, wanted: Collection[str]) -> Set[str]:
    """Returns the keys that code names. Comments and docstrings are no code."""
    words = set(_words(source))
    found = {key for key in wanted if _first(key) in words}
    tree = tree_of(source) if found else None  # a tree takes time
    return set() if tree is None else found.intersection(_names(tree))


def _words(source: bytes) -> Iterator[bytes]:
    for found in _MAYBE.finditer(source):
        yield from (found.group(2) or b"").split(b".")
        yield found.group(1) or b""


def _first(key: str) -> bytes:
    word = _first_word(key.encode("utf-8", "replace"))
    return word.group() if word else b""


def _names(tree: ast.AST) -> Iterator[str]:
    """Yields the strings, and the attributes of variables such as ``params`` or ``hparams``."""
    waiting: List[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, _AST) and not is_docstring(node):
            if isinstance(node, _Attribute) and _is_of_params(node.value):
                yield node.attr
            fields = [getattr(node, name, None) for name in node._fields]
            if type(node).__name__ in _CONSTANTS:
                yield from (value for value in fields[:1] if isinstance(value, str))
            waiting.extend(fields)


_CONSTANTS = ("Str", "Constant")
"""The types of strings: ``Str`` before Python 3.8."""


def _is_of_params(node: Any) -> bool:
    """Whether an expression is a variable such as ``params``, or an attribute of one."""
    while isinstance(node, _Attribute):
        if node.attr.endswith("params"):
            return True
        node = node.value
    return isinstance(node, _Name) and node.id.endswith("params")


def _user_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        try:
            path = vars(module).get("__file__")
        except TypeError:  # an object in the place of a module
            continue
        if type(path) is str and path.endswith(".py") and is_user_file(path):
            yield path
