"""Models whose features the order of the keys does not show. The real Estimator runs each one.

``python -m tests.rival_models FOLDER`` trains each model in ``FOLDER/NAME``, runs the code of now
PREDICT and EVAL, and writes ``FOLDER/real.json``: for each model, the TARGET and the params, and
for each mode the error, or "" for none.
"""

import json
import os
import sys
from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

KNOWN = ("age", "height", "income", "zip")


def dense(x: Any, units: int, **more: Any) -> Any:
    return tf.layers.dense(x, units, **more)


def spec(mode: str, hidden: Any, labels: Any) -> Any:
    y = dense(hidden, 1, name="logits")
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions={"y": y})
    loss = tf.reduce_mean(tf.square(y - labels))
    step = tf.train.GradientDescentOptimizer(0.01).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step)


def two_layers(features: Any, labels: Any, mode: str) -> Any:
    return spec(mode, dense(features["image"], 8) + dense(features["extra"], 8), labels)


def two_named_layers(features: Any, labels: Any, mode: str) -> Any:
    with tf.variable_scope("net"):
        image = dense(features["image"], 8, name="of_image")
        return spec(mode, image + dense(features["extra"], 8, name="of_extra"), labels)


def two_activations(features: Any, labels: Any, mode: str) -> Any:
    image = dense(features["image"], 8, activation=tf.nn.relu)
    return spec(mode, image + dense(features["extra"], 8, activation=tf.nn.tanh), labels)


def one_layer(features: Any, labels: Any, mode: str) -> Any:
    return spec(mode, dense(features["image"], 8), labels)


def embedded(features: Any, labels: Any, mode: str) -> Any:
    kind = tf.one_hot(features["kind"], 8)
    return spec(mode, dense(features["image"], 8) + dense(kind, 8), labels)


def in_an_order(features: Any, labels: Any, mode: str, params: Any) -> Any:
    first, second = (features[key] for key in params["order"])
    first = dense(first, 8, activation=getattr(tf.nn, params["activation"]))
    return spec(mode, first + dense(second, 8, activation=tf.nn.sigmoid), labels)


def renamed(features: Any, labels: Any, mode: str, params: Any) -> Any:
    return spec(mode, dense(features["image"], 8) + dense(features[params["key"]], 8), labels)


def some_of_them(features: Any, labels: Any, mode: str, params: Any) -> Any:
    return spec(mode, tf.add_n([dense(features[key], 8) for key in params["keys"]]), labels)


def some_in_a_scope(features: Any, labels: Any, mode: str, params: Any) -> Any:
    with tf.variable_scope("net"):
        towers = [dense(features[key], 8, name=f"of_{key}") for key in params["keys"]]
        return spec(mode, tf.add_n(towers), labels)


def optional_keys(features: Any, labels: Any, mode: str) -> Any:
    return spec(mode, tf.concat([features[k] for k in KNOWN if k in features], 1), labels)


def optional_beside_another(features: Any, labels: Any, mode: str) -> Any:
    known = [features[key] for key in KNOWN[1:] if key in features]
    return spec(mode, tf.concat([features["age"], *known], 1), labels)


def caught_param(features: Any, labels: Any, mode: str, params: Any) -> Any:
    try:
        units = params["units"]
    except KeyError:
        units = 8
    image, extra = tf.get_variable("of_image", [6, units]), tf.get_variable("of_extra", [3, units])
    image, extra = tf.matmul(features["image"], image), tf.matmul(features["extra"], extra)
    return spec(mode, image + extra, labels)


def asserted_dtype(features: Any, labels: Any, mode: str) -> Any:
    if features["text"].dtype != tf.string:
        raise ValueError("text must be strings")
    ids = tf.string_to_hash_bucket_fast(features["text"], 10)
    words = tf.nn.embedding_lookup(tf.get_variable("words", [10, 8]), ids)
    return spec(mode, words * tf.cast(features["length"], tf.float32)[:, None], labels)


def encoded_in_predict(features: Any, labels: Any, mode: str) -> Any:
    image = features["image"]
    if mode == "infer":
        image = tf.reshape(tf.decode_raw(image, tf.float32), [-1, 6])
    return spec(mode, dense(image, 8), labels)


def more_in_predict(features: Any, labels: Any, mode: str) -> Any:
    hidden = dense(features["image"], 8)
    return spec(mode, hidden / features["scale"] if mode == "infer" else hidden, labels)


def optional_in_predict(features: Any, labels: Any, mode: str) -> Any:
    hidden = dense(features["image"], 8)
    if mode == "infer" and "scale" in features:
        hidden = dense(hidden * features["scale"], 8, name="scaled")
    return spec(mode, hidden, labels)


