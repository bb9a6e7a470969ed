"""A layer exists only in EVAL or PREDICT: no checkpoint has its variables.

TRAIN saves the variables that its own graph has. If a branch on ``mode`` creates a layer in EVAL or
PREDICT only, the restore in this mode fails, because the checkpoint has no such key. The rule finds
nothing if TRAIN may create the same variables elsewhere: with another layer of this kind, or in a
function that TRAIN calls.

What to do: create the layer in TRAIN too, or remove it from the other modes.
"""

import ast
import builtins
from typing import Iterator, List

from ...results import Finding
from ..base import LintRule, finding
from ..layers import Layer, layers_by_function
from ..names import Project
from ..paths import MODES, TRAIN, modes_of
from ..syntax import Module, below, constant
from ..training import is_optimizer

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


def find(project: Project) -> Iterator[Finding]:
    """Finds layers that TRAIN does not have."""
    for module in project.modules:
        for layers in layers_by_function(project, module).values():
            trained = [layer for layer in layers if TRAIN in modes_of(project, module, layer.call)]
            for layer in layers:
                if layer not in trained and _is_alone(project, module, layer, trained):
                    yield _finding(module, layer, project)


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
)
