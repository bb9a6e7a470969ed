"""local_init_op overwrites a variable that was just restored.

Estimator runs the ``local_init_op`` of the Scaffold after the restore. If this op assigns a value
to a restored variable, the value from the checkpoint is lost. TensorFlow raises no error, and the
model runs with an untrained variable.

What to do: leave ``tf.compat.v1.global_variables_initializer()`` and the initializers of restored
variables out of ``local_init_op``.
"""

from typing import Iterator

from ..protocol import RestorePlan
from ..results import Finding, Outcome
from .base import Facts, Rule, in_mode, joins_modes
from .examples import SCALE, facts


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds restored variables that the local init op assigns."""
    message = "local_init_op overwrites it after the restore: the checkpoint's value is lost"
    for plan in facts.plans:
        for spec in plan.reinitialized:
            yield in_mode(plan, spec, Outcome.SILENTLY_WRONG, message)


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="local_init_op overwrites a variable after the restore",
    titles="local_init_op overwrites {} variables after the restore",
    bad=lambda: facts(plan=RestorePlan("", (), reinitialized=(SCALE,))),
)
