"""The train_op does not increase the global step.

``minimize`` and ``apply_gradients`` of ``tf.train`` increase the global step only if they get it.
Without it, the step of an Estimator stays 0: training with ``steps`` or ``max_steps`` never ends,
and each save overwrites ``model.ckpt-0``. The rule looks at functions that return an EstimatorSpec,
and at functions in the same file that they call. It finds nothing if the file, or a file that it
imports, may increase the step in another way. It also finds nothing if a function whose code
``lint`` does not have may increase the step. Such a function gets the result of ``minimize``, the
EstimatorSpec or the model_fn. Or it returns an op or a hook that runs together with the train_op.

What to do: pass ``global_step=tf.train.get_global_step()``.
"""

import ast
from typing import Iterator, Optional, Set

from ...results import Finding
from ..base import LintRule, finding
from ..names import HOMES, Project, argument, has_unknown_arguments
from ..syntax import Module, below, constant
from ..train_ops import is_changed_elsewhere
from ..training import is_optimizer, model_functions

_STEPS = ("assign_add", "assign", "create_train_op", "optimize_loss", "AssignAdd", "increment")
_DEEPEST = 4


def find(project: Project) -> Iterator[Finding]:
    """Finds train_ops without a global step."""
    for module in project.modules:
        functions = model_functions(project, module)
        for call in module.calls:
            if not _method(call) or module.function_of(call) not in functions:
                continue
            if not module.is_test(call) and _is_without_step(project, module, call):
                yield finding(
                    module,
                    call,
                    f"{_method(call)} does not get the global step: the step stays 0",
                    str(_method(call)),
                    hint="pass global_step=tf.train.get_global_step()",
                    method=_method(call),
                )


def _is_without_step(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether nothing increases the step that runs with the result of a call."""
    assert isinstance(call.func, ast.Attribute)
    return (
        is_optimizer(project, module, call.func.value)
        and not project.once(_steps, module)
        and not is_changed_elsewhere(project, module, call)
    )


def _steps(project: Project, module: Module) -> bool:
    """Whether a file, or a file that it imports, may increase the global step."""
    return any(
        any(_may_step(project, each, call) for call in each.calls)
        or any(getattr(node, "attr", "") == "iterations" for node in each.parents)
        for each in project.with_imports(module)
    )


def _method(call: ast.Call) -> Optional[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name if name in ("minimize", "apply_gradients") else None


def _may_step(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call may increase the global step."""
    if _method(call):
        given = argument(call, "global_step", 1)
        return has_unknown_arguments(call) or (given is not None and constant(given) is not None)
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("create_train_op", "optimize_loss"):
        return True
    if name not in _STEPS:
        return False
    is_function = project.qualified(module, call.func).startswith(HOMES)
    first = argument(call, "ref", 0) if is_function else getattr(call.func, "value", None)
    return _mentions_step(module, call) or not _is_variable(project, module, first)


def _mentions_step(module: Module, call: ast.Call) -> bool:
    """Whether a call, or what the names in it stand for, mentions a step."""
    nodes: Set[ast.AST] = {call}
    for _ in range(_DEEPEST):
        items = [item for node in nodes for item in below(node)]
        words = [getattr(item, field, "") for item in items for field in ("id", "attr", "arg")]
        if any("step" in str(word).lower() for word in (*words, *map(constant, items))):
            return True
        names = (item for item in items if isinstance(item, ast.Name))
        values = (module.binding(name) for name in names)
        nodes = {value for value in values if isinstance(value, ast.expr)}
    return False


def _is_variable(project: Project, module: Module, node: Optional[ast.AST]) -> bool:
    """Whether an expression certainly is a variable that TensorFlow made just for this name."""
    values = module.expressions(node) if isinstance(node, ast.Name) else [node]
    made = [
        project.qualified(module, value.func) for value in values if isinstance(value, ast.Call)
    ]
    return bool(made) and len(made) == len(values) and all(n.startswith(HOMES) for n in made)


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    loss = tf.losses.mean_squared_error(labels, tf.layers.dense(features["x"], 1))
    optimizer = tf.train.AdamOptimizer(0.01)
    train_op = optimizer.minimize(loss{})
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

RULE = LintRule(
    severity="error",
    find=find,
    title="train_op without a global step",
    bad={"model.py": _CODE.format("")},
    good={"model.py": _CODE.format(", global_step=tf.train.get_global_step()")},
)
