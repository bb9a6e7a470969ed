"""Finds the input functions beside a target in the source code, without importing it."""

import ast
import os
import re
from typing import Iterator, List, Optional, Tuple

_MOST_FILES = 300
_MOST_BYTES = 1 << 18
_DEEPEST = 3
_NAME = re.compile("input.*(fn|func)|(fn|func).*input|dataset.*(fn|func)", re.IGNORECASE)
_OFFERED = {"mode", "params", "config"}
"""What ckptcheck and Estimator pass to an input_fn."""


def input_functions(target: str, app_dir: str, serving: bool) -> List[str]:
    """Returns the input functions in the module of a target and in the modules that import it.

    Args:
        target: ``module:attr`` or ``path.py:attr``.
        app_dir: where modules are imported from.
        serving: whether serving_input_receiver_fns count. They return no labels.

    Returns:
        Names for ``--input-fn``. Those in the target's own module come first. Functions that need
            other arguments than Estimator passes are left out.
    """
    place = target.rpartition(":")[0]
    own = place[: -len(".py")].replace(os.sep, ".") if place.endswith(".py") else place
    path = place if place.endswith(".py") else os.path.join(*place.split(".")) + ".py"
    found = [f"{place}:{name}" for name in _names(_parsed(os.path.join(app_dir, path)), serving)]
    for file in _python_files(app_dir):
        module = os.path.relpath(file, app_dir)[: -len(".py")].replace(os.sep, ".")
        tree = None if module == own else _parsed(file)
        if tree is not None and _imports(tree, own):
            found.extend(f"{module}:{name}" for name in _names(tree, serving))
    return found


def _python_files(app_dir: str) -> Iterator[str]:
    """Yields the Python files in a directory, up to a limit."""
    left = _MOST_FILES
    for folder, folders, files in os.walk(app_dir):
        depth = os.path.relpath(folder, app_dir).count(os.sep)
        folders[:] = sorted(f for f in folders if f[0] not in "._" and depth < _DEEPEST)
        for name in sorted(files):
            if name.endswith(".py"):
                left -= 1
                if left < 0:
                    return
                yield os.path.join(folder, name)


def _parsed(path: str) -> Optional[ast.Module]:
    """Returns the syntax tree of a file; None if it is missing, too large or not Python."""
    try:
        if os.path.getsize(path) > _MOST_BYTES:
            return None
        with open(path, "rb") as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(tree: Optional[ast.Module], serving: bool) -> Iterator[str]:
    """Yields the names of a module's functions that Estimator can call as an input_fn."""
    for node in tree.body if tree is not None else ():
        if not isinstance(node, ast.FunctionDef) or (_is_serving(node) and not serving):
            continue
        if _NAME.search(node.name) and _is_callable(node):
            yield node.name


def _is_serving(function: ast.FunctionDef) -> bool:
    """Whether a function returns a ServingInputReceiver."""
    names = (getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(function))
    return any("ServingInputReceiver" in name for name in names)


def _is_callable(function: ast.FunctionDef) -> bool:
    """Whether every argument has a default or is one that Estimator passes."""
    names = [argument.arg for argument in function.args.args]
    required = names[: len(names) - len(function.args.defaults)]
    pairs: List[Tuple[ast.arg, Optional[ast.expr]]]
    pairs = list(zip(function.args.kwonlyargs, function.args.kw_defaults))
    required += [argument.arg for argument, default in pairs if default is None]
    return set(required) <= _OFFERED


def _imports(tree: ast.Module, module: str) -> bool:
    """Whether a module imports another one, by its full name or by the last part of it."""
    last = module.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        else:
            continue
        if any(name.rpartition(".")[2] == last for name in names):
            return True
    return False
