"""The train_op does not increase the global step.

``minimize`` and ``apply_gradients`` of ``tf.train`` increase the global step only if they get it.
Without it, the step of an Estimator stays 0: training with ``steps`` or ``max_steps`` never ends,
and each save overwrites ``model.ckpt-0``. The rule looks at functions that return an EstimatorSpec,
and at functions in the same file that they call. It finds nothing if the file increases the step in
another way.

What to do: pass ``global_step=tf.train.get_global_step()``.
"""

import ast
from typing import Iterator, Optional, Set

from ...results import Finding
from ..base import LintRule, finding
from ..names import Project, argument, has_unknown_arguments
from ..syntax import Module, below, constant
from ..training import is_optimizer, model_functions

_STEPS = ("assign_add", "assign", "create_train_op", "optimize_loss", "AssignAdd", "increment")
_DEEPEST = 4


def find(project: Project) -> Iterator[Finding]:
    """Finds train_ops without a global step."""
    for module in project.modules:
        functions = model_functions(project, module)
        calls = [call for call in module.calls if _method(call)]
        if not functions or any(_may_step(module, call) for call in module.calls):
            continue
        for call in calls:
            if module.is_test(call) or module.function_of(call) not in functions:
                continue
            assert isinstance(call.func, ast.Attribute)
            if is_optimizer(project, module, call.func.value):
                yield finding(
                    module,
                    call,
                    f"{_method(call)} does not get the global step: the step stays 0",
                    str(_method(call)),
                    hint="pass global_step=tf.train.get_global_step()",
                    method=_method(call),
                )


def _method(call: ast.Call) -> Optional[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name if name in ("minimize", "apply_gradients") else None


def _may_step(module: Module, call: ast.Call) -> bool:
    """Whether a call may increase the global step."""
    if _method(call):
        given = argument(call, "global_step", 1)
        return has_unknown_arguments(call) or (given is not None and constant(given) is not None)
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("create_train_op", "optimize_loss"):
        return True
    return name in _STEPS and _mentions_step(module, call)


def _mentions_step(module: Module, call: ast.Call) -> bool:
    """Whether a call, or what the names in it stand for, mentions a step."""
    nodes: Set[ast.AST] = {call}
    for _ in range(_DEEPEST):
        items = [item for node in nodes for item in below(node)]
        words = (getattr(item, field, "") for item in items for field in ("id", "attr", "arg"))
        if any("step" in str(word).lower() for word in words):
            return True
        names = (item for item in items if isinstance(item, ast.Name))
        values = (module.binding(name) for name in names)
        nodes = {value for value in values if isinstance(value, ast.expr)}
    return False


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
