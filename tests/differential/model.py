"""A whole model_fn as a value, and the source of its module."""

import dataclasses
from typing import List, Optional, Tuple

from .inputs import Inputs
from .parts import Part
from .source import (
    ATTRIBUTE,
    BULK,
    LITERAL,
    Number,
    Writer,
    arguments_of,
    indented,
    numbers_in,
    params_of,
)

NAMES, COMPAT, COMPAT_V1 = "names", "compat", "compat-v1"
HEADERS = {
    NAMES: ["import tensorflow as tf"],
    COMPAT: ["import tensorflow.compat.v1 as tf"],
    COMPAT_V1: ["import tensorflow.compat.v1 as tf", "", "tf.disable_v2_behavior()"],
}
"""How the module imports TensorFlow 1's names."""

OPTIMIZERS = {
    "sgd": "tf.train.GradientDescentOptimizer(0.01)",
    "momentum": "tf.train.MomentumOptimizer(0.01, 0.9)",
    "adam": "tf.train.AdamOptimizer(0.01)",
    "adagrad": "tf.train.AdagradOptimizer(0.01)",
    "rmsprop": "tf.train.RMSPropOptimizer(0.01)",
    "rmsprop-centered": "tf.train.RMSPropOptimizer(0.01, momentum=0.5, centered=True)",
    "ftrl": "tf.train.FtrlOptimizer(0.01)",
}

SAVERS = {
    "list": "tf.train.Saver(tf.global_variables())",
    "dict": "tf.train.Saver({v.op.name: v for v in tf.global_variables()})",
    "renaming": 'tf.train.Saver({"saved/" + v.op.name: v for v in tf.global_variables()})',
    "reshape": "tf.train.Saver(reshape=True)",
    "sharded": "tf.train.Saver(sharded=True)",
    "sequential": "tf.train.Saver(restore_sequentially=True)",
    "v1-format": "tf.train.Saver(write_version=tf.train.SaverDef.V1)",
    "deferred": "tf.train.Saver(defer_build=True)",
    "partial": "tf.train.Saver(kept)",
}
COMPLETIONS = {
    "nothing": "",
    "init-fn": "init_fn=lambda scaffold, session: session.run(rest_init)",
    "local-init": (
        "local_init_op=tf.group(tf.tables_initializer(), tf.local_variables_initializer(), "
        "rest_init), ready_for_local_init_op=tf.report_uninitialized_variables(kept)"
    ),
    "empty-ready-ops": (
        "ready_op=tf.constant([], tf.string), ready_for_local_init_op=tf.constant([], tf.string)"
    ),
    "again": (
        "local_init_op=tf.group(tf.tables_initializer(), tf.local_variables_initializer(), "
        "tf.global_variables_initializer())"
    ),
}


@dataclasses.dataclass(frozen=True)
class Block:
    """Parts of a model, in a variable scope or in none.

    Attributes:
        label: unique in its model.
        scope: the name of the scope, "" for none.
        parts: what is in it.
        shards: the number of parts of its partitioner; 0 if it has none.
        arguments: more arguments of the scope.
    """

    label: str
    parts: Tuple[Part, ...]
    scope: str = ""
    shards: Optional[Number] = None
    arguments: str = ""

    def lines(self, write: Writer) -> List[str]:
        """The source of this block."""
        inner = [line for part in self.parts for line in part.lines(write)]
        if not self.scope or not inner:
            return inner
        partitioner = ""
        if self.shards:
            partitioner = f", partitioner=tf.fixed_size_partitioner({write.number(self.shards)})"
        head = f'with tf.variable_scope("{self.scope}"{partitioner}{self.arguments}):'
        return [head, *indented(inner)]


@dataclasses.dataclass(frozen=True)
class Scaffolding:
    """The scaffold of a model.

    Attributes:
        saver: a key of ``SAVERS``, "" for TensorFlow's own.
        without: a partial saver leaves out the variables with this text in their names.
        completion: a key of ``COMPLETIONS``: what the scaffold does with these variables.
        train: whether TRAIN has the scaffold as well.
    """

    saver: str = ""
    without: str = "bias"
    completion: str = "nothing"
    train: bool = True

    @property
    def plain(self) -> bool:
        """Whether the scaffold is the default."""
        return not self.saver and self.completion == "nothing"


