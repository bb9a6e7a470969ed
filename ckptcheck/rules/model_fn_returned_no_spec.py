"""model_fn returned no EstimatorSpec.

Estimator raises ``model_fn should return an EstimatorSpec``. The usual cause is a branch without a
``return``, often for one mode only.

What to do: return an EstimatorSpec in every mode.
"""

from typing import Iterator, Tuple

from ..spec import Failure, Finding
from .base import Facts, Rule
from .examples import facts, failed
from .model_fn_raised import failures


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, ("no-spec",), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn returned no EstimatorSpec in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-returned-no-spec",
    severity="error",
    summary="model_fn returned something other than an EstimatorSpec.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: failed(Failure("no-spec", "", "model_fn returned None, not an EstimatorSpec")),
)
