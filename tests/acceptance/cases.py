"""The cases: a fixture, and the edits between the training run and the restore.

Most cases have no verdict here, because the real Estimator decides when the tests run. `expect` has
known verdicts, to test the oracle: predict / eval / train, by major version of TensorFlow.
"""

import os
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Tuple

from . import edits as e
from .workspace import MODELS


@dataclass(frozen=True)
class Case:
    """One fixture and the edits to its working copy."""

    id: str
    fixture: str
    #: The edits of the working copy after the training of its checkpoint.
    edits: Tuple[e.Edit, ...] = ()
    #: More arguments for ckptcheck: fields of its `CheckSpec`.
    asked: Mapping[str, Any] = field(default_factory=dict)
    #: "model" is TF 1 code: `import tensorflow`; "model_compat" imports tensorflow.compat.v1.
    module: str = "model"
    function: str = "model_fn"
    #: "v1": the launch script calls disable_v2_behavior().
    behavior: Optional[str] = None
    #: The behavior in the script that trained the checkpoint.
    behavior_before: Optional[str] = None
    #: Restore the checkpoint that the other major version of TensorFlow saved.
    other_version: bool = False
    expect: Mapping[int, str] = field(default_factory=dict)
    #: The values in the batch, and not the shapes, decide whether a run raises: an id may be beyond
    #: the end of a table. For such a case, `silent` and `fails at run` count as equal.
    data_decides: bool = False
    #: The edits before the training. If there are any, the test itself trains the checkpoint.
    before: Tuple[e.Edit, ...] = ()

    #: The only major version of TensorFlow that can run the case.
    major: Optional[int] = None
    #: Whether to export the model for serving, too. Its features must be a dict.
    exports: bool = False
    #: The code reads files by relative paths, so the check runs in the directory of the code.
    reads_files: bool = False

    @property
    def modes(self) -> Tuple[str, ...]:
        """The modes that are compared."""
        return ("predict", "eval", "train", "export")[: 4 if self.exports else 3]

    @property
    def trains(self) -> bool:
        """Whether the test itself trains the checkpoint."""
        return bool(self.before or self.behavior_before) or os.path.isdir(
            os.path.join(MODELS, self.fixture)
        )


def _all(verdict: str) -> str:
    return " / ".join([verdict] * 3)


RESTORES = _all("restores")
SILENT = _all("silent")
FAILS = _all("fails at restore")
UNTRACEABLE = _all("untraceable")
INPUT_FN = {"input_fn": "train:input_fn"}

PREDICT_SPEC = 'EstimatorSpec(mode, predictions={"y": predictions})'
EVAL_SPEC = "tf.estimator.EstimatorSpec(mode, loss=loss)"
DENSE = 'tf.layers.dense(features["x"], 1'


def _scaffold(arguments: str) -> Tuple[e.Edit, ...]:
    """Give PREDICT and EVAL of the linear fixture a Scaffold."""
    scaffold = f"scaffold=tf.train.Scaffold({arguments})"
    return (
        e.replace(PREDICT_SPEC, PREDICT_SPEC[:-1] + ", " + scaffold + ")"),
        e.replace(EVAL_SPEC, EVAL_SPEC[:-1] + ", " + scaffold + ")"),
    )


HOOK = """
class Counting(tf.train.SessionRunHook):
    def begin(self):
        self.count = tf.get_variable("batches_seen", [], trainable=False)

"""

