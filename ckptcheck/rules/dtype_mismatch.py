"""A variable has a different dtype in the checkpoint than in the model.

TensorFlow reads a tensor with the dtype of the model and never converts it. Every version raises
``expected dtype … does not equal original dtype …`` during the restore. A layer takes the dtype of
its inputs, so a single float64 feature makes all weights after it float64.

What to do: cast the feature, or give the layer a dtype. To keep the dtype of the model, convert the
variable and save the checkpoint again.
"""

from typing import Iterator

from ..results import Finding, Outcome
from .base import Facts, Rule, compared, in_mode, joins_modes
from .examples import facts, read


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose dtype is not the stored one."""
    for plan, item, stored in compared(facts):
        if stored and item.dtype != stored.dtype and item.role != "global_step":
            message = (
                f"the dtype is {stored.dtype} in the checkpoint and {item.dtype} in the model; "
                f"the restore raises an error"
            )
            yield in_mode(plan, item, Outcome.FAILS_AT_RESTORE, message, stored)


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="a variable has a different dtype in the checkpoint than in the model",
    titles="{} variables have a different dtype in the checkpoint than in the model",
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 64), "float64"),),
        stored={"dense/kernel": ((1, 64), "float32")},
    ),
)
