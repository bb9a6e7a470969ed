"""The cases in which comparing names and shapes gives the wrong answer.

Most of these cases train their own checkpoint, after the edits in `before`, because it matters how
a checkpoint was written. As in cases.py, the real Estimator says what is right.
"""

from dataclasses import replace
from typing import List, Tuple

from . import edits as e
from .cases import FAILS, INPUT_FN, RESTORES, Case

NO_SAVER = "    return None"
NAMES = "{v.op.name: v for v in tf.global_variables()}"


def _saver(expression: str) -> Tuple[e.Edit, ...]:
    """Every mode has this saver, already during the training."""
    return (e.replace(NO_SAVER, "    return " + expression),)


MORE_UNITS = (e.set_params(units=7),)
RENAMED = (e.replace('name="hidden"', 'name="dense"'),)
DICT = "tf.train.Saver({'m/' + v.op.name: v for v in tf.global_variables()})"
RESHAPE = "tf.train.Saver(tf.global_variables(), reshape=True)"
SHARDED = "tf.train.Saver(sharded=True)"
V1_FORMAT = "tf.train.Saver(write_version=tf.train.SaverDef.V1)"
V1_SHARDS = "tf.train.Saver(sharded=True, write_version=tf.train.SaverDef.V1)"
WEIGHTS = "tf.train.Saver(tf.trainable_variables() + [tf.train.get_global_step()])"
WEIGHTS_ONLY = "tf.train.Saver(tf.trainable_variables())"
FULL = "    return tf.train.Scaffold(saver=make_saver(params))"


def _scaffold(expression: str) -> e.Edit:
    return e.replace(FULL, "    return tf.train.Scaffold(" + expression + ")")


REST = "[v for v in tf.global_variables() if v not in tf.trainable_variables()]"
UNCHECKED = (
    "    size = tf.get_variable('size', initializer=tf.ones([params['units']]),\n"
    "                           trainable=False, validate_shape=False, use_resource={})\n"
    "    hidden = tf.layers.dense(x, params['units'], name='hidden') + tf.reduce_sum(size)\n"
)
HIDDEN = '    hidden = tf.layers.dense(x, params["units"], name="hidden")\n'
PARTITIONED = (
    "    with tf.variable_scope('', partitioner=tf.fixed_size_partitioner({shards})"
    ", use_resource={resource}):\n"
    "        hidden = tf.layers.dense(x, params['units'], name='hidden')\n"
)


def _partitioned(shards: int, resource: bool = False) -> e.Edit:
    return e.replace(HIDDEN, PARTITIONED.format(shards=shards, resource=resource))


TWO_SAVERS = (
    "    first = tf.train.Saver(tf.trainable_variables())\n"
    "    tf.add_to_collection(tf.GraphKeys.SAVERS, first)\n"
    "{}"
    "    return None"
)

