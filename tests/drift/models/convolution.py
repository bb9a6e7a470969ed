"""A small network of convolutions, with a decaying learning rate and clipped gradients."""

from ..entries import MODES, SCORED, TRAINED, Model
from ..writing import innocent, param, silent

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def input_fn(mode):
    rng = np.random.RandomState(1)
    images = rng.uniform(-1, 1, size=(32, 8, 8, 2)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0).astype(np.int32) + (images[:, 0, 0, 0] > 0)
    dataset = tf.data.Dataset.from_tensor_slices(({"image": images}, labels.astype(np.int32)))
    dataset = dataset.batch(16)
    return dataset.repeat() if mode == "train" else dataset


def network(image, params, training):
    net = tf.layers.conv2d(image, 4, 3, padding="same", activation=tf.nn.relu, name="conv1")
    net = tf.layers.max_pooling2d(net, 2, 2, name="pool1")
    net = tf.layers.conv2d(net, 4, 3, padding="same", activation=tf.nn.elu, name="conv2")
    net = tf.layers.conv2d(net, 4, 3, padding="same", activation=tf.nn.relu6, name="conv3")
    net = tf.reduce_mean(net, axis=[1, 2])
    net = tf.layers.dropout(net, rate=params["dropout"], training=training, seed=7)
    return tf.layers.dense(net, 3, name="logits")


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    logits = network(features["image"], params, training)
    predictions = {"probabilities": tf.nn.softmax(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    onehot = tf.one_hot(labels, 3)
    loss = tf.losses.softmax_cross_entropy(
        onehot, logits, label_smoothing=params["label_smoothing"]
    )
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    step = tf.train.get_global_step()
    rate = tf.train.exponential_decay(params["rate"], step, 10, 0.9)
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    gradients, _ = tf.clip_by_global_norm(gradients, 0.05)
    train_op = optimizer.apply_gradients(zip(gradients, variables), global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

POOL = 'net = tf.layers.max_pooling2d(net, 2, 2, name="pool1")'
CONV1 = 'net = tf.layers.conv2d(image, 4, 3, padding="same", activation=tf.nn.relu, name="conv1")'
CONV2 = 'net = tf.layers.conv2d(net, 4, 3, padding="same", activation=tf.nn.elu, name="conv2")'
CONV3 = 'net = tf.layers.conv2d(net, 4, 3, padding="same", activation=tf.nn.relu6, name="conv3")'
LOSS = "loss = tf.losses.softmax_cross_entropy("
CLIP = "gradients, _ = tf.clip_by_global_norm(gradients, 0.05)"
LOGITS = 'logits = network(features["image"], params, training)'

MODEL = Model(
    id="convolution",
    source=SOURCE,
    params={"dropout": 0.3, "label_smoothing": 0.1, "rate": 0.05},
    edits=(
        silent(
            "conv-activation",
            "activation",
            MODES,
            ("tf.nn.elu", "tf.nn.tanh"),
            ("elu", "tanh"),
        ),
        silent(
            "conv-activation-gone",
            "activation",
            MODES,
            ("activation=tf.nn.relu6", "activation=None"),
            ("relu6", ""),
        ),
        silent(
            "conv-padding",
            "padding",
            MODES,
            (CONV3, CONV3.replace("same", "valid")),
            ("same", "valid"),
        ),
        silent(
            "conv-dilation",
            "dilation",
            MODES,
            (CONV3, CONV3.replace("padding", "dilation_rate=2, padding")),
            ("", "2|SpaceToBatchND"),
        ),
        silent(
            "conv-strides",
            "strides",
            MODES,
            (CONV2, CONV2.replace("padding", "strides=2, padding")),
            ("1", "2"),
        ),
        silent(
            "conv-pool-kind",
            "pooling",
            MODES,
            (POOL, POOL.replace("max_", "average_")),
            ("MaxPool|max pool", "AvgPool|average pool"),
        ),
        silent(
            "conv-pool-size",
            "pooling",
            MODES,
            (POOL, POOL.replace("2, 2", "3, 2")),
            ("2", "3"),
        ),
        silent(
            "conv-layers-swapped",
            "layers swapped",
            MODES,
            (
                ('"conv2"', '"@"'),
                ('"conv3"', '"conv2"'),
                ('"@"', '"conv3"'),
            ),
            ("conv2|conv3", "conv2|conv3"),
        ),
        silent(
            "conv-global-max",
            "reduction",
            MODES,
            ("tf.reduce_mean(net", "tf.reduce_max(net"),
            ("mean", "max"),
        ),
        silent(
            "conv-layer-inserted",
            "layer inserted",
            MODES,
            (POOL, POOL + "\n    net = tf.nn.lrn(net)"),
            ("", "LRN"),
        ),
        param("conv-dropout", "dropout rate", TRAINED, {"dropout": 0.5}, ("0.3", "0.5")),
        silent(
            "conv-dropout-in-predict",
            "dropout always on",
            ("predict", "eval"),
            ("training=training, seed=7", "training=True, seed=7"),
            comparable=False,
        ),
        silent(
            "conv-dropout-gone",
            "dropout removed",
            TRAINED,
            ('rate=params["dropout"], training=training', "rate=0.0, training=training"),
            ("0.3|dropout", ""),
        ),
        param(
            "conv-label-smoothing",
            "label smoothing",
            SCORED,
            {"label_smoothing": 0.2},
            ("0.1|0.9", "0.2|0.8"),
        ),
        param("conv-rate", "learning rate", TRAINED, {"rate": 0.1}, ("0.05", "0.1")),
        silent(
            "conv-decay-steps",
            "schedule",
            TRAINED,
            ("step, 10, 0.9", "step, 20, 0.9"),
            ("10", "20"),
        ),
        silent(
            "conv-decay-staircase",
            "schedule",
            TRAINED,
            ("step, 10, 0.9", "step, 10, 0.9, staircase=True"),
            ("", "floor|staircase|decay"),
        ),
        silent(
            "conv-momentum",
            "momentum",
            TRAINED,
            ("MomentumOptimizer(rate, 0.9)", "MomentumOptimizer(rate, 0.5)"),
            ("0.9", "0.5"),
        ),
        silent(
            "conv-nesterov",
            "momentum",
            TRAINED,
            ("MomentumOptimizer(rate, 0.9)", "MomentumOptimizer(rate, 0.9, use_nesterov=True)"),
            ("false", "true"),
        ),
        silent("conv-clip", "gradient clipping", TRAINED, ("0.05)", "0.01)"), ("0.05", "0.01")),
        silent(
            "conv-clip-gone",
            "gradient clipping",
            TRAINED,
            (CLIP, "pass"),
            ("0.05|norm|clip", ""),
        ),
        silent(
            "conv-l2",
            "regularization",
            SCORED,
            (
                "    if mode == tf.estimator.ModeKeys.EVAL:",
                "    kernel = tf.trainable_variables()[0]\n"
                "    loss += 0.01 * tf.nn.l2_loss(kernel)\n"
                "    if mode == tf.estimator.ModeKeys.EVAL:",
            ),
            ("", "L2Loss|L2"),
        ),
        silent(
            "conv-flipped-input",
            "preprocessing",
            MODES,
            (LOGITS, LOGITS.replace('features["image"]', 'tf.reverse(features["image"], [2])')),
            ("", "reverse"),
        ),
        silent(
            "conv-two-at-once",
            "several edits",
            MODES,
            (
                ("tf.nn.elu", "tf.nn.selu"),
                ("MomentumOptimizer(rate, 0.9)", "MomentumOptimizer(rate, 0.8)"),
            ),
            ("elu", "selu"),
            ("0.9", "0.8"),
        ),
        silent(
            "conv-predict-only-temperature",
            "predict only",
            ("predict",),
            ("tf.nn.softmax(logits)", "tf.nn.softmax(logits / 2.0)"),
            comparable=False,
        ),
        innocent(
            "conv-identity",
            "identity",
            (LOGITS, LOGITS + "\n    logits = tf.identity(logits, name='final')"),
        ),
        innocent(
            "conv-renamed-pool",
            "op name",
            (POOL, POOL.replace("pool1", "downsampled")),
        ),
        innocent(
            "conv-summaries",
            "summary",
            (
                "    rate = tf.train.exponential_decay",
                "    tf.summary.scalar('loss', loss)\n"
                "    tf.summary.histogram('logits', logits)\n"
                "    rate = tf.train.exponential_decay",
            ),
        ),
        innocent(
            "conv-device",
            "device",
            (LOGITS, "with tf.device('/cpu:0'):\n        " + LOGITS),
        ),
        innocent(
            "conv-seed",
            "seed",
            ("seed=7", "seed=8"),
            random=True,
        ),
        innocent(
            "conv-initializer",
            "initializer",
            (CONV2, CONV2.replace("padding", "kernel_initializer=tf.zeros_initializer(), padding")),
        ),
    ),
)
