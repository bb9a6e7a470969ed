"""model_fn, or the import of its module, ended the process.

A signal such as SIGSEGV ended the process, or the code called ``sys.exit`` or ``os._exit``.
The rule also finds results that ckptcheck cannot read: the code wrote into the pipe to ckptcheck,
or the graph is so large that the result would have more than 256 MiB.

What to do: run the module without ckptcheck to see the crash. Move calls of ``sys.exit`` and
``app.run`` below ``if __name__ == "__main__"``.
"""

from ..protocol import Failure, FailureKind
from .code_failures import failure_rule

RULE = failure_rule(
    title="ckptcheck got no result from model_fn in {}",
    example=Failure(FailureKind.CRASHED, "", "the signal SIGSEGV ended the process"),
    also=(FailureKind.EXITED, FailureKind.NO_RESULT),
)
