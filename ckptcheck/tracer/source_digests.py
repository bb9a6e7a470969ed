"""Finds the modules of the user's project that a module imports, and digests their functions.

The digests depend on what the code does and not on its format, and are the same under each version
of Python.
"""

import ast
import os
import sys
from hashlib import sha256
from os.path import isdir as _is_folder
from os.path import isfile as _is_file
from os.path import join as _join
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..origins import SourceFile
from .user_code import absolute, is_user_file, shown

_MOST_MODULES = 1500
_LARGEST_SOURCE = 4 << 20
_DIGITS = 16
_OURS = ("ckptcheck", "_ckptcheck")
_open, _sha256, _parse = open, sha256, ast.parse
"""Bound before the user's code runs, because that code may replace them."""


class Project(NamedTuple):
    """What a module of the user's project imports.

    Attributes:
        sources: the modules of the project, the first one included, sorted.
        packages: the names of the other packages that they import.
    """

    sources: Tuple[SourceFile, ...]
    packages: Tuple[str, ...]


def project_of(module: str, others: Sequence[str] = ()) -> Project:
    """Reads the sources of a module and of all modules of the project that it imports.

    Args:
        module: the name of the first module, which is imported.
        others: the names of more modules to read, which need not be imported.
    """
    waiting = [*_with_packages(module), *others]
    sources: Dict[str, SourceFile] = {}
    packages: Set[str] = set()
    seen: Set[str] = set()
    while waiting and len(seen) < _MOST_MODULES:
        name = waiting.pop()
        if name in seen or name.partition(".")[0] in _OURS:
            continue
        seen.add(name)
        path = _file_of(name, name in others)
        if not is_user_file(path):
            packages.add(name.partition(".")[0])
            continue
        data = source_of(path)
        if data is None:
            continue
        tree = tree_of(data)
        functions = {} if tree is None else function_digests(tree)
        known_as = module_name(name, path)
        digest = _sha256(data).hexdigest()[:_DIGITS]
        sources[known_as] = SourceFile(known_as, shown(path), digest, functions)
        if tree is not None:
            waiting.extend(_imported(tree, name, os.path.basename(path) == "__init__.py"))
    ordered = tuple(sources[name] for name in sorted(sources))
    return Project(ordered, tuple(sorted(packages)))


def module_name(name: str, path: str) -> str:
    """Returns the name that a check imports a module by. A script has the name of its file."""
    if name != "__main__":
        return name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None else os.path.splitext(os.path.basename(path))[0]


def _file_of(name: str, finds: bool) -> str:
    """Returns the source file of a module, "" for none.

    Args:
        name: the module.
        finds: whether to look for a module that is not imported.
    """
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None)
    if module is None and finds:
        path = _path_of(name)
    return path if isinstance(path, str) and path.endswith(".py") else ""


def _path_of(name: str) -> str:
    """Returns the file of a module that is not imported; "" if there is none.

    It imports no package, unlike :func:`importlib.util.find_spec`: the name comes from a record,
    which may come from anyone.
    """
    *packages, last = name.split(".")
    if not all(map(str.isidentifier, (*packages, last))):
        return ""
    folders = [absolute(folder) for folder in sys.path]
    for package in packages:
        folders = list(filter(_is_folder, (_join(folder, package) for folder in folders)))
    files = (
        _join(folder, *path)
        for folder in folders
        for path in ((last, "__init__.py"), (last + ".py",))
    )
    return next(filter(_is_file, files), "")


def source_of(path: str) -> Optional[bytes]:
    """Returns the bytes of a source file; None if it is too large or cannot be read."""
    try:
        with _open(absolute(path), "rb") as file:
            data = file.read(_LARGEST_SOURCE + 1)
    except OSError:  # it was removed after it was imported
        return None
    return data if len(data) <= _LARGEST_SOURCE else None


def tree_of(data: bytes) -> Optional[ast.Module]:
    """Returns the syntax tree of a source; None if Python cannot parse it."""
    try:
        return _parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # generated or damaged code
        return None


def _imported(tree: ast.AST, importer: str, is_package: bool) -> Iterator[str]:
    """Yields the names of the modules that a module may import, with their packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                yield from _with_packages(item.name)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, importer, is_package)
            yield from _with_packages(base)
            for item in node.names:
                if f"{base}.{item.name}" in sys.modules:
                    yield f"{base}.{item.name}"


def _base(node: ast.ImportFrom, importer: str, is_package: bool) -> str:
    """Returns the absolute name of the module in ``from … import``."""
    if not node.level:
        return node.module or ""
    parts = importer.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        if parts[0]:
            yield ".".join(parts[:count])


def function_digests(tree: ast.Module) -> Dict[str, str]:
    """Returns a digest of each function by its name; see :class:`..origins.SourceFile`."""
    pieces: Dict[str, List[str]] = {}
    try:
        _collect(tree.body, "", "<module>", pieces)
    except RecursionError:  # a deeply nested expression, such as a sum of a thousand terms
        return {}
    return {name: _digest(pieces[name]) for name in sorted(pieces)}


def _digest(pieces: Iterable[str]) -> str:
    return _sha256("\n".join(pieces).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _collect(
    body: Sequence[ast.stmt], prefix: str, rest: str, pieces: Dict[str, List[str]]
) -> None:
    """Adds the text of each statement to the function, class or module that it belongs to."""
    for statement in body:
        if isinstance(statement, _FUNCTIONS):
            pieces.setdefault(prefix + statement.name, []).append(_text(statement))
        elif isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            head = [*statement.bases, *statement.keywords, *statement.decorator_list]
            pieces.setdefault(name, []).append(",".join(map(_text, head)))
            _collect(statement.body, name + ".", name, pieces)
        elif not _is_text(statement):
            pieces.setdefault(rest, []).append(_text(statement))


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    if not isinstance(statement, ast.Expr):
        return False
    kind, value = type(statement.value).__name__, statement.value
    return kind == "Str" or (kind == "Constant" and isinstance(getattr(value, "value", 0), str))


_CONSTANTS = {"Num": "n", "Str": "s", "Bytes": "s", "NameConstant": "value", "Constant": "value"}
"""The types of constants, and their field. Before Python 3.8 there are several."""
_IGNORED = ("ctx", "kind", "type_comment", "type_ignores")


def _text(value: Any) -> str:
    """Writes a part of a syntax tree as text that is the same under each version of Python."""
    if isinstance(value, list):
        return "[{}]".format(",".join(_text(item) for item in value if not is_docstring(item)))
    if not isinstance(value, ast.AST):
        return repr(value)
    kind = type(value).__name__
    if kind in _CONSTANTS:
        return f"Constant({getattr(value, _CONSTANTS[kind])!r})"
    if kind == "Ellipsis":
        return "Constant(Ellipsis)"
    if kind == "Index":
        return _text(getattr(value, "value"))  # noqa: B009 - mypy knows newer versions only
    if kind == "ExtSlice":  # Python 3.9 and later have a tuple instead
        return f"Tuple(elts={_text(getattr(value, 'dims'))})"  # noqa: B009
    fields = ((name, field) for name, field in ast.iter_fields(value) if name not in _IGNORED)
    parts = [f"{name}={_text(field)}" for name, field in fields if field not in (None, [])]
    return f"{kind}({','.join(parts)})"


def is_docstring(item: Any) -> bool:
    """Whether a part of a syntax tree is a statement that is only a text."""
    return isinstance(item, ast.stmt) and _is_text(item)
