"""Models with more rows, classes or positions than their checkpoint. They run with some data only.

Each entry of ``MODELS`` has the params of the checkpoint, those of the code, data with which the
real Estimator runs after the restore, and data with which it raises.
"""

from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

BATCH = 4
Data = Tuple[Dict[str, Any], Any]


class Model(NamedTuple):
    """A model_fn, params, and data.

    Attributes:
        stored: the params of the checkpoint.
        code: the params of the code.
        fits: features and labels with which the code runs after the restore.
        fails: those with which it raises.
    """

    model_fn: Callable[..., Any]
    stored: Dict[str, int]
    code: Dict[str, int]
    fits: Data
    fails: Data


def _spec(mode: str, loss: Any, predictions: Any) -> Any:
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})
    optimizer = tf.train.AdagradOptimizer(0.1)
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _regression(mode: str, net: Any, labels: Any) -> Any:
    output = tf.layers.dense(net, 1, name="output")
    loss = None if labels is None else tf.losses.mean_squared_error(labels, output)
    return _spec(mode, loss, output)


def _table(name: str, *shape: int) -> Any:
    return tf.get_variable(name, shape, use_resource=True)


def lookup(features: Any, labels: Any, mode: str, params: Any) -> Any:
    table = _table("table", params["rows"], 3)
    return _regression(mode, tf.nn.embedding_lookup(table, features["ids"]), labels)


def lookup_in_loop(features: Any, labels: Any, mode: str, params: Any) -> Any:
    table = _table("table", params["rows"], 3)
    rows = tf.map_fn(lambda one: tf.gather(table, one), features["ids"], tf.float32)
    return _regression(mode, tf.reshape(rows, [-1, 3]), labels)


def lookup_in_branch(features: Any, labels: Any, mode: str, params: Any) -> Any:
    table, ids = _table("table", params["rows"], 3), features["ids"]
    some = tf.reduce_any(ids > 0)
    net = tf.cond(some, lambda: tf.gather(table, ids), lambda: tf.zeros([tf.size(ids), 3]))
    return _regression(mode, net, labels)


def product_in_branch(features: Any, labels: Any, mode: str, params: Any) -> Any:
    rows, ids = params["rows"], features["ids"]
    table = _table("table", rows, 3)
    net = tf.cond(
        tf.reduce_any(ids > 0),
        lambda: tf.matmul(tf.ones([tf.size(ids), rows]), table),
        lambda: tf.zeros([tf.size(ids), 3]),
    )
    return _regression(mode, net, labels)


def lookup_of_low_ids(features: Any, labels: Any, mode: str, params: Any) -> Any:
    table = _table("table", params["rows"], 3)
    return _regression(mode, tf.nn.embedding_lookup(table, features["ids"] % 10), labels)


def two_lookups(features: Any, labels: Any, mode: str, params: Any) -> Any:
    words = tf.nn.embedding_lookup(_table("words", params["rows"], 3), features["word"])
    tags = tf.nn.embedding_lookup(_table("tags", 6, 3), features["tag"])
    return _regression(mode, words + tags, labels)


def classes(features: Any, labels: Any, mode: str, params: Any) -> Any:
    with tf.variable_scope("", use_resource=True):
        logits = tf.layers.dense(features["x"], params["classes"], name="logits")
    loss = None
    if labels is not None:
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    return _spec(mode, loss, tf.nn.softmax(logits))


def positions(features: Any, labels: Any, mode: str, params: Any) -> Any:
    net = tf.layers.dense(features["x"], 3, name="input")
    net += _table("positions", params["longest"], 3)[: tf.shape(net)[1]]
    return _regression(mode, tf.reduce_mean(net, 1), labels)


def gathered_positions(features: Any, labels: Any, mode: str, params: Any) -> Any:
    net = tf.layers.dense(features["x"], 3, name="input")
    table = _table("positions", params["longest"], 3)
    net += tf.nn.embedding_lookup(table, tf.range(tf.shape(net)[1]))
    return _regression(mode, tf.reduce_mean(net, 1), labels)


def column(features: Any, labels: Any, mode: str, params: Any) -> Any:
    words = [f"w{place}" for place in range(params["rows"] - 1)]
    color = tf.feature_column.categorical_column_with_vocabulary_list(
        "color", words, num_oov_buckets=1
    )
    columns = [tf.feature_column.embedding_column(color, 3)]
    with tf.variable_scope("", use_resource=True):
        net = tf.feature_column.input_layer(features, columns)
    return _regression(mode, net, labels)