SAVERS: List[Case] = [
    Case("saver-default", "saving", expect={1: RESTORES, 2: RESTORES}),
    Case("saver-default-renamed", "saving", RENAMED, expect={1: FAILS, 2: FAILS}),
    Case("saver-dict", "saving", before=_saver(DICT)),
    Case("saver-dict-more-units", "saving", MORE_UNITS, before=_saver(DICT)),
    Case("saver-dict-renamed", "saving", RENAMED, before=_saver(DICT)),
    Case("saver-dict-no-more", "saving", (e.replace(DICT, "None"),), before=_saver(DICT)),
    Case("saver-dict-at-last", "saving", _saver(DICT)),
    Case("saver-reshape", "saving", before=_saver(RESHAPE)),
    Case(  # another shape with the same number of values, which reshape=True accepts
        "saver-reshape-reshaped",
        "saving",
        (e.resize_variable("hidden/kernel", 6, 4),),
        before=_saver(RESHAPE),
    ),
    Case("saver-reshape-more-units", "saving", MORE_UNITS, before=_saver(RESHAPE)),
    Case("saver-sharded", "saving", before=_saver(SHARDED)),
    Case("saver-sharded-renamed", "saving", RENAMED, before=_saver(SHARDED)),
    Case("saver-v1-format", "saving", before=_saver(V1_FORMAT)),
    Case("saver-v1-format-renamed", "saving", RENAMED, before=_saver(V1_FORMAT)),
    Case("saver-v1-format-more-units", "saving", MORE_UNITS, before=_saver(V1_FORMAT)),
    Case("saver-v1-shards", "saving", before=_saver(V1_SHARDS)),
    Case("saver-v1-shards-more-units", "saving", MORE_UNITS, before=_saver(V1_SHARDS)),
    Case(
        "saver-v1-format-no-more",
        "saving",
        (e.replace(V1_FORMAT, "None"),),
        before=_saver(V1_FORMAT),
    ),
    Case(
        "saver-two",
        "saving",
        (e.replace(NO_SAVER, TWO_SAVERS.format(TWO_SAVERS.partition("{}")[0])),),
    ),
    Case("saver-one-in-collection", "saving", (e.replace(NO_SAVER, TWO_SAVERS.format("")),)),
    Case("saver-weights", "saving", before=_saver(WEIGHTS)),
    Case("saver-weights-no-more", "saving", (e.replace(WEIGHTS, "None"),), before=_saver(WEIGHTS)),
    Case(
        "saver-weights-only",
        "saving",
        (e.replace(WEIGHTS_ONLY, "None"),),
        before=_saver(WEIGHTS_ONLY),
    ),
    Case(
        "saver-weights-rest-by-init-fn",
        "saving",
        (
            _scaffold(
                "saver=" + WEIGHTS_ONLY + ", init_fn=lambda _, session: session.run("
                f"tf.variables_initializer({REST}))"
            ),
        ),
    ),
    Case(
        "saver-weights-rest-by-local-init",
        "saving",
        (
            _scaffold(
                "saver=" + WEIGHTS_ONLY + f", local_init_op=tf.variables_initializer({REST}), "
                "ready_for_local_init_op=tf.constant([], tf.string)"
            ),
        ),
    ),
    Case(
        "saver-weights-rest-by-local-init-not-ready",
        "saving",
        (_scaffold("saver=" + WEIGHTS_ONLY + f", local_init_op=tf.variables_initializer({REST})"),),
    ),
    Case(
        "saver-weights-ready-ops-empty",
        "saving",
        (
            _scaffold(
                "saver=" + WEIGHTS_ONLY + ", ready_op=tf.constant([], tf.string), "
                "ready_for_local_init_op=tf.constant([], tf.string)"
            ),
        ),
    ),
    Case(
        "saver-all-initialized-again",
        "saving",
        (_scaffold("local_init_op=tf.variables_initializer(tf.trainable_variables())"),),
    ),
    Case(
        "saver-half-initialized-again",
        "saving",
        (
            _scaffold(
                "local_init_op=tf.group(tf.local_variables_initializer(), "
                "tf.trainable_variables()[0].initializer)"
            ),
        ),
    ),
]

SHAPES: List[Case] = [
    Case(
        f"unchecked-shape-{kind}{name}",
        "saving",
        edits,
        before=(e.replace(HIDDEN, UNCHECKED.format(kind == "resource")),),
    )
    for kind in ("reference", "resource")
    for name, edits in (
        ("", ()),
        ("-resized", (e.resize_variable("size", 9),)),
        ("-cast", (e.cast_variable("size", "float64"),)),
    )
] + [
    Case("partitions-none-to-three", "saving", (_partitioned(3),)),
    Case("partitions-none-to-three-resource", "saving", (_partitioned(3, True),)),
    Case("partitions-none-to-three-more-units", "saving", (_partitioned(3), *MORE_UNITS)),
    Case(
        "partitions-none-to-three-resource-more-units",
        "saving",
        (_partitioned(3, True), *MORE_UNITS),
    ),
    Case(
        "partitions-three-to-none",
        "saving",
        (e.replace("fixed_size_partitioner(3)", "fixed_size_partitioner(1)"),),
        before=(_partitioned(3),),
    ),
    Case(
        "partitions-three-to-none-more-units",
        "saving",
        (
            e.replace(PARTITIONED.format(shards=3, resource=True), HIDDEN),
            *MORE_UNITS,
        ),
        before=(_partitioned(3, True),),
    ),
]

OBJECTS: List[Case] = [
    Case("objects-unchanged", "objects", expect={1: RESTORES, 2: RESTORES}),
    Case("objects-table-renamed", "objects", (e.replace('"seen"', '"known"'),)),
    Case(
        "objects-table-other-dtype",
        "objects",
        (e.replace("VALUE_DTYPE = tf.int64", "VALUE_DTYPE = tf.float32"),),
    ),
    Case(
        "objects-table-of-vectors",
        "objects",
        (
            e.replace("DEFAULT = 0", "DEFAULT = [0, 0]"),
            e.replace("VALUE_DTYPE))\n    with", "VALUE_DTYPE)[:, None] * [1, 1])\n    with"),
            e.replace("known[0]", "known[0][0]"),
        ),
    ),
    Case("objects-saveable-renamed", "objects", (e.replace('"offset_rounded"', '"offset"'),)),
    Case("objects-saveable-resized", "objects", (e.resize_variable("offset_rounded", 5),)),
    Case("objects-saveable-cast", "objects", (e.cast_variable("offset_rounded", "int64"),)),
]

