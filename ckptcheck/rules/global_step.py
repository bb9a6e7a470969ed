"""The global step does not restore.

Estimator restores ``global_step``, an int64 scalar, in every mode. A checkpoint that was written by
hand, or that holds the weights alone, lacks it or holds it as int32.

What to do: save the global step (``tf.compat.v1.train.get_or_create_global_step()``) with the other
variables.
"""

from typing import Iterator

from ..results import Finding
from .base import (
    FAILS_AT_RESTORE,
    RESTORE,
    TRACE,
    Facts,
    PerVariable,
    Rule,
    of_another_kind,
    reads_by_key,
)
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads of the global step that the checkpoint does not satisfy."""
    if of_another_kind(facts):
        return iter(())
    found = PerVariable(RULE)
    stored = facts.stored
    for plan in facts.plans:
        for key, read in reads_by_key(plan).items():
            if read.role != "global_step":
                continue
            held = stored.get(key)
            if held is not None and held.dtype == read.dtype:
                continue
            message = (
                f"Key {key} not found in checkpoint"
                if held is None
                else f"the checkpoint holds {held.dtype} {key}, Estimator reads {read.dtype}"
            )
            found.add(plan, read, FAILS_AT_RESTORE, message, held)
    return found.findings()


RULE = Rule(
    id="global-step",
    severity="error",
    summary="The checkpoint has no global_step, or one of another dtype.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title="the global step does not restore",
    bad=lambda: facts(stored={"dense/kernel": ((1, 64), "float32")}),
)
