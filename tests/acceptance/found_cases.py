"""Features and labels that ckptcheck finds by itself, in many structures.

The edits before the training run change the input_fn and the model. Edits after it, such as
``MORE_UNITS``, show that the found features lead to the right verdict.
"""

from typing import List, Tuple

from . import edits as e
from .cases import Case

MORE_UNITS = (e.set_params(units=7),)
_PAIR = '({"x": x}, y)'
_LABELS = "mean_squared_error(labels, predictions)"
_BATCH = ".batch(8)"
_IN_PREDICT = "    if mode == tf.estimator.ModeKeys.PREDICT:"


def _inputs(pair: str, read: str = 'features["x"]', labels: str = "labels") -> Tuple[e.Edit, ...]:
    """Makes the input_fn return a pair, and makes the model read it."""
    edits = [e.replace_input(_PAIR, pair)] if pair != _PAIR else []
    if read != 'features["x"]':
        edits.append(e.replace('network(features["x"], params)', f"network({read}, params)"))
    if labels != "labels":
        edits.append(e.replace(_LABELS, f"mean_squared_error({labels}, predictions)"))
    return tuple(edits)


_STRUCTURES = {
    "unused-first": _inputs('({"aid": x[:, 0], "x": x}, y)'),
    "unused-between": _inputs('({"a": x, "m": y, "x": x}, y)', 'features["a"] + features["x"]'),
    "unused-last": _inputs('({"x": x, "z": y}, y)'),
    "unused-label": _inputs('({"x": x}, {"other": x, "y": y})', labels='labels["y"]'),
    "nested": _inputs(
        '({"in": {"a": x, "b": y}, "x": x}, y)',
        'features["x"] + features["in"]["a"] * features["in"]["b"]',
    ),
    "nested-values": _inputs(
        '({"s": {"a": x, "b": x}, "x": x}, y)',
        'tf.add_n([features["x"], *features["s"].values()])',
    ),
    "nested-unused": _inputs(
        '({"in": {"a": x, "b": y}, "x": x}, y)', 'features["x"] + features["in"]["a"]'
    ),
    "get": _inputs('({"a": y, "x": x}, y)', 'features.get("x") * features.get("a")'),
    "pop": _inputs('({"a": y, "x": x}, y)', 'features.pop("x") * features.pop("a")'),
    "pop-then-values": _inputs(
        '({"a": y, "x": x}, y)',
        '(lambda a, rest: tf.add_n(rest) * a)(features.pop("a"), list(features.values()))',
    ),
    "towers": _inputs(
        "((x, x), y)",
        "tf.add_n([part for part in features])",
    ),
    "written": _inputs(
        '({"a": y, "x": x}, y)',
        '[features.update(z=features["x"] * features["a"]), features["z"]][1]',
    ),
    "items": _inputs('({"a": x, "x": x}, y)', "tf.add_n([v for _, v in features.items()])"),
    "values": _inputs('({"a": x, "x": x}, y)', "tf.add_n(list(features.values()))"),
    "any-keys": _inputs(
        '({"a": x, "x": x}, y)',
        "(features if not isinstance(features, dict) else list(features.values())[0] "
        "if len(features) == 1 else tf.concat([features[k] for k in sorted(features)], 1))",
    ),
    "keywords": _inputs('({"a": y, "x": x}, y)', "(lambda x, a: x * a)(**features)"),
    "tuple": _inputs("((x, y), y)", "features[0] * features[1]"),
    "unpacked": _inputs("((x, y), y)", "(lambda x, a: x * a)(*features)"),
    "labels-items": _inputs(
        '({"x": x}, {"p": y, "q": y})', labels="tf.add_n([v for _, v in labels.items()])"
    ),
    "labels-known-by-the-code": _inputs(
        '({"x": x}, {"p": y, "q": y})',
        labels='tf.add_n([{"p": 1.0, "q": 2.0}[k] * v for k, v in labels.items()])',
    ),
    "labels-tuple": _inputs('({"x": x}, (y, x))', labels="labels[0]"),
    "labels-unpacked": _inputs('({"x": x}, (y, x))', labels="(lambda y, other: y)(*labels)"),
    "labels-dict-or-tensor": _inputs(
        '({"x": x}, {"a": y, "y": y})',
        labels='(labels.get("a") * labels["y"] if isinstance(labels, dict) else labels)',
    ),
    "labels-zip": _inputs(
        '({"u": x, "x": x}, (y, y))',
        labels="tf.add_n([part for part, _ in zip(labels, range(2))])",
    ),
    "labels-nested": _inputs('({"x": x}, {"in": {"y": y}})', labels='labels["in"]["y"]'),
    "labels-get": _inputs('({"x": x}, {"y": y})', labels='labels.get("y")'),
    "dict-for-serving": _inputs(
        "((x, y), y)",
        '(lambda x, aid: tf.ensure_shape(x, [None, 4]) * aid)(*((features["x"], features["aid"])'
        " if isinstance(features, dict) else features))",
    ),
    "optional-keys": _inputs(
        '({"x": x}, {"p": y, "q": y})',
        'features["x"] if "x" in features else 2.0 * features["raw"]',
        'labels["p"] + labels["q"]',
    ),
    "optional-key-absent": _inputs(
        '({"a": y, "b": x[:, :2], "x": x}, y)',
        '(features["x"] * features["c"] if "c" in features else features["x"]) * features["a"]',
    ),
    "second-label": _inputs(
        '({"aid": y, "w": x, "x": x}, (y, y))',
        '(features["x"] * features["w"] if "w" in features else features["x"])',
        "labels[1]",
    ),
    "labels-inside": _inputs('{"x": x, "y": y}', labels='features["y"]'),
}

