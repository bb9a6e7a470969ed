"""model_fn raised: it cannot be built in this mode with these params.

The lines shown are the user's own, the innermost last. Some model_fns do not support every mode:
one that always builds the loss cannot PREDICT, since labels are None there. Such a mode is
untraceable. That is an error, so that a gate does not pass because nothing was checked.

What to do: fix what raised. If the mode is never used, name the others (``--mode train --mode
eval``).
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose model_fn raised."""
    return failures(facts, (FailureKind.RAISED,), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn raised in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-raised",
    severity="error",
    summary="model_fn, or the import of its module, raised.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.RAISED, "ValueError", "rank must be 2")),
)
