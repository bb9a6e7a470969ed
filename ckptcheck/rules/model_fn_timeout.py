"""model_fn did not return in time.

In each mode, the import of the user's module and the call of model_fn together may take
``--timeout`` seconds. Downloads, training at import time and endless loops end here.

What to do: move such work out of the module's top level, or allow more time with ``--timeout``.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, (FailureKind.TIMED_OUT,), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn did not return in time in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-timeout",
    severity="error",
    summary="model_fn did not return in time.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.TIMED_OUT, "", "was still running after 300 s")),
)