LINEAR = [
    Case("linear-unchanged", "linear", expect={1: RESTORES, 2: RESTORES}),
    Case("linear-compat-unchanged", "linear", module="model_compat"),
    Case("linear-other-version", "linear", other_version=True),
    Case(
        "linear-other-version-v1",
        "linear",
        module="model_compat",
        behavior="v1",
        other_version=True,
    ),
    Case("linear-learning-rate", "linear", (e.set_params(learning_rate=0.5),)),
    Case("linear-two-outputs", "linear", (e.replace(DENSE, 'tf.layers.dense(features["x"], 2'),)),
    Case(
        "linear-layer-named",
        "linear",
        (e.replace(DENSE, DENSE + ', name="output"'),),
        expect={1: FAILS, 2: FAILS},
    ),
    Case("linear-scope", "linear", (e.wrap_in_scope('"net"'),)),
    Case("linear-scope-auto-reuse", "linear", (e.wrap_in_scope('""', ", reuse=tf.AUTO_REUSE"),)),
    Case("linear-no-bias", "linear", (e.replace(DENSE, DENSE + ", use_bias=False"),)),
    Case(
        "linear-float64",
        "linear",
        (e.replace('features["x"]', 'tf.cast(features["x"], tf.float64)'),),
        expect={1: FAILS, 2: FAILS},
    ),
    Case(
        "linear-layer-before",
        "linear",
        (e.replace('features["x"]', 'tf.layers.dense(features["x"], 4)'),),
    ),
    Case(
        "linear-momentum",
        "linear",
        (
            e.change_optimizer(
                'AdamOptimizer(params["learning_rate"])',
                'MomentumOptimizer(params["learning_rate"], 0.9)',
            ),
        ),
        expect=dict.fromkeys((1, 2), "restores / restores / fails at restore"),
    ),
    Case(
        "linear-gradient-descent",
        "linear",
        (e.change_optimizer("AdamOptimizer", "GradientDescentOptimizer"),),
    ),
    Case(
        "linear-optimizer-in-eval",
        "linear",
        (
            e.replace(
                "    if mode == tf.estimator.ModeKeys.EVAL:",
                "    tf.train.AdamOptimizer(0.1).minimize(loss)\n"
                "    if mode == tf.estimator.ModeKeys.EVAL:",
            ),
        ),
    ),
    Case(
        "linear-momentum-in-eval",
        "linear",
        (
            e.replace(
                "    if mode == tf.estimator.ModeKeys.EVAL:",
                "    tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)\n"
                "    if mode == tf.estimator.ModeKeys.EVAL:",
            ),
        ),
    ),
    Case(
        "linear-no-predict",
        "linear",
        (e.replace("mode == tf.estimator.ModeKeys.PREDICT", "labels is None and False"),),
    ),
    Case(
        "linear-raises",
        "linear",
        (e.replace("    predictions = ", '    raise RuntimeError("no")\n    predictions = '),),
        expect={1: UNTRACEABLE, 2: UNTRACEABLE},
    ),
    Case(
        "linear-exits",
        "linear",
        (e.replace("    predictions = ", "    raise SystemExit(3)\n    predictions = "),),
    ),
    Case(
        "linear-returns-nothing",
        "linear",
        (e.replace("    return " + EVAL_SPEC, "    return None"),),
    ),
    Case(
        "linear-saver-renames",
        "linear",
        _scaffold(
            'saver=tf.train.Saver({"w": tf.global_variables("dense/kernel")[0],'
            ' "dense/bias": tf.global_variables("dense/bias")[0],'
            ' "global_step": tf.train.get_global_step()})'
        ),
    ),
    Case(
        "linear-saver-swaps",
        "linear",
        _scaffold(
            'saver=tf.train.Saver({"dense/kernel": tf.global_variables("dense/kernel")[0],'
            ' "dense/bias/Adam": tf.global_variables("dense/bias")[0],'
            ' "global_step": tf.train.get_global_step()})'
        ),
    ),
    Case(
        "linear-saver-incomplete",
        "linear",
        _scaffold('saver=tf.train.Saver(tf.global_variables("dense/kernel"))'),
    ),
    Case(
        "linear-saver-incomplete-initialized",
        "linear",
        _scaffold(
            'saver=tf.train.Saver(tf.global_variables("dense/kernel")),'
            " ready_for_local_init_op=tf.constant([], tf.string),"
            ' local_init_op=tf.variables_initializer(tf.global_variables("dense/bias")'
            ' + tf.global_variables("global_step"))'
        ),
    ),
    Case("linear-saver-sharded", "linear", _scaffold("saver=tf.train.Saver(sharded=True)")),
    Case(
        "linear-saver-sequential",
        "linear",
        _scaffold("saver=tf.train.Saver(restore_sequentially=True)"),
    ),
    Case(
        "linear-variable-added",
        "linear",
        (e.replace("    predictions = ", "    tf.get_variable('extra', [3])\n    predictions = "),),
    ),
    Case(
        "linear-counter-added-in-train",
        "linear",
        (
            e.replace(
                "    optimizer = ",
                "    tf.Variable(0, trainable=False, name='counter')\n    optimizer = ",
            ),
        ),
    ),
    Case(
        "linear-local-variable-added",
        "linear",
        (
            e.replace(
                "    predictions = ",
                "    tf.get_variable('seen', [3], collections=[tf.GraphKeys.LOCAL_VARIABLES])\n"
                "    predictions = ",
            ),
        ),
    ),
    Case(
        "linear-variable-set-by-init-fn",
        "linear",
        (
            e.replace(
                "    predictions = ",
                "    extra = tf.get_variable('extra', [3])\n    predictions = ",
            ),
            *_scaffold(
                "saver=tf.train.Saver([v for v in tf.global_variables() if v is not extra]),"
                " init_fn=lambda scaffold, session: session.run(extra.initializer)"
            ),
        ),
    ),
    Case(
        "linear-hook-adds-variable",
        "linear",
        (
            e.replace("\ndef model_fn", HOOK + "\ndef model_fn"),
            e.replace("train_op=train_op)", "train_op=train_op, training_hooks=[Counting()])"),
        ),
    ),
    Case(  # repeat() in the input_fn makes an op "count", so the variable becomes count_1
        "linear-variable-named-as-an-input-op",
        "linear",
        (
            e.replace("\ndef model_fn", HOOK.replace("batches_seen", "count") + "\ndef model_fn"),
            e.replace("train_op=train_op)", "train_op=train_op, training_hooks=[Counting()])"),
        ),
    ),
    Case("linear-use-resource", "linear", (e.wrap_in_scope('""', ", use_resource=True"),)),
    Case(
        "linear-init-from-checkpoint",
        "linear",
        (
            e.copy_model_dir("pretrained"),
            e.fill_variable("dense/kernel", 7.0),
            e.replace(
                "    if mode == tf.estimator.ModeKeys.PREDICT:",
                '    tf.train.init_from_checkpoint("pretrained", {"dense/": "dense/"})\n'
                "    if mode == tf.estimator.ModeKeys.PREDICT:",
            ),
        ),
        reads_files=True,
    ),
    Case(
        "linear-initialized-again",
        "linear",
        _scaffold("local_init_op=tf.global_variables_initializer()"),
        expect=dict.fromkeys((1, 2), "silent / silent / restores"),
    ),
    Case(
        "linear-checkpoint-lacks-bias",
        "linear",
        (e.drop_variable("dense/bias"),),
        expect={1: FAILS, 2: FAILS},
    ),
    Case("linear-checkpoint-lacks-slot", "linear", (e.drop_variable("dense/kernel/Adam"),)),
    Case(
        "linear-checkpoint-renamed",
        "linear",
        (e.rename_variable("dense/kernel", "model/dense/kernel"),),
    ),
    Case(
        "linear-checkpoint-kernel-taller",
        "linear",
        (e.resize_variable("dense/kernel", 2, 1),),
        expect={1: FAILS, 2: _all("fails at run")},
    ),
    Case("linear-checkpoint-wider", "linear", (e.resize_variable("dense/kernel", 1, 5),)),
    Case("linear-checkpoint-float64", "linear", (e.cast_variable("dense/kernel", "float64"),)),
    Case("linear-checkpoint-slot-half", "linear", (e.cast_variable("beta1_power", "float16"),)),
    Case("linear-checkpoint-slot-vector", "linear", (e.resize_variable("beta1_power", 1),)),
    Case("linear-checkpoint-step-int32", "linear", (e.cast_variable("global_step", "int32"),)),
    Case("linear-step-of-two", "linear", (e.resize_variable("global_step", 2),)),
    Case("linear-step-of-one", "linear", (e.resize_variable("global_step", 1),)),
    Case("linear-checkpoint-lacks-step", "linear", (e.drop_variable("global_step"),)),
    Case(
        "linear-checkpoint-nan",
        "linear",
        (e.fill_variable("dense/kernel", float("nan")),),
        expect={1: RESTORES, 2: RESTORES},
    ),
    Case(
        "linear-state-removed",
        "linear",
        (e.remove_files("checkpoint"),),
        expect={1: SILENT, 2: SILENT},
    ),
    Case(
        "linear-state-moved",
        "linear",
        (e.state_moved,),
        expect={1: FAILS, 2: "silent / silent / fails at restore"},
    ),
    Case("linear-state-other", "linear", (e.state_other,)),
    Case(
        "linear-state-lists-gone",
        "linear",
        (e.state_lists_gone,),
        expect={1: "restores / restores / fails at restore", 2: RESTORES},
    ),
    Case("linear-state-lists-gone-below", "linear", (e.state_lists_gone_below,)),
    Case("linear-state-lists-missing", "linear", (e.state_lists_missing,)),
    Case("linear-state-doubled-slash", "linear", (e.state_doubled_slash,)),
    Case("linear-state-up-and-down", "linear", (e.state_up_and_down,)),
    Case("linear-state-pattern", "linear", (e.state_pattern,)),
    Case("linear-state-gone-pattern", "linear", (e.state_gone_pattern,)),
    Case("linear-state-lists-gone-pattern", "linear", (e.state_lists_gone_pattern,)),
    Case("linear-state-names-slash", "linear", (e.state_names_slash,)),
    Case("linear-state-names-parent", "linear", (e.state_names(".."),)),
    Case("linear-state-names-link", "linear", (e.state_names_link,)),
    Case("linear-data-of-another-save", "linear", (e.data_of_another_save,)),
    Case("linear-index-linked-to-nothing", "linear", (e.index_linked_to_nothing,)),
    Case("linear-state-absolute", "linear", (e.state_absolute,)),
    Case(
        "linear-state-missing-step",
        "linear",
        (e.state_missing_step,),
        expect=dict.fromkeys((1, 2), "silent / silent / fails at restore"),
    ),
    Case("linear-state-names-index", "linear", (e.state_names_file(".index"),)),
    Case("linear-state-names-directory", "linear", (e.state_names_directory,)),
    Case("linear-state-names-meta", "linear", (e.state_names_file(".meta"),)),
    Case("linear-directory-is-a-pattern", "linear", (e.model_dir_named("lr[0.1]"),)),
    Case(
        "linear-directory-is-a-pattern-state-absolute",
        "linear",
        (e.model_dir_named("lr[0.1]"), e.state_absolute),
    ),
    Case("linear-directory-with-slashes", "linear", (e.model_dir_with_slashes,)),
    Case("linear-directory-with-a-star", "linear", (e.model_dir_named("a*b"),)),
    Case("linear-state-garbage", "linear", (e.state_garbage,)),
    Case(
        "linear-state-utf16",
        "linear",
        (e.state_recoded("utf-16"),),
        expect=dict.fromkeys((1, 2), "fails at restore / fails at restore / fails at restore"),
    ),
    Case("linear-state-latin1", "linear", (e.state_recoded("latin-1"),)),
    Case(
        "linear-state-escaped",
        "linear",
        (e.state_escaped,),
        expect=dict.fromkeys((1, 2), "silent / silent / silent"),
    ),
    Case("linear-state-directory", "linear", (e.state_directory,)),
    Case("linear-state-empty", "linear", (e.state_empty,)),
    Case("linear-shard-removed", "linear", (e.remove_files("*.data-*"),)),
    Case("linear-shard-truncated", "linear", (e.truncate("*.data-*", 10),)),
    Case("linear-index-removed", "linear", (e.remove_files("*.index"),)),
    Case("linear-index-garbage", "linear", (e.overwrite("*.index", b"not an index" * 20),)),
    Case("linear-index-empty", "linear", (e.truncate("*.index", 0),)),
    Case("linear-state-older", "linear", (e.state_older,)),
    Case(
        "linear-state-older-newer-damaged", "linear", (e.state_older, e.truncate("*-10.data-*", 10))
    ),
    Case(
        "linear-index-size-of-slot",
        "linear",
        (e.entry_size("dense/kernel/Adam", 8),),
        expect=dict.fromkeys((1, 2), "restores / restores / fails at restore"),
    ),
    Case("linear-index-size-of-weight", "linear", (e.entry_size("dense/bias", 0),)),
    Case(
        "linear-index-shard-of-slot",
        "linear",
        (e.entry_shard("dense/kernel/Adam", 5),),
        expect=dict.fromkeys((1, 2), "restores / restores / fails at restore"),
    ),
    Case("linear-index-same-bytes", "linear", (e.entry_copied("beta1_power", "beta2_power"),)),
    Case("linear-index-more-shards", "linear", (e.shard_count(2),)),
    Case(
        "linear-data-flipped",
        "linear",
        (e.flip_data("dense/kernel/Adam"),),
        {"deep": True},
        expect=dict.fromkeys((1, 2), "restores / restores / fails at restore"),
    ),
    Case("linear-data-longer", "linear", (e.longer("*.data-*"),)),
    Case("linear-data-directory", "linear", (e.replace_by_directory("*.data-*"),)),
    Case("linear-index-directory", "linear", (e.replace_by_directory("*.index"),)),
    Case(
        "linear-left-over",
        "linear",
        (
            e.add_file("model.ckpt-10.data-00000-of-00003"),
            e.add_file("model.ckpt-20.data-00000-of-00001.tempstate123"),
        ),
    ),
    Case("linear-step-renamed", "linear", (e.rename_step,)),
    Case("linear-index-older", "linear", (e.older_index,)),
    Case("linear-object-based", "linear", (e.object_based,)),
    Case("linear-meta-removed", "linear", (e.remove_files("*.meta"),)),
    Case("linear-meta-removed-input-fn", "linear", (e.remove_files("*.meta"),), INPUT_FN),
]

