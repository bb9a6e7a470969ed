"""model_fn took more memory than it may, or than there is.

With ``--memory-limit SIZE`` ckptcheck ends a mode that takes more than SIZE beside TensorFlow
itself, with the processes that it started. Without the option there is no limit. If the system
refuses memory, this rule says so. If the system kills the process, ``model-fn-crashed`` does.

What to do: load data in the input_fn or in the session, not while the graph is built. Or allow more
with ``--memory-limit``.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, (FailureKind.OUT_OF_MEMORY,), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn ran out of memory in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-out-of-memory",
    severity="error",
    summary="model_fn took more memory than it may, or than there is.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.OUT_OF_MEMORY, "", "used more than 4G of memory")),
)
