"""The checkpoint has no global_step, or its global_step has the wrong dtype.

Estimator restores ``global_step``, an int64 scalar, in every mode. In checkpoints that were written
by hand or that hold only the weights, it may be missing or have the dtype int32.

What to do: save the global step (``tf.compat.v1.train.get_or_create_global_step()``) together with
the other variables.
"""

from typing import Iterator

from ..results import Finding, Outcome
from .base import Facts, Rule, compared, in_mode, joins_modes, not_found, of_another_kind
from .examples import facts


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds reads of the global step that the checkpoint does not satisfy."""
    if of_another_kind(facts):
        return
    for plan, read, stored in compared(facts):
        if read.role != "global_step":
            continue
        if stored is None:
            yield not_found(plan, read)
        elif stored.dtype != read.dtype:
            message = (
                f"the dtype of {read.key} is {stored.dtype} in the checkpoint, "
                f"but Estimator reads {read.dtype}"
            )
            yield in_mode(plan, read, Outcome.FAILS_AT_RESTORE, message, stored)


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="the global step cannot be restored",
    bad=lambda: facts(stored={"dense/kernel": ((1, 64), "float32")}),
)
