"""model_fn took more memory than it may, or than there is.

With ``--memory-limit SIZE`` each mode may take so much beside TensorFlow itself, and is ended when
it, or what it started, takes more. Without it there is no limit of ckptcheck's: where the system
refuses memory, this rule says so; where it kills the process, ``model-fn-crashed`` does, since
the traced code is made the first thing to go.

What to do: load data in input_fn or in the session and not while the graph is built; or allow more
with ``--memory-limit``.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import Facts, Rule
from .examples import facts, failed
from .model_fn_raised import failures


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, ("out-of-memory",), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn ran out of memory in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-out-of-memory",
    severity="error",
    summary="model_fn took more memory than it may, or than there is.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.OUT_OF_MEMORY, "", "used more than 4G of memory")),
)
