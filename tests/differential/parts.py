"""The layers that a model is composed of.

Each part takes ``net``, a tensor of shape [batch, width], and makes a new ``net`` with the same
rank, so that edits can add, drop and reorder parts. Lookups in a table use ids below
:data:`FEWEST_ROWS`, and no edit makes a table smaller than that: whether a run raises must not
depend on the data.
"""

import dataclasses
from typing import List

from .source import Number, Writer, indented

FEWEST_ROWS = 4


@dataclasses.dataclass(frozen=True)
class Part:
    """A piece of the model; ``label`` is unique in its model and names what it makes."""

    label: str

    def lines(self, write: Writer) -> List[str]:
        """The source of this part."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Dense(Part):
    """A dense layer of tf.layers or Keras."""

    units: Number
    named: bool = False
    keras: bool = False
    use_bias: bool = True
    double: bool = False
    activation: str = "relu"

    def lines(self, write: Writer) -> List[str]:
        arguments = [write.number(self.units)]
        if self.activation:
            arguments.append(f"activation=tf.nn.{self.activation}")
        if not self.use_bias:
            arguments.append("use_bias=False")
        if self.named:
            arguments.append(f'name="{self.label}"')
        given = "tf.cast(net, tf.float64)" if self.double else "net"
        if self.keras and self.double:
            arguments.append("dtype=tf.float64")
        if self.keras:
            made = "tf.keras.layers.Dense({})({})".format(", ".join(arguments), given)
        else:
            made = "tf.layers.dense({}, {})".format(given, ", ".join(arguments))
        return [f"net = tf.cast({made}, tf.float32)" if self.double else f"net = {made}"]


@dataclasses.dataclass(frozen=True)
class Sequential(Part):
    """A Keras model of two layers."""

    units: Number
    width: Number

    def lines(self, write: Writer) -> List[str]:
        return [
            f"{self.label} = tf.keras.Sequential()",
            f"{self.label}.add(tf.keras.layers.Dense({write.number(self.units)}))",
            f"{self.label}.add(tf.keras.layers.Dense({write.number(self.width)}))",
            f"net = {self.label}(net)",
        ]


@dataclasses.dataclass(frozen=True)
class MatMul(Part):
    """Weights of tf.get_variable and a matrix product."""

    units: Number
    bias: bool = True
    resource: bool = False
    validate: bool = True

    def lines(self, write: Writer) -> List[str]:
        resource = ", use_resource=True" if self.resource else ""
        size = write.number(self.units)
        lines = [
            f'weights = tf.get_variable("{self.label}/w", [int(net.shape[-1]), {size}]{resource})',
            "net = tf.matmul(net, weights)",
        ]
        if self.bias:
            validate = "" if self.validate else ", validate_shape=False"
            initial = f"initializer=tf.constant(0.1, shape=[{size}]){validate}{resource}"
            lines.append(f'bias = tf.get_variable("{self.label}/b", {initial})')
            lines.append("net = tf.tanh(net + bias)")
        return lines


@dataclasses.dataclass(frozen=True)
class Scale(Part):
    """A tf.Variable with the next free name. It is added to all values, or multiplies them."""

    name: str = "scale"
    whole: bool = False

    def lines(self, write: Writer) -> List[str]:
        shape = "[int(net.shape[-1])]" if self.whole else "[]"
        return [
            f'{self.label} = tf.Variable(tf.ones({shape}), name="{self.name}")',
            f"net = net * {self.label}",
        ]


@dataclasses.dataclass(frozen=True)
class Convolution(Part):
    """The values as a small image, a convolution over it, pooled or flattened."""

    filters: Number
    kernel: Number
    keras: bool = False
    flatten: bool = False
    norm: bool = False

    def lines(self, write: Writer) -> List[str]:
        sizes = f"{write.number(self.filters)}, {write.number(self.kernel)}"
        lines = [
            "net = tf.layers.dense(net, 16)",
            "image = tf.reshape(net, [-1, 4, 4, 1])",
        ]
        if self.keras:
            lines.append(f'image = tf.keras.layers.Conv2D({sizes}, padding="same")(image)')
        else:
            lines.append(f'image = tf.layers.conv2d(image, {sizes}, padding="same")')
        if self.norm:
            lines.append("image = tf.layers.batch_normalization(image, training=training)")
        if self.flatten:
            return [*lines, "net = tf.layers.flatten(image)"]
        return [*lines, "net = tf.reduce_mean(image, axis=[1, 2])"]


@dataclasses.dataclass(frozen=True)
class Normalization(Part):
    """Batch normalization, or layer normalization of Keras."""

    kind: str = "layers"
    named: bool = False

    def lines(self, write: Writer) -> List[str]:
        name = f'name="{self.label}"' if self.named else ""
        if self.kind == "layers":
            rest = ", " + name if name else ""
            return [f"net = tf.layers.batch_normalization(net, training=training{rest})"]
        if self.kind == "keras":
            made = f"tf.keras.layers.BatchNormalization({name})"
            return [f"net = {made}(net, training=training)"]
        return [f"net = tf.keras.layers.LayerNormalization({name})(net)"]


@dataclasses.dataclass(frozen=True)
class Dropout(Part):
    """Dropout in training."""

    def lines(self, write: Writer) -> List[str]:
        return ["net = tf.layers.dropout(net, 0.2, training=training)"]


@dataclasses.dataclass(frozen=True)
class Recurrent(Part):
    """The values as a short sequence through recurrent cells; the last output."""

    units: Number
    cell: str = "LSTMCell"
    unroll: str = "dynamic_rnn"
    layers: int = 1

    def lines(self, write: Writer) -> List[str]:
        units = write.number(self.units)
        start = [
            "net = tf.layers.dense(net, 6)",
            "sequence = tf.reshape(net, [-1, 3, 2])",
        ]
        if self.unroll == "keras":
            kind = "GRU" if self.cell == "GRUCell" else "LSTM"
            return [*start, f"net = tf.keras.layers.{kind}({units})(sequence)"]
        lines = [*start, f"cell = tf.nn.rnn_cell.{self.cell}({units})"]
        if self.layers > 1:
            more = f"[cell, tf.nn.rnn_cell.{self.cell}({units})]"
            lines.append(f"cell = tf.nn.rnn_cell.MultiRNNCell({more})")
        scope = f', dtype=tf.float32, scope="{self.label}")'
        if self.unroll == "static_rnn":
            lines.append("steps = tf.unstack(sequence, axis=1)")
            return [
                *lines,
                "outputs, _ = tf.nn.static_rnn(cell, steps" + scope,
                "net = outputs[-1]",
            ]
        lines.append("outputs, _ = tf.nn.dynamic_rnn(cell, sequence" + scope)
        return [*lines, "net = outputs[:, -1]"]


@dataclasses.dataclass(frozen=True)
class Embedding(Part):
    """A lookup in a table, concatenated to the values. All ids are in the table."""

    rows: Number
    width: Number
    keras: bool = False

    def lines(self, write: Writer) -> List[str]:
        rows, width = write.number(self.rows), write.number(self.width)
        lines = [f"ids = tf.floormod(tf.cast(net[:, :1] * 10, tf.int64), {FEWEST_ROWS})"]
        if self.keras:
            lines.append(f"found = tf.keras.layers.Embedding({rows}, {width})(ids)")
        else:
            lines.append(f'table = tf.get_variable("{self.label}/table", [{rows}, {width}])')
            lines.append("found = tf.nn.embedding_lookup(table, ids)")
        return [*lines, "net = tf.concat([net, tf.reduce_mean(found, axis=1)], 1)"]


@dataclasses.dataclass(frozen=True)
class Twin(Part):
    """Two towers that share their weights."""

    units: Number
    auto_reuse: bool = True

    def lines(self, write: Writer) -> List[str]:
        dense = f'tf.layers.dense({{}}, {write.number(self.units)}, name="tower")'
        first, second = dense.format("net"), dense.format("-net")
        if self.auto_reuse:
            return [
                f'with tf.variable_scope("{self.label}", reuse=tf.AUTO_REUSE):',
                *indented([f"net = {first} + {second}"]),
            ]
        return [
            f'with tf.variable_scope("{self.label}") as scope:',
            *indented([f"left = {first}", "scope.reuse_variables()", f"right = {second}"]),
            "net = left + right",
        ]


@dataclasses.dataclass(frozen=True)
class Counter(Part):
    """A variable that is not trained, counted up in training."""

    local: bool = False

    def lines(self, write: Writer) -> List[str]:
        where = ", collections=[tf.GraphKeys.LOCAL_VARIABLES]" if self.local else ""
        made = f'tf.get_variable("{self.label}", [], trainable=False{where})'
        return [
            f"{self.label} = {made}",
            "if training:",
            *indented(
                [f"tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, {self.label}.assign_add(1.0))"]
            ),
            f"net = net + 0.0 * {self.label}",
        ]


@dataclasses.dataclass(frozen=True)
class Table(Part):
    """A lookup table: static, or one that is saved in the checkpoint."""

    saved: bool = False

    def lines(self, write: Writer) -> List[str]:
        keys, values = "tf.constant([0, 1], tf.int64)", "tf.constant([0.5, 2.0])"
        if self.saved:
            made = (
                "tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, 1.0, "
                f'empty_key=-1, deleted_key=-2, name="{self.label}")'
            )
            lines = [
                f"{self.label} = {made}",
                "if training:",
                *indented(
                    [
                        f"inserted = {self.label}.insert({keys}, {values})",
                        "tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, inserted)",
                    ]
                ),
            ]
        else:
            lines = [
                f"initializer = tf.lookup.KeyValueTensorInitializer({keys}, {values})",
                f"{self.label} = tf.lookup.StaticHashTable(initializer, 1.0)",
            ]
        lookup = f"{self.label}.lookup(tf.constant([1], tf.int64))"
        return [*lines, f"net = net * {lookup}"]


@dataclasses.dataclass(frozen=True)
class Auxiliary(Part):
    """A second output with a loss of its own, in some modes only."""

    units: Number
    modes: str = "TRAIN"

    def lines(self, write: Writer) -> List[str]:
        condition = {
            "TRAIN": "if training:",
            "LABELS": "if mode != tf.estimator.ModeKeys.PREDICT:",
            "PREDICT": "if mode == tf.estimator.ModeKeys.PREDICT:",
        }[self.modes]
        dense = f'tf.layers.dense(net, {write.number(self.units)}, name="{self.label}")'
        body = [f"extra = tf.reduce_mean(tf.square({dense}))"]
        if self.modes == "PREDICT":
            body.append("net = net + extra")
        else:
            body.append("tf.losses.add_loss(0.1 * extra)")
        return [condition, *indented(body)]
