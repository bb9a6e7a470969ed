"""TensorFlow refuses the Scaffold that model_fn returned.

After model_fn has returned, Estimator finishes its Scaffold before it restores anything: it builds
the ready ops and the saver. That raises where, for instance, several savers stand in the collection
``tf.GraphKeys.SAVERS`` and none was named, or a saver has no variables at all.

What to do: name the saver (``tf.train.Scaffold(saver=…)``) in every mode's EstimatorSpec.
"""

from typing import Iterator, Tuple

from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import FAILS_AT_RESTORE, Facts, Rule
from .examples import facts, failed
from .model_fn_raised import failures


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose Scaffold could not be finished."""
    return failures(facts, ("scaffold",), RULE, FAILS_AT_RESTORE)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "TensorFlow refuses the Scaffold in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="scaffold-raised",
    severity="error",
    summary="TensorFlow refuses the Scaffold that model_fn returned.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: failed(
        Failure(FailureKind.SCAFFOLD, "RuntimeError", "More than one item in collection")
    ),
)