HIDDEN = 'params.get("num_hidden", 64)'
LAST = "predictions = tf.layers.dense(hidden, 1"

HIDDEN_DROPOUT = [
    Case("hidden-unchanged", "hidden_dropout", expect={1: RESTORES, 2: RESTORES}),
    Case("hidden-compat-unchanged", "hidden_dropout", module="model_compat"),
    Case(
        "hidden-size-left-out",
        "hidden_dropout",
        (e.remove_param("num_hidden"),),
        expect={1: FAILS, 2: SILENT},
    ),
    Case(
        "hidden-size-left-out-compat",
        "hidden_dropout",
        (e.remove_param("num_hidden"),),
        module="model_compat",
    ),
    Case(
        "hidden-size-left-out-v1",
        "hidden_dropout",
        (e.remove_param("num_hidden"),),
        behavior="v1",
        expect={1: FAILS, 2: FAILS},
    ),
    Case(
        "hidden-size-left-out-other-version",
        "hidden_dropout",
        (e.remove_param("num_hidden"),),
        other_version=True,
    ),
    Case(
        "hidden-size-left-out-resource",
        "hidden_dropout",
        (e.remove_param("num_hidden"), e.wrap_in_scope('""', ", use_resource=True")),
    ),
    Case(  # TensorFlow does not fold constants of more than 100 KiB in the same way
        "hidden-size-26000-resource",
        "hidden_dropout",
        (e.set_params(num_hidden=26000), e.wrap_in_scope('""', ", use_resource=True")),
        expect={1: SILENT, 2: SILENT},
    ),
    *(
        Case(
            f"hidden-size-{size}-resource",
            "hidden_dropout",
            (e.set_params(num_hidden=size), e.wrap_in_scope('""', ", use_resource=True")),
            expect={1: SILENT, 2: SILENT},
        )
        for size in (1000, 10000, 25000, 100000)
    ),
    Case("hidden-dropout-rate", "hidden_dropout", (e.set_params(dropout_rate=0.9),)),
    Case("hidden-activation", "hidden_dropout", (e.replace("tf.nn.relu", "tf.nn.tanh"),)),
    Case(
        "hidden-half",
        "hidden_dropout",
        (e.replace('features["x"]', 'tf.cast(features["x"], tf.float16)'),),
    ),
    Case(
        "hidden-layer-added",
        "hidden_dropout",
        (e.replace("    " + LAST, "    hidden = tf.layers.dense(hidden, 128)\n    " + LAST),),
    ),
    Case(
        "hidden-layers-swapped-names",
        "hidden_dropout",
        (
            e.replace(HIDDEN, HIDDEN + ', name="dense_1"'),
            e.replace(LAST, LAST + ', name="dense"'),
        ),
    ),
    Case(
        "hidden-momentum",
        "hidden_dropout",
        (e.change_optimizer("AdamOptimizer(", "MomentumOptimizer(momentum=0.9, learning_rate="),),
    ),
    Case(
        "hidden-gradient-descent",
        "hidden_dropout",
        (e.change_optimizer("AdamOptimizer", "GradientDescentOptimizer"),),
    ),
    Case(
        "hidden-slots-lost",
        "hidden_dropout",
        (e.drop_variable("beta2_power"), e.drop_variable("dense/bias/Adam_1")),
    ),
    Case(
        "hidden-slot-resized",
        "hidden_dropout",
        (e.resize_variable("dense/bias/Adam", 64),),
    ),
    Case(
        "hidden-saver-reshapes",
        "hidden_dropout",
        (
            e.resize_variable("dense/kernel", 128, 1),
            e.replace(
                'predictions={"y": predictions}',
                'predictions={"y": predictions}, scaffold=tf.train.Scaffold('
                "saver=tf.train.Saver(reshape=True))",
            ),
        ),
    ),
    Case(
        "hidden-slot-renamed-optimizer",
        "hidden_dropout",
        (e.change_optimizer("AdamOptimizer(", 'AdamOptimizer(name="Other", learning_rate='),),
    ),
]

