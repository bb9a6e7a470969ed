"""Finds the modes and the order in which the code of a function runs."""

import ast
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from .names import Project
from .syntax import DEFINITIONS, FUNCTIONS, Module, arguments_of, below, constant

TRAIN, EVAL, PREDICT = "TRAIN", "EVAL", "PREDICT"
MODES = frozenset((TRAIN, EVAL, PREDICT))
_WORDS = {"train": TRAIN, "eval": EVAL, "infer": PREDICT, "INFER": PREDICT}
"""The values of ModeKeys, and the old name of PREDICT."""
_DEEPEST = 6
_BLOCKS = ("body", "orelse", "finalbody", "handlers")
_EXITS = ("sys.exit", "os._exit", "os.abort", "exit", "quit")
_BINDINGS = ("AnnAssign", "NamedExpr")
_NEVER = ast.BoolOp(ast.Or(), [])
"""A condition that never holds."""


def truth(project: Project, module: Module, test: ast.AST, mode: str, depth: int = 0) -> Any:
    """Returns whether a condition holds in a mode; None if it depends on something else."""
    if depth > _DEEPEST:
        return None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        value = truth(project, module, test.operand, mode, depth + 1)
        return None if value is None else not value
    if isinstance(test, ast.BoolOp):
        values = [truth(project, module, item, mode, depth + 1) for item in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(project, module, test, mode)
    if isinstance(test, ast.Name):
        bound = module.binding(test)
        if isinstance(bound, ast.expr):
            return truth(project, module, bound, mode, depth + 1)
    return None


def _compared(project: Project, module: Module, test: ast.Compare, mode: str) -> Optional[bool]:
    operator, left, right = test.ops[0], test.left, test.comparators[0]
    if not is_mode(module, left):
        left, right = right, left
    if not is_mode(module, left):
        return None
    if isinstance(operator, (ast.In, ast.NotIn)):
        items = right.elts if isinstance(right, (ast.List, ast.Tuple, ast.Set)) else []
        keys = [_mode_key(project, module, item) for item in items]
        if not keys or None in keys:
            return None
        return (mode in keys) is isinstance(operator, ast.In)
    key = _mode_key(project, module, right)
    if key is None or not isinstance(operator, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        return None
    return (mode == key) is isinstance(operator, (ast.Eq, ast.Is))


def is_mode(module: Module, node: ast.AST) -> bool:
    """Whether an expression is the argument ``mode`` of a function around it."""
    if not isinstance(node, ast.Name) or node.id != "mode" or module.bindings(node) != [None]:
        return False
    functions = (item for item in module.above(node) if isinstance(item, FUNCTIONS))
    return any("mode" in arguments_of(item) for item in functions)


def _mode_key(project: Project, module: Module, node: ast.AST) -> Optional[str]:
    word = constant(node)
    if isinstance(word, str):
        return _WORDS.get(word)
    name = project.qualified(module, node)
    keys, _, last = name.rpartition(".")
    if keys.rpartition(".")[2] != "ModeKeys":
        return None
    return last if last in MODES else _WORDS.get(last)


def modes_of(project: Project, module: Module, node: ast.AST) -> FrozenSet[str]:
    """Returns the modes in which a node of a function may run."""
    conditions = conditions_of(module, node)
    return frozenset(
        mode
        for mode in MODES
        if all(truth(project, module, test, mode) in (None, value) for test, value in conditions)
    )


def conditions_of(module: Module, node: ast.AST) -> List[Tuple[ast.expr, bool]]:
    """Returns the conditions for a node of a function to run, each with the value it must have."""
    return [item for step in _steps(module, node) for item in _conditions(*step)]


def _conditions(parent: ast.AST, child: ast.AST) -> Iterator[Tuple[ast.expr, bool]]:
    """Yields the conditions for a child to run, each with the value that it must have."""
    if isinstance(parent, (ast.If, ast.IfExp)):
        branch = _branch(parent, child)
        if branch is not None:
            yield parent.test, branch
    if _is_case(child):
        yield from _case_conditions(parent, child)
    for earlier in _before(parent, child):
        yield from _conditions_after(earlier)


def _conditions_after(statement: ast.AST) -> Iterator[Tuple[ast.expr, bool]]:
    """Yields the conditions for the code after a statement to run."""
    waiting = [statement]
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.If) and ends(item.body):
            yield item.test, False
            waiting += item.orelse
        elif isinstance(item, ast.If) and ends(item.orelse):
            yield item.test, True
            waiting += item.body
        elif isinstance(item, ast.Assert):
            yield item.test, True
        elif isinstance(item, (ast.With, ast.AsyncWith)):
            waiting += item.body
        if _leaves(item):
            yield _NEVER, True


def _case_conditions(match: Any, case: ast.AST) -> Iterator[Tuple[ast.expr, bool]]:
    """Yields the conditions for a case of ``match`` to run. Only values count, no other pattern."""
    for each in match.cases[: match.cases.index(case) + 1]:
        is_or = type(each.pattern).__name__ == "MatchOr"
        patterns = each.pattern.patterns if is_or else [each.pattern]
        certain = each is case or each.guard is None
        if certain and all(type(item).__name__ == "MatchValue" for item in patterns):
            values = (item.value for item in patterns)
            tests: List[ast.expr] = [
                ast.Compare(match.subject, [ast.Eq()], [value]) for value in values
            ]
            yield ast.BoolOp(ast.Or(), tests), each is case


def _steps(module: Module, node: ast.AST) -> Iterator[Tuple[ast.AST, ast.AST]]:
    """Yields the nodes around a node in its function, each with the child below it."""
    child = node
    for parent in module.above(node):
        yield parent, child
        if isinstance(parent, FUNCTIONS):
            return
        child = parent


def _branch(parent: Any, child: ast.AST) -> Optional[bool]:
    """Returns whether a node is in the first branch of a condition; None if it is in the test."""
    if isinstance(parent, ast.IfExp):
        return None if child is parent.test else child is parent.body
    return None if child is parent.test else child in parent.body


def _block(parent: ast.AST, child: ast.AST) -> Sequence[ast.AST]:
    """Returns the block of statements that has a node; () if the node is no statement."""
    for name in _BLOCKS:
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            return block
    return ()


def _before(parent: ast.AST, child: ast.AST) -> Sequence[ast.AST]:
    block = _block(parent, child)
    return block[: list(block).index(child)] if block else ()


def ends(block: Sequence[ast.AST]) -> bool:
    """Whether a block always leaves the function."""
    while block:
        last = block[-1]
        if isinstance(last, ast.If):
            if not ends(last.body):
                return False
            block = last.orelse
        elif isinstance(last, (ast.With, ast.AsyncWith)):
            block = last.body
        else:
            return _leaves(last)
    return False


def _leaves(statement: ast.AST) -> bool:
    """Whether a statement itself leaves the function: ``return``, ``raise``, ``sys.exit()``."""
    if isinstance(statement, ast.Assert):
        return constant(statement.test) is False
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        owner = getattr(getattr(function, "value", None), "id", "")
        name = getattr(function, "attr", getattr(function, "id", ""))
        return f"{owner}.{name}".strip(".") in _EXITS
    return isinstance(statement, (ast.Return, ast.Raise))


def precedes(module: Module, first: ast.AST, second: ast.AST) -> bool:
    """Whether one node of a function can run before another in the same call."""
    return module.order[first] < module.order[second] and may_both_run(module, first, second)


def may_both_run(module: Module, first: ast.AST, second: ast.AST) -> bool:
    """Whether two nodes of a function can run in the same call."""
    paths: List[List[Tuple[ast.AST, ast.AST]]] = [
        list(_steps(module, node)) for node in sorted((first, second), key=module.order.__getitem__)
    ]
    flags = [_flags(module, path) for path in paths]
    if any(flags[1].get(key, value) is not value for key, value in flags[0].items()):
        return False
    downward = {id(parent): child for parent, child in paths[1]}
    for parent, child in paths[0]:
        if id(parent) in downward:
            other = downward[id(parent)]
            if isinstance(parent, (ast.If, ast.IfExp)):
                return _branch(parent, child) in (None, _branch(parent, other))
            if isinstance(parent, ast.Try):
                apart = (child in parent.handlers, other in parent.handlers)
                return not any(apart)
            return not _is_case(child) or child is other
        block = _block(parent, child)
        if block and ends(block):
            return False
    return True


def _flags(module: Module, path: Sequence[Tuple[ast.AST, ast.AST]]) -> Dict[int, bool]:
    """Returns the values that variables must have for a node to run.

    Only variables with one value count, in conditions such as ``if use_bias``.
    """
    found: Dict[int, bool] = {}
    for parent, child in path:
        branch = _branch(parent, child) if isinstance(parent, (ast.If, ast.IfExp)) else None
        if branch is None:
            continue
        test = parent.test  # type: ignore[attr-defined]
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, branch = test.operand, not branch
        bindings = module.bindings(test) if isinstance(test, ast.Name) else []
        if len(bindings) == 1:
            found[id(bindings)] = branch
    return found


def _is_case(node: ast.AST) -> bool:
    """Whether a node is a case of ``match``, of which only one runs."""
    return type(node).__name__ == "match_case"  # Python 3.9 does not have it


def is_model_fn(function: ast.AST) -> bool:
    """Whether a function has the arguments of a model_fn."""
    if not isinstance(function, DEFINITIONS):
        return False
    return {"features", "mode"} <= set(arguments_of(function))


def is_tested(module: Module, node: ast.AST) -> bool:
    """Whether the code compares the value of an expression, or tests whether it is true.

    If the code assigns the value to a variable, this is about the variable, too.
    """
    if _is_in_test(module, node):
        return True
    parent: Any = module.parents[node]
    targets = getattr(parent, "targets", [getattr(parent, "target", None)])
    if not isinstance(parent, ast.Assign) and type(parent).__name__ not in _BINDINGS:
        return False
    names = {_name_of(target) for target in targets} - {""}
    return any(
        _name_of(item) in names and _is_in_test(module, item)
        for item in below(module.tree if _has_attribute(targets) else module.scope_of(parent).node)
    )


def _has_attribute(targets: Sequence[ast.AST]) -> bool:
    return any(isinstance(target, ast.Attribute) for target in targets)


def _name_of(node: ast.AST) -> str:
    """Returns the name of a variable, or of an attribute of any object; "" for another node."""
    return str(getattr(node, "id", "")) or str(getattr(node, "attr", ""))


def _is_in_test(module: Module, node: ast.AST) -> bool:
    child = node
    for parent in module.above(node):
        name = getattr(getattr(parent, "func", None), "id", "")
        if isinstance(parent, (ast.Compare, ast.BoolOp)) or name in ("bool", "all", "any"):
            return True
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            return True
        tests = [getattr(parent, "test", None), getattr(parent, "subject", None)]
        if child in (*tests, *getattr(parent, "ifs", ())):
            return True
        if isinstance(parent, (ast.stmt, *FUNCTIONS)):
            return False
        child = parent
    return False
