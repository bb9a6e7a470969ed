"""A loop over a set creates layers without names: processes may name them differently.

The order of strings in a set differs from process to process. TensorFlow numbers layers without a
name in the order in which they are created, so the same name belongs to different layers in
different processes. If the shapes are equal, the wrong weights are restored without an error.

What to do: loop over ``sorted(...)``, or name each layer after its item.
"""

import ast
from typing import Iterator

from ...results import Finding
from ..base import LintRule, finding
from ..layers import layers_by_function, loops_around
from ..names import Project
from ..syntax import Module, constant


def find(project: Project) -> Iterator[Finding]:
    """Finds layers without names in loops over sets."""
    for module in project.modules:
        for layers in layers_by_function(project, module).values():
            for layer in layers:
                loops = loops_around(module, layer.call)
                if not layer.named and any(_is_over_set(project, module, loop) for loop in loops):
                    kind = layer.kind_text
                    yield finding(
                        module,
                        layer.call,
                        f"this {kind} layer has no name and is in a loop over a set, whose order "
                        "differs from process to process",
                        kind,
                        hint="loop over sorted(...), or name the layer",
                        kind=kind,
                    )


def _is_over_set(project: Project, module: Module, loop: ast.AST) -> bool:
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return _is_set(project, module, loop.iter)
    generators = getattr(loop, "generators", ())
    return any(_is_set(project, module, item.iter) for item in generators)


def _is_set(project: Project, module: Module, node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        value = module.binding(node)
        return isinstance(value, ast.expr) and _is_set(project, module, value)
    if isinstance(node, ast.Set):
        return any(isinstance(constant(item), str) for item in node.elts)
    if isinstance(node, ast.Call) and node.args:
        function = project.qualified(module, node.func)
        if function in ("enumerate", "list", "tuple"):
            return _is_set(project, module, node.args[0])
        return function in ("set", "frozenset")
    return isinstance(node, ast.SetComp)


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    parts = []
    for key in {}:
        parts.append(tf.layers.dense(features[key], 8))
    return tf.concat(parts, 1)
"""

RULE = LintRule(
    severity="error",
    find=find,
    title="layer without a name in a loop over a set",
    bad={"model.py": _CODE.format('{"user", "item"}')},
    good={"model.py": _CODE.format('sorted({"user", "item"})')},
)
