"""Resolves names in the linted files: parts of TensorFlow, literals and functions."""

import ast
import os
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
)

from .syntax import DEFINITIONS, Ignore, Imported, Module, constant

T = TypeVar("T")
HOMES = ("tensorflow.", "tensorflow_estimator.")
"""How the dotted names of TensorFlow begin."""
UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda _: "UNKNOWN"})()
"""Replaces the value of an expression that is not a literal."""
_DEEPEST = 12
"""The most names and nested expressions to follow. Deeper values are unknown."""
_MOST_FOLDERS = 12
"""The most directories above a file in which to look for the modules that it imports."""


class Place(NamedTuple):
    """A node, and the module that it is in."""

    module: Module
    node: Any


class Project:
    """All linted files, and the files that they import.

    Attributes:
        modules: the linted files that may be Estimator code.
        used: the comments that ignored findings; None before the findings are known.
        whole: whether the linted files may be all files of a project. If not, another file may
            use what a linted file defines.
        others: the absolute paths of the other linted files.
    """

    def __init__(
        self,
        modules: Sequence[Module],
        load: Callable[[str], Optional[Module]] = lambda path: None,
        used: "Optional[FrozenSet[Tuple[str, Ignore]]]" = None,
        whole: bool = True,
        others: Sequence[str] = (),
    ) -> None:
        """Prepares the search for names.

        Args:
            modules: the linted files that may be Estimator code.
            load: returns the module of another file; None if there is none.
            used: the comments that ignored findings.
            whole: whether the linted files may be all files of a project.
            others: the absolute paths of the other linted files.
        """
        self.modules = tuple(modules)
        self.used = used
        self.whole = whole
        self.others = tuple(others)
        self._load = load
        self._files: Dict[str, Optional[Module]] = {module.file: module for module in modules}
        self._names: Dict[ast.AST, str] = {}
        self._made: Dict[Tuple[object, ...], Any] = {}

    def once(self, make: Callable[..., T], *about: object) -> T:
        """Calls a function with this project, and keeps its result for later calls."""
        key = (make, *about)
        if key not in self._made:
            self._made[key] = make(self, *about)
        made: T = self._made[key]
        return made

    @property
    def all_modules(self) -> List[Optional[Module]]:
        """All linted files; None for one that cannot be parsed."""
        return [*self.modules, *map(self.module, self.others)]

    # --- Dotted names ------------------------------------------------------------------------

    def qualified(self, module: Module, node: Optional[ast.AST], depth: int = 0) -> str:
        """Returns the dotted name of what an expression stands for; "" if it is not known.

        Parts such as ``compat.v1`` are left out: ``tensorflow.layers.dense``.
        """
        if node is None or depth > _DEEPEST:
            return ""
        if node not in self._names or depth:
            found = self._dotted(module, node, depth)
            if depth:
                return found
            self._names[node] = _canonical(found)
        return self._names[node]

    def _dotted(self, module: Module, node: ast.AST, depth: int) -> str:
        if isinstance(node, ast.Attribute):
            base = self.qualified(module, node.value, depth + 1)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name):
            return ""
        bindings = module.bindings(node)
        if not bindings:
            return node.id
        found = set()
        for item in bindings:
            if isinstance(item, Imported):
                found.add(_canonical(item.dotted))
            elif not isinstance(item, (ast.Name, ast.Attribute)):
                return ""
            elif not _is_about(item, node.id):
                found.add(_canonical(self.qualified(module, item, depth + 1)))
        return found.pop() if len(found) == 1 else ""

    # --- Literals ----------------------------------------------------------------------------

    def literal(self, module: Module, node: Optional[ast.AST], depth: int = 0) -> Any:
        """Returns the value of an expression of constants, or UNKNOWN.

        Values in a dict, a list or a tuple may be UNKNOWN, too. The keys of a dict are known.
        """
        value = constant(node)
        if value is not ...:
            return value
        if depth > _DEEPEST or node is None:
            return UNKNOWN
        if isinstance(node, (ast.List, ast.Tuple)):
            items = [self.literal(module, item, depth + 1) for item in node.elts]
            starred = any(isinstance(item, ast.Starred) for item in node.elts)
            return UNKNOWN if starred else items
        if isinstance(node, ast.Dict):
            return self._dict(module, node.keys, node.values, depth)
        if isinstance(node, ast.Call):
            return self._called(module, node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self.literal(module, node.left, depth + 1)
            right = self.literal(module, node.right, depth + 1)
            return left + right if isinstance(left, str) and isinstance(right, str) else UNKNOWN
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            number = self.literal(module, node.operand, depth + 1)
            return -number if isinstance(number, (int, float)) else UNKNOWN
        place = self.value(module, node)
        return UNKNOWN if place is None else self.literal(place.module, place.node, depth + 1)

    def _dict(
        self,
        module: Module,
        keys: Sequence[Optional[ast.AST]],
        values: Sequence[ast.AST],
        depth: int,
    ) -> Any:
        names = [constant(key) for key in keys]
        if any(not isinstance(name, (str, int)) for name in names):
            return UNKNOWN
        return {n: self.literal(module, v, depth + 1) for n, v in zip(names, values)}

    def _called(self, module: Module, node: ast.Call, depth: int) -> Any:
        name = self.qualified(module, node.func)
        if name == "dict" and not node.args and all(item.arg for item in node.keywords):
            return {i.arg: self.literal(module, i.value, depth + 1) for i in node.keywords}
        parts = [self.literal(module, item, depth + 1) for item in node.args]
        if not parts or node.keywords or not all(isinstance(part, str) for part in parts):
            return UNKNOWN
        if name == "os.path.join":
            return "/".join(part.rstrip("/") or "/" for part in parts)
        return parts[0] if name in ("str", "pathlib.Path") and len(parts) == 1 else UNKNOWN

    def value(self, module: Module, node: Optional[ast.AST]) -> Optional[Place]:
        """Returns the only expression or definition that a name stands for.

        Returns:
            None if there are several, if the code changes the object, or if it is not known.
        """
        if isinstance(node, ast.Name):
            found = module.binding(node)
            if isinstance(found, Imported):
                return self._imported(module, found.dotted)
            if found is None or module.is_changed(node):
                return None
            return Place(module, found)
        if isinstance(node, ast.Attribute):
            name = self._dotted(module, node, 0)
            return self._imported(module, name) if name else None
        return None

    # --- Modules and functions ---------------------------------------------------------------

    def _imported(self, module: Module, dotted: str) -> Optional[Place]:
        """Returns what a name of another linted file stands for."""
        home, _, name = dotted.rpartition(".")
        found = self.imported_module(module, home) if home.strip(".") or home else None
        if found is None:
            return None
        bindings = found.scopes[found.tree].bindings.get(name, ())
        changed = name in found.scopes[found.tree].changed
        if len(bindings) != 1 or changed:
            return None
        (binding,) = bindings
        if isinstance(binding, Imported):
            return self._imported(found, binding.dotted) if binding.dotted != dotted else None
        return None if binding is None else Place(found, binding)

    def imported_module(self, module: Module, dotted: str) -> Optional[Module]:
        """Returns the file that an import of a module loads, if it is one of the user's."""
        name = dotted.lstrip(".")
        level = len(dotted) - len(name)
        folder = os.path.dirname(module.file)
        parts = [part for part in name.split(".") if part]
        for _ in range(max(level - 1, 0)):
            folder = os.path.dirname(folder)
        for _ in range(1 if level else _MOST_FOLDERS):
            for end in (f"{parts[-1]}.py", os.path.join(parts[-1], "__init__.py")) if parts else ():
                found = self.module(os.path.join(folder, *parts[:-1], end))
                if found is not None and found is not module:
                    return found
            folder = os.path.dirname(folder)
        return None

    def with_imports(self, module: Module) -> Iterator[Module]:
        """Yields a module and all modules of the user that it imports, the nearest first."""
        found = [module]
        for each in found:
            yield each
            imported = (self.imported_module(each, dotted) for dotted in each.imports)
            found += [m for m in dict.fromkeys(imported) if m is not None and m not in found]

    def module(self, file: str) -> Optional[Module]:
        """Returns the module of a file; None if there is none, or if it cannot be parsed."""
        if file not in self._files:
            self._files[file] = self._load(file)
        return self._files[file]

    def function(self, module: Module, node: Optional[ast.AST]) -> Optional[Place]:
        """Returns the definition of a function or method that an expression stands for."""
        if isinstance(node, ast.Attribute) and _is_self(node.value):
            cls = module.class_of(node)
            methods = cls.body if cls is not None else []
            same = [m for m in methods if isinstance(m, DEFINITIONS) and m.name == node.attr]
            return Place(module, same[0]) if len(same) == 1 else None
        seen = 0
        place = Place(module, node) if node is not None else None
        while place is not None and not isinstance(place.node, DEFINITIONS) and seen < _DEEPEST:
            place, seen = self.value(*place), seen + 1
        return place if place is not None and isinstance(place.node, DEFINITIONS) else None


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_about(node: ast.AST, name: str) -> bool:
    """Whether a dotted name begins with a name: ``tf = tf.compat.v1``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == name


def _canonical(dotted: str) -> str:
    if dotted.startswith("tensorflow."):
        for part in (".compat.v1", ".compat.v2", "._api.v1", "._api.v2"):
            if (part + ".") in dotted or dotted.endswith(part):
                dotted = dotted.replace(part, "", 1)
    return dotted


def keyword(call: ast.Call, name: str) -> Optional[ast.expr]:
    """Returns the value of a keyword argument."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def argument(call: ast.Call, name: str, position: int) -> Optional[ast.expr]:
    """Returns an argument by its name or its position."""
    found = keyword(call, name)
    if found is None and position < len(call.args):
        return call.args[position]
    return found


def has_unknown_arguments(call: ast.Call) -> bool:
    """Whether a call has ``*args`` or ``**kwargs``, so that any argument may be given."""
    starred = any(isinstance(item, ast.Starred) for item in call.args)
    return starred or any(item.arg is None for item in call.keywords)
