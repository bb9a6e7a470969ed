"""Features, labels and the input_fn: what train.py is composed of, and the model's first lines."""

import dataclasses
from typing import List, Tuple

from .source import Number, Writer

BATCH = 4
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
"""What an input_fn may return instead, by name: the expressions of features and labels."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A feature column on a feature of its own, or on one that it shares.

    Attributes:
        feature: the key of its feature.
        kind: ``numeric``, ``buckets``, ``hashed``, ``vocabulary`` or ``identity``.
        width: of its embedding; None for an indicator.
        size: of its hash table or its identity, where it has one.
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
    """What the model gets.

    Attributes:
        structure: ``dict``, ``tensor``, ``tuple`` or ``list`` of the features.
        widths: of the float features.
        columns: feature columns, on features besides; only in a dict.
        dense_features: whether Keras makes the input layer of the columns.
        labels: ``tensor``, ``dict``, or ``inside`` (among the features).
        source: ``dataset``, ``iterator``, ``numpy``, ``defaults`` (placeholders with a default)
            or ``constants``. What comes of constants TensorFlow computes before it runs anything,
            so they are for models whose run depends on no values.
        full_batch: whether the size of the batch is known.
        weight: a feature that is used where it is there: "", ``present`` or ``absent``.
        other: the structure that the input_fn returns instead of the one that the model uses, one
            of :data:`OTHER_STRUCTURES`; "" where it returns the right one.
    """

    structure: str = "dict"
    widths: Tuple[int, ...] = (3,)
    columns: Tuple[Column, ...] = ()
    dense_features: bool = False
    labels: str = "tensor"
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
        parts = [f'features["{key}"]' for key in self.keys]
        lines = []
        if self.columns:
            lines = ["column = tf.feature_column", "columns = ["]
            lines += [f"    {item.expression(write)}," for item in self.columns]
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
        return lines

    @property
    def target(self) -> str:
        """The expression of the labels in the model."""
        return {"tensor": "labels", "dict": 'labels["y"]', "inside": 'features["target"]'}[
            self.labels
        ]

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
        if self.labels == "dict":
            lines.append('    labels = {"y": labels}')
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
            if self.source == "defaults":  # of a known shape: TensorFlow sees that of the default
                made = f"tf.compat.v1.placeholder_with_default({made}, value[:{BATCH}].shape)"
            return [
                *lines,
                f"    first = lambda value: {made}",
                "    features = tf.nest.map_structure(first, features)",
                *self._returning("tf.nest.map_structure(first, labels)"),
            ]
        both = "features" if self.labels == "inside" else "(features, labels)"
        full = ", drop_remainder=True" if self.full_batch else ""
        lines += [
            f"    dataset = tf.data.Dataset.from_tensor_slices({both})",
            f"    dataset = dataset.batch({BATCH}{full})",
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
