"""ckptcheck replaced a part of TensorFlow to trace the model_fn.

TensorFlow 1 code says ``import tensorflow as tf`` and ``tf.layers.dense``, which TensorFlow 2 has
only as ``tf.compat.v1.layers.dense``. TensorFlow 2.16 and later have no ``tf.estimator``. ckptcheck
provides both to the user's modules, so it can trace the code on this TensorFlow. Without ckptcheck
the code does not run there as it is.

What to do: nothing, or trace with the TensorFlow that the code runs on (``--python``).
"""

import dataclasses
from typing import Iterator

from ..results import Finding
from .base import CODE, ENVIRONMENT, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds what ckptcheck replaced."""
    if facts.trace is None:
        return
    for thing in facts.trace.environment.stand_ins:
        yield RULE.finding(facts, thing, subject=thing, data={"shim": thing})


def _bad() -> Facts:
    base = facts()
    assert base.trace is not None
    environment = dataclasses.replace(base.trace.environment, stand_ins=("tf.estimator",))
    return dataclasses.replace(base, trace=dataclasses.replace(base.trace, environment=environment))


RULE = Rule(
    id="compat-shim",
    severity="note",
    summary="ckptcheck replaced a part of TensorFlow to trace the model_fn.",
    check=check,
    category=ENVIRONMENT,
    needs=(CODE,),
    title="compatibility shims were used to trace TensorFlow 1 code",
    bad=_bad,
)
