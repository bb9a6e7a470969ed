"""One param has different defaults in different places.

The code calls ``params.get(key, default)`` for one key with different defaults, in one function or
in functions that get the same params. If the params lack the key, different parts of the program
use different values. The rule finds nothing if only one of the places can run, as in ``if`` and
``else``, or in different modes. It ignores the default None. It ignores a value that the code
compares or tests in a condition, directly or after it assigned the value to a variable: such a
default is perhaps there only to show that the key is missing.

What to do: set the default once, where the params are made, and read ``params[key]``.
"""

import ast
import itertools
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from ...results import Finding
from ..base import LintRule, finding, line_of, place_text
from ..estimators import estimators, model_fn_of
from ..names import UNKNOWN, Project
from ..paths import is_model_fn, is_tested, may_both_run, modes_of
from ..syntax import Imported, Module, arguments_of, below

_PARAMS = ("params", "hparams")

Owner = Tuple[Module, ast.AST]
"""The function, class or module in which the name ``params`` is bound."""


class _Read(NamedTuple):
    """A call of ``params.get`` with a literal default."""

    module: Module
    call: ast.Call
    key: str
    default: Any


class _Event(NamedTuple):
    """A read, and where a function makes it: the read itself, or a call that leads to the read."""

    site: ast.AST
    read: _Read


