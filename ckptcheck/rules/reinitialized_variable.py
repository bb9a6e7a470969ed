"""A variable is restored and then initialized again.

Estimator runs the ``local_init_op`` of the Scaffold after the restore. If that op assigns a
variable that was just restored, the value of the checkpoint is lost. Nothing raises, and
predictions come from fresh weights.

What to do: leave ``tf.compat.v1.global_variables_initializer()`` and the initializers of restored
variables out of ``local_init_op``.
"""

from typing import Iterator

from ..protocol import RestorePlan, VariableSpec
from ..results import Finding
from .base import RESTORE, SILENTLY_WRONG, TRACE, Facts, PerVariable, Rule, counted
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds restored variables that the local init op assigns."""
    found = PerVariable(RULE)
    for plan in facts.plans:
        for spec in plan.reinitialized:
            message = "local_init_op assigns it after the restore: the checkpoint's value is lost"
            found.add(plan, spec, SILENTLY_WRONG, message)
    return found.findings()


RULE = Rule(
    id="reinitialized-variable",
    severity="error",
    summary="local_init_op overwrites a variable that was just restored.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title=counted(
        "a variable is restored and then initialized again",
        "{} variables are restored and then initialized again",
    ),
    bad=lambda: facts(
        plan=RestorePlan("", (), reinitialized=(VariableSpec("scale", (), "float32"),))
    ),
)
