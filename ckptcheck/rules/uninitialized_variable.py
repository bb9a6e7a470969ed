"""A variable is neither restored nor initialized.

When Estimator restores a checkpoint, the only initializer that it runs is the ``local_init_op`` of
the Scaffold. It does not run ``init_op`` and ``init_fn``, which are for a new model. So a variable
stays uninitialized if the saver does not restore it and ``local_init_op`` does not set it. After
the restore, TensorFlow looks for uninitialized variables with its ready ops, and raises an error.
If the Scaffold has other ready ops, the first op that reads the variable raises an error.

What to do: let the saver restore the variable, or initialize it in ``local_init_op``.
"""

from typing import Iterator

from ..protocol import RestorePlan
from ..results import Finding, Outcome
from .base import Facts, Rule, in_mode, joins_modes
from .examples import SCALE, facts


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds variables that nothing restores or initializes."""
    nothing = "nothing restores or initializes it, so "
    for plan in facts.plans:
        for spec in plan.uninitialized:
            yield in_mode(
                plan, spec, Outcome.FAILS_AT_RESTORE, nothing + "the restore raises an error"
            )
        for spec in plan.unwatched:
            yield in_mode(plan, spec, Outcome.FAILS_AT_RUN, nothing + "the run raises an error")


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="a variable is neither restored nor initialized",
    titles="{} variables are neither restored nor initialized",
    bad=lambda: facts(plan=RestorePlan("", (), uninitialized=(SCALE,))),
)