_RESHAPED = 'tf.reshape(features["x"], [8 if mode == tf.estimator.ModeKeys.TRAIN else 4, 4])'
OWN_BATCH = (
    e.replace_input(_BATCH, '.batch(8 if mode == "train" else 4, drop_remainder=True)'),
    *_inputs(_PAIR, _RESHAPED),
)

_COLUMNS = (
    "tf.feature_column.input_layer(features, [tf.feature_column.numeric_column(c, shape=[4]) "
    'for c in params["columns"]])'
)
_TWO = '({"a": x, "b": x}, y)'
_WITH_COLUMNS = (e.set_params(columns=["a", "b"]), *_inputs(_TWO, _COLUMNS))
_THREE = e.replace_input(_TWO, '({"a": x, "b": x, "c": x}, y)')
_ONE = e.replace_input(_TWO, '({"b": x}, y)')

_WEIGHTED_COLUMN = _inputs(
    '({"id": tf.cast(y[:, 0], tf.int64), "w": x[:, :2], "word": tf.as_string(x[:, :2])}, y)',
    "tf.feature_column.input_layer(features, [tf.feature_column.indicator_column("
    "tf.feature_column.weighted_categorical_column("
    'tf.feature_column.categorical_column_with_hash_bucket("word", 4), "w"))])',
)

PREDICT_ONLY = (
    e.replace_input(
        "    return dataset.repeat()",
        '    if mode == "predict":\n'
        '        dataset = dataset.map(lambda f, y: (dict(f, a=f["x"][:, 0]), y))\n'
        "    return dataset.repeat()",
    ),
    e.replace(
        'predictions={"y": predictions}', 'predictions={"y": predictions, "a": features["a"]}'
    ),
)

FOUND_CASES: List[Case] = [
    *(Case(f"found-{name}", "saving", before=edits) for name, edits in _STRUCTURES.items()),
    *(
        Case(f"found-{name}-more-units", "saving", MORE_UNITS, before=edits)
        for name, edits in _STRUCTURES.items()
    ),
    Case("found-own-batch", "saving", before=OWN_BATCH),
    Case("found-own-batch-more-units", "saving", MORE_UNITS, before=OWN_BATCH),
    Case(
        "found-column-added",
        "saving",
        (e.set_params(columns=["a", "b", "c"]), _THREE),
        before=_WITH_COLUMNS,
    ),
    Case(
        "found-column-removed",
        "saving",
        (e.set_params(columns=["b"]), _ONE),
        before=_WITH_COLUMNS,
    ),
    Case("found-weighted-column", "saving", before=_WEIGHTED_COLUMN),
    Case("found-predict-only", "saving", before=PREDICT_ONLY),
    Case("found-predict-only-more-units", "saving", MORE_UNITS, before=PREDICT_ONLY),
    Case(
        "found-raises",
        "saving",
        (e.replace(_LABELS, "mean_squared_error(labels, tf.zeros([3, 5]))"),),
        before=_STRUCTURES["unused-first"],
    ),
    Case(
        "found-missing-param",
        "saving",
        (e.replace('params["units"]', 'params["width"]'),),
        before=_STRUCTURES["labels-items"],
    ),
    Case(
        "found-labels-tuple-missing-param-in-predict",
        "saving",
        (e.replace(_IN_PREDICT, f'{_IN_PREDICT}\n        print(params["width"])'),),
        before=_inputs('({"x": x}, (x, y))', labels="labels[1]"),
    ),
]
