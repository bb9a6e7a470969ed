"""Lookup tables, strings, hashes and segments."""

from ..entries import MODES, TRAINED, Model
from ..writing import innocent, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf

WORDS = ["the", "a", "cat", "dog", "sat"]


def input_fn(mode):
    rng = np.random.RandomState(9)
    choices = ["the", "a", "Cat", "dog", "sat", "ran", "fox"]
    features = {
        "words": rng.choice(choices, size=(32, 3)).astype(object),
        "place": rng.choice(["x", "y", "z"], size=32).astype(object),
    }
    labels = (features["words"][:, 0] == "Cat").astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels)).batch(16)
    return dataset.repeat() if mode == "train" else dataset


def ids_of(words):
    values = tf.range(len(WORDS), dtype=tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(WORDS), values)
    table = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=2)
    return table.lookup(tf.strings.lower(words))


def price_of(place):
    keys = tf.constant(["x", "y"])
    initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([0.5, 1.5]))
    return tf.lookup.StaticHashTable(initializer, default_value=-1.0).lookup(place)


def model_fn(features, labels, mode, params):
    table = tf.get_variable("table", [10, 3])
    vectors = tf.nn.embedding_lookup(table, ids_of(features["words"]))
    hashed = tf.strings.to_hash_bucket_fast(features["words"], 3)
    flags = tf.one_hot(hashed, 3, on_value=1.0, off_value=0.0)
    rows = tf.concat([vectors, flags], axis=2)
    rows = tf.reshape(rows, [-1, 6])
    count = tf.shape(features["words"])[0]
    segments = tf.reshape(tf.tile(tf.range(count)[:, None], [1, 3]), [-1])
    net = tf.math.unsorted_segment_mean(rows, segments, count)
    net = tf.concat([net, price_of(features["place"])[:, None]], axis=1)
    logit = tf.layers.dense(net, 1, name="logit")[:, 0]
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"p": tf.sigmoid(logit)})
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logit)
    loss = tf.reduce_mean(losses)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.AdagradOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

MODEL = Model(
    id="tables",
    source=SOURCE,
    params={},
    edits=(
        silent(
            "tab-words-added",
            "vocabulary",
            MODES,
            ('"dog", "sat"]\n\n', '"dog", "sat", "ran", "fox"]\n\n'),
            ("", "fox"),
        ),
        silent(
            "tab-words-reordered",
            "vocabulary",
            MODES,
            ('["the", "a", "cat", "dog"', '["a", "the", "cat", "dog"'),
            ("the", "the"),
        ),
        silent(
            "tab-word-replaced",
            "vocabulary",
            MODES,
            ('["the", "a", "cat", "dog"', '["the", "a", "fox", "dog"'),
            ("cat", "fox"),
        ),
        silent(
            "tab-value",
            "table values",
            MODES,
            ("tf.constant([0.5, 1.5])", "tf.constant([0.5, 2.5])"),
            ("1.5", "2.5"),
        ),
        silent(
            "tab-default",
            "lookup default",
            MODES,
            ("default_value=-1.0", "default_value=0.0"),
            ("-1", "0"),
        ),
        silent(
            "tab-oov-buckets",
            "hash",
            MODES,
            ("num_oov_buckets=2", "num_oov_buckets=5"),
            ("2", "5"),
        ),
        silent(
            "tab-case",
            "preprocessing",
            MODES,
            ("tf.strings.lower(words)", "words"),
            ("lower", ""),
        ),
        silent(
            "tab-hash-kind",
            "hash",
            MODES,
            (
                'to_hash_bucket_fast(features["words"], 3)',
                'to_hash_bucket_strong(features["words"], 3, key=[1, 2])',
            ),
            ("fast", "strong"),
        ),
        silent(
            "tab-one-hot-values",
            "constant",
            MODES,
            ("off_value=0.0", "off_value=-1.0"),
            ("0", "-1"),
        ),
        silent(
            "tab-segment-sum",
            "reduction",
            MODES,
            ("unsorted_segment_mean", "unsorted_segment_max"),
            ("", "max"),
        ),
        silent(
            "tab-concat-order",
            "concatenation",
            MODES,
            ("[vectors, flags], axis=2", "[flags, vectors], axis=2"),
        ),
        silent(
            "tab-frozen-embedding",
            "frozen variables",
            TRAINED,
            (
                'tf.get_variable("table", [10, 3])',
                'tf.get_variable("table", [10, 3], trainable=False)',
            ),
            ("table", ""),
        ),
        innocent(
            "tab-word-list-as-tuple",
            "equal literal",
            ('WORDS = ["the", "a", "cat", "dog", "sat"]', 'WORDS = "the a cat dog sat".split()'),
        ),
        innocent(
            "tab-table-name",
            "op name",
            ("num_oov_buckets=2)", "num_oov_buckets=2, name='vocabulary')"),
        ),
        innocent(
            "tab-unused-table",
            "unused code",
            (
                '    keys = tf.constant(["x", "y"])\n',
                '    keys = tf.constant(["x", "y"])\n'
                "    other = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([7, 8]))\n"
                "    tf.lookup.StaticHashTable(other, default_value=9)\n",
            ),
        ),
        innocent(
            "tab-flags-first",
            "reordered code",
            (
                (
                    '    vectors = tf.nn.embedding_lookup(table, ids_of(features["words"]))\n',
                    "",
                ),
                (
                    "    rows = tf.concat([vectors,",
                    '    vectors = tf.nn.embedding_lookup(table, ids_of(features["words"]))\n'
                    "    rows = tf.concat([vectors,",
                ),
            ),
        ),
    ),
)
