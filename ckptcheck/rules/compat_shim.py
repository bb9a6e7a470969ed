"""ckptcheck replaced parts of TensorFlow to trace the model_fn.

TensorFlow 1 code says ``import tensorflow as tf`` and ``tf.layers.dense``. TensorFlow 2 has this
function only as ``tf.compat.v1.layers.dense``, and TensorFlow 2.16 and later have no
``tf.estimator``. ckptcheck provides the missing names to your modules, so that it can trace them.
Without ckptcheck, code that needs these names does not run with this TensorFlow. If the code is for
TPUEstimator, the finding also lists the params that TPUEstimator adds.

What to do: nothing. Or trace with the TensorFlow that the code is written for (``--python``).
"""

import dataclasses
from typing import Iterator

from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds what ckptcheck replaced."""
    for thing in facts.trace.environment.stand_ins if facts.trace else ():
        part = thing.partition(":")[0]
        yield finding(thing, subject=part, data={"part": part})


def _bad() -> Facts:
    base = facts()
    assert base.trace is not None
    environment = dataclasses.replace(
        base.trace.environment, stand_ins=("tf.estimator: this TensorFlow does not have it",)
    )
    return dataclasses.replace(base, trace=dataclasses.replace(base.trace, environment=environment))


RULE = Rule(
    severity="note",
    category="environment",
    find=find,
    title="ckptcheck replaced parts of TensorFlow to trace the code",
    bad=_bad,
)
