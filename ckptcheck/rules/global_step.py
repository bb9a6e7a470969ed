"""The global step does not restore.

Estimator always restores ``global_step``, an int64 scalar, in every mode. Checkpoints that were
written by hand or exported with the weights alone lack it, or hold it as int32.

What to do: write the checkpoint with the global step
(``tf.compat.v1.train.get_or_create_global_step()``) among the saved variables.
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import (
    FAILS_AT_RESTORE,
    Facts,
    PerVariable,
    Rule,
    model_spec,
    of_another_kind,
    reads_by_key,
)
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads of the global step that the checkpoint does not satisfy."""
    if of_another_kind(facts):
        return iter(())
    found = PerVariable(RULE.id, RULE.severity)
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
            found.add(plan.mode, key, FAILS_AT_RESTORE, message, held, model_spec(read))
    return found.findings()


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the global step does not restore"


RULE = Rule(
    id="global-step",
    severity="error",
    summary="The checkpoint has no global_step, or one of another dtype.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: facts(stored={"dense/kernel": ((1, 64), "float32")}),
)
