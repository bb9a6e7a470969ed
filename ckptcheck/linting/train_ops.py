"""Follows the op of an optimizer: whether code that cannot be found may change what it does."""

import ast
from typing import List, Optional, Set

from .names import HOMES, Place, Project
from .syntax import DEFINITIONS, Definition, Function, Module, arguments_of, below, children_of
from .training import SPECS

_DEEPEST = 8
_DATA = ("config", "features", "hparams", "labels", "mode", "params")
"""Arguments of a model_fn: no op of the graph increases the step for them."""
_READING = ("print", "len", "type", "isinstance", "str", "repr", "id", "bool")
_CONTAINERS = ("list", "tuple", "dict", "set")
_EXPRESSIONS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.IfExp, ast.BoolOp, ast.Starred)
_TESTS = (ast.Expr, ast.Compare, ast.UnaryOp, ast.FormattedValue, ast.If, ast.Assert)
_MINIMIZES = ("minimize", "apply_gradients")


def is_changed_elsewhere(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a function that cannot be found may add something to the op that a call makes.

    It gets the op, or its own result runs together with the op.
    """
    flow = _Flow(project)
    contexts: List[ast.AST] = []
    for item in module.above(call):
        if isinstance(item, DEFINITIONS):
            break
        if isinstance(item, (ast.With, ast.AsyncWith)):
            opened = [each.context_expr for each in item.items]
            contexts += [each for each in opened if not _is_plain(project, module, each)]
    return any(flow.is_foreign(module, item, 0) for item in contexts) or flow.leaves(
        module, call, 0
    )


def _is_plain(project: Project, module: Module, context: ast.expr) -> bool:
    """Whether a context of TensorFlow adds no op, as ``tf.name_scope``."""
    name = project.qualified(module, getattr(context, "func", None))
    return name.startswith(HOMES) and not name.endswith(".control_dependencies")


class _Flow:
    """Follows a value through assignments, calls and returns."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.seen: Set[ast.AST] = set()
        self.entered: Set[ast.AST] = set()
        """Functions that get the value; their calls are followed, too."""
        self.in_spec = False

    def leaves(self, module: Module, node: ast.AST, depth: int) -> bool:
        """Whether the value of an expression may go to a function that cannot be found."""
        if node in self.seen:
            return False
        self.seen.add(node)
        parent = module.parents[node]
        if depth > _DEEPEST:
            return True
        if isinstance(parent, (ast.Call, ast.keyword)):
            return self._passed(module, parent, node, depth)
        if isinstance(parent, _EXPRESSIONS) or _is_value(parent, node):
            beside = [item for item in children_of(parent) if item is not node]
            foreign = any(self.is_foreign(module, item, 0) for item in beside)
            return foreign or self.leaves(module, parent, depth + 1)
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            return self._assigned(module, parent, depth)
        if isinstance(parent, ast.Return):
            return self._returned(module, parent, depth)
        return not isinstance(parent, (*_TESTS, ast.withitem, ast.Attribute))

    def _passed(self, module: Module, parent: ast.AST, node: ast.AST, depth: int) -> bool:
        call = module.parents[parent] if isinstance(parent, ast.keyword) else parent
        assert isinstance(call, ast.Call)
        name = self.project.qualified(module, call.func)
        if name in _READING:
            return False
        if name.rpartition(".")[2] in SPECS:
            return self._in_spec(module, call, depth)
        if name.startswith(HOMES) or name in _CONTAINERS:
            given = [*call.args, *(item.value for item in call.keywords)]
            beside: List[ast.AST] = [item for item in given if item is not node]
            if name.endswith(".control_dependencies"):
                beside += _block_of(module, call)
            foreign = any(self.is_foreign(module, item, 0) for item in beside)
            return foreign or self.leaves(module, call, depth + 1)
        function = self.project.function(module, call.func)
        word = _argument_name(function, call, parent, node)
        if function is None or not word:
            return True
        self.entered.add(function.node)
        inside = self._loads(function.module, function.node, word, depth)
        return inside or self.leaves(module, call, depth + 1)

    def _in_spec(self, module: Module, call: ast.Call, depth: int) -> bool:
        """Follows an EstimatorSpec. Its hooks run together with the train_op."""
        hooks = [item.value for item in call.keywords if (item.arg or "").endswith("hooks")]
        before, self.in_spec = self.in_spec, True
        leaves = self.leaves(module, call, depth + 1)
        self.in_spec = before
        return leaves or any(self.is_foreign(module, item, 0) for item in hooks)

    def _loads(self, module: Module, node: ast.AST, name: str, depth: int) -> bool:
        return any(
            self.leaves(module, item, depth + 1)
            for item in below(node)
            if isinstance(item, ast.Name) and item.id == name and isinstance(item.ctx, ast.Load)
        )

    def _assigned(self, module: Module, node: ast.AST, depth: int) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if not isinstance(target, ast.Name):
                return True
            scope = module.scope_of(target)
            if target.id in scope.foreign or self._loads(module, scope.node, target.id, depth):
                return True
        return False

    def _returned(self, module: Module, node: ast.AST, depth: int) -> bool:
        function = module.function_of(node)
        if function in self.entered:
            return False
        if isinstance(function, DEFINITIONS) and self._is_wrapped(module, function):
            return True
        name = getattr(function, "name", "")
        callers = [
            call
            for call in module.calls
            if name and name in (getattr(call.func, "id", ""), getattr(call.func, "attr", ""))
        ]
        if not callers:
            return not self.in_spec  # Estimator calls a model_fn
        return any(self.leaves(module, call, depth + 1) for call in callers)

    def _is_wrapped(self, module: Module, function: Definition) -> bool:
        """Whether a function that cannot be found gets a function, as a decorator does."""
        if any(self._cannot_find(module, item) for item in function.decorator_list):
            return True
        for node in module.parents:
            name = getattr(node, "id", getattr(node, "attr", ""))
            if name != function.name or not isinstance(node, (ast.Name, ast.Attribute)):
                continue
            parent = module.parents[node]
            call = module.parents[parent] if isinstance(parent, ast.keyword) else parent
            given = isinstance(call, ast.Call) and call.func is not node
            if given and self._cannot_find(module, call):
                return True
        return False

    def _cannot_find(self, module: Module, node: ast.AST) -> bool:
        """Whether a function, or the function of a call, is neither known nor in the project."""
        while isinstance(node, ast.Call):
            node = node.func
        name = self.project.qualified(module, node)
        known = name.startswith((*HOMES, "functools.")) or (name and "." not in name)
        return not known and self.project.function(module, node) is None

    def is_foreign(self, module: Module, node: ast.AST, depth: int) -> bool:
        """Whether a value may come from a function that cannot be found."""
        if depth > _DEEPEST:
            return True
        waiting = [node]
        while waiting:
            item = waiting.pop()
            if isinstance(item, ast.Call):
                if getattr(item.func, "attr", "") in _MINIMIZES:
                    continue
                if self._calls_foreign(module, item, depth):
                    return True
            elif isinstance(item, ast.Name) and self._is_foreign_name(module, item, depth):
                return True
            waiting += children_of(item)
        return False

    def _calls_foreign(self, module: Module, call: ast.Call, depth: int) -> bool:
        name = self.project.qualified(module, call.func)
        if name.startswith(HOMES) or (name and "." not in name):
            return False
        function = self.project.function(module, call.func)
        if function is None:
            return bool(name) or not isinstance(call.func, ast.Attribute)
        returns = (item for item in below(function.node) if isinstance(item, ast.Return))
        return any(
            item.value is not None and self.is_foreign(function.module, item.value, depth + 1)
            for item in returns
        )

    def _is_foreign_name(self, module: Module, name: ast.Name, depth: int) -> bool:
        if name.id in _DATA or not isinstance(name.ctx, ast.Load) or name in self.seen:
            return False
        for item in module.bindings(name):
            if item is None:
                return True
            if isinstance(item, ast.expr) and self.is_foreign(module, item, depth + 1):
                return True
        return False


def _is_value(parent: ast.AST, node: ast.AST) -> bool:
    return isinstance(parent, ast.Subscript) and parent.value is node


def _block_of(module: Module, call: ast.Call) -> List[ast.stmt]:
    """Returns the block of a ``with`` statement that a call opens."""
    item = module.parents[call]
    block = module.parents[item] if isinstance(item, ast.withitem) else None
    return block.body if isinstance(block, (ast.With, ast.AsyncWith)) else []


def _argument_name(
    function: Optional[Place], call: ast.Call, parent: ast.AST, node: ast.AST
) -> str:
    """Returns the argument of a function that gets a value; "" if it is not known."""
    if function is None:
        return ""
    definition: Function = function.node
    names = arguments_of(definition)
    if isinstance(parent, ast.keyword):
        return parent.arg if parent.arg in names and parent.arg is not None else ""
    at = next((n for n, item in enumerate(call.args) if item is node), len(names))
    at += 1 if names[:1] == ["self"] else 0
    return names[at] if at < len(names) else ""
