"""model_fn did not return in time.

In each mode, the import of the user's module and the call of model_fn together may take
``--timeout`` seconds. Downloads, training at import time and endless loops end here.

What to do: move such work out of the module's top level, or allow more time with ``--timeout``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    "model-fn-timeout",
    summary="model_fn did not return in time.",
    title="model_fn did not return in time in {}",
    example=Failure(FailureKind.TIMED_OUT, "", "was still running after 300 s"),
)
