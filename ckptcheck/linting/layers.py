"""Finds the calls that create layers, and how TensorFlow names them."""

import ast
from typing import Dict, List, NamedTuple, Optional, Tuple

from .names import Project, has_unknown_arguments, keyword
from .syntax import FUNCTIONS, LOOPS, Function, Module, constant
from .training import model_functions

_LAYERS = (
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "separable_conv1d",
    "separable_conv2d",
)
"""Functions of tf.layers that create variables; each is also the start of the layer's name."""
_CLASSES = {"".join(part.title() for part in name.split("_")): name for name in _LAYERS}
_CLASSES.update({f"Conv{n}D": f"conv{n}d" for n in "123"})
_CLASSES.update({f"Conv{n}DTranspose": f"conv{n}d_transpose" for n in "23"})
_CLASSES.update({f"SeparableConv{n}D": f"separable_conv{n}d" for n in "12"})
_CONTRIB = {
    "batch_norm": "BatchNorm",
    "conv2d": "Conv",
    "conv2d_transpose": "Conv2d_transpose",
    "convolution": "Conv",
    "convolution2d": "Conv",
    "fully_connected": "fully_connected",
    "layer_norm": "LayerNorm",
    "linear": "fully_connected",
    "relu": "fully_connected",
    "separable_conv2d": "SeparableConv2d",
}
_KERAS = (
    "BatchNormalization",
    "Bidirectional",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Dense",
    "DepthwiseConv2D",
    "Embedding",
    "GRU",
    "LSTM",
    "LayerNormalization",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
)
_CONTRIB_HOMES = ("tensorflow.contrib.layers", "tensorflow.contrib.slim", "tf_slim")
_KERAS_HOMES = ("tensorflow.keras.layers", "keras.layers", "tf_keras.layers")

KERAS = "Keras "

LAYERS: Dict[str, Tuple[str, str]] = {
    **{f"tensorflow.layers.{name}": (name, "name") for name in _LAYERS},
    **{f"{home}.{n}": (k, "scope") for home in _CONTRIB_HOMES for n, k in _CONTRIB.items()},
    **{f"{home}.{name}": (KERAS + name, "name") for home in _KERAS_HOMES for name in _KERAS},
    "tensorflow.Variable": ("Variable", "name"),
}
"""By function: the kind whose layers share numbers, and the argument with the layer's name."""
SCOPES = ("tensorflow.variable_scope", "tensorflow.name_scope", "tensorflow.variable_op_scope")
_TF_CLASSES = {f"tensorflow.layers.{name}": kind for name, kind in _CLASSES.items()}
_MANY = 8
"""From this number of positional arguments on, one of them may be the name."""


class Layer(NamedTuple):
    """A call that creates a layer.

    Attributes:
        call: the call.
        kind: layers of one kind are numbered together.
        name: the expression of its name; None if TensorFlow numbers it.
        named: whether it has a name, or may have one.
        scopes: the blocks around it in which numbers start again.
    """

    call: ast.Call
    kind: str
    name: Optional[ast.expr]
    named: bool
    scopes: Tuple[ast.AST, ...]

    @property
    def kind_text(self) -> str:
        """The kind in messages."""
        return self.kind.replace(KERAS, "")


def layers_by_function(project: Project, module: Module) -> Dict[Function, List[Layer]]:
    """Returns the layers that each function creates, in the order in which it creates them.

    Keras numbers the layers of all graphs, and its own checkpoints have no names of layers. So its
    layers count only in functions that build a model for an Estimator.
    """
    return project.once(_layers_by_function, module)


def _layers_by_function(project: Project, module: Module) -> Dict[Function, List[Layer]]:
    found: Dict[Function, List[Layer]] = {}
    for call in module.calls:
        layer = layer_of(project, module, call)
        function = module.function_of(call)
        if layer is None or function is None:
            continue
        if layer.kind.startswith(KERAS) and function not in model_functions(project, module):
            continue
        found.setdefault(function, []).append(layer)
    return found


def layer_of(project: Project, module: Module, call: ast.Call) -> Optional[Layer]:
    """Returns the layer that a call creates; None if it creates none."""
    if isinstance(call.func, ast.Call):  # tf.layers.Dense(8)(x) is numbered when it is called
        made = call.func
        kind = _TF_CLASSES.get(project.qualified(module, made.func), "")
        word = "name"
    else:
        made = call
        kind, word = LAYERS.get(project.qualified(module, call.func), ("", ""))
    if not kind:
        return None
    name = keyword(made, word)
    if name is not None and constant(name) is None:
        name = None
    named = name is not None or has_unknown_arguments(made) or len(made.args) >= _MANY
    return Layer(call, kind, name, named, _scopes(project, module, call))


def _scopes(project: Project, module: Module, node: ast.AST) -> Tuple[ast.AST, ...]:
    """Returns the ``with`` blocks around a node that may open a scope."""
    found = []
    for item in module.above(node):
        if isinstance(item, FUNCTIONS):
            break
        if isinstance(item, (ast.With, ast.AsyncWith)) and any(
            _opens_scope(project, module, each.context_expr) for each in item.items
        ):
            found.append(item)
    return tuple(found)


def _opens_scope(project: Project, module: Module, context: ast.expr) -> bool:
    """Whether a context may open a scope; other contexts of TensorFlow do not."""
    function = context.func if isinstance(context, ast.Call) else context
    name = project.qualified(module, function)
    known = name.startswith("tensorflow.") or name.endswith(".arg_scope")
    return not known or name in SCOPES


def loops_around(module: Module, node: ast.AST) -> List[ast.AST]:
    """Returns the loops of a function around a node, the innermost first."""
    found: List[ast.AST] = []
    for item in module.above(node):
        if isinstance(item, FUNCTIONS):
            break
        if isinstance(item, LOOPS):
            found.append(item)
    return found
