"""model_fn, or the import of its module, raised an error.

The report shows the lines of your code that led to the error, the innermost last. Some model_fns do
not support every mode: a model_fn that always builds the loss fails in PREDICT, where labels are
None. ckptcheck cannot trace such a mode. This counts as an error: otherwise, a check in CI would
pass although the mode was not checked.

What to do: fix the error. If you never use the mode, name only the others (``--mode train --mode
eval``).
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="model_fn raised an error in {}",
    example=Failure(FailureKind.RAISED, "ValueError", "rank must be 2"),
)