def hashed(features: Any, labels: Any, mode: str, params: Any) -> Any:
    ids = tf.strings.to_hash_bucket_fast(features["word"], params["rows"])
    return _regression(
        mode, tf.nn.embedding_lookup(_table("table", params["rows"], 3), ids), labels
    )


def _labels() -> Any:
    return np.zeros((BATCH, 1), "float32")


def _ids(*values: int) -> Data:
    return {"ids": np.array(values, "int64")}, _labels()


def _pairs(*values: int) -> Data:
    words = np.array(values, "int64")
    return {"tag": np.array([0, 5, 5, 0], "int64"), "word": words}, _labels()


def _of_class(*values: int) -> Data:
    return {"x": np.ones((BATCH, 2), "float32")}, np.array(values, "int64")


def _of_length(length: int) -> Data:
    return {"x": np.ones((BATCH, length, 2), "float32")}, _labels()


def _colors(*values: str) -> Data:
    return {"color": np.array(values).reshape((-1, 1))}, _labels()


def _words(*values: str) -> Data:
    return {"word": np.array(values)}, _labels()


MODELS = {
    "lookup": Model(lookup, {"rows": 10}, {"rows": 20}, _ids(0, 1, 8, 9), _ids(0, 1, 8, 10)),
    "lookup_of_one_row": Model(
        lookup, {"rows": 1}, {"rows": 20}, _ids(0, 0, 0, 0), _ids(0, 0, 0, 1)
    ),
    "lookup_in_loop": Model(
        lookup_in_loop, {"rows": 10}, {"rows": 20}, _ids(0, 1, 8, 9), _ids(0, 1, 8, 10)
    ),
    "lookup_in_loop_of_one_row": Model(
        lookup_in_loop, {"rows": 1}, {"rows": 20}, _ids(0, 0, 0, 0), _ids(0, 0, 0, 1)
    ),
    "lookup_in_branch": Model(
        lookup_in_branch, {"rows": 10}, {"rows": 20}, _ids(0, 1, 8, 9), _ids(0, 1, 8, 10)
    ),
    "lookup_in_branch_of_one_row": Model(
        lookup_in_branch, {"rows": 1}, {"rows": 20}, _ids(0, 0, 0, 0), _ids(0, 0, 0, 1)
    ),
    "product_in_branch": Model(
        product_in_branch, {"rows": 10}, {"rows": 20}, _ids(0, 0, 0, 0), _ids(0, 0, 0, 1)
    ),
    "lookup_of_low_ids": Model(
        lookup_of_low_ids, {"rows": 10}, {"rows": 20}, _ids(0, 1, 8, 9), _ids(0, 1, 8, 19)
    ),
    "two_lookups": Model(
        two_lookups, {"rows": 4}, {"rows": 9}, _pairs(0, 1, 2, 3), _pairs(0, 1, 2, 4)
    ),
    "classes": Model(
        classes, {"classes": 5}, {"classes": 8}, _of_class(0, 1, 3, 4), _of_class(0, 1, 3, 5)
    ),
    "one_class": Model(
        classes, {"classes": 1}, {"classes": 3}, _of_class(0, 0, 0, 0), _of_class(0, 0, 0, 1)
    ),
    "positions": Model(positions, {"longest": 40}, {"longest": 64}, _of_length(40), _of_length(41)),
    "few_positions": Model(
        positions, {"longest": 5}, {"longest": 64}, _of_length(5), _of_length(6)
    ),
    "gathered_positions": Model(
        gathered_positions, {"longest": 40}, {"longest": 64}, _of_length(40), _of_length(41)
    ),
    "few_gathered_positions": Model(
        gathered_positions, {"longest": 5}, {"longest": 64}, _of_length(5), _of_length(6)
    ),
    "column": Model(
        column,
        {"rows": 4},
        {"rows": 9},
        _colors("w0", "w1", "w2", "w3"),
        _colors("w0", "w1", "w2", "w4"),
    ),
    "hashed": Model(
        hashed, {"rows": 40}, {"rows": 90}, _words("a", "a", "a", "a"), _words("c", "c", "c", "c")
    ),
}


def input_fn(data: Data) -> Callable[[], Any]:
    """Returns an input_fn with batches of some data. The graph does not know the batch size."""

    def batches() -> Any:
        features, labels = data
        dataset = tf.data.Dataset.from_tensor_slices(data).repeat()
        if "x" in features and features["x"].ndim == 3:  # the length of a padded batch is unknown
            shapes = {"x": [None, 2]}, labels.shape[1:]
            return dataset.padded_batch(BATCH, shapes)
        return dataset.batch(BATCH)

    return batches
