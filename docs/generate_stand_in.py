"""Writes docs/stand-in.md from the tables below: python docs/generate_stand_in.py."""

from pathlib import Path
from typing import Sequence

from ckptcheck.tracer.estimator_stand_in import FROM_TRAIN

TARGET = Path(__file__).with_name("stand-in.md")

STOOD_IN = {
    "Estimator": "holds model_fn, params, config and model_dir; it neither trains nor predicts",
    "EstimatorSpec": "the fields, and the checks that a mode's loss, train_op and predictions are "
    "there and that export_outputs are ExportOutputs; shapes and graphs are not checked",
    "EvalSpec": "keeps its arguments",
    "ModeKeys": "the three names",
    "RunConfig": "the attributes, with the values that they have outside a cluster",
    "TrainSpec": "keeps its arguments",
    "WarmStartSettings": "keeps its arguments; nothing is warm-started",
    "add_metrics": "adds what metric_fn makes to the EstimatorSpec of EVAL",
    "export.ClassificationOutput": "keeps its arguments",
    "export.EvalOutput": "keeps its arguments",
    "export.ExportOutput": "the base class of the outputs",
    "export.PredictOutput": "keeps its arguments",
    "export.RegressionOutput": "keeps its arguments",
    "export.ServingInputReceiver": "keeps its arguments",
    "export.TensorServingInputReceiver": "keeps its arguments",
    "inputs.numpy_input_fn": "placeholders of the arrays' dtypes and shapes; no data",
    "tpu.InputPipelineConfig": "the names",
    "tpu.RunConfig": "as RunConfig, with tpu_config and cluster",
    "tpu.TPUConfig": "the attributes; nothing is placed on a TPU",
    "tpu.TPUEstimatorSpec": "as_estimator_spec() calls scaffold_fn and the functions of "
    "eval_metrics and host_call, as on a CPU; the host_call is not run",
}
"""What the stand-in replaces, and how much of it."""

MISSING = (
    "BaselineClassifier",
    "BaselineEstimator",
    "BaselineRegressor",
    "BestExporter",
    "BinaryClassHead",
    "BoostedTreesClassifier",
    "BoostedTreesEstimator",
    "BoostedTreesRegressor",
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "Exporter",
    "FinalExporter",
    "Head",
    "LatestExporter",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
    "LogisticRegressionHead",
    "MultiClassHead",
    "MultiHead",
    "MultiLabelHead",
    "PoissonRegressionHead",
    "RegressionHead",
    "classifier_parse_example_spec",
    "experimental.InMemoryEvaluatorHook",
    "experimental.KMeans",
    "experimental.LinearSDCA",
    "experimental.RNNClassifier",
    "experimental.RNNEstimator",
    "experimental.build_raw_supervised_input_receiver_fn",
    "experimental.call_logit_fn",
    "experimental.dnn_logit_fn_builder",
    "experimental.linear_logit_fn_builder",
    "experimental.make_early_stopping_hook",
    "experimental.make_stop_at_checkpoint_step_hook",
    "experimental.stop_if_higher_hook",
    "experimental.stop_if_lower_hook",
    "experimental.stop_if_no_decrease_hook",
    "experimental.stop_if_no_increase_hook",
    "export.build_parsing_serving_input_receiver_fn",
    "export.build_raw_serving_input_receiver_fn",
    "inputs.pandas_input_fn",
    "regressor_parse_example_spec",
    "tpu.TPUEstimator",
    "tpu.experimental.EmbeddingConfigSpec",
    "train_and_evaluate",
)
"""The names of ``tf.estimator`` in 1.15 and 2.15 that the stand-in lacks."""

_HEAD = """# The stand-in for tf.estimator

Made by `python docs/generate_stand_in.py`. The code is `ckptcheck/tracer/estimator_stand_in.py`.

TensorFlow has no `tf.estimator` from 2.16 on. There ckptcheck supplies what model_fns touch, so
that code for an Estimator can be traced without an edit; the report says so (`compat-shim`). On
TensorFlow 1.15 to 2.15 the real one is used, and nothing below matters.

`tf.estimator`, `tf.compat.v1.estimator` and `tf.compat.v2.estimator` are then the same, and
`tensorflow.estimator` and its submodules can be imported. Keras is the package `tf_keras`, which
must be installed.
"""

_MISSING = """## What is not there

Each is an error that names it, in the finding `model-fn-raised`: trace with a TensorFlow up to 2.15
(`--python`). The canned estimators bring a model_fn of their own, so a restore into them can
be judged there only. `tf.contrib` exists in TensorFlow 1 only.
"""


def render() -> str:
    """The text of docs/stand-in.md."""
    rows = [f"| `tf.estimator.{name}` | {how} |" for name, how in STOOD_IN.items()]
    parts = [
        _HEAD,
        "## What is stood in for\n",
        "| name | how far |\n| --- | --- |\n" + "\n".join(rows) + "\n",
        "## What is TensorFlow's own\n",
        "As `tf.compat.v1.train` has it:\n",
        _listed(FROM_TRAIN),
        _MISSING,
        _listed(MISSING),
    ]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return "\n".join(f"* `tf.estimator.{name}`" for name in names) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
