"""Features, labels and the input_fn: the source of train.py, and the first lines of the model."""

import dataclasses
from typing import Callable, List, Mapping, Tuple

from .source import Number, Writer

BATCH = 4
OTHER_BATCH = 2
EXAMPLES = 8
WORDS = ("one", "two", "three", "four", "five")
OTHER_STRUCTURES = {
    "first-feature": ("flat(features)[0]", "labels"),
    "features-tuple": ("tuple(flat(features))", "labels"),
    "features-longer": ("(*flat(features), flat(features)[0])", "labels"),
    "features-shorter": ("tuple(flat(features)[1:])", "labels"),
    "features-nested": ('{"inner": features}', "labels"),
    "features-other-keys": (
        '{f"feature_{place}": part for place, part in enumerate(flat(features))}',
        "labels",
    ),
    "features-one-key": ('{"height": flat(features)[0]}', "labels"),
    "labels-dict": ("features", '{"target": labels}'),
    "labels-tensor": ("features", "flat(labels)[0]"),
    "labels-tuple": ("features", "(labels, labels)"),
    "labels-column": ("features", "tf.nest.map_structure(lambda x: x[:, None], labels)"),
    "no-labels": ("features", "None"),
}
"""By name: other structures that an input_fn may return, as expressions of features and labels."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A feature column on a feature of its own, or on one that it shares.

    Attributes:
        feature: the key of its feature.
        kind: ``numeric``, ``buckets``, ``hashed``, ``vocabulary`` or ``identity``.
        width: of its embedding; None for an indicator.
        size: the size of its hash table or identity, if it has one.
    """

    feature: str
    kind: str
    width: Number
    size: Number
    indicator: bool = False

    @property
    def dtype(self) -> str:
        """The kind of data that the feature holds."""
        return {"numeric": "float", "buckets": "float", "identity": "id"}.get(self.kind, "word")

    def expression(self, write: Writer) -> str:
        """The source of the column."""
        key, width = self.feature, write.number(self.width)
        size = write.number(self.size)
        if self.kind == "numeric":
            return f'column.numeric_column("{key}", shape=[2])'
        inner = {
            "buckets": (
                f'column.bucketized_column(column.numeric_column("{key}", shape=[2]), '
                "boundaries=[-0.5, 0.0, 0.5])"
            ),
            "hashed": f'column.categorical_column_with_hash_bucket("{key}", {size})',
            "vocabulary": (
                f'column.categorical_column_with_vocabulary_list("{key}", {list(WORDS)})'
            ),
            "identity": f'column.categorical_column_with_identity("{key}", {size})',
        }[self.kind]
        if self.kind == "buckets" and self.indicator:
            return inner
        if self.indicator:
            return f"column.indicator_column({inner})"
        return f"column.embedding_column({inner}, {width})"


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The inputs of a model.

    Attributes:
        structure: ``dict``, ``tensor``, ``tuple`` or ``list`` of the features.
        widths: of the float features.
        columns: feature columns, which use more features; only in a dict.
        dense_features: whether Keras makes the input layer of the columns.
        access: how the model reads a dict of features: ``key``, ``get``, ``pop``, ``items``,
            ``keywords`` (``**features``) or ``nested`` (one dict inside another).
        labels: ``tensor``, ``dict``, ``list``, ``tuple``, ``items``, ``nested``, or ``inside``
            (among the features).
        unused: a tensor that TRAIN does not use: ``feature``, ``label``, ``predict`` (a feature
            that only PREDICT uses), or "".
        new: the key of a feature that the checkpoint's model did not have; "" for none.
        new_column: whether a feature column says what the new feature is.
        own_batch: whether PREDICT and EVAL have another static batch size, which the model uses.
        source: ``dataset``, ``iterator``, ``numpy``, ``defaults`` (placeholders with a default)
            or ``constants``. TensorFlow folds ops of constants before the run, so constants
            are only for models whose run does not depend on values.
        full_batch: whether the size of the batch is known.
        weight: an optional feature that the model uses if it is present: "", ``present`` or
            ``absent``.
        other: the structure that the input_fn returns instead of the one that the model uses, one
            of :data:`OTHER_STRUCTURES`; "" if it returns the right one.
    """

    structure: str = "dict"
    widths: Tuple[int, ...] = (3,)
    columns: Tuple[Column, ...] = ()
    dense_features: bool = False
    access: str = "key"
    labels: str = "tensor"
    unused: str = ""
    new: str = ""
    new_column: bool = False
    own_batch: bool = False
    source: str = "dataset"
    full_batch: bool = False
    weight: str = ""
    other: str = ""

    @property
    def keys(self) -> List[str]:
        """The keys of the float features."""
        return ["height", "age", "speed", "cost"][: len(self.widths)]

    def model_lines(self, write: Writer) -> List[str]:
        """The first lines of the model: from features to ``net``."""
        if self.structure == "tensor":
            return ["net = features"]
        if self.structure in ("tuple", "list"):
            names = self.keys
            joined = ", ".join(names)
            return [f"{joined} = features", f"net = tf.concat([{joined}], 1)"]
        if self.access in ("items", "keywords"):
            return [*_UNPACKED[self.access](self.keys), *self._batch_lines()]
        read = {
            "get": 'features.get("{}")',
            "pop": 'features.pop("{}")',
            "nested": 'features["inner"]["{}"]',
        }.get(self.access, 'features["{}"]')
        parts = [read.format(key) for key in self.keys]
        if self.new and not self.new_column:
            parts.append(f'features["{self.new}"]')
        lines = []
        if self.columns or self.new_column:
            lines = ["column = tf.feature_column", "columns = ["]
            lines += [f"    {item.expression(write)}," for item in self.columns]
            if self.new_column:
                lines.append(f'    column.numeric_column("{self.new}", shape=[2]),')
            lines.append("]")
            made = (
                "tf.keras.layers.DenseFeatures(columns)(features)"
                if self.dense_features
                else "tf.feature_column.input_layer(features, columns)"
            )
            lines.append(f"described = {made}")
            parts.append("described")
        lines.append("net = tf.concat([{}], 1)".format(", ".join(parts)))
        if self.weight:
            lines += ['if "weight" in features:', '    net = net * features["weight"]']
        if self.unused == "predict":
            lines += [
                "if mode == tf.estimator.ModeKeys.PREDICT:",
                '    net = net + tf.reduce_mean(features["aid"])',
            ]
        return [*lines, *self._batch_lines()]

    def _batch_lines(self) -> List[str]:
        """Lines that need the batch size of each mode."""
        if not self.own_batch:
            return []
        size = f"{BATCH} if mode == tf.estimator.ModeKeys.TRAIN else {OTHER_BATCH}"
        return [f"net = tf.reshape(net, [{size}, {sum(self.widths)}])"]

    @property
    def target(self) -> str:
        """The expression of the labels in the model."""
        return {
            "dict": 'labels["y"]',
            "list": "labels[0]",
            "tuple": "labels[1]",
            "items": "[part for _, part in labels.items()][-1]",
            "nested": 'labels["inner"]["y"]',
            "inside": 'features["target"]',
        }.get(self.labels, "labels")

    def train_source(self) -> str:
        """The source of train.py."""
        return "\n".join([*_HEAD, *self._data_lines(), "", "", *self._input_fn_lines(), "", ""])

    def _data_lines(self) -> List[str]:
        lines = ["def data():", "    rng = np.random.RandomState(1)", "    features = {}"]
        for key, width in zip(self.keys, self.widths):
            lines.append(_float(key, width))
        for column in self.columns:
            lines.append(_float(column.feature, 2) if column.dtype == "float" else _ids(column))
        if self.weight == "present":
            lines.append(_float("weight", 1))
        lines.append(f"    labels = rng.uniform(size={EXAMPLES}).astype(np.float32)")
        if self.labels == "inside":
            lines += ['    features["target"] = labels', "    labels = None"]
        other = "other" if self.unused == "label" else ""
        made = {
            "dict": '{"other": labels, "y": labels}' if other else '{"y": labels}',
            "list": "[labels]",
            "tuple": "(labels, labels)",
            "items": '{"x": labels, "y": labels}',
            "nested": '{"inner": {"y": labels}}',
        }.get(self.labels)
        if made:
            lines.append(f"    labels = {made}")
        if self.unused in ("feature", "predict"):
            lines.append(f'    features["aid"] = rng.uniform(size={EXAMPLES}).astype(np.float32)')
        if self.new:
            lines.append(_float(self.new, 2))
        if self.access == "nested":
            lines.append('    features = {"inner": features}')
        if self.structure == "tensor":
            lines.append('    features = features["height"]')
        if self.structure in ("tuple", "list"):
            names = ", ".join(f'features["{key}"]' for key in self.keys)
            lines.append(f"    features = ({names},)")
        return [*lines, "    return features, labels"]

    def _input_fn_lines(self) -> List[str]:
        if not self.other:
            return self._right_input_fn("input_fn")
        return [*self._right_input_fn("right_input_fn"), "", "", *self._other_input_fn()]

    def _other_input_fn(self) -> List[str]:
        features, labels = OTHER_STRUCTURES[self.other]
        labeled = self.labels != "inside"
        returned = f"    return {features}"
        if labeled and labels != "None":
            returned += f", {labels}"
        return [
            "flat = tf.nest.flatten",
            "",
            "",
            "def other(features{}):".format(", labels" if labeled else ""),
            returned,
            "",
            "",
            "def input_fn(mode):",
            "    given = right_input_fn(mode)",
            '    if hasattr(given, "map"):',
            "        return given.map(other)",
            "    return other({}given)".format("*" if labeled else ""),
        ]

    def _right_input_fn(self, name: str) -> List[str]:
        lines = [f"def {name}(mode):", "    features, labels = data()"]
        if self.source == "numpy":
            return [
                *lines,
                "    return tf.compat.v1.estimator.inputs.numpy_input_fn(",
                f"        features, labels, batch_size={BATCH}, shuffle=False, num_epochs=None",
                "    )()",
            ]
        if self.source in ("constants", "defaults"):
            made = f"tf.constant(value[:{BATCH}])"
            if self.source == "defaults":  # TensorFlow knows the default's shape
                made = f"tf.compat.v1.placeholder_with_default({made}, value[:{BATCH}].shape)"
            return [
                *lines,
                f"    first = lambda value: {made}",
                "    features = tf.nest.map_structure(first, features)",
                *self._returning("tf.nest.map_structure(first, labels)"),
            ]
        both = "features" if self.labels == "inside" else "(features, labels)"
        full = ", drop_remainder=True" if self.full_batch or self.own_batch else ""
        size = f'{BATCH} if mode == "train" else {OTHER_BATCH}' if self.own_batch else BATCH
        lines += [
            f"    dataset = tf.data.Dataset.from_tensor_slices({both})",
            f"    dataset = dataset.batch({size}{full})",
            '    dataset = dataset.repeat() if mode == "train" else dataset',
        ]
        if self.source == "dataset":
            return [*lines, "    return dataset"]
        taken = "features" if self.labels == "inside" else "features, labels"
        lines.append(f"    {taken} = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()")
        return [*lines, *self._returning("labels")]

    def _returning(self, labels: str) -> List[str]:
        features = "list(features)" if self.structure == "list" else "features"
        if self.labels == "inside":
            return [f"    return {features}"]
        return [f"    return {features}, {labels}"]


_UNPACKED: Mapping[str, Callable[[List[str]], List[str]]] = {
    "items": lambda keys: ["net = tf.concat([part for _, part in sorted(features.items())], 1)"],
    "keywords": lambda keys: [
        "def joined({}):".format(", ".join(sorted(keys))),
        "    return tf.concat([{}], 1)".format(", ".join(sorted(keys))),
        "net = joined(**features)",
    ],
}
"""The first lines of a model that reads all its features at once, by the name of the access."""

_HEAD = [
    '"""What a launch script does: inputs, and the Estimator."""',
    "",
    "import numpy as np",
    "import tensorflow as tf",
    "",
    "STEPS = 1",
    "",
    "",
    "def make_estimator(model_dir, params, model):",
    "    config = tf.estimator.RunConfig(",
    "        tf_random_seed=1,",
    "        save_summary_steps=None,",
    "        save_checkpoints_steps=1000,",
    "        keep_checkpoint_max=1,",
    "        log_step_count_steps=None,",
    "    )",
    "    return tf.estimator.Estimator(",
    "        model.model_fn, model_dir, config=config, params=model.make_params(params)",
    "    )",
    "",
    "",
]


def _float(key: str, width: int) -> str:
    made = f"rng.uniform(-1, 1, size=({EXAMPLES}, {width})).astype(np.float32)"
    return f'    features["{key}"] = {made}'


def _ids(column: Column) -> str:
    if column.dtype == "id":
        made = f"rng.randint(0, 4, size=({EXAMPLES}, 1)).astype(np.int64)"
    else:
        made = f'rng.choice({list(WORDS)}, size=({EXAMPLES}, 1)).astype("S")'
    return f'    features["{column.feature}"] = {made}'
