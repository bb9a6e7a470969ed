"""The model reads nothing of the checkpoint except the global step.

The restore does not raise, because nothing that it reads can fail. But a model that uses none of
the trained variables is rarely the model that was trained. TARGET may name another function, a
factory may get other params, or the layers may be built in another graph.

What to do: look whether TARGET, the params and the modes are the right ones.
"""

from typing import Iterator

from ..results import Finding
from .base import RESTORE, TRACE, Facts, Rule, restores_nothing
from .examples import READS, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint from which the checked modes read only the global step."""
    unread = restores_nothing(facts)
    if unread:
        yield RULE.finding(
            facts,
            _message(unread),
            modes=tuple(plan.mode for plan in facts.plans),
            subject="checkpoint",
            hint="look whether TARGET and the params are the right ones",
            data={"unread": unread},
        )


def _message(count: int) -> str:
    tensors = "1 tensor" if count == 1 else f"{count} tensors"
    return f"the checkpoint holds {tensors} besides the global step, and no checked mode reads any"


RULE = Rule(
    id="nothing-restored",
    severity="error",
    summary="The model reads nothing of the checkpoint except the global step.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title="the model uses nothing of the checkpoint",
    bad=lambda: facts(reads=READS[1:]),
)
