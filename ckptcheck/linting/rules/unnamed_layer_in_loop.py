"""A loop over params creates layers without names before another layer of this kind.

TensorFlow numbers layers without a name. A loop over ``params`` creates as many layers as the
params say, so the number of each later layer of this kind depends on the params. With another
number of layers, the later layer, often the output, restores the weights of a hidden layer.

What to do: name the layers in the loop (``name=f"hidden_{number}"``), or name the layer after the
loop.
"""

import ast
from typing import Iterator, List, Optional

from ...results import Finding
from ..base import LintRule, finding, line_of
from ..layers import Layer, layers_by_function, loops_around
from ..names import Project
from ..paths import precedes
from ..syntax import Module, below

_PARAMS = ("params", "hparams")
_DEEPEST = 4


def find(project: Project) -> Iterator[Finding]:
    """Finds layers in loops that shift the number of a later layer."""
    for module in project.modules:
        for layers in layers_by_function(project, module).values():
            unnamed = [layer for layer in layers if not layer.named]
            for layer in unnamed:
                loop = _loop(module, layer)
                later = _later(module, layer, loop, unnamed) if loop is not None else None
                if later is not None:
                    yield _finding(module, layer, later)


def _loop(module: Module, layer: Layer) -> Optional[ast.AST]:
    """Returns the outermost loop over params around a layer."""
    loops = [loop for loop in loops_around(module, layer.call) if _is_over_params(module, loop)]
    return loops[-1] if loops else None


def _is_over_params(module: Module, loop: ast.AST) -> bool:
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return _is_of_params(module, loop.iter, 0)
    generators: List[ast.comprehension] = getattr(loop, "generators", [])
    return any(_is_of_params(module, item.iter, 0) for item in generators)


def _is_of_params(module: Module, node: ast.AST, depth: int) -> bool:
    """Whether an expression depends on params."""
    for item in below(node):
        if isinstance(item, ast.Attribute) and item.attr in _PARAMS:
            return True
        if isinstance(item, ast.Name):
            if item.id in _PARAMS:
                return True
            value = module.binding(item)
            known = isinstance(value, ast.expr) and depth < _DEEPEST
            if known and _is_of_params(module, value, depth + 1):  # type: ignore[arg-type]
                return True
    return False


def _later(module: Module, layer: Layer, loop: ast.AST, unnamed: List[Layer]) -> Optional[Layer]:
    """Returns the first layer after a loop whose number depends on the loop."""
    for other in unnamed:
        same = (other.kind, other.scopes) == (layer.kind, layer.scopes)
        outside = loop not in loops_around(module, other.call)
        if same and outside and precedes(module, layer.call, other.call):
            return other
    return None


def _finding(module: Module, layer: Layer, later: Layer) -> Finding:
    kind = layer.kind_text
    return finding(
        module,
        layer.call,
        f"this {kind} layer has no name and is in a loop over params: the automatic name of the "
        f"{kind} layer at line {line_of(later.call)} depends on the params",
        kind,
        hint="name the layers in the loop",
        kind=kind,
        shifts=line_of(later.call),
    )


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    net = features["x"]
    for number, units in enumerate(params["hidden_units"]):
        net = tf.layers.dense(net, units{})
    return tf.layers.dense(net, 1)
"""

RULE = LintRule(
    severity="note",
    find=find,
    title="layer without a name in a loop over params",
    bad={"model.py": _CODE.format("")},
    good={"model.py": _CODE.format(', name=f"hidden_{number}"')},
)
