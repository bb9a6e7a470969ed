"""model_fn raised: it cannot be built in this mode with these params.

The lines shown are the user's own, the innermost last. Some model_fns do not support every mode:
one that always builds the loss cannot PREDICT, since labels are None there. Such a mode is
untraceable. That is an error, so that a gate does not pass because nothing was checked.

What to do: fix what raised. If the mode is never used, name the others (``--mode train --mode
eval``).
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    "model-fn-raised",
    summary="model_fn, or the import of its module, raised.",
    title="model_fn raised in {}",
    example=Failure(FailureKind.RAISED, "ValueError", "rank must be 2"),
)