COLOR = 'tf.feature_column.embedding_column(color, params["embedding_dim"])'

VOCABULARY_FILE = e.replace(
    'vocabulary_list("color", params["colors"])', 'vocabulary_file("color", "colors.txt")'
)

FEATURE_COLUMNS = [
    Case("columns-unchanged", "feature_columns"),
    Case("columns-other-version", "feature_columns", other_version=True),
    Case(
        "columns-vocabulary-grown",
        "feature_columns",
        (e.set_params(colors=["red", "green", "blue", "black", "white"]),),
    ),
    Case(
        "columns-vocabulary-shrunk",
        "feature_columns",
        (e.set_params(colors=["red", "green", "blue"]),),
    ),
    Case(
        "columns-vocabulary-reordered",
        "feature_columns",
        (e.set_params(colors=["black", "blue", "green", "red"]),),
    ),
    Case(
        "columns-vocabulary-file",
        "feature_columns",
        (e.write_file("colors.txt", "red\ngreen\nblue\nblack\n"), VOCABULARY_FILE),
        reads_files=True,
    ),
    Case(
        "columns-vocabulary-file-longer",
        "feature_columns",
        (e.write_file("colors.txt", "red\ngreen\nblue\nblack\nwhite\n"), VOCABULARY_FILE),
        reads_files=True,
    ),
    Case(
        "columns-vocabulary-file-missing", "feature_columns", (VOCABULARY_FILE,), reads_files=True
    ),
    Case("columns-more-buckets", "feature_columns", (e.set_params(size_buckets=7),)),
    Case("columns-fewer-boundaries", "feature_columns", (e.set_params(age_boundaries=[18, 30]),)),
    Case("columns-embedding-wider", "feature_columns", (e.set_params(embedding_dim=4),)),
    Case("columns-hidden-units", "feature_columns", (e.set_params(hidden_units=16),)),
    Case(
        "columns-embedding-added",
        "feature_columns",
        (e.replace(COLOR + ",", COLOR + ", tf.feature_column.embedding_column(size, 2),"),),
    ),
    Case(
        "columns-price-dropped",
        "feature_columns",
        (e.replace('tf.feature_column.numeric_column("price"),', ""),),
    ),
    Case(
        "columns-feature-renamed",
        "feature_columns",
        (e.replace('numeric_column("price")', 'numeric_column("cost")'),),
        INPUT_FN,
    ),
    Case(
        "columns-adam",
        "feature_columns",
        (e.change_optimizer("AdagradOptimizer", "AdamOptimizer"),),
    ),
]