INPUTS = '    return dataset.repeat() if mode == "train" else dataset\n'
SAVED_ITERATOR = """\
    dataset = dataset.repeat() if mode == "train" else dataset
    iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
    keys = tf.compat.v1.GraphKeys
    tf.compat.v1.add_to_collection(keys.TABLE_INITIALIZERS, iterator.initializer)
    saveable = tf.data.experimental.make_saveable_from_iterator(iterator)
    tf.compat.v1.add_to_collection(keys.SAVEABLE_OBJECTS, saveable)
    return iterator.get_next()
"""

ITERATORS: List[Case] = [
    Case(
        "iterator-saved",
        "saving",
        before=(e.replace_input(INPUTS, SAVED_ITERATOR),),
        asked=INPUT_FN,
    ),
    Case(
        "iterator-saved-at-last",
        "saving",
        (e.replace_input(INPUTS, SAVED_ITERATOR),),
        asked=INPUT_FN,
    ),
    Case(
        "iterator-no-more",
        "saving",
        (e.replace_input(SAVED_ITERATOR, INPUTS),),
        before=(e.replace_input(INPUTS, SAVED_ITERATOR),),
    ),
]

_RESOURCES = "    with tf.variable_scope('', use_resource=True):\n        "
_IMAGE = "tf.reshape(x, [-1, 1, 1, 4])"
_NORMALIZED = "tf.layers.batch_normalization({}, center=False, fused=True, name='norm')"
_FUSED = {
    "dense": _RESOURCES + HIDDEN.strip() + "\n",
    "relu": _RESOURCES + HIDDEN.strip().replace(", name", ", tf.nn.relu, name") + "\n",
    "sum": (
        "    kernel = tf.get_variable('hidden/kernel', [4, params['units']], use_resource=True)\n"
        "    bias = tf.get_variable('hidden/bias', [params['units']], use_resource=True)\n"
        "    hidden = tf.matmul(x, kernel) + bias\n"
    ),
    "used-twice": (
        _RESOURCES
        + HIDDEN.strip()
        + "\n    hidden += tf.get_default_graph().get_tensor_by_name('hidden/MatMul:0')\n"
    ),
    "convolution": (
        f"{_RESOURCES}hidden = tf.layers.conv2d({_IMAGE}, params['units'], 1, name='hidden')\n"
        "    hidden = tf.layers.flatten(hidden)\n"
    ),
    "one-axis": (
        f"{_RESOURCES}hidden = tf.layers.conv1d(tf.reshape(x, [-1, 1, 4]), params['units'], 1,\n"
        "            name='hidden')\n"
        "    hidden = tf.layers.flatten(hidden)\n"
    ),
    "normalized-later": (
        f"{_RESOURCES}hidden = tf.layers.conv2d({_IMAGE}, params['units'], 1)\n"
        f"        hidden = {_NORMALIZED.format('hidden')}\n"
        "    hidden = tf.layers.flatten(hidden)\n"
    ),
    "normalized": (
        f"{_RESOURCES}hidden = tf.layers.conv2d({_IMAGE}, params['units'], 1, use_bias=False)\n"
        f"        hidden = {_NORMALIZED.format('hidden')}\n"
        "    hidden = tf.layers.flatten(hidden)\n"
    ),
}


def _fused(kind: str, *shape: int) -> Case:
    """The graph optimizer fuses an op with a product; the checkpoint has another shape."""
    name = "norm/gamma" if kind.startswith("normalized") else "hidden/bias"
    return Case(
        "fused-{}-{}".format(kind, "-".join(map(str, shape))),
        "saving",
        (e.resize_variable(name, *shape),),
        before=(e.replace(HIDDEN, _FUSED[kind]),),
    )


#: A conv1d: its kernel gets one more axis before the bias is added. The next op accepts any number
#: of filters.
ONE_AXIS = (
    "    hidden = tf.layers.conv1d(tf.reshape(x, [-1, 2, 2]), params['units'], 1, name='hidden')\n"
    "    hidden = tf.reduce_max(hidden, 2)\n"
)

FUSED: List[Case] = [
    *(
        _fused(kind, *shape)
        for kind in ("dense", "relu", "sum", "used-twice", "normalized", "normalized-later")
        for shape in ((3,), (7,), (1,), (1, 6))
    ),
    *(_fused(kind, size) for kind in ("convolution", "one-axis") for size in (1, 3)),
    Case(
        "fused-one-axis-more-filters", "saving", MORE_UNITS, before=(e.replace(HIDDEN, ONE_AXIS),)
    ),
]

