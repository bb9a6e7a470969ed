"""Prepares the syntax tree of one file for rules: parents, order, scopes, and bindings."""

import ast
import os
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef]
Function = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_INNER_SCOPES = {*FUNCTIONS, ast.ClassDef}
_CONSTANT: type = ast.Constant if sys.version_info >= (3, 8) else ast.Str
"""The node of a constant text."""
_INDEXED = {ast.Call, ast.Import, ast.ImportFrom, *DEFINITIONS, _CONSTANT}
_BINDERS = {
    *DEFINITIONS,
    ast.ClassDef,
    ast.Name,
    ast.arg,
    ast.Import,
    ast.ImportFrom,
    ast.Global,
    ast.Nonlocal,
    ast.Subscript,
    ast.Attribute,
    ast.ExceptHandler,
    *(getattr(ast, n) for n in ("MatchAs", "MatchStar", "MatchMapping") if hasattr(ast, n)),
}
_CHANGES = ("update", "setdefault", "pop", "popitem", "clear", "append", "extend", "insert")
"""Methods that change a dict or a list."""


class Imported(NamedTuple):
    """A name that an import binds; it begins with a dot for each level of a relative import."""

    dotted: str


Binding = Union[ast.expr, ast.stmt, Imported, None]
"""What a name may stand for: an expression, a definition or an import; None if it is not known."""


class Scope:
    """The names of a function, a class or a module.

    Attributes:
        node: the function, class or module.
        outer: the scope around it.
        bindings: all that each name is bound to.
        changed: names of objects that the code changes in place.
        foreign: names that ``global`` or ``nonlocal`` declares.
    """

    def __init__(self, node: ast.AST, outer: "Optional[Scope]") -> None:
        self.node = node
        self.outer = outer
        self.bindings: Dict[str, List[Binding]] = {}
        self.changed: Set[str] = set()
        self.foreign: Set[str] = set()


class Ignore(NamedTuple):
    """A comment ``# ckptcheck: ignore[rule, ...]``: its place, and one of its rules.

    Attributes:
        line, column: where it is.
        rule: the rule that it ignores.
        statement: the line at which the statement begins that the comment is in. For statements
            such as ``if``, only their first part counts, up to the colon.
    """

    line: int
    column: int
    rule: str
    statement: int


