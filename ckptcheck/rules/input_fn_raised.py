"""The input_fn of ``--input-fn`` raised, or the import of its module did.

Estimator calls an input_fn with ``mode``, ``params`` and ``config``, as far as its signature names
them, and with no other arguments. ckptcheck does the same. An input_fn that needs another argument,
such as the path of the data, raises in both.

What to do: fix what raised. If the input_fn needs other arguments, write a function that passes
them, and name that function.
"""

import dataclasses
import re
from typing import Iterator

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import Facts
from .code_failures import failure_rule

_NEEDS_MORE = re.compile(r"missing \d+ required (positional|keyword-only) argument")
_WRAP = (
    "an input_fn is called with mode, params and config as far as its signature names them, and "
    "with no other arguments: name a function that passes the other arguments"
)

_RAISED = failure_rule(
    "input-fn-raised",
    summary="The input_fn of --input-fn, or the import of its module, raised.",
    title="the input_fn raised in {}",
    example=Failure(FailureKind.INPUT_FN, "TypeError", "missing 1 required positional argument"),
)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose input_fn raised."""
    for finding in _RAISED.check(facts):
        needs_more = not finding.detail and _NEEDS_MORE.search(finding.message)
        yield dataclasses.replace(finding, hint=_WRAP) if needs_more else finding


RULE = dataclasses.replace(_RAISED, check=check)