CUDNN = "tf.contrib.cudnn_rnn.CudnnCompatible{}Cell(params['units'])"
RECURRENT = (
    "    steps = tf.unstack(tf.reshape(x, [-1, 2, 2]), axis=1)\n"
    "    cell = " + CUDNN.format("LSTM") + "\n"
    "    hidden = tf.nn.static_rnn(cell, steps, dtype=tf.float32)[0][-1]\n"
)
PLAIN_CELL = "tf.nn.rnn_cell.LSTMCell(params['units'])"

#: tf.contrib is in TensorFlow 1 only.
CONTRIB: List[Case] = [
    Case("cudnn-unchanged", "saving", before=(e.replace(HIDDEN, RECURRENT),), major=1),
    Case("cudnn-more-units", "saving", MORE_UNITS, before=(e.replace(HIDDEN, RECURRENT),), major=1),
    Case(
        "cudnn-plain-cell",
        "saving",
        (e.replace(CUDNN.format("LSTM"), PLAIN_CELL),),
        before=(e.replace(HIDDEN, RECURRENT),),
        major=1,
    ),
]

#: In TensorFlow 2, a loop is a function. Only ops in this function contradict a restored shape.
CELL_IN_LOOP = (
    "    steps = tf.reshape(x, [-1, 2, 2])\n"
    "    cell = tf.nn.rnn_cell.LSTMCell(params['units'])\n"
    "    state = tf.nn.dynamic_rnn(cell, steps, dtype=tf.float32)[1]\n"
    "    hidden = tf.reduce_sum(state[1], 1, keepdims=True)\n"
)
SUM_IN_LOOP = (
    "    scale = tf.get_variable('scale', [params['units']], use_resource=True)\n"
    "    first = [0, tf.reduce_sum(x, 1, keepdims=True)]\n"
    "    more = lambda i, total: (i + 1, total + tf.reduce_sum(scale))\n"
    "    hidden = tf.while_loop(lambda i, total: i < 3, more, first)[1]\n"
)
LOOPS: List[Case] = [
    Case(
        "loop-{}-{}".format(name, "more-units" if edits else "unchanged"),
        "saving",
        edits,
        before=(e.replace(HIDDEN, code),),
    )
    for name, code in (("cell", CELL_IN_LOOP), ("sum", SUM_IN_LOOP))
    for edits in ((), MORE_UNITS)
]

_TO_ONE = "    hidden = tf.reduce_max(hidden, 1, keepdims=True)\n"
_OUTPUTS = (
    "    cell = tf.nn.rnn_cell.BasicRNNCell(3)\n"
    "    outputs = tf.nn.dynamic_rnn(cell, tf.reshape(x, [-1, 2, 2]), dtype=tf.float32)[0]\n"
)
_DENSE = f"{_RESOURCES}{HIDDEN.strip()}\n"
_PYTHON = "tf.py_func(lambda value: value, [{}], tf.float32)"
"""An op that a dry run must not execute."""
#: Cases that only a dry run decides: the optimizer drops ops, kernels compute sizes, or ops are in
#: branches and loops.
DRY_RUN: List[Case] = [
    Case(f"dry-run-{name}", "saving", MORE_UNITS, before=(e.replace(HIDDEN, code + _TO_ONE),))
    for name, code in (
        (
            "reshape-to-the-same",
            f"{_RESOURCES}{HIDDEN.strip()}\n"
            "    hidden = tf.reshape(hidden, [-1, params['units']])\n",
        ),
        (
            "every-position",
            f"{_OUTPUTS}{_RESOURCES}hidden = tf.layers.dense(outputs, params['units'],\n"
            "            use_bias=False, name='hidden')\n"
            "    hidden = tf.reduce_max(hidden, 2)\n",
        ),
        (
            "branches",
            "    scale = tf.get_variable('scale', [params['units']], use_resource=True)\n"
            "    wide = tf.tile(x[:, :1], [1, params['units']])\n"
            "    hidden = tf.cond(tf.reduce_sum(x) > 1e9, lambda: wide * scale,"
            " lambda: wide + scale)\n",
        ),
        (
            "mapped-rows",
            "    scale = tf.get_variable('scale', [params['units']], use_resource=True)\n"
            "    wide = tf.tile(x[:, :1], [1, params['units']])\n"
            "    hidden = tf.map_fn(lambda row: row * scale, wide)\n",
        ),
        (
            "row-looked-up",
            "    table = tf.get_variable('table', [9, params['units']], use_resource=True)\n"
            "    row = tf.cast(tf.abs(x[:, 0]) * 8, tf.int32)\n"
            "    hidden = tf.nn.embedding_lookup(table, row)\n",
        ),
        ("python-before", f"    x = {_PYTHON.format('x')}\n    x.set_shape([None, 4])\n{_DENSE}"),
        (
            "python-after",
            f"{_DENSE}    hidden = {_PYTHON.format('hidden')}\n"
            "    hidden.set_shape([None, params['units']])\n",
        ),
        (
            "python-of-what-raises",
            f"{_DENSE}    hidden = hidden * tf.ones([params['units']])\n"
            f"    hidden = {_PYTHON.format('hidden')}\n"
            "    hidden.set_shape([None, params['units']])\n",
        ),
        (
            "python-waited-for",
            f"{_DENSE}    with tf.control_dependencies([{_PYTHON.format('x')}]):\n"
            "        hidden = tf.identity(hidden)\n",
        ),
    )
]

