"""model_fn did not return in time.

The whole check may take ``--timeout`` seconds. In each mode, the import of your module and the call
of model_fn together may take half of the time that is left, or all of it if only one mode is
checked. Usual causes are downloads, training during the import, and endless loops.

What to do: move such work out of the top level of the module, or allow more time with
``--timeout``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="there was not enough time to trace {}",
    example=Failure(FailureKind.TIMED_OUT, "", "the process was still running after 300 s"),
)
