"""There was not enough time to trace model_fn.

The check may take ``--timeout`` seconds after the import of TensorFlow. If several modes are
checked, each may take half of the time that is left, for the import of your module and the call of
model_fn. A single mode may take all of it. If other modes took all the time, ckptcheck does not
start the mode. Usual causes are downloads, training during the import, and endless loops.

What to do: move such work out of the top level of the module, or allow more time with
``--timeout``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="there was not enough time to trace {}",
    example=Failure(FailureKind.TIMED_OUT, "", "the process was still running after 300 s"),
)
