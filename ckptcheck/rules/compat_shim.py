"""Something of TensorFlow was stood in for, so that the model_fn could be traced.

Code for TensorFlow 1 says ``import tensorflow as tf`` and ``tf.layers.dense``, which TensorFlow 2
has as ``tf.compat.v1.layers.dense`` only; TensorFlow 2.16 and later have no ``tf.estimator`` at
all. ckptcheck supplies both to the user's modules, and says so here: the code itself would not run
on this TensorFlow as it is.

What to do: nothing, or trace with the TensorFlow that the code runs on (``--python``).
"""

import dataclasses
from typing import Iterator, Tuple

from ..results import Finding
from .base import Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds what was stood in for."""
    if facts.trace is None:
        return
    for thing in facts.trace.environment.stand_ins:
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=thing,
            modes=facts.modes,
            subject=thing,
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "stood in for, so that TensorFlow 1 code could be traced"


def _bad() -> Facts:
    base = facts()
    assert base.trace is not None
    environment = dataclasses.replace(base.trace.environment, stand_ins=("tf.estimator",))
    return dataclasses.replace(base, trace=dataclasses.replace(base.trace, environment=environment))


RULE = Rule(
    id="compat-shim",
    severity="note",
    summary="A part of TensorFlow was stood in for, so that the model_fn could be traced.",
    check=check,
    title=title,
    good=facts,
    bad=_bad,
)
