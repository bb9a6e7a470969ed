"""model_fn used more memory than ``--memory-limit`` allows, or raised MemoryError.

There is no limit by default. ``--memory-limit SIZE`` limits the memory that a mode and the
processes that it starts may use; the memory of TensorFlow itself does not count. ckptcheck ends a
mode that uses more. If the system kills the process because the system has no memory left, the
finding is ``model-fn-crashed``.

What to do: load data in the input_fn or in the session, not while the graph is built. Or set a
larger ``--memory-limit``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="model_fn ran out of memory in {}",
    example=Failure(FailureKind.OUT_OF_MEMORY, "", "the process used more than 4G of memory"),
)