ESTIMATOR = "make_estimator"


def _canned(constructor: str) -> e.Edit:
    """Use another canned Estimator."""
    old = (
        "    return tf.estimator.DNNClassifier(\n"
        "        hidden_units,\n"
        "        [*dense, tf.feature_column.embedding_column(tag, 2)],\n"
        "        model_dir,\n"
        "        classes,\n"
        "        config=config,\n"
        "    )\n"
    )
    return e.replace(old, "    return " + constructor + "\n")


LINEAR = "tf.estimator.LinearClassifier([*dense, tag], model_dir, classes, config=config)"
BASELINE = "tf.estimator.BaselineClassifier(model_dir, classes, config=config)"
COMBINED = (
    "tf.estimator.DNNLinearCombinedClassifier(model_dir, linear_feature_columns=[tag], "
    "dnn_feature_columns=[*dense, tf.feature_column.embedding_column(tag, 2)], "
    "dnn_hidden_units=hidden_units, n_classes=classes, config=config)"
)
METRICS = (
    "tf.estimator.add_metrics("
    "tf.estimator.DNNClassifier(hidden_units, dense, model_dir, classes, config=config), "
    "lambda features, labels, predictions: "
    "{'seen': tf.metrics.mean(tf.cast(labels, tf.float32))})"
)
WRAPPED = (
    "_wrapped(tf.estimator.DNNClassifier(hidden_units, dense, model_dir, classes, config=config))"
)
WRAPPER = """

def _wrapped(inner):
    def model_fn(features, labels, mode, config):
        with tf.variable_scope("inner"):
            spec = inner.model_fn(features, labels, mode, config)
        tf.get_variable("outer", [2], trainable=False)
        return spec

    return tf.estimator.Estimator(model_fn, inner.model_dir, inner.config)
"""
FEWER_BUCKETS = (e.set_params(buckets=5),)
MORE_HIDDEN = (e.set_params(hidden_units=[6, 4]),)
FEWER_HIDDEN = (e.set_params(hidden_units=[6]),)


def _library(name: str, before: Tuple[e.Edit, ...], **edits: Tuple[e.Edit, ...]) -> List[Case]:
    return [Case(f"{name}-unchanged", "canned", before=before, function=ESTIMATOR)] + [
        Case(f"{name}-{what.replace('_', '-')}", "canned", made, before=before, function=ESTIMATOR)
        for what, made in edits.items()
    ]


TREES = (
    "tf.estimator.BoostedTreesClassifier([tf.feature_column.indicator_column(tag)], 1, model_dir, "
    "2, max_depth=2, config=config)"
)

LIBRARIES: List[Case] = (
    _library("dnn", (), more_hidden=MORE_HIDDEN, fewer_hidden=FEWER_HIDDEN, buckets=FEWER_BUCKETS)
    + _library("linear-classifier", (_canned(LINEAR),), buckets=FEWER_BUCKETS)
    + _library("baseline", (_canned(BASELINE),), classes=(e.set_params(classes=4),))
    + _library("combined", (_canned(COMBINED),), buckets=FEWER_BUCKETS, more_hidden=MORE_HIDDEN)
    + _library("metrics", (_canned(METRICS),), more_hidden=MORE_HIDDEN)
    + _library(
        "wrapped",
        (_canned(WRAPPED), e.append(WRAPPER)),
        renamed=(e.replace('"inner"', '"core"'),),
        more=(e.replace('"outer", [2]', '"outer", [3]'),),
    )
)

TPU_TRAIN = "tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op"
SCAFFOLD_FN = (
    TPU_TRAIN,
    TPU_TRAIN + ", scaffold_fn=lambda: tf.train.Scaffold(saver=tf.train.Saver("
    "tf.trainable_variables() + [tf.train.get_global_step()]), "
    "ready_op=tf.constant([], tf.string), ready_for_local_init_op=tf.constant([], tf.string), "
    "local_init_op=tf.variables_initializer([v for v in tf.global_variables() "
    "if v not in tf.trainable_variables() and v is not tf.train.get_global_step()]))",
)
HOST_CALL = (
    TPU_TRAIN,
    TPU_TRAIN + ", host_call=(lambda x: [tf.get_variable('seen', [], trainable=False).assign_add("
    "tf.reduce_sum(x))], [tf.reshape(loss, [1])])",
)
EVAL_TOO = (e.replace("train_distribute=", "eval_distribute=strategy, train_distribute="),)
TWO_DEVICES = (e.replace('["/cpu:0"]', '["/cpu:0", "/cpu:1"]'),)