@dataclasses.dataclass(frozen=True)
class Hook:
    """A hook whose begin() creates a variable."""

    modes: Tuple[str, ...] = ("train",)
    name: str = "seen"
    get_variable: bool = True


@dataclasses.dataclass(frozen=True)
class Model:
    """A model_fn.

    Attributes:
        header: a key of ``HEADERS``.
        style: how it reads its params.
        signature: its arguments in their order.
        inputs: what it gets.
        blocks: its layers.
        output: the width of its last layer.
        optimizer: a key of ``OPTIMIZERS``.
        optimizer_in_eval: whether EVAL builds it as well.
        clip: whether gradients are clipped.
        average: an ExponentialMovingAverage: "", ``kept`` or ``restored`` (by PREDICT and EVAL).
        scaffolding: the scaffold.
        hook: a hook that makes a variable; None if there is none.
        metrics: whether EVAL has metrics, with their local variables.
        wrapped: a scope around the layers, "" for none.
    """

    header: str = NAMES
    style: str = "subscript"
    signature: Tuple[str, ...] = ("features", "labels", "mode", "params")
    inputs: Inputs = dataclasses.field(default_factory=Inputs)
    blocks: Tuple[Block, ...] = ()
    output: Number = dataclasses.field(default_factory=lambda: Number(1))
    optimizer: str = "sgd"
    optimizer_in_eval: bool = False
    clip: bool = False
    average: str = ""
    scaffolding: Scaffolding = dataclasses.field(default_factory=Scaffolding)
    hook: Optional[Hook] = None
    metrics: bool = False
    wrapped: str = ""

    @property
    def parts(self) -> Tuple[Part, ...]:
        """All parts of all blocks."""
        return tuple(part for block in self.blocks for part in block.parts)


def source(model: Model) -> str:
    """The source of the model's module."""
    body = _body(model)
    lines = ['"""A composed model."""', "", *HEADERS[model.header], "", ""]
    if model.style == ATTRIBUTE:
        lines += _params_class(model)
    lines += ["def make_params(params):", f"    return {_made_params(model)}", "", ""]
    if model.hook is not None:
        lines += [*_hook_class(model.hook), "", ""]
    if _has_scaffold(model):
        lines += [*_scaffold_function(model), "", ""]
    names = signature_of(model)
    signature = ", ".join(names)
    if model.style == BULK:
        inner = [name for name in names if name != "params"]
        arguments = [*inner, *arguments_of(model)]
        lines += ["def build({}):".format(", ".join(arguments)), *indented(body), "", ""]
        call = ", ".join([*inner, "**params"])
        lines += [f"def model_fn({signature}):", f"    return build({call})"]
    else:
        lines += [f"def model_fn({signature}):", *indented(body)]
    return "\n".join([*lines, ""])


def signature_of(model: Model) -> Tuple[str, ...]:
    """Returns the arguments of model_fn. Estimator allows ``params`` only if it gets params."""
    return tuple(n for n in model.signature if n != "params" or model.style != LITERAL)


def _params_class(model: Model) -> List[str]:
    needed = {number.param: number for number in numbers_in(model) if number.param}
    lines = ["class Params(object):", "    def __init__(self, **given):"]
    for name, number in needed.items():
        if number.default is not None:
            lines.append(f'        self.{name} = given.pop("{name}", {number.default})')
    return [
        *lines,
        "        for name, value in given.items():",
        "            setattr(self, name, value)",
        "",
        "",
    ]


def _made_params(model: Model) -> str:
    return {ATTRIBUTE: "Params(**params)", LITERAL: "None"}.get(model.style, "params")


def _hook_class(hook: Hook) -> List[str]:
    if hook.get_variable:
        made = f'tf.get_variable("{hook.name}", [], trainable=False)'
    else:
        made = f'tf.Variable(0.0, trainable=False, name="{hook.name}")'
    return [
        "class Remembering(tf.train.SessionRunHook):",
        "    def begin(self):",
        f"        self.variable = {made}",
    ]


def _has_scaffold(model: Model) -> bool:
    return model.average == "restored" or not model.scaffolding.plain


