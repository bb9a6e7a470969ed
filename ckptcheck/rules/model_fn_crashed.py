"""model_fn, or the import of its module, ended the process.

It died of a signal such as SIGSEGV, or called ``sys.exit`` or ``os._exit``.

What to do: run the module alone to see the crash; move calls of ``sys.exit`` and ``app.run`` below
``if __name__ == "__main__"``.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import Facts, Rule
from .examples import facts, failed
from .model_fn_raised import failures


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, ("crashed", "exited"), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn ended its process in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-crashed",
    severity="error",
    summary="model_fn ended its process.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.CRASHED, "", "died of SIGSEGV")),
)
