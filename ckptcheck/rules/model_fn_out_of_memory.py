"""model_fn took more memory than it may, or than there is.

With ``--memory-limit SIZE`` ckptcheck ends a mode that takes more than SIZE beside TensorFlow
itself, with the processes that it started. Without the option there is no limit. If the system
refuses memory, this rule says so. If the system kills the process, ``model-fn-crashed`` does.

What to do: load data in the input_fn or in the session, not while the graph is built. Or allow more
with ``--memory-limit``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    "model-fn-out-of-memory",
    summary="model_fn took more memory than it may, or than there is.",
    title="model_fn ran out of memory in {}",
    example=Failure(FailureKind.OUT_OF_MEMORY, "", "used more than 4G of memory"),
)