BATCH_NORM = [
    Case("batch-norm-unchanged", "batch_norm"),
    Case("batch-norm-compat-unchanged", "batch_norm", module="model_compat"),
    Case("batch-norm-layer-added", "batch_norm", (e.set_params(hidden_units=[16, 8, 4]),)),
    Case("batch-norm-layer-removed", "batch_norm", (e.set_params(hidden_units=[16]),)),
    Case("batch-norm-layers-reordered", "batch_norm", (e.set_params(hidden_units=[8, 16]),)),
    Case("batch-norm-first-wider", "batch_norm", (e.set_params(hidden_units=[32, 8]),)),
    Case(
        "batch-norm-removed",
        "batch_norm",
        (
            e.replace(
                "net = tf.layers.batch_normalization(net, momentum=0.9, training=training)",
                "pass",
            ),
        ),
    ),
    Case(
        "batch-norm-training-in-eval",
        "batch_norm",
        (e.replace("training=training", "training=True"),),
    ),
    Case(
        "batch-norm-renorm",
        "batch_norm",
        (e.replace("training=training", "training=training, renorm=True"),),
    ),
    Case(
        "batch-norm-no-scale",
        "batch_norm",
        (e.replace("training=training", "training=training, scale=False"),),
    ),
    Case("batch-norm-bias", "batch_norm", (e.replace(", use_bias=False", ""),)),
    Case(
        "batch-norm-adam",
        "batch_norm",
        (e.change_optimizer('MomentumOptimizer(params["learning_rate"], ', "AdamOptimizer("),),
    ),
    Case("batch-norm-decay", "batch_norm", (e.replace("momentum=0.9", "momentum=0.99"),)),
]

