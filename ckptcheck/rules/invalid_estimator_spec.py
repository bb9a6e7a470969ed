"""model_fn did not return an EstimatorSpec that the mode can use.

Estimator raises ``model_fn should return an EstimatorSpec`` if model_fn returns something else.
Often a branch for one mode has no ``return``. Estimator also raises an error if the EstimatorSpec
lacks what the mode needs: ``predictions`` in PREDICT, ``loss`` in EVAL, ``loss`` and ``train_op``
in TRAIN. The usual cause is an EstimatorSpec that was made with a different ``mode`` than the one
that was passed to model_fn.

What to do: return an EstimatorSpec in every mode. Make it with the ``mode`` that was passed to
model_fn.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="model_fn returned no EstimatorSpec that {} can use",
    example=Failure(FailureKind.NO_SPEC, "", "model_fn returned None, not an EstimatorSpec"),
)
