"""model_fn, or the import of its module, ended the process.

The process died of a signal such as SIGSEGV, or the code called ``sys.exit`` or ``os._exit``.

What to do: run the module alone to see the crash. Move calls of ``sys.exit`` and ``app.run`` below
``if __name__ == "__main__"``.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, (FailureKind.CRASHED, FailureKind.EXITED), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn ended its process in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-crashed",
    severity="error",
    summary="model_fn ended its process.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.CRASHED, "", "died of SIGSEGV")),
)
