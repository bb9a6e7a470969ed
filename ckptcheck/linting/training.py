"""Finds the functions of a file that build a model for an Estimator, and their optimizers."""

import ast
from typing import Dict, List, Set

from .names import Project
from .syntax import Function, Module, below

SPECS = ("EstimatorSpec", "TPUEstimatorSpec")
_DEEPEST = 6


def model_functions(project: Project, module: Module) -> Set[Function]:
    """Returns the functions that return an EstimatorSpec, and those in the file that they call."""
    return project.once(_model_functions, module)


def _model_functions(project: Project, module: Module) -> Set[Function]:
    found: Set[Function] = set()
    for call in module.calls:
        if project.qualified(module, call.func).rpartition(".")[2] in SPECS:
            function = module.function_of(call)
            if function is not None:
                found.add(function)
    return reached(module, found)


def reached(module: Module, functions: Set[Function]) -> Set[Function]:
    """Returns functions, and the functions of the file that they call by name, and so on."""
    by_name: Dict[str, List[Function]] = {}
    for function in module.definitions:
        by_name.setdefault(function.name, []).append(function)
    found = set(functions)
    waiting = list(functions)
    while waiting:
        for node in below(waiting.pop()):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                called = [item for item in by_name.get(name, ()) if item not in found]
                found.update(called)
                waiting.extend(called)
    return found


def is_optimizer(project: Project, module: Module, node: ast.AST, depth: int = 0) -> bool:
    """Whether an expression is certainly an optimizer of ``tf.train``."""
    if depth > _DEEPEST:
        return False
    if isinstance(node, ast.Call):
        name = project.qualified(module, node.func)
        return name.startswith("tensorflow.") and name.endswith("Optimizer")
    if isinstance(node, ast.IfExp):
        return all(is_optimizer(project, module, i, depth + 1) for i in (node.body, node.orelse))
    if isinstance(node, ast.Name):
        values = module.expressions(node)
        return bool(values) and all(is_optimizer(project, module, i, depth + 1) for i in values)
    return False
