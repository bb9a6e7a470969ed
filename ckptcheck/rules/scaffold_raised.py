"""TensorFlow refuses the Scaffold that model_fn returned.

After model_fn has returned and before the restore, Estimator finishes the Scaffold: it builds the
ready ops and the saver. That raises, for example, if the collection ``tf.GraphKeys.SAVERS`` holds
several savers and the Scaffold names none, or if a saver has no variables.

What to do: name the saver (``tf.train.Scaffold(saver=…)``) in the EstimatorSpec of every mode.
"""

from ..protocol import Failure, FailureKind
from .base import FAILS_AT_RESTORE
from .code_failures import failure_rule

RULE = failure_rule(
    "scaffold-raised",
    summary="TensorFlow refuses the Scaffold that model_fn returned.",
    title="TensorFlow refuses the Scaffold in {}",
    example=Failure(FailureKind.SCAFFOLD, "RuntimeError", "More than one item in collection"),
    outcome=FAILS_AT_RESTORE,
)
