"""A layer exists only in EVAL or PREDICT: no checkpoint has its variables.

TRAIN saves the variables that its own graph has. If a branch on ``mode`` creates a layer in EVAL or
PREDICT only, the restore in this mode fails, because the checkpoint has no such key. The rule finds
nothing if TRAIN may create the same variables elsewhere: with another layer of this kind, or in a
function that TRAIN calls. It finds nothing in functions that are not for TRAIN: in TRAIN, they
raise an error, return nothing, or return an EstimatorSpec without a train_op. It finds nothing in
functions that nothing calls in TRAIN. If single files are linted instead of a directory, it leaves
out functions that only other files may call.

What to do: create the layer in TRAIN too, or remove it from the other modes.
"""

import ast
import builtins
from typing import Iterator, List, Optional

from ...results import Finding
from ..base import LintRule, finding
from ..estimators import callers_of
from ..layers import Layer, layers_by_function
from ..names import Project, argument, has_unknown_arguments
from ..paths import MODES, TRAIN, is_model_fn, modes_of
from ..syntax import DEFINITIONS, Function, Module, below, constant
from ..training import SPECS, is_optimizer

_DATA = ("config", "features", "hparams", "labels", "params")
"""Arguments of a model_fn; their methods create no layer."""
_HARMLESS = (
    "absl.logging.",
    "collections.",
    "json.",
    "logging.",
    "math.",
    "numpy.",
    "os.",
    "tensorflow.",
)
_CREATING = tuple(
    f"tensorflow.{name}"
    for name in ("contrib.", "get_variable", "keras.layers.", "make_template", "Variable")
)
_DEEPEST = 4


def find(project: Project) -> Iterator[Finding]:
    """Finds layers that TRAIN does not have."""
    for module in project.modules:
        for function, layers in layers_by_function(project, module).items():
            modes = {layer: modes_of(project, module, layer.call) for layer in layers}
            trained = [layer for layer in layers if TRAIN in modes[layer]]
            for layer in layers:
                if (
                    modes[layer]  # code that never runs has none
                    and layer not in trained
                    and _is_alone(project, module, layer, trained)
                    and _is_for_train(project, module, function, 0)
                ):
                    yield _finding(module, layer, project)


def _is_for_train(
    project: Project, module: Module, function: Optional[Function], depth: int
) -> bool:
    """Whether a function returns a value in TRAIN, and something may call it in TRAIN."""
    if not isinstance(function, DEFINITIONS) or depth > _DEEPEST:
        return True
    returns = (node for node in below(function) if isinstance(node, ast.Return))
    if not any(
        module.function_of(node) is function
        and _is_trained(project, module, node.value)
        and TRAIN in modes_of(project, module, node)
        for node in returns
    ):
        return False
    if is_model_fn(function):
        return True
    callers = callers_of(project, module, function)
    return (not callers and project.whole) or any(
        TRAIN in modes_of(project, place.module, place.node)
        and _is_for_train(project, place.module, place.module.function_of(place.node), depth + 1)
        for place in callers
    )


def _is_trained(project: Project, module: Module, value: Optional[ast.expr]) -> bool:
    """Whether a function that returns a value may be for TRAIN.

    An EstimatorSpec without a train_op is not.
    """
    if value is None or constant(value) is None:
        return False
    specs = module.expressions(value) if isinstance(value, ast.Name) else [value]
    return not specs or any(
        not isinstance(spec, ast.Call)
        or project.qualified(module, spec.func).rpartition(".")[2] not in SPECS
        or has_unknown_arguments(spec)
        or constant(argument(spec, "train_op", 3) or ast.Constant(None)) is not None
        for spec in specs
    )


def _is_alone(project: Project, module: Module, layer: Layer, trained: List[Layer]) -> bool:
    """Whether TRAIN creates nothing that could be the same layer."""
    if layer.kind == "Variable" or layer.scopes or any(t.kind == layer.kind for t in trained):
        return False
    function = module.function_of(layer.call)
    calls = (node for node in below(function) if isinstance(node, ast.Call)) if function else ()
    return not any(
        _may_create(project, module, call) and TRAIN in modes_of(project, module, call)
        for call in calls
    )


def _may_create(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call may create a layer that this file does not show."""
    name = project.qualified(module, call.func)
    if name:
        harmless = name.startswith(_HARMLESS) and not name.startswith(_CREATING)
        return not harmless and not hasattr(builtins, name)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_data = isinstance(owner, ast.Name) and owner.id in _DATA
    is_text = isinstance(constant(owner), str)
    return owner is None or not (is_data or is_text or is_optimizer(project, module, owner))


def _finding(module: Module, layer: Layer, project: Project) -> Finding:
    modes = sorted(modes_of(project, module, layer.call) & MODES, reverse=True)
    kind = layer.kind_text
    return finding(
        module,
        layer.call,
        f"this {kind} layer exists only in {' and '.join(modes)}: TRAIN never saves its variables, "
        "so no checkpoint has them",
        kind,
        hint="create the layer in TRAIN too",
        kind=kind,
        modes=[mode.lower() for mode in modes],
    )


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], 8, name="hidden")
    {}net = tf.layers.conv1d(net, 8, 3, name="smooth")
    return net
"""

RULE = LintRule(
    severity="error",
    find=find,
    title="layer that TRAIN does not have",
    bad={"model.py": _CODE.format("if mode == tf.estimator.ModeKeys.PREDICT:\n        ")},
    good={"model.py": _CODE.format("")},
    across=True,
)