EMA = [
    Case("ema-unchanged", "ema", expect={1: RESTORES, 2: RESTORES}),
    Case("ema-compat-unchanged", "ema", module="model_compat"),
    Case("ema-hidden-units", "ema", (e.set_params(hidden_units=9),)),
    Case("ema-decay", "ema", (e.set_params(ema_decay=0.5),)),
    Case(
        "ema-not-restored",
        "ema",
        (e.replace("if mode != tf.estimator.ModeKeys.TRAIN", "if mode is None"),),
    ),
    Case(
        "ema-renamed",
        "ema",
        (e.replace('(params["ema_decay"])', '(params["ema_decay"], name="Average")'),),
    ),
    Case(
        "ema-not-trained",
        "ema",
        (e.replace("train_op = ema.apply(tf.trainable_variables())", "train_op = tf.no_op()"),),
    ),
    Case("ema-scope", "ema", (e.replace('variable_scope("net")', 'variable_scope("other")'),)),
    Case(
        "ema-average-lost",
        "ema",
        (e.drop_variable("net/dense/kernel/ExponentialMovingAverage"),),
        expect={n: _all("fails at restore") for n in (1, 2)},
    ),
    Case(
        "ema-weight-lost",
        "ema",
        (e.drop_variable("net/dense/kernel"),),
        expect=dict.fromkeys((1, 2), "restores / restores / fails at restore"),
    ),
    Case("ema-adam", "ema", (e.change_optimizer("GradientDescentOptimizer", "AdamOptimizer"),)),
]

