"""TensorFlow rejects the Scaffold that model_fn returned.

After model_fn has returned, Estimator finishes the Scaffold: it builds the ready ops, with which
TensorFlow looks for uninitialized variables, and the saver. This raises an error, for example, if
the collection ``tf.GraphKeys.SAVERS`` holds several savers and the Scaffold names none of them, or
if a saver has no variables. The error comes before the restore.

What to do: name the saver in the EstimatorSpec of every mode (``tf.train.Scaffold(saver=…)``).
"""

from ..protocol import Failure, FailureKind
from ..results import Outcome
from .code_failures import failure_rule

RULE = failure_rule(
    title="TensorFlow rejects the Scaffold in {}",
    example=Failure(FailureKind.SCAFFOLD, "RuntimeError", "More than one item in collection"),
    outcome=Outcome.FAILS_AT_RESTORE,
)
