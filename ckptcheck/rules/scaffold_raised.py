"""TensorFlow refuses the Scaffold that model_fn returned.

After model_fn has returned and before the restore, Estimator finishes the Scaffold: it builds the
ready ops and the saver. That raises, for example, if the collection ``tf.GraphKeys.SAVERS`` holds
several savers and the Scaffold names none, or if a saver has no variables.

What to do: name the saver (``tf.train.Scaffold(saver=…)``) in the EstimatorSpec of every mode.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import CODE, FAILS_AT_RESTORE, Facts, Rule
from .code_failures import failures
from .examples import facts, failed


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose Scaffold could not be finished."""
    return failures(facts, (FailureKind.SCAFFOLD,), RULE, FAILS_AT_RESTORE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "TensorFlow refuses the Scaffold in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="scaffold-raised",
    severity="error",
    summary="TensorFlow refuses the Scaffold that model_fn returned.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=lambda: failed(
        Failure(FailureKind.SCAFFOLD, "RuntimeError", "More than one item in collection")
    ),
)
