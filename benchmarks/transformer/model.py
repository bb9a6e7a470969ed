"""A text classifier on a 12-layer transformer encoder, as TensorFlow 1 code writes one.

With the params beside it: 201 variables that hold 109.5 million parameters, and 606 tensors in a
checkpoint (the variables, two Adam slots for each, Adam's two powers, and the global step).
"""

import math
from typing import Any, Dict, Optional

import tensorflow.compat.v1 as tf

Params = Dict[str, Any]


def model_fn(features: Dict[str, Any], labels: Any, mode: str, params: Params) -> Any:
    """Builds the graph of one mode.

    Args:
        features: ``input_ids``, ``input_mask`` and ``segment_ids``, each ``[batch, length]``.
        labels: class ids, ``[batch]``; None in PREDICT.
        mode: one of ``tf.estimator.ModeKeys``.
        params: what params.json holds.

    Returns:
        An EstimatorSpec.
    """
    rate = params["dropout"] if mode == tf.estimator.ModeKeys.TRAIN else 0.0
    pooled = _encode(features, params, rate)
    logits = tf.layers.dense(_dropout(pooled, rate), params["num_labels"], name="classifier")
    predictions = {"classes": tf.argmax(logits, axis=-1), "probabilities": tf.nn.softmax(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    if mode == tf.estimator.ModeKeys.EVAL:
        metrics = {"accuracy": tf.metrics.accuracy(labels, predictions["classes"])}
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.train.get_or_create_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _encode(features: Dict[str, Any], params: Params, rate: float) -> Any:
    """The pooled output of the encoder, ``[batch, hidden]``."""
    with tf.variable_scope("encoder"):
        hidden = _embeddings(features["input_ids"], features["segment_ids"], params, rate)
        mask = tf.cast(features["input_mask"][:, tf.newaxis, tf.newaxis, :], tf.float32)
        bias = (1.0 - mask) * -10000.0
        for layer in range(params["num_layers"]):
            with tf.variable_scope(f"layer_{layer}"):
                hidden = _layer(hidden, bias, params, rate)
        return _dense(hidden[:, 0], params["hidden_size"], "pooler", tf.tanh)


def _embeddings(ids: Any, segments: Any, params: Params, rate: float) -> Any:
    width = params["hidden_size"]
    with tf.variable_scope("embeddings"):
        words = _table("word", params["vocab_size"], width)
        kinds = _table("segment", params["num_segments"], width)
        places = _table("position", params["max_positions"], width)
        summed = tf.nn.embedding_lookup(words, ids) + tf.nn.embedding_lookup(kinds, segments)
        summed += places[: tf.shape(ids)[1]]
        return _dropout(_layer_norm(summed), rate)


def _layer(hidden: Any, bias: Any, params: Params, rate: float) -> Any:
    width = params["hidden_size"]
    with tf.variable_scope("attention"):
        context = _attention(hidden, bias, params, rate)
        output = _dropout(_dense(context, width, "output"), rate)
        hidden = _layer_norm(hidden + output)
    inner = _dense(hidden, params["intermediate_size"], "intermediate", _gelu)
    with tf.variable_scope("output"):
        return _layer_norm(hidden + _dropout(_dense(inner, width, "dense"), rate))


def _attention(hidden: Any, bias: Any, params: Params, rate: float) -> Any:
    width, heads = params["hidden_size"], params["num_heads"]
    query, key, value = (
        _split_heads(_dense(hidden, width, name), heads, width // heads)
        for name in ("query", "key", "value")
    )
    scores = tf.matmul(query, key, transpose_b=True) / math.sqrt(width // heads)
    weights = _dropout(tf.nn.softmax(scores + bias), rate)
    context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
    shape = tf.shape(hidden)
    return tf.reshape(context, [shape[0], shape[1], width])


def _split_heads(tensor: Any, heads: int, size: int) -> Any:
    shape = tf.shape(tensor)
    split = tf.reshape(tensor, [shape[0], shape[1], heads, size])
    return tf.transpose(split, [0, 2, 1, 3])


def _table(name: str, rows: int, width: int) -> Any:
    return tf.get_variable(name, [rows, width], initializer=_initializer())


def _dense(tensor: Any, width: int, name: str, activation: Optional[Any] = None) -> Any:
    return tf.layers.dense(
        tensor, width, activation=activation, name=name, kernel_initializer=_initializer()
    )


def _layer_norm(tensor: Any) -> Any:
    width = int(tensor.shape[-1])
    with tf.variable_scope("layer_norm"):
        gamma = tf.get_variable("gamma", [width], initializer=tf.ones_initializer())
        beta = tf.get_variable("beta", [width], initializer=tf.zeros_initializer())
    mean, variance = tf.nn.moments(tensor, axes=[-1], keepdims=True)
    return tf.nn.batch_normalization(tensor, mean, variance, beta, gamma, 1e-12)


def _dropout(tensor: Any, rate: float) -> Any:
    return tf.nn.dropout(tensor, rate=rate) if rate else tensor


def _gelu(tensor: Any) -> Any:
    return tensor * 0.5 * (1.0 + tf.erf(tensor / math.sqrt(2.0)))


def _initializer() -> Any:
    return tf.truncated_normal_initializer(stddev=0.02)