class _Program:
    """The reads of all params, and how params are passed on."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.reads: Dict[Owner, List[_Read]] = {}
        self.passed: Dict[Owner, List[Tuple[ast.AST, Owner]]] = {}
        for module in project.modules:
            if _imports_tensorflow(module):
                self._add(module)
        self._add_estimators()

    def _add(self, module: Module) -> None:
        for call in module.calls:
            read = self._read(module, call)
            if read is not None:
                assert isinstance(call.func, ast.Attribute)
                owner = _owner(module, call.func.value)
                if owner is not None:
                    self.reads.setdefault(owner, []).append(read)
            for value in [*call.args, *(item.value for item in call.keywords)]:
                owner = _owner(module, value)
                if owner is not None:
                    self._pass(module, call, owner, value)
        self._add_input_fns(module)

    def _read(self, module: Module, call: ast.Call) -> Optional[_Read]:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method != "get" or len(call.args) != 2 or call.keywords or module.is_test(call):
            return None
        key, default = (self.project.literal(module, item) for item in call.args)
        known = isinstance(key, str) and default is not None and default is not UNKNOWN
        known = known and not is_tested(module, call)
        return _Read(module, call, key, default) if known else None

    def _pass(self, module: Module, call: ast.Call, owner: Owner, value: ast.AST) -> None:
        """Notes a call that passes params to a function of the project."""
        function = self.project.function(module, call.func)
        if function is None:
            return
        names = arguments_of(function.node)
        bound = 1 if names[:1] == ["self"] else 0
        given = [names[at + bound] for at in _positions(call, value) if at + bound < len(names)]
        given += [item.arg for item in call.keywords if item.value is value and item.arg]
        if given and given[0] in _PARAMS:
            self.passed.setdefault(owner, []).append((call, (function.module, function.node)))

    def _add_input_fns(self, module: Module) -> None:
        """Gives an input_fn the params of the model_fn if the file has only one model_fn."""
        functions = [item for item in module.definitions if "params" in arguments_of(item)]
        models = [item for item in functions if is_model_fn(item)]
        inputs = [item for item in functions if "input_fn" in item.name]
        if len(models) == 1:
            site = models[0].args  # arguments are always evaluated
            for item in inputs:
                self.passed.setdefault((module, models[0]), []).append((site, (module, item)))

    def _add_estimators(self) -> None:
        for made in estimators(self.project):
            function = model_fn_of(self.project, made)
            owner = _owner(made.module, made.params) if made.params is not None else None
            if function is not None and owner is not None:
                to = (function.module, function.node)
                self.passed.setdefault(owner, []).append((made.call, to))

    def events(self, owner: Owner) -> Iterator[_Event]:
        """Yields the reads in a function and in the functions that it calls."""
        for read in self.reads.get(owner, ()):
            yield _Event(read.call, read)
        for site, called in self.passed.get(owner, ()):
            for read in self._reached(called):
                yield _Event(site, read)

    def _reached(self, owner: Owner) -> Iterator[_Read]:
        """Yields the reads in a function and in all functions that it leads to."""
        seen, waiting = {owner}, [owner]
        while waiting:
            current = waiting.pop()
            yield from self.reads.get(current, ())
            for _, called in self.passed.get(current, ()):
                if called not in seen:
                    seen.add(called)
                    waiting.append(called)


def find(project: Project) -> Iterator[Finding]:
    """Finds params with several defaults."""
    program = _Program(project)
    reported: Set[ast.AST] = set()
    for owner in [*program.reads, *program.passed]:
        module = owner[0]
        by_key: Dict[str, List[_Event]] = {}
        for event in program.events(owner):
            by_key.setdefault(event.read.key, []).append(event)
        for events in by_key.values():
            for first, second in itertools.combinations(events, 2):
                differ = first.read.default != second.read.default
                if (
                    differ
                    and first.site is not second.site
                    and _both(project, module, first, second)
                ):
                    reads = sorted((first.read, second.read), key=_order)
                    if reads[1].call not in reported:
                        reported.add(reads[1].call)
                        yield _finding(*reads)


def _both(project: Project, module: Module, first: _Event, second: _Event) -> bool:
    """Whether both reads can happen in one call of the function.

    Two calls in one statement may be alternatives, so they do not count.
    """
    called = first.site is not first.read.call and second.site is not second.read.call
    if called and module.statement_of(first.site) is module.statement_of(second.site):
        return False
    modes = [modes_of(project, module, item.site) for item in (first, second)]
    return bool(modes[0] & modes[1]) and may_both_run(module, first.site, second.site)


def _order(read: _Read) -> Tuple[str, int, int]:
    return read.module.path, read.call.lineno, read.call.col_offset


def _imports_tensorflow(module: Module) -> bool:
    bindings = itertools.chain(*(s.bindings.values() for s in module.scopes.values()))
    found = (item for items in bindings for item in items if isinstance(item, Imported))
    return any(item.dotted.partition(".")[0] == "tensorflow" for item in found)


def _owner(module: Module, node: ast.AST) -> Optional[Owner]:
    """Returns the scope in which an expression's params are bound; None if it is not params."""
    if isinstance(node, ast.Name) and node.id in _PARAMS:
        scopes = (module.scopes[item] for item in module.above(node) if item in module.scopes)
        for scope in scopes:
            if node.id in scope.bindings:
                own = [item for item in scope.bindings[node.id] if not _is_made_of(item, node.id)]
                return (module, scope.node) if len(own) < 2 else None
    if isinstance(node, ast.Attribute) and node.attr.lstrip("_") in _PARAMS:
        cls = module.class_of(node)
        if cls is not None and getattr(node.value, "id", "") == "self":
            return module, cls
    return None


def _is_made_of(binding: Any, name: str) -> bool:
    """Whether a name is assigned from itself, as in ``params = params or {}``."""
    if not isinstance(binding, ast.expr):
        return False
    return any(isinstance(item, ast.Name) and item.id == name for item in below(binding))


def _positions(call: ast.Call, value: ast.AST) -> List[int]:
    return [at for at, item in enumerate(call.args) if item is value]


def _finding(first: _Read, second: _Read) -> Finding:
    place = place_text(second.module, first.module, first.call)
    return finding(
        second.module,
        second.call,
        f"the default of {second.key!r} is {second.default!r} here and {first.default!r} at "
        f"{place}",
        second.key,
        hint="set the default once, where the params are made",
        param=second.key,
        default=repr(second.default),
        other={
            "file": first.module.path,
            "line": line_of(first.call),
            "default": repr(first.default),
        },
    )


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], params.get("units", 64), name="hidden")
    return decode(net, params)


def decode(net, params):
    return tf.reshape(net, [-1, params.get("units", {})])
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="param with different defaults",
    bad={"model.py": _CODE.format(128)},
    good={"model.py": _CODE.format(64)},
    across=True,
)