def unused_in_train(features: Any, labels: Any, mode: str) -> Any:
    hidden, ids = dense(features["image"], 8), features["id"]
    if mode == "infer":
        hidden = hidden + tf.one_hot(ids, 8)
    return spec(mode, hidden, labels)


def raises_in_predict(features: Any, labels: Any, mode: str) -> Any:
    hidden, ids = dense(features["image"], 8), features["id"]
    if mode == "infer":
        hidden = hidden + tf.matmul(features["image"], tf.ones([5, 8]))
    del ids
    return spec(mode, hidden, labels)


def reshaped(features: Any, labels: Any, mode: str) -> Any:
    return spec(mode, dense(features["image"], 8), labels)


def concatenated(features: Any, labels: Any, mode: str) -> Any:
    hidden = tf.concat([features["image"], features["extra"]], 1)
    return spec(mode, dense(hidden, 8), labels)


def fixed_batch_in_shape(features: Any, labels: Any, mode: str) -> Any:
    hidden = dense(features["image"], 8)
    state = tf.get_variable("state", [int(hidden.shape[0]), 8], trainable=False)
    return spec(mode, tf.matmul(hidden, tf.matmul(state, hidden, transpose_a=True)), labels)


def batch_in_shape(features: Any, labels: Any, mode: str) -> Any:
    hidden = dense(features["image"], 8)
    state = tf.get_variable("state", [hidden.shape.as_list()[0] or 1, 8], trainable=False)
    return spec(mode, tf.matmul(hidden, tf.matmul(state, hidden, transpose_a=True)), labels)


def classes_or_values(features: Any, labels: Any, mode: str, params: Any) -> Any:
    if mode == "infer" or not params["classes"]:
        return spec(mode, dense(features["image"], 8), labels)
    logits = dense(dense(features["image"], 8), 1, name="logits")
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    step = tf.train.GradientDescentOptimizer(0.01).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step)


def classes_in_features(features: Any, labels: Any, mode: str, params: Any) -> Any:
    hidden = dense(features["image"], 8)
    if mode == "infer" or not params["classes"]:
        return spec(mode, hidden, None if mode == "infer" else features["class"])
    return spec(mode, hidden, tf.one_hot(features["class"], 1))


class Shown(NamedTuple):
    """A model, its params in training and now, and its inputs.

    ``order`` is the order of a tuple from which the input_fn makes the dict; () for a dict.
    ``sizes`` has the size of each feature; "string", "int" and "class" are vectors, and "class" has
    the dtype of the labels. The input_fn makes a matrix of a feature with two sizes.
    ``predict`` has what PREDICT gets instead. With ``whole``, all batches have the same size.
    With ``joined``, the input_fn concatenates the first feature of ``order`` with the second one.
    ``bytes`` names the features that are numbers from 0 to 255, which the input_fn scales.
    """

    model_fn: Callable[..., Any]
    sizes: Dict[str, Any]
    order: Tuple[str, ...] = ()
    then: Any = None
    now: Any = None
    predict: Any = None
    whole: bool = False
    joined: bool = False
    bytes: Tuple[str, ...] = ()


