"""A variable is neither restored nor initialized.

When Estimator restores a checkpoint, it runs the ``local_init_op`` of the Scaffold and no other
initializer: ``init_op`` and ``init_fn`` are for a fresh start. A variable that the saver leaves out
and that ``local_init_op`` does not set stays uninitialized. The ready ops of TensorFlow report it,
and the restore raises. If the Scaffold has other ready ops, the first op that reads the variable
raises.

What to do: let the saver restore the variable, or initialize it in ``local_init_op``.
"""

from typing import Iterator

from ..protocol import RestorePlan, VariableSpec
from ..results import Finding
from .base import FAILS_AT_RESTORE, FAILS_AT_RUN, RESTORE, TRACE, Facts, PerVariable, Rule, counted
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds variables that nothing fills."""
    found = PerVariable(RULE)
    for plan in facts.plans:
        for spec in plan.uninitialized:
            message = "nothing restores or initializes it: the model is not ready"
            found.add(plan, spec, FAILS_AT_RESTORE, message)
        for spec in plan.unwatched:
            message = "nothing restores or initializes it, and the run reads it"
            found.add(plan, spec, FAILS_AT_RUN, message)
    return found.findings()


RULE = Rule(
    id="uninitialized-variable",
    severity="error",
    summary="A variable is neither restored nor initialized.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title=counted(
        "a variable is neither restored nor initialized",
        "{} variables are neither restored nor initialized",
    ),
    bad=lambda: facts(
        plan=RestorePlan("", (), uninitialized=(VariableSpec("scale", (), "float32"),))
    ),
)