TABLE = '"table", [params["vocab_size"], params["embedding_dim"]]'

PARTITIONED = [
    Case("partitioned-unchanged", "partitioned", expect={1: RESTORES, 2: RESTORES}),
    Case("partitioned-two-shards", "partitioned", (e.set_params(shards=2),)),
    Case("partitioned-one-shard", "partitioned", (e.set_params(shards=1),)),
    Case("partitioned-seven-shards", "partitioned", (e.set_params(shards=7),)),
    Case(
        "partitioned-no-more",
        "partitioned",
        (e.replace(", partitioner=partitioner", ""),),
        expect={1: RESTORES, 2: RESTORES},
    ),
    Case(
        "partitioned-vocabulary-grown",
        "partitioned",
        (e.set_params(vocab_size=60),),
        expect={1: FAILS, 2: FAILS},
    ),
    Case(
        "partitioned-vocabulary-grown-two", "partitioned", (e.set_params(vocab_size=60, shards=2),)
    ),
    Case(
        "partitioned-no-more-vocabulary-grown",
        "partitioned",
        (e.replace(", partitioner=partitioner", ""), e.set_params(vocab_size=60)),
    ),
    Case(
        "partitioned-vocabulary-grown-v1",
        "partitioned",
        (e.set_params(vocab_size=60),),
        behavior="v1",
    ),
    Case(
        "partitioned-resource-vocabulary-grown",
        "partitioned",
        (e.set_params(vocab_size=60), e.wrap_in_scope('""', ", use_resource=True")),
    ),
    Case("partitioned-embedding-wider", "partitioned", (e.set_params(embedding_dim=5),)),
    Case("partitioned-classes", "partitioned", (e.set_params(num_classes=4),)),
    Case(
        "partitioned-renamed", "partitioned", (e.replace(TABLE, TABLE.replace("table", "weights")),)
    ),
    Case("partitioned-rows", "partitioned", (e.resize_variable("embedding/table", 48, 4),)),
    Case(
        "partitioned-adam",
        "partitioned",
        (e.change_optimizer("AdagradOptimizer", "AdamOptimizer"),),
    ),
]

DROPOUT = 'tf.keras.layers.Dropout(params["dropout_rate"]),'
CLASSES = 'tf.keras.layers.Dense(params["num_classes"])'

KERAS_MODEL = [
    Case("keras-unchanged", "keras_model"),
    Case("keras-other-version", "keras_model", other_version=True),
    Case("keras-filters", "keras_model", (e.set_params(filters=5),)),
    Case("keras-filters-v1", "keras_model", (e.set_params(filters=5),), behavior="v1"),
    Case("keras-classes", "keras_model", (e.set_params(num_classes=4),)),
    Case("keras-dropout-removed", "keras_model", (e.replace(DROPOUT, ""),)),
    Case(
        "keras-dense-added",
        "keras_model",
        (e.replace(DROPOUT, DROPOUT + " tf.keras.layers.Dense(8),"),),
    ),
    Case(
        "keras-dense-named",
        "keras_model",
        (e.replace(CLASSES, CLASSES[:-1] + ', name="classes")'),),
    ),
    Case(
        "keras-pooling",
        "keras_model",
        (e.replace("tf.keras.layers.Flatten()", "tf.keras.layers.GlobalMaxPooling2D()"),),
    ),
    Case("keras-kernel-size", "keras_model", (e.replace('["filters"], 3', '["filters"], 2'),)),
    Case(
        "keras-gradient-descent",
        "keras_model",
        (e.change_optimizer("AdamOptimizer", "GradientDescentOptimizer"),),
    ),
]

FACTORY_TARGET = "model_fn_builder"
UNITS = "net += tf.layers.dense(net, hidden_size"

FACTORY = [
    Case("factory-unchanged", "factory", function=FACTORY_TARGET),
    Case("factory-layer-added", "factory", (e.set_params(num_layers=3),), function=FACTORY_TARGET),
    Case(
        "factory-layer-removed", "factory", (e.set_params(num_layers=1),), function=FACTORY_TARGET
    ),
    Case("factory-units", "factory", (e.set_params(num_units=12),), function=FACTORY_TARGET),
    Case("factory-labels", "factory", (e.set_params(num_labels=5),), function=FACTORY_TARGET),
    Case("factory-vocabulary", "factory", (e.set_params(vocab_size=64),), function=FACTORY_TARGET),
    Case(
        "factory-scope",
        "factory",
        (e.replace('tf.variable_scope("encoder")', 'tf.variable_scope("bert/encoder")'),),
        function=FACTORY_TARGET,
    ),
    Case(
        "factory-layer-names",
        "factory",
        (e.replace('f"layer_{layer}"', 'f"layers_{layer}"'),),
        function=FACTORY_TARGET,
    ),
    Case(
        "factory-adagrad",
        "factory",
        (e.change_optimizer("AdamOptimizer", "AdagradOptimizer"),),
        function=FACTORY_TARGET,
    ),
]

