"""A variable is neither restored nor initialized.

After a restore Estimator runs the scaffold's ``local_init_op`` and no other initializer
(``init_op`` and ``init_fn`` are for a fresh start only). A variable that the saver leaves out, and
that ``local_init_op`` does not set, stays uninitialized: TensorFlow's ready ops report it and the
restore raises, or, where the scaffold's ready ops were replaced, the first op that reads it does.

What to do: let the saver restore it, or initialize it in the scaffold's ``local_init_op``.
"""

from typing import Iterator, Tuple

from ..protocol import RestorePlan, VariableSpec
from ..results import Finding
from .base import FAILS_AT_RESTORE, FAILS_AT_RUN, Facts, PerVariable, Rule, counted
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds variables that nothing fills."""
    found = PerVariable(RULE.id, RULE.severity)
    for plan in facts.plans:
        for spec in plan.uninitialized:
            message = "nothing restores or initializes it: the model is not ready"
            found.add(plan.mode, spec.name, FAILS_AT_RESTORE, message, model=spec)
        for spec in plan.unwatched:
            message = "nothing restores or initializes it, and the run reads it"
            found.add(plan.mode, spec.name, FAILS_AT_RUN, message, model=spec)
    return found.findings()


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    what = counted(findings, "a variable is", "{} variables are")
    return f"{what} neither restored nor initialized"


RULE = Rule(
    id="uninitialized-variable",
    severity="error",
    summary="A variable is neither restored nor initialized.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: facts(
        plan=RestorePlan("", (), uninitialized=(VariableSpec("scale", (), "float32"),))
    ),
)
