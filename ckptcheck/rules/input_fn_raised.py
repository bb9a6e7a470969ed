"""The input_fn that --input-fn names, or the import of its module, raised an error.

Estimator passes ``mode``, ``params`` and ``config`` to an input_fn if its signature has arguments
with these names, and passes nothing else. ckptcheck does the same. An input_fn that needs another
argument, such as the path of the data, raises an error in Estimator and in ckptcheck.

What to do: fix the error. If the input_fn needs other arguments, write a function that passes them,
and give that function to ``--input-fn``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="the input_fn raised an error in {}",
    example=Failure(FailureKind.INPUT_FN, "TypeError", "missing 1 required positional argument"),
)