HEADS = (
    "tf.estimator.DNNEstimator(tf.estimator.MultiHead(["
    "tf.estimator.BinaryClassHead(name='sort'), tf.estimator.RegressionHead(name='size')]), "
    "hidden_units, dense, model_dir=model_dir, config=config)"
)
TWO_LABELS = e.replace_input(
    "    dataset = tf.data",
    '    labels = {"sort": labels, "size": labels.astype(np.float32)}\n    dataset = tf.data',
)

HEADED: List[Case] = [
    replace(case, module="model_native", major=2)
    for case in _library("multi-head", (_canned(HEADS), TWO_LABELS), more_hidden=MORE_HIDDEN)
]

BOOSTED: List[Case] = [
    replace(case, major=1)
    for case in _library(
        "boosted-trees",
        (_canned(TREES),),
        more=(e.set_params(buckets=12),),
    )
]

NATIVE: List[Case] = [
    Case(f"native-{case.id}", "canned", case.edits, module="model_native", function=ESTIMATOR)
    for case in LIBRARIES
    if case.id.startswith("dnn-")
]

LAUNCHES: List[Case] = [
    Case("tpu-unchanged", "tpu"),
    Case("tpu-more-units", "tpu", MORE_UNITS),
    Case("tpu-renamed", "tpu", RENAMED),
    Case("tpu-estimator", "tpu", function=ESTIMATOR),
    Case("tpu-estimator-more-units", "tpu", MORE_UNITS, function=ESTIMATOR),
    Case("tpu-estimator-renamed", "tpu", RENAMED, function=ESTIMATOR),
    Case("tpu-scaffold-fn", "tpu", before=(e.replace(*SCAFFOLD_FN),)),
    Case("tpu-scaffold-fn-at-last", "tpu", (e.replace(*SCAFFOLD_FN),)),
    Case("tpu-host-call", "tpu", before=(e.replace(*HOST_CALL),), function=ESTIMATOR),
    Case("tpu-host-call-renamed", "tpu", RENAMED, before=(e.replace(*HOST_CALL),)),
    Case("tpu-batch-size-given", "tpu", (e.set_params(batch_size=8),)),
    Case("mirrored-unchanged", "mirrored"),
    Case("mirrored-more-units", "mirrored", MORE_UNITS),
    Case("mirrored-renamed", "mirrored", RENAMED),
    Case("mirrored-estimator", "mirrored", function=ESTIMATOR),
    Case("mirrored-eval", "mirrored", before=EVAL_TOO, function=ESTIMATOR),
    Case("mirrored-eval-more-units", "mirrored", MORE_UNITS, before=EVAL_TOO, function=ESTIMATOR),
    Case("mirrored-two", "mirrored", before=TWO_DEVICES),
    Case(  # ckptcheck does not trace how 2.15 sums the gradients of two replicas
        "mirrored-two-more-units",
        "mirrored",
        MORE_UNITS,
        before=TWO_DEVICES,
        function=ESTIMATOR,
        data_decides=True,
    ),
    Case("mirrored-estimator-more-units", "mirrored", MORE_UNITS, function=ESTIMATOR),
    Case("mirrored-estimator-renamed", "mirrored", RENAMED, function=ESTIMATOR),
]

EXPORTS: List[Case] = [
    Case("export-unchanged", "saving", exports=True),
    Case("export-renamed", "saving", RENAMED, exports=True),
    Case("export-more-units", "saving", MORE_UNITS, exports=True),
    Case("export-saver-dict", "saving", before=_saver(DICT), exports=True),
    Case(
        "export-saver-dict-no-more",
        "saving",
        (e.replace(DICT, "None"),),
        before=_saver(DICT),
        exports=True,
    ),
    Case(
        "export-saver-of-a-part",
        "saving",
        (_scaffold("saver=tf.train.Saver(tf.trainable_variables()[:2])"),),
        exports=True,
    ),
    Case(
        "export-saver-deferred",
        "saving",
        (_scaffold("saver=tf.train.Saver(defer_build=True)"),),
        exports=True,
    ),
    Case(
        "export-initialized-again",
        "saving",
        (_scaffold("local_init_op=tf.variables_initializer(tf.trainable_variables())"),),
        exports=True,
    ),
    Case(
        "export-ready-ops-empty",
        "saving",
        (
            _scaffold(
                "saver=" + WEIGHTS_ONLY + ", ready_op=tf.constant([], tf.string), "
                "ready_for_local_init_op=tf.constant([], tf.string)"
            ),
        ),
        exports=True,
    ),
    Case("export-ema", "ema", exports=True),
    Case("export-columns", "feature_columns", exports=True),
    Case("export-state-removed", "saving", (e.remove_files("checkpoint"),), exports=True),
    Case("export-state-missing-step", "saving", (e.state_missing_step,), exports=True),
    Case("export-index-garbage", "saving", (e.overwrite("*.index", b"garbage"),), exports=True),
]

