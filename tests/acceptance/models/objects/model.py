"""A dense layer, a hash table that training fills, and a saveable object of its own."""

import tensorflow as tf
from tensorflow.python.ops import lookup_ops
from tensorflow.python.training.saver import BaseSaverBuilder

TABLE = "seen"
VALUE_DTYPE = tf.int64
DEFAULT = 0


class Rounded(BaseSaverBuilder.SaveableObject):
    """Saves a float variable as whole numbers."""

    def __init__(self, variable, key):
        spec = BaseSaverBuilder.SaveSpec(tf.cast(variable, tf.int32), "", key)
        super().__init__(variable, [spec], key)

    def restore(self, restored_tensors, restored_shapes):
        return self.op.assign(tf.cast(restored_tensors[0], tf.float32))


def add_state():
    table = lookup_ops.MutableHashTable(tf.int64, VALUE_DTYPE, DEFAULT, name=TABLE)
    collections = [tf.GraphKeys.LOCAL_VARIABLES]
    offset = tf.get_variable("offset", [3], collections=collections, use_resource=False)
    tf.add_to_collection(tf.GraphKeys.SAVEABLE_OBJECTS, Rounded(offset, "offset_rounded"))
    return table, offset


def model_fn(features, labels, mode, params):
    table, offset = add_state()
    hidden = tf.layers.dense(features["x"], params["units"], name="hidden")
    predictions = tf.layers.dense(hidden, 1, name="output") + tf.reduce_sum(offset)
    if mode == tf.estimator.ModeKeys.PREDICT:
        known = table.lookup(tf.constant([1, 2], tf.int64))
        outputs = {
            "y": predictions,
            "n": tf.zeros_like(predictions) + tf.cast(known[0], tf.float32),
        }
        return tf.estimator.EstimatorSpec(mode, predictions=outputs)

    loss = tf.losses.mean_squared_error(labels, predictions)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)

    optimizer = tf.train.GradientDescentOptimizer(params["learning_rate"])
    step = tf.train.get_global_step()
    insert = table.insert(tf.reshape(step, [1]), tf.cast(tf.reshape(step, [1]), VALUE_DTYPE))
    with tf.control_dependencies([insert]):
        train_op = optimizer.minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
