"""Finds code that changes directories, and places that mention a directory."""

import ast
import re
from typing import Iterator, Pattern, Set

from .estimators import estimators
from .names import Project
from .syntax import Module, constant

_MOVES = {
    *("copy_tree", "copytree", "move", "rename", "rename_v2", "renames", "symlink", "symlink_to"),
    *("Rename", "RenameV2", "os.replace"),
}
"""Functions that put something where another directory was expected."""
_REMOVES = {
    *("rmtree", "remove_tree", "removedirs", "DeleteRecursively", "delete_recursively"),
    *("DeleteRecursivelyV2", "delete_recursively_v2", "chdir", "fchdir"),
    *("tensorflow.gfile.Remove", "tensorflow.io.gfile.remove"),
    *("os.remove", "os.unlink", "os.rmdir", "rmdir", "unlink"),
    *("os.system", "os.popen"),
}
_RUNNING = ("subprocess.", "os.spawn", "os.exec", "sh.", "plumbum.")
"""Other programs may change any directory."""
_JOINING = ("os.path.join", "pathlib.Path", "str")


def changes_folders(project: Project, module: Module) -> bool:
    """Whether a file, or a file that it imports, may change or leave a directory."""
    return project.once(_changes_folders, module)


def _changes_folders(project: Project, module: Module) -> bool:
    return any(
        name.startswith(_RUNNING) or name in _REMOVES or name in _MOVES
        for each in project.with_imports(module)
        for name in _used(project, each)
    )


def moves_folders(project: Project, module: Module) -> bool:
    """Whether a file itself copies, moves or renames directories."""
    return any(name in _MOVES for name in _used(project, module))


def _used(project: Project, module: Module) -> Iterator[str]:
    """Yields the names that a file uses: dotted, and their last parts."""
    for node in module.parents:
        if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
            yield project.qualified(module, node)
            if isinstance(node, ast.Attribute):
                yield "os.replace" if _replaces_file(module, node) else node.attr
            else:
                yield project.qualified(module, node).rpartition(".")[2]


def _replaces_file(module: Module, method: ast.Attribute) -> bool:
    """Whether a method may be ``Path.replace``; those of texts and configs get other arguments."""
    call = module.parents[method]
    if method.attr != "replace" or not isinstance(call, ast.Call) or call.func is not method:
        return False
    return len(call.args) == 1 and not call.keywords


def is_mentioned(project: Project, folder: str) -> bool:
    """Whether a linted file may use a directory in another way than as a model_dir.

    The text counts outside of the arguments of Estimators and RunConfigs. So does a file that
    cannot be parsed.
    """
    text = re.compile(r"(?<![\w.-])" + re.escape(folder) + r"(?![\w-])")
    modules = project.all_modules
    names: Set[str] = set()
    for module in modules:
        if module is None or _mentions(project, module, text, names):
            return True
    return any(module is not None and _uses(project, module, names) for module in modules)


def _mentions(project: Project, module: Module, text: Pattern[str], names: Set[str]) -> bool:
    """Whether a file mentions a directory. Adds the names of constants with its path."""
    for node in module.parents:
        value = constant(node)
        if not isinstance(value, str) or not text.search(value):
            continue
        parent = module.parents[node]
        targets = getattr(parent, "targets", [getattr(parent, "target", None)])
        if isinstance(parent, (ast.Assign, ast.AnnAssign)) and isinstance(targets[0], ast.Name):
            names.update(target.id for target in targets if isinstance(target, ast.Name))
        elif not isinstance(parent, ast.Expr) and not _is_configured(project, module, node):
            return True
    for call in module.calls:
        for item in (*call.args, *(each.value for each in call.keywords)):
            value = project.literal(module, item)
            found = isinstance(value, str) and text.search(value)
            if found and not _is_configured(project, module, item):
                return True
    return False


def _uses(project: Project, module: Module, names: Set[str]) -> bool:
    """Whether a file uses constants outside of the arguments of Estimators and RunConfigs."""
    return any(
        isinstance(node, (ast.Name, ast.Attribute))
        and isinstance(node.ctx, ast.Load)
        and getattr(node, "id", getattr(node, "attr", "")) in names
        and not _is_configured(project, module, node)
        for node in module.parents
    )


def _is_configured(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether a node is an argument of an Estimator or a RunConfig."""
    made = project.once(_made)
    for item in module.above(node):
        if isinstance(item, ast.stmt):
            return False
        if isinstance(item, ast.Call):
            name = project.qualified(module, item.func)
            if name not in _JOINING:
                return item in made or name.endswith(".RunConfig")
    return False


def _made(project: Project) -> Set[ast.AST]:
    return {made.call for made in estimators(project)}
