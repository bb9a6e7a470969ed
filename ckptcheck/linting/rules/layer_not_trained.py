"""A layer exists only in EVAL or PREDICT: no checkpoint has its variables.

TRAIN saves the variables that its own graph has. If a branch on ``mode`` creates a layer in EVAL or
PREDICT only, the restore in this mode fails, because the checkpoint has no such key. The rule finds
nothing if TRAIN may create the same variables elsewhere: with another layer of this kind, or in a
function that the branch of TRAIN calls.

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
from ..syntax import Module, below


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
    for call in calls:
        name = project.qualified(module, call.func)
        may_create = not name or ("." not in name and not hasattr(builtins, name))
        if may_create and TRAIN in modes_of(project, module, call):
            return False
    return True


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