KEYS = '("a", "b", "c")'
TENSORS = "    dataset = tf.data.Dataset.from_tensor_slices((features, y)).batch(8)\n"
BRANCHES = """\
    if not isinstance(features, dict):
        features = {"a": features, "b": features, "c": features}
    if isinstance(features["a"], tf.SparseTensor):
        features["a"] = tf.sparse.to_dense(features["a"])
    parts ="""
IN_TRAIN = "    extra = ('c',) if mode == tf.estimator.ModeKeys.TRAIN else ()\n    parts ="
BY_ITEMS = "[tf.layers.dense(x, 3) for _, x in sorted(features.items())]"
BY_NAMED_ITEMS = "[tf.layers.dense(x, 3, name=key) for key, x in sorted(features.items())]"
BY_ITERATION = "[tf.layers.dense(features[key], 3) for key in sorted(features)]"
BY_KEY = '[tf.layers.dense(features[key], 3, name=key) for key in ("a", "b", "c")]'


def _sizes(*sizes: int) -> e.Edit:
    """The features have vectors of these lengths."""
    new = "".join(
        f'    features["{key}"] = features["{key}"][:, :{size}]\n'
        for key, size in zip("abc", sizes)
    )
    return e.replace_input(TENSORS, new + TENSORS)


def _inputs(code: str) -> e.Edit:
    return e.replace_input(TENSORS, code + TENSORS)


IN_FEATURES = (
    _inputs('    features["y"] = y\n'),
    e.replace_input("from_tensor_slices((features, y))", "from_tensor_slices(features)"),
    e.replace("mean_squared_error(labels,", "mean_squared_error(features['y'],"),
)

#: Estimator gives the model_fn a dict. "if labels:" raises no error for a dict.
LABELS_IF_ANY = (
    e.replace_input("((features, y))", "((features, {'first': y, 'second': y}))"),
    e.replace("mean_squared_error(labels,", "mean_squared_error(labels['first'] if labels else 0,"),
)

ONE_TENSOR = (
    e.replace_input("((features, y))", "((x[0], {'first': y, 'second': y}))"),
    e.replace(BY_KEY, "[tf.layers.dense(features, 3)]"),
    e.replace("mean_squared_error(labels,", "mean_squared_error(labels['first'],"),
)
LABELS_OF_EVAL = (
    e.replace(
        "    loss = tf.losses.mean_squared_error(labels, predictions)\n",
        "    wanted = tf.zeros_like(predictions) if mode == 'train' else labels\n"
        "    loss = tf.losses.mean_squared_error(wanted, predictions)\n",
    ),
)

