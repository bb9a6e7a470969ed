"""The model restores nothing from the checkpoint except the global step.

The restore succeeds, because the checkpoint has everything that the restore reads. But a model that
uses none of the trained variables is rarely the model that was trained. Maybe TARGET names the
wrong function, a factory gets the wrong params, or the layers are built in another graph.

What to do: make sure that TARGET, the params and the modes are the ones that you mean.
"""

from typing import Iterator

from ..results import Finding
from .base import Facts, Rule, finding, restores_nothing
from .examples import READS, facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a checkpoint from which the checked modes read only the global step."""
    unread = restores_nothing(facts)
    if unread:
        others = "1 other tensor" if unread == 1 else f"{unread} other tensors"
        yield finding(
            f"the checked modes read only the global step, but the checkpoint holds {others}",
            modes=tuple(plan.mode for plan in facts.plans),
            subject="checkpoint",
            hint="make sure that TARGET and the params are the ones that you mean",
            data={"unread": unread},
        )


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="the model restores nothing except the global step",
    bad=lambda: facts(reads=READS[1:]),
)
