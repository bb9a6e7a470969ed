"""A variable has another dtype in the checkpoint than in the model.

TensorFlow reads with the model's dtype and never converts: the restore raises ``expected dtype …
does not equal original dtype …``, in every version. Layers take the dtype of their inputs, so one
float64 feature makes all weights behind it float64.

What to do: cast the feature, or give the layer its dtype; a checkpoint that has to change its dtype
has to be rewritten.
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import FAILS_AT_RESTORE, Facts, PerVariable, Rule, counted, model_spec, reads_by_key
from .examples import facts, read


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose dtype is not the stored one."""
    found = PerVariable(RULE.id, RULE.severity)
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
            model = model_spec(item)
            found.add(plan.mode, key, FAILS_AT_RESTORE, message, stored[key], model)
    return found.findings()


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    what = counted(findings, "a variable has", "{} variables have")
    return f"{what} another dtype in the checkpoint than in the model"


RULE = Rule(
    id="dtype-mismatch",
    severity="error",
    summary="A variable has another dtype in the checkpoint than in the model.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 64), "float64"),),
        stored={"dense/kernel": ((1, 64), "float32")},
    ),
)
