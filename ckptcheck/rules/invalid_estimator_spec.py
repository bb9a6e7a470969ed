"""model_fn did not return an EstimatorSpec that the mode can use.

Estimator raises ``model_fn should return an EstimatorSpec``. The usual cause is a branch without a
``return``, often for one mode only. Estimator also raises if the EstimatorSpec lacks what the mode
needs: ``predictions`` in PREDICT, ``loss`` in EVAL, ``loss`` and ``train_op`` in TRAIN. The usual
cause is that the EstimatorSpec was made with another ``mode`` than the one that model_fn got.

What to do: return an EstimatorSpec in every mode, made with the ``mode`` that model_fn got.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose trace ended so."""
    return failures(facts, (FailureKind.NO_SPEC,), RULE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    modes = ", ".join(findings[0].modes).upper()
    return f"model_fn returned no EstimatorSpec that {modes} can use"


RULE = Rule(
    id="invalid-estimator-spec",
    severity="error",
    summary="model_fn returned no EstimatorSpec that the mode can use.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(
        Failure(FailureKind.NO_SPEC, "", "model_fn returned None, not an EstimatorSpec")
    ),
)