_TWO = {"image": 6, "extra": 3}
_TUPLE = ("image", "extra")
_ALIKE = {"a": 4, "b": 4}
_FIRST = {"order": ["a", "b"], "activation": "relu"}
_EXCHANGED = {"order": ["b", "a"]}
_ENCODED = np.array([np.ones(6, np.float32).tobytes()] * 8)
MODELS = {
    "tuple": Shown(two_layers, _TWO, _TUPLE),
    "tuple-named": Shown(two_named_layers, _TWO, _TUPLE),
    "tuple-alike": Shown(two_activations, {"image": 4, "extra": 4}, _TUPLE),
    "exchanged": Shown(in_an_order, _ALIKE, then=_FIRST, now={**_FIRST, **_EXCHANGED}),
    "exchanged-and-tanh": Shown(
        in_an_order, _ALIKE, then=_FIRST, now={**_FIRST, **_EXCHANGED, "activation": "tanh"}
    ),
    "renamed": Shown(
        renamed, {"image": 6, "a": 3, "z": 3}, (), then={"key": "a"}, now={"key": "z"}
    ),
    "dropped": Shown(
        some_of_them, {"a": 4, "b": 3}, (), then={"keys": ["a", "b"]}, now={"keys": ["b"]}
    ),
    "dropped-named": Shown(
        some_in_a_scope,
        {"a": 4, "b": 3, "c": 5},
        (),
        then={"keys": ["a", "b", "c"]},
        now={"keys": ["a", "c"]},
    ),
    "optional": Shown(optional_keys, {"age": 1, "height": 1, "zip": 1}),
    "optional-beside": Shown(optional_beside_another, {"age": 1, "height": 1, "zip": 1}),
    "caught": Shown(caught_param, _TWO, _TUPLE, then={}, now={}),
    "asserted": Shown(asserted_dtype, {"text": "string", "length": "int"}, ("text", "length")),
    "encoded": Shown(encoded_in_predict, {"image": 6}, predict={"image": _ENCODED}),
    "more-in-predict": Shown(
        more_in_predict,
        {"id": "string", "image": 6},
        predict={"image": np.ones([8, 6], np.float32), "scale": np.ones([8, 1], np.float32)},
    ),
    "optional-in-predict": Shown(
        optional_in_predict,
        {"id": "string", "image": 6},
        predict={"image": np.ones([8, 6], np.float32), "scale": np.ones([8, 1], np.float32)},
    ),
    "unused-in-train": Shown(unused_in_train, {"gap": 2, "id": "int", "image": 6}),
    "raises-in-predict": Shown(raises_in_predict, {"gap": 2, "id": "int", "image": 6}),
    "scaled": Shown(two_layers, {"extra": 3, "image": 6}, _TUPLE, bytes=("image",)),
    "scaled-alone": Shown(one_layer, {"image": 6}, ("image",), bytes=("image",)),
    "mixed-dtypes": Shown(embedded, {"kind": "int", "image": 6}, ("kind", "image")),
    "joined": Shown(concatenated, {"image": 6, "extra": 3}, _TUPLE, joined=True),
    "reshaped": Shown(reshaped, {"image": (2, 2)}, ("image",)),
    "labels-of-another-dtype": Shown(
        classes_or_values, {"image": 6}, then={"classes": False}, now={"classes": True}
    ),
    "feature-of-another-dtype": Shown(
        classes_in_features,
        {"class": "class", "image": 6},
        then={"classes": True},
        now={"classes": False},
    ),
    "fixed-batch-in-shape": Shown(
        fixed_batch_in_shape,
        {"image": 6},
        predict={"image": np.ones([3, 6], np.float32)},
        whole=True,
    ),
    "batch-in-shape": Shown(
        batch_in_shape, {"image": 6}, predict={"image": np.ones([3, 6], np.float32)}, whole=True
    ),
}


def _values(size: Any) -> Any:
    if size == "string":
        return np.array(["some text"] * 8)
    if isinstance(size, tuple):
        return np.ones([8, *size], np.float32)
    return np.arange(8) if size == "int" else np.ones([8, size], np.float32)


def input_fn(model: Shown, params: Any, mode: str) -> Any:
    dtype = np.int64 if params and params.get("classes") else np.float32
    labels = np.zeros([8, 1], dtype)
    sizes = model.sizes.items()
    values = {key: labels[:, 0] if size == "class" else _values(size) for key, size in sizes}
    values.update((key, np.full(values[key].shape, 255, np.uint8)) for key in model.bytes)
    if params and "key" in params:  # the input_fn renames it, too
        values = {key: value for key, value in values.items() if key in ("image", params["key"])}
    if mode == "predict" and model.predict:
        data = tf.data.Dataset.from_tensor_slices(model.predict)
        return data.batch(3, drop_remainder=model.whole)
    if not model.order:
        data = tf.data.Dataset.from_tensor_slices((values, labels)).repeat()
        return data.batch(4, drop_remainder=model.whole)
    data = tf.data.Dataset.from_tensor_slices((*(values[key] for key in model.order), labels))
    *features, labels = tf.data.make_one_shot_iterator(data.repeat().batch(4)).get_next()
    if model.joined:
        features[0] = tf.concat(features[:2], 1)
    for place, key in enumerate(model.order):
        if key in model.bytes:
            features[place] = tf.cast(features[place], tf.float32) / 255.0
    matrices = (tf.reshape(x, [-1, 4]) if len(x.shape) > 2 else x for x in features)
    return dict(zip(model.order, matrices)), labels


def run(folder: str, name: str) -> Dict[str, str]:
    model = MODELS[name]
    estimator = tf.estimator.Estimator(model.model_fn, folder, params=model.then)
    estimator.train(lambda: input_fn(model, model.then, "train"), steps=1)
    return {mode: _error(model, folder, mode) for mode in ("predict", "eval")}


def _error(model: Shown, folder: str, mode: str) -> str:
    estimator = tf.estimator.Estimator(model.model_fn, folder, params=model.now)
    try:
        if mode == "predict":
            next(iter(estimator.predict(lambda: input_fn(model, model.now, mode))))
        else:
            estimator.evaluate(lambda: input_fn(model, model.now, mode), steps=1)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    tf.logging.set_verbosity("ERROR")
    real = {
        name: {
            "target": f"tests.rival_models:{model.model_fn.__name__}",
            "params": model.now or {},
            "errors": run(os.path.join(sys.argv[1], name), name),
        }
        for name, model in MODELS.items()
    }
    with open(os.path.join(sys.argv[1], "real.json"), "w") as file:
        json.dump(real, file)
