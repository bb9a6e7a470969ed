"""The input_fn of ``--input-fn`` raised, or the import of its module did.

Estimator calls an input_fn with ``mode``, ``params`` and ``config``, as far as its signature names
them, and with no other arguments. ckptcheck does the same. An input_fn that needs another argument,
such as the path of the data, raises in both.

What to do: fix what raised. If the input_fn needs other arguments, write a function that passes
them, and name that function.
"""

import dataclasses
import re
from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed

_NEEDS_MORE = re.compile(r"missing \d+ required (positional|keyword-only) argument")
_WRAP = (
    "an input_fn is called with mode, params and config as far as its signature names them, and "
    "with no other arguments: name a function that passes the others"
)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose input_fn raised."""
    for finding in failures(facts, (FailureKind.INPUT_FN,), RULE):
        needs_more = not finding.detail and _NEEDS_MORE.search(finding.message)
        yield dataclasses.replace(finding, hint=_WRAP) if needs_more else finding


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the input_fn raised in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="input-fn-raised",
    severity="error",
    summary="The input_fn of --input-fn, or the import of its module, raised.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(
        Failure(FailureKind.INPUT_FN, "TypeError", "missing 1 required positional argument")
    ),
)