class Module:
    """One parsed file.

    Attributes:
        path: the file as the user named it.
        file: its absolute path.
        tree: its syntax tree.
        ignores: its comments that ignore findings.
        parents: the node around each node.
        order: for each node, its number in the order of evaluation within a function.
        scopes: for each function, class and module, its scope.
    """

    def __init__(self, path: str, text: str, tree: ast.Module, ignores: Tuple[Ignore, ...]) -> None:
        self.path = path
        self.file = os.path.abspath(path)
        self.tree = tree
        self.ignores = ignores
        self.parents: Dict[ast.AST, ast.AST] = {}
        self.order: Dict[ast.AST, int] = {}
        self.scopes: Dict[ast.AST, Scope] = {tree: Scope(tree, None)}
        self._text = text
        self._by_type: Dict[type, List[Any]] = {}
        self._visit_all()

    # --- Preparing ---------------------------------------------------------------------------

    def _visit_all(self) -> None:
        """Visits each node before what is below it, and the last child first."""
        stack: List[Tuple[ast.AST, Scope]] = [(self.tree, self.scopes[self.tree])]
        visited: List[ast.AST] = []
        binders: List[Tuple[Any, Scope]] = []
        while stack:
            node, scope = stack.pop()
            kind = type(node)
            visited.append(node)
            if kind in _INDEXED:
                self._by_type.setdefault(kind, []).append(node)
            if kind in _BINDERS:
                binders.append((node, scope))
            if kind in _INNER_SCOPES:
                scope = self.scopes[node] = Scope(node, scope)
            for child in children_of(node):
                self.parents[child] = node
                stack.append((child, scope))
        visited.reverse()
        self.order = dict(zip(visited, range(len(visited))))
        for nodes in self._by_type.values():
            nodes.reverse()
        self._bind_all(binders)

    def _bind_all(self, binders: List[Tuple[Any, Scope]]) -> None:
        for node, scope in binders:
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                scope.foreign.update(node.names)
        for node, scope in reversed(binders):
            for name, binding in self._bound_by(node, scope):
                home = scope
                while name in home.foreign and home.outer is not None:
                    home = home.outer
                home.bindings.setdefault(name, []).append(binding)

    def _bound_by(self, node: Any, scope: Scope) -> Iterator[Tuple[str, Binding]]:
        """Yields the names that a node binds. Notes the objects that it changes."""
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                yield node.id, _assigned(node, self.parents)
        elif isinstance(node, (*DEFINITIONS, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.arg):
            yield node.arg, None
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, dotted in _imports(node):
                yield name, Imported(dotted)
        elif isinstance(node, (ast.Subscript, ast.Attribute)):
            self._note_change(node)
        else:  # an exception or a pattern
            caught = getattr(node, "name", None) or getattr(node, "rest", None)
            if isinstance(caught, str):
                yield caught, None

    def _note_change(self, node: Union[ast.Subscript, ast.Attribute]) -> None:
        stored = not isinstance(node.ctx, ast.Load)
        method = isinstance(node, ast.Attribute) and node.attr in _CHANGES
        if (stored or method) and isinstance(node.value, ast.Name):
            for scope in self._scopes_around(node):
                scope.changed.add(node.value.id)

    # --- Reading -----------------------------------------------------------------------------

    @property
    def calls(self) -> List[ast.Call]:
        """All calls, in the order in which they are evaluated."""
        return self._by_type.get(ast.Call, [])

    @property
    def definitions(self) -> List[Definition]:
        """All functions that ``def`` defines."""
        found = [node for kind in DEFINITIONS for node in self._by_type.get(kind, ())]
        return sorted(found, key=self.order.__getitem__)

    @property
    def imports(self) -> List[str]:
        """The dotted names of all modules that imports may load."""
        found = [item.name for node in self._by_type.get(ast.Import, ()) for item in node.names]
        for node in self._by_type.get(ast.ImportFrom, ()):
            start = "." * (node.level or 0) + (node.module or "")
            found += [start, *(dotted for _, dotted in _imports(node))]
        return found

    @property
    def texts(self) -> List[str]:
        """All constant texts."""
        values = map(constant, self._by_type.get(_CONSTANT, ()))
        return [value for value in values if isinstance(value, str)]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yields the nodes around a node, the innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope_of(self, node: ast.AST) -> Scope:
        """Returns the innermost scope around a node."""
        return next(self.scopes[item] for item in self.above(node) if item in self.scopes)

    def _scopes_around(self, node: ast.AST) -> Iterator[Scope]:
        scope: Optional[Scope] = self.scope_of(node)
        while scope is not None:
            yield scope
            scope = scope.outer

    def function_of(self, node: ast.AST) -> Optional[Function]:
        """Returns the innermost function around a node; None for the module."""
        return next((item for item in self.above(node) if isinstance(item, FUNCTIONS)), None)

    def class_of(self, node: ast.AST) -> Optional[ast.ClassDef]:
        """Returns the innermost class around a node."""
        return next((item for item in self.above(node) if isinstance(item, ast.ClassDef)), None)

    def statement_of(self, node: ast.AST) -> ast.AST:
        """Returns the innermost statement that a node belongs to."""
        inside = [node, *self.above(node)]
        return next((item for item in inside if isinstance(item, ast.stmt)), node)

    def bindings(self, name: ast.Name) -> List[Binding]:
        """Returns what a name may stand for; nothing for a builtin."""
        for number, scope in enumerate(self._scopes_around(name)):
            inner = number == 0 or not isinstance(scope.node, ast.ClassDef)
            if inner and name.id in scope.bindings:
                return scope.bindings[name.id]
        return []

    def binding(self, name: ast.Name) -> Binding:
        """Returns the only thing that a name can stand for; None if there are several."""
        found = self.bindings(name)
        return found[0] if len(found) == 1 else None

    def expressions(self, name: ast.Name) -> List[ast.expr]:
        """Returns all expressions that a name may stand for; nothing if they are not known."""
        found = self.bindings(name)
        known = [item for item in found if isinstance(item, ast.expr)]
        return [] if self.is_changed(name) or len(known) < len(found) else known

    def is_changed(self, name: ast.Name) -> bool:
        """Whether the code changes the object that a name stands for."""
        return any(name.id in scope.changed for scope in self._scopes_around(name))

    def qualified_name(self, node: ast.AST) -> str:
        """Returns the name of the function around a node, such as ``Model.build``."""
        around = [*self.above(node)]
        names = [item.name for item in around if isinstance(item, (*DEFINITIONS, ast.ClassDef))]
        return ".".join(reversed(names))

    def column(self, node: ast.AST) -> int:
        """Returns the column at which a node begins, from 1, in characters."""
        lines = self._text.split("\n", getattr(node, "lineno", 1))
        line = lines[getattr(node, "lineno", 1) - 1].encode("utf-8", "surrogatepass")
        return len(line[: getattr(node, "col_offset", 0)].decode("utf-8", "replace")) + 1

    def is_test(self, node: ast.AST) -> bool:
        """Whether a node is in a test. Models that tests train are not kept."""
        name = os.path.basename(self.file)
        if name.startswith("test_") or name.endswith(("_test.py", "_tests.py")):
            return True
        classes = (item for item in self.above(node) if isinstance(item, ast.ClassDef))
        return any(_last(base).endswith("TestCase") for item in classes for base in item.bases)


_NO_CHILDREN = ("ctx", "op", "ops", "id", "attr", "arg", "lineno", "type_comment", "kind")
_FIELDS: Dict[type, Tuple[str, ...]] = {}


def children_of(node: ast.AST) -> List[ast.AST]:
    """Returns the nodes directly below a node, in the order of the code."""
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        kept = (name for name in kind._fields if name not in _NO_CHILDREN)
        fields = _FIELDS[kind] = tuple(kept)
    found: List[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def below(node: ast.AST) -> Iterator[ast.AST]:
    """Yields a node and all nodes below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children_of(current))


def _assigned(name: ast.Name, parents: Dict[ast.AST, ast.AST]) -> Optional[ast.expr]:
    """Returns the expression that an assignment gives a name; None if it is not known."""
    parent = parents[name]
    if isinstance(parent, ast.Assign):
        return parent.value
    if isinstance(parent, ast.AnnAssign) and parent.target is name:
        return parent.value
    if isinstance(parent, ast.Tuple) and isinstance(parents[parent], ast.Assign):
        value = parents[parent].value  # type: ignore[attr-defined]
        if isinstance(value, ast.Tuple) and len(value.elts) == len(parent.elts):
            starred = any(isinstance(item, ast.Starred) for item in (*value.elts, *parent.elts))
            return None if starred else value.elts[parent.elts.index(name)]
    return None


def _imports(node: Union[ast.Import, ast.ImportFrom]) -> Iterator[Tuple[str, str]]:
    """Yields the names that an import binds, each with what it stands for."""
    for item in node.names:
        if isinstance(node, ast.ImportFrom):
            start = "." * (node.level or 0) + (f"{node.module}." if node.module else "")
            yield item.asname or item.name, start + item.name
        elif item.asname:
            yield item.asname, item.name
        else:
            first = item.name.partition(".")[0]
            yield first, first


def _last(node: ast.AST) -> str:
    """Returns the last part of a dotted name."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def arguments_of(function: Function) -> List[str]:
    """Returns the names of all arguments of a function."""
    given = function.args
    items = [*getattr(given, "posonlyargs", ()), *given.args, *given.kwonlyargs]
    return [item.arg for item in items]


def constant(node: Optional[ast.AST]) -> Any:
    """Returns the value of a constant; ``...`` if the node is none."""
    if isinstance(node, ast.Constant):
        return node.value
    kind = type(node).__name__  # Python 3.7 has a class for each kind of constant
    if kind in ("Str", "Bytes"):
        return node.s  # type: ignore[union-attr]
    if kind == "Num":
        return node.n  # type: ignore[union-attr]
    if kind == "NameConstant":
        return node.value  # type: ignore[union-attr]
    return ...