def _scaffold_function(model: Model) -> List[str]:
    chosen = model.scaffolding
    lines = ["def make_scaffold(average=None):"]
    if model.average == "restored":
        lines += [
            "    if average is not None:",
            "        saver = tf.train.Saver(average.variables_to_restore())",
            "        return tf.train.Scaffold(saver=saver)",
        ]
    if chosen.saver == "partial":
        lines += [
            f'    rest = [v for v in tf.global_variables() if "{chosen.without}" in v.op.name]',
            "    names = [v.op.name for v in rest]",
            "    kept = [v for v in tf.global_variables() if v.op.name not in names]",
            "    rest_init = tf.variables_initializer(rest)",
        ]
    arguments = [f"saver={SAVERS[chosen.saver]}"] if chosen.saver else []
    arguments += [COMPLETIONS[chosen.completion]] if COMPLETIONS[chosen.completion] else []
    return [*lines, "    return tf.train.Scaffold({})".format(", ".join(arguments))]


def _body(model: Model) -> List[str]:
    write = Writer(model.style)
    layers = [line for block in model.blocks for line in block.lines(write)]
    layers.append(f'output = tf.layers.dense(net, {write.number(model.output)}, name="output")')
    if model.wrapped:
        layers = [f'with tf.variable_scope("{model.wrapped}"):', *indented(layers)]
    return [
        "training = mode == tf.estimator.ModeKeys.TRAIN",
        *model.inputs.model_lines(write),
        *layers,
        "prediction = tf.reduce_mean(output, axis=1)",
        *_average_lines(model),
        *_predict_lines(model),
        *_loss_lines(model),
        *_eval_lines(model),
        *_train_lines(model),
    ]


def _average_lines(model: Model) -> List[str]:
    if not model.average:
        return []
    return ["average = tf.train.ExponentialMovingAverage(0.9)"]


def _scaffold(model: Model, mode: str) -> str:
    if model.average == "restored" and mode != "train":
        return ", scaffold=make_scaffold(average)"
    if model.scaffolding.plain or (mode == "train" and not model.scaffolding.train):
        return ""
    return ", scaffold=make_scaffold()"


def _hooks(model: Model, mode: str) -> str:
    if model.hook is None or mode not in model.hook.modes:
        return ""
    name = {"train": "training", "eval": "evaluation", "predict": "prediction"}[mode]
    return f", {name}_hooks=[Remembering()]"


def _predict_lines(model: Model) -> List[str]:
    rest = _scaffold(model, "predict") + _hooks(model, "predict")
    return [
        "if mode == tf.estimator.ModeKeys.PREDICT:",
        f'    return tf.estimator.EstimatorSpec(mode, predictions={{"y": prediction}}{rest})',
    ]


def _loss_lines(model: Model) -> List[str]:
    return [
        f"tf.losses.mean_squared_error({model.inputs.target}, prediction)",
        "loss = tf.add_n(tf.losses.get_losses())",
    ]


def _optimizer_lines(model: Model) -> List[str]:
    lines = [f"optimizer = {OPTIMIZERS[model.optimizer]}"]
    updates = "with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):"
    step = "tf.train.get_global_step()"
    if not model.clip:
        return [*lines, updates, f"    train_op = optimizer.minimize(loss, {step})"]
    return [
        *lines,
        "pairs = [(g, v) for g, v in optimizer.compute_gradients(loss) if g is not None]",
        "clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 5.0)",
        updates,
        f"    train_op = optimizer.apply_gradients(zip(clipped, [v for _, v in pairs]), {step})",
    ]


def _eval_lines(model: Model) -> List[str]:
    metrics = ""
    lines = _optimizer_lines(model) if model.optimizer_in_eval else []
    if model.metrics:
        error = f"tf.metrics.mean_absolute_error({model.inputs.target}, prediction)"
        metrics = f', eval_metric_ops={{"error": {error}}}'
    rest = metrics + _scaffold(model, "eval") + _hooks(model, "eval")
    return [
        *lines,
        "if mode == tf.estimator.ModeKeys.EVAL:",
        f"    return tf.estimator.EstimatorSpec(mode, loss=loss{rest})",
    ]


def _train_lines(model: Model) -> List[str]:
    lines = [] if model.optimizer_in_eval else _optimizer_lines(model)
    if model.average:
        lines += [
            "with tf.control_dependencies([train_op]):",
            "    train_op = average.apply(tf.trainable_variables())",
        ]
    rest = _scaffold(model, "train") + _hooks(model, "train")
    return [*lines, f"return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op{rest})"]


def params(model: Model) -> "dict[str, int]":
    """The content of params.json."""
    return {} if model.style == LITERAL else params_of(model)
