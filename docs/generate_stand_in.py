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
    "eval_metrics and host_call, as on a CPU; nothing runs the tensors that the function of "
    "host_call returns",
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

`python docs/generate_stand_in.py` writes this file. The stand-in itself is
`ckptcheck/tracer/estimator_stand_in.py`.

TensorFlow 2.16 and later have no `tf.estimator`. There, ckptcheck supplies what model_fns usually
use, so that it can trace code for Estimator unmodified. The finding `compat-shim` reports it.
TensorFlow 1.15 to 2.15 have the real `tf.estimator`, and ckptcheck uses that.

`tf.estimator`, `tf.compat.v1.estimator` and `tf.compat.v2.estimator` are the same module in the
stand-in, and your code can import `tensorflow.estimator` and its submodules. Keras is the package
`tf_keras`, which must be installed.
"""

_MISSING = """## What is missing

If a model_fn uses one of these, the finding `model-fn-raised` names it. Trace the code with
TensorFlow 2.15 or earlier instead (`--python`). The canned estimators have model_fns of their own,
which only the real `tf.estimator` contains. `tf.contrib` exists only in TensorFlow 1.
"""


def render() -> str:
    """The text of docs/stand-in.md."""
    rows = [f"| `tf.estimator.{name}` | {how} |" for name, how in STOOD_IN.items()]
    parts = [
        _HEAD,
        "## What the stand-in supplies\n",
        "| name | what it does |\n| --- | --- |\n" + "\n".join(rows) + "\n",
        "## What is the same as in TensorFlow\n",
        "These are the classes of `tf.compat.v1.train`:\n",
        _listed(FROM_TRAIN),
        _MISSING,
        _listed(MISSING),
    ]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return "\n".join(f"* `tf.estimator.{name}`" for name in names) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
