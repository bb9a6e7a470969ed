"""The input_fn that ``--input-fn`` names raised, or the import of its module did.

Estimator calls an input_fn with those of ``mode``, ``params`` and ``config`` that its signature
names, and with nothing else. ckptcheck does the same, so an input_fn that needs another argument,
such as the path of the data, raises in both.

What to do: fix what raised. Where the input_fn needs other arguments, write a function without
them that calls it, and name that function.
"""

import dataclasses
import re
from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import Facts, Rule
from .examples import facts, failed
from .model_fn_raised import failures

_NEEDS_MORE = re.compile(r"missing \d+ required (positional|keyword-only) argument")
_WRAP = (
    "an input_fn is called with mode, params and config, where its signature names them, and with "
    "nothing else: name a function that passes the other arguments"
)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose input_fn raised."""
    for finding in failures(facts, ("input-fn",), RULE):
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
    title=title,
    good=facts,
    bad=lambda: failed(
        Failure(FailureKind.INPUT_FN, "TypeError", "missing 1 required positional argument")
    ),
)
