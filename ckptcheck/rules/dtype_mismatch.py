"""A variable has another dtype in the checkpoint than in the model.

TensorFlow reads a tensor with the dtype of the model and never converts it. Every version raises
``expected dtype … does not equal original dtype …`` when it restores. A layer takes the dtype of
its inputs, so a single float64 feature makes all weights behind it float64.

What to do: cast the feature, or give the layer a dtype. To change the dtype in a checkpoint, write
the checkpoint anew.
"""

from typing import Iterator

from ..results import Finding
from .base import FAILS_AT_RESTORE, RESTORE, TRACE, Facts, PerVariable, Rule, counted, reads_by_key
from .examples import facts, read


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose dtype is not the stored one."""
    found = PerVariable(RULE)
    stored = facts.stored
    for plan in facts.plans:
        for key, item in reads_by_key(plan).items():
            if key not in stored or item.dtype == stored[key].dtype:
                continue
            if item.role == "global_step":
                continue
            message = (
                f"the checkpoint holds {stored[key].dtype}, the model reads {item.dtype}; the "
                "restore raises"
            )
            found.add(plan, item, FAILS_AT_RESTORE, message, stored[key])
    return found.findings()


RULE = Rule(
    id="dtype-mismatch",
    severity="error",
    summary="A variable has another dtype in the checkpoint than in the model.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title=counted(
        "a variable has another dtype in the checkpoint than in the model",
        "{} variables have another dtype in the checkpoint than in the model",
    ),
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 64), "float64"),),
        stored={"dense/kernel": ((1, 64), "float32")},
    ),
)
