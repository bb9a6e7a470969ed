"""What people call ops, attributes, and the inputs of optimizers."""

import re
from typing import Iterable, Sequence

from ..graph.digests import Step

ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Elu": "elu",
    "Selu": "selu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "LeakyRelu": "leaky relu",
    "Softmax": "softmax",
    "LogSoftmax": "log softmax",
    "Erf": "gelu",
}
_SCOPES = (
    ("dropout", "dropout"),
    ("clip_by_global_norm|global_norm", "clip by global norm"),
    ("clip_by_norm", "clip by norm"),
    ("clip_by_value", "clip by value"),
    ("ExponentialDecay", "exponential decay"),
    ("PolynomialDecay", "polynomial decay"),
    ("CosineDecay", "cosine decay"),
    ("InverseTimeDecay", "inverse time decay"),
    ("NaturalExpDecay", "natural exponential decay"),
    ("PiecewiseConstant", "piecewise constant"),
    # Before batch normalization: ops of a layer normalization may be in a scope named batchnorm.
    ("layer_normalization|LayerNorm|layer_norm", "layer normalization"),
    ("batch_normalization|batchnorm|BatchNorm", "batch normalization"),
    ("gelu|Gelu", "gelu"),
    ("swish|silu", "swish"),
    ("L2Loss|l2_regularizer|l2_loss", "L2"),
    ("l1_regularizer|l1_loss", "L1"),
    ("moments", "moments"),
    ("mean_squared_error", "mean squared error"),
    ("absolute_difference", "absolute difference"),
    ("huber_loss", "huber loss"),
    ("log_loss", "log loss"),
    ("hinge_loss", "hinge loss"),
    ("sigmoid_cross_entropy_loss|sigmoid_cross_entropy", "sigmoid cross entropy"),
    ("softmax_cross_entropy_loss|softmax_cross_entropy", "softmax cross entropy"),
    ("sparse_softmax_cross_entropy_loss", "sparse softmax cross entropy"),
)
_PATTERNS = tuple((re.compile(rf"(^|/)(\w*_)?({p})(_\d+)?(/|$)"), said) for p, said in _SCOPES)

_RATE, _EPSILON = "learning rate", "epsilon"
APPLY = re.compile(r"^(Resource)?(Sparse)?Apply(\w+?)(V2)?$")
_ADAM = ("", "", "", "", "", _RATE, "beta1", "beta2", _EPSILON)
_SLOTS = {
    "GradientDescent": ("", _RATE),
    "Momentum": ("", "", _RATE, "", "momentum"),
    "KerasMomentum": ("", "", _RATE, "", "momentum"),
    "Adam": _ADAM,
    "AdamWithAmsgrad": ("", *_ADAM),
    "AdaMax": ("", "", "", "", _RATE, "beta1", "beta2", _EPSILON),
    "Adagrad": ("", "", _RATE),
    "RMSProp": ("", "", "", _RATE, "decay", "momentum", _EPSILON),
    "CenteredRMSProp": ("", "", "", "", _RATE, "decay", "momentum", _EPSILON),
    "Adadelta": ("", "", "", _RATE, "rho", _EPSILON),
    "Ftrl": ("", "", "", "", _RATE, "l1", "l2", "learning rate power"),
    "ProximalAdagrad": ("", "", _RATE, "l1", "l2"),
}
_OPTIMIZERS = {"KerasMomentum": "Momentum"}

_WORDS = {
    "AssignAdd": "addition",
    "AssignAddVariableOp": "addition",
    "AssignSub": "subtraction",
    "AssignSubVariableOp": "subtraction",
    "Dropout": "dropout",
    "MatMul": "matrix product",
    "MaxPool": "max pooling",
    "AvgPool": "average pooling",
    "Mean": "mean",
    "Sum": "sum",
    "Max": "max",
    "Min": "min",
    "ConcatV2": "concat",
    "AddV2": "add",
    "Add": "add",
    "Mul": "multiply",
    "Sub": "subtract",
    "RealDiv": "divide",
    "L2Loss": "L2",
    "StopGradient": "stop gradient",
    "SquaredDifference": "squared difference",
}


def optimizer_of(op: str) -> str:
    """Returns the optimizer that an op belongs to; "" if it belongs to none."""
    found = APPLY.match(op)
    return _OPTIMIZERS.get(found.group(3), found.group(3)) if found else ""


def setting_of(op: str, slot: int) -> str:
    """Returns the meaning of an optimizer's input; "" if it is not known."""
    found = APPLY.match(op)
    names = _SLOTS.get(found.group(3), ()) if found else ()
    return names[slot] if slot < len(names) else ""


def scope_word(step: Step) -> str:
    """The function whose name scope a node is in; "" if it is not known."""
    return next((said for pattern, said in _PATTERNS if pattern.search(step.place[1])), "")


def said_of(steps: Sequence[Step]) -> str:
    """Says what some nodes compute together; "" for none."""
    steps = [step for step in steps if step.node.op not in ("Const", "Cast")] or list(steps)
    if not steps:
        return ""
    for step in steps:
        if step.node.op in ACTIVATIONS and len(steps) < 10:
            others = {step.node.op for step in steps}
            return _activation(step.node.op, others)
    words = [word for word in map(scope_word, steps) if word]
    if words and len(steps) > 1:
        return max(dict.fromkeys(words), key=words.count)
    return _listed(_WORDS.get(step.node.op, step.node.op) for step in steps)


def _activation(op: str, others: Iterable[str]) -> str:
    """Says which activation some ops are."""
    known = set(others)
    if op == "Tanh" and known & {"Pow", "Mul"}:
        return "gelu"
    if op == "Sigmoid" and "Mul" in known:
        return "swish"
    return ACTIVATIONS[op]


def is_activation(steps: Sequence[Step]) -> bool:
    """Whether some nodes are an activation."""
    return any(step.node.op in ACTIVATIONS for step in steps) and len(steps) < 16


_MOST_WORDS = 4


def _listed(words: Iterable[str]) -> str:
    found = list(dict.fromkeys(words))
    rest = len(found) - _MOST_WORDS
    return ", ".join(found[:_MOST_WORDS]) + (f" and {rest} more" if rest > 0 else "")


def attribute_words(name: str, op: str) -> str:
    """What people call an attribute of an op."""
    if name == "epsilon" and "BatchNorm" in op:
        return "batch norm epsilon"
    if (name, op) == ("shape", "Reshape"):
        return "shape of reshape"
    if name == "boundaries":
        return "bucket boundaries"
    if name == "alpha" and op == "LeakyRelu":
        return "leaky relu alpha"
    return f"{_WORDS.get(op, op)} {name.replace('_', ' ')}"