ATTR = {"params_type": "model:Params"}

ATTR_PARAMS = [
    Case("attr-unchanged", "attr_params", (), ATTR),
    Case(
        "attr-all-given",
        "attr_params",
        (e.set_params(hash_buckets=20, num_tags=5, learning_rate=0.01),),
        {"params_type": "attr"},
    ),
    Case("attr-hidden", "attr_params", (e.set_params(num_hidden=16),), ATTR),
    Case("attr-embedding-left-out", "attr_params", (e.remove_param("embedding_dim"),), ATTR),
    Case(
        "attr-hash-buckets",
        "attr_params",
        (e.set_params(hash_buckets=40),),
        ATTR,
        data_decides=True,
    ),
    Case("attr-tags", "attr_params", (e.set_params(num_tags=9),), ATTR),
    Case("attr-rate", "attr_params", (e.set_params(learning_rate=0.3),), ATTR),
    Case(
        "attr-default-changed",
        "attr_params",
        (e.replace("hash_buckets=20", "hash_buckets=10"),),
        ATTR,
    ),
]

FLAGS = [
    Case("flags-unchanged", "flags"),
    Case("flags-left-out", "flags", (e.set_argv(),)),
    Case("flags-rate", "flags", (e.set_argv("--hidden_units=48", "--learning_rate=0.5"),)),
    Case("flags-adam", "flags", (e.change_optimizer("RMSPropOptimizer", "AdamOptimizer"),)),
    Case(
        "flags-feature-dropped",
        "flags",
        (e.replace('[features["height"], features["weight"]]', '[features["height"]]'),),
    ),
]

SPARSE_INPUT = [
    Case("sparse-unchanged", "sparse_input"),
    Case(
        "sparse-hash-buckets", "sparse_input", (e.set_params(hash_buckets=50),), data_decides=True
    ),
    Case("sparse-places", "sparse_input", (e.set_params(num_places=9),)),
    Case("sparse-embedding", "sparse_input", (e.set_params(embedding_dim=8),)),
    Case("sparse-combiner", "sparse_input", (e.replace('combiner="mean"', 'combiner="sum"'),)),
    Case(
        "sparse-wide-removed",
        "sparse_input",
        (e.replace("logits = wide + tf.layers.dense", "logits = tf.layers.dense"),),
    ),
    Case(
        "sparse-adagrad", "sparse_input", (e.change_optimizer("FtrlOptimizer", "AdagradOptimizer"),)
    ),
]

RAW_TENSORS = [
    Case("raw-unchanged", "raw_tensors", expect={1: RESTORES, 2: RESTORES}),
    Case("raw-hidden", "raw_tensors", (e.set_params(hidden_units=20),)),
    Case(
        "raw-exposure-dropped",
        "raw_tensors",
        (e.replace('[pixels, tf.expand_dims(features["exposure"], 1)]', "[pixels]"),),
    ),
    Case(
        "raw-image-twice",
        "raw_tensors",
        (e.replace("tf.concat([pixels, ", "tf.concat([pixels, pixels, "),),
    ),
    Case("raw-three-outputs", "raw_tensors", (e.replace("dense(net, 2)", "dense(net, 3)"),)),
    Case("raw-one-output", "raw_tensors", (e.replace("dense(net, 2)", "dense(net, 1)"),)),
    Case(
        "raw-bigger-image",
        "raw_tensors",
        (e.replace_input("size=(24, 4, 4)", "size=(24, 5, 5)"),),
        INPUT_FN,
    ),
    Case("raw-rmsprop", "raw_tensors", (e.change_optimizer("AdamOptimizer", "RMSPropOptimizer"),)),
]

FIXTURE_CASES: List[Case] = (
    LINEAR
    + HIDDEN_DROPOUT
    + FEATURE_COLUMNS
    + BATCH_NORM
    + EMA
    + PARTITIONED
    + KERAS_MODEL
    + FACTORY
    + ATTR_PARAMS
    + FLAGS
    + SPARSE_INPUT
    + RAW_TENSORS
)
