"""An Estimator warm-starts variables that its model_fn initializes from a checkpoint.

``warm_start_from`` and ``tf.train.init_from_checkpoint`` both replace the initial values of
variables. Estimator applies ``warm_start_from`` after the model_fn, so for each variable that both
match, the values of ``init_from_checkpoint`` are lost without an error.

What to do: use one of them.
"""

import ast
from typing import Iterator, Optional

from ...results import Finding
from ..base import LintRule, finding, line_of, place_text
from ..estimators import estimators, model_fn_of
from ..names import UNKNOWN, Place, Project
from ..paths import is_mode
from ..syntax import FUNCTIONS, Module, below
from ..training import reached

_INIT = ("init_from_checkpoint",)


def find(project: Project) -> Iterator[Finding]:
    """Finds Estimators that initialize variables twice."""
    for made in estimators(project):
        given = made.warm_start_from
        if given is None or not _is_certain(project, made.module, given):
            continue
        function = model_fn_of(project, made)
        call = _initialization(project, function) if function is not None else None
        if call is not None:
            yield finding(
                made.module,
                made.call,
                "warm_start_from overwrites what init_from_checkpoint loads at "
                f"{place_text(made.module, call.module, call.node)}",
                "warm_start_from",
                hint="use one of them",
                init={"file": call.module.path, "line": line_of(call.node)},
            )


def _is_certain(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression is certainly a path or WarmStartSettings, and not None."""
    value = project.value(module, node)
    module, known = value if value is not None else (module, node)
    if isinstance(known, ast.Call):
        return project.qualified(module, known.func).endswith(".WarmStartSettings")
    return isinstance(project.literal(module, known), str) and known is not UNKNOWN


def _initialization(project: Project, function: Place) -> Optional[Place]:
    """Returns the call that certainly initializes variables of a model_fn from a checkpoint."""
    module = function.module
    for reach in sorted(reached(module, {function.node}), key=module.order.__getitem__):
        for node in below(reach):
            if not isinstance(node, ast.Call) or module.function_of(node) is not reach:
                continue
            name = project.qualified(module, node.func)
            initializes = name.startswith("tensorflow.") and name.endswith(_INIT)
            if initializes and not _is_optional(module, node):
                return Place(module, node)
    return None


def _is_optional(module: Module, node: ast.AST) -> bool:
    """Whether a node depends on a condition about anything except ``mode``."""
    for item in module.above(node):
        if isinstance(item, FUNCTIONS):
            return False
        if isinstance(item, (ast.If, ast.IfExp)):
            names = [name for name in below(item.test) if isinstance(name, ast.Name)]
            if not any(is_mode(module, name) for name in names):
                return True
    return False


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    logits = tf.layers.dense(features["x"], 3, name="logits")
    tf.train.init_from_checkpoint("runs/base", {{"logits/": "logits/"}})
    return tf.estimator.EstimatorSpec(mode, predictions=logits)


estimator = tf.estimator.Estimator(model_fn, "runs/new"{})
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="variables are initialized from two checkpoints",
    bad={"train.py": _CODE.format(', warm_start_from="runs/old"')},
    good={"train.py": _CODE.format("")},
)
