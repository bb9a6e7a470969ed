"""model_fn did not return an EstimatorSpec that the mode can use.

Estimator raises ``model_fn should return an EstimatorSpec``. The usual cause is a branch without a
``return``, often for one mode only. Estimator also raises if the EstimatorSpec lacks what the mode
needs: ``predictions`` in PREDICT, ``loss`` in EVAL, ``loss`` and ``train_op`` in TRAIN. The usual
cause is that the EstimatorSpec was made with another ``mode`` than the one that model_fn got.

What to do: return an EstimatorSpec in every mode, made with the ``mode`` that model_fn got.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    "invalid-estimator-spec",
    summary="model_fn returned no EstimatorSpec that the mode can use.",
    title="model_fn returned no EstimatorSpec that {} can use",
    example=Failure(FailureKind.NO_SPEC, "", "model_fn returned None, not an EstimatorSpec"),
)
