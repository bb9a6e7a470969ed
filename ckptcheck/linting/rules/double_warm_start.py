"""An Estimator warm-starts variables that its model_fn initializes from a checkpoint.

``warm_start_from`` and ``tf.train.init_from_checkpoint`` both replace the initial values of
variables. Estimator applies ``warm_start_from`` after the model_fn, so for each variable that both
match, the values of ``init_from_checkpoint`` are lost without an error. The rule finds nothing if
the two may be about different variables: if WarmStartSettings have another ``vars_to_warm_start``
than ``".*"``, or if the assignment map is not a literal dict. Since ``".*"`` matches trainable
variables only, it finds nothing if the file makes variables with the argument ``trainable``. It
finds nothing unless ``init_from_checkpoint`` certainly runs in TRAIN.

What to do: use one of them.
"""

import ast
from typing import Iterator, List, Optional

from ...results import Finding
from ..base import LintRule, finding, line_of, place_text
from ..estimators import estimators, model_fn_of
from ..names import HOMES, Place, Project, argument, has_unknown_arguments, keyword
from ..paths import TRAIN, conditions_of, truth
from ..syntax import FUNCTIONS, LOOPS, Module, below, constant

_INIT = "init_from_checkpoint"
_ALL = ".*"
_NOT_TRAINABLE = ("moving_", "global_step", "running_", "averag", "ema")
"""Parts of the names of variables that are often not trainable."""
_OPTIONAL = (*LOOPS, ast.While, ast.Try, ast.IfExp, ast.BoolOp)


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
    """Whether an expression certainly warm-starts all trainable variables."""
    value = project.value(module, node)
    module, known = value if value is not None else (module, node)
    if not isinstance(known, ast.Call):
        return isinstance(project.literal(module, known), str)
    is_settings = project.qualified(module, known.func).endswith(".WarmStartSettings")
    if not is_settings or has_unknown_arguments(known):
        return False
    names = argument(known, "vars_to_warm_start", 1)
    return names is None or project.literal(module, names) == _ALL


def _initialization(project: Project, function: Place) -> Optional[Place]:
    """Returns the call that certainly initializes trainable variables of a model_fn in TRAIN."""
    waiting = [function]
    for at in waiting:
        calls = _certain_calls(project, at)
        for call in calls:
            name = project.qualified(at.module, call.func)
            if name.startswith(HOMES) and name.endswith(_INIT) and _is_trainable(at.module, call):
                return Place(at.module, call)
        called = [project.function(at.module, call.func) for call in calls]
        waiting += [item for item in called if item is not None and item not in waiting]
    return None


def _certain_calls(project: Project, function: Place) -> List[ast.Call]:
    """Returns the calls that a function certainly makes in TRAIN, in their order."""
    module, node = function
    calls = [
        item
        for item in below(node)
        if isinstance(item, ast.Call)
        and module.function_of(item) is node
        and not _is_optional(project, module, item)
    ]
    return sorted(calls, key=module.order.__getitem__)


def _is_optional(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether a node of a function may not run in TRAIN."""
    for item in module.above(node):
        if isinstance(item, FUNCTIONS):
            break
        if isinstance(item, _OPTIONAL):
            return True
    return any(
        truth(project, module, test, TRAIN) is not value
        for test, value in conditions_of(module, node)
    )


def _is_trainable(module: Module, call: ast.Call) -> bool:
    """Whether a call certainly initializes trainable variables."""
    given = argument(call, "assignment_map", 1)
    if not isinstance(given, ast.Dict) or not given.values:
        return False
    names = [constant(item) for item in (*given.keys, *given.values) if item is not None]
    words = [name for name in names if isinstance(name, str)]
    if any(part in word.lower() for word in words for part in _NOT_TRAINABLE):
        return False
    return all(keyword(each, "trainable") is None for each in module.calls)


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