LOOKALIKES: List[Case] = [
    Case("lookalikes-unchanged", "lookalikes", expect={1: RESTORES, 2: RESTORES}),
    Case("lookalikes-other-order", "lookalikes", (e.replace(KEYS, '("c", "a", "b")'),)),
    Case("lookalikes-one-dropped", "lookalikes", (e.replace(KEYS, '("a", "c")'),)),
    Case("lookalikes-one-renamed", "lookalikes", (e.replace("3, name=key", "3, name='x_' + key"),)),
    Case("lookalikes-sizes", "lookalikes", before=(_sizes(4, 2, 3),)),
    Case(
        "lookalikes-sizes-one-dropped",
        "lookalikes",
        (e.replace(KEYS, '("a", "c")'),),
        before=(_sizes(4, 2, 3),),
    ),
    Case(
        "lookalikes-sizes-other-order",
        "lookalikes",
        (e.replace(KEYS, '("c", "a", "b")'),),
        before=(_sizes(4, 2, 3),),
    ),
    Case("lookalikes-branches", "lookalikes", (e.replace("    parts =", BRANCHES),)),
    Case(
        "lookalikes-in-one-mode",
        "lookalikes",
        before=(e.replace("    parts =", IN_TRAIN), e.replace(KEYS, '("a", "b", *extra)')),
    ),
    Case(
        "lookalikes-in-one-mode-first",
        "lookalikes",
        before=(
            e.replace("    parts =", IN_TRAIN.replace("'c'", "'a'")),
            e.replace(KEYS, '("b", "c", *extra)'),
            _sizes(2, 3, 4),
        ),
    ),
    Case("lookalikes-labels-inside", "lookalikes", before=IN_FEATURES),
    Case(
        "lookalikes-labels-inside-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=IN_FEATURES,
    ),
    Case("lookalikes-labels-if-any", "lookalikes", before=LABELS_IF_ANY),
    Case(
        "lookalikes-labels-if-any-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=LABELS_IF_ANY,
    ),
    Case("lookalikes-keys", "lookalikes", before=(e.replace(BY_KEY, BY_ITERATION),)),
    Case(
        "lookalikes-keys-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=(e.replace(BY_KEY, BY_ITERATION),),
    ),
    Case("lookalikes-one-tensor", "lookalikes", before=ONE_TENSOR),
    Case(
        "lookalikes-one-tensor-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=ONE_TENSOR,
    ),
    Case("lookalikes-labels-of-eval-alone", "lookalikes", before=LABELS_OF_EVAL),
    Case(
        "lookalikes-labels-of-eval-alone-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=LABELS_OF_EVAL,
    ),
    Case(
        "lookalikes-metric-called-loss",
        "lookalikes",
        (
            e.replace(
                "        return tf.estimator.EstimatorSpec(mode, loss=loss)\n",
                "        metrics = {'loss': tf.metrics.mean(predictions)}\n"
                "        return tf.estimator.EstimatorSpec(mode, loss=loss,"
                " eval_metric_ops=metrics)\n",
            ),
        ),
    ),
    Case("lookalikes-no-meta", "lookalikes", (e.remove_files("*.meta"),)),
    Case("lookalikes-items", "lookalikes", before=(e.replace(BY_KEY, BY_ITEMS),)),
    Case(
        "lookalikes-items-renamed",
        "lookalikes",
        (e.replace('name="output"', 'name="last"'),),
        before=(e.replace(BY_KEY, BY_ITEMS),),
    ),
    Case(
        "lookalikes-predict-gets-fewer",
        "lookalikes",
        before=(
            _inputs(
                '    features["weight"] = x[0, :, :1]\n'
                '    if mode == "predict":\n        del features["weight"]\n'
            ),
            e.replace(
                "mean_squared_error(labels, predictions",
                "mean_squared_error(labels, predictions, features['weight']",
            ),
        ),
    ),
]

#: The keys cannot be found, but the names of the variables depend on them.
UNKNOWABLE = Case(
    "lookalikes-named-items", "lookalikes", before=(e.replace(BY_KEY, BY_NAMED_ITEMS),)
)
#: The features are a namedtuple, and the order of its fields is not known.
NAMEDTUPLE = Case(
    "saving-namedtuple",
    "saving",
    before=(
        e.replace_input(
            '({"x": x}, y)', '(__import__("collections").namedtuple("F", "x a")(x, y), y)'
        ),
        e.replace('features["x"]', "features.x * features.a"),
    ),
)

OTHER_KINDS: List[Case] = [
    Case("kind-saved-model-variables", "saving", (e.rename_checkpoint("variables"),)),
    Case("kind-without-step", "saving", (e.rename_checkpoint("model.ckpt"),)),
    Case("kind-keras-estimator", "keras_estimator", function=ESTIMATOR),
    Case(  # in 1.15, TRAIN also warm-starts from the Keras model; ckptcheck does not trace this
        "kind-keras-estimator-more-units",
        "keras_estimator",
        MORE_UNITS,
        function=ESTIMATOR,
        major=2,
    ),
    Case(  # this also renames the model's input, so only the input_fn has the real key
        "kind-keras-estimator-renamed",
        "keras_estimator",
        RENAMED,
        asked=INPUT_FN,
        function=ESTIMATOR,
    ),
    Case(
        "kind-keras-estimator-layer-added",
        "keras_estimator",
        (e.replace("    layers = [", "    layers = [tf.keras.layers.Dense(4, input_shape=(4,)),"),),
        asked=INPUT_FN,
        function=ESTIMATOR,
    ),
]

HARD_CASES: List[Case] = [
    *LOOKALIKES,
    *OTHER_KINDS,
    *SAVERS,
    *SHAPES,
    *FUSED,
    *ITERATORS,
    *CONTRIB,
    *LOOPS,
    *DRY_RUN,
    *OBJECTS,
    *LIBRARIES,
    *BOOSTED,
    *HEADED,
    *NATIVE,
    *LAUNCHES,
    *EXPORTS,
]
