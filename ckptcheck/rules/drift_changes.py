"""Makes the rules about drift: one rule for each kind of change."""

from typing import Iterator

from ..changes import UNKNOWN, Change, Drift
from ..protocol import TRAIN
from ..results import Finding
from .base import DRIFT, Facts, Rule, finding
from .examples import facts as example_facts

_MOST_NODES = 3


def drift_rule(example: Change) -> Rule:
    """Returns a rule that finds changes of one kind.

    A change that reaches PREDICT or EVAL is a warning. A change that reaches only TRAIN is a note.

    Args:
        example: a change of this kind.
    """

    def find(facts: Facts) -> Iterator[Finding]:
        """Finds the changes of this kind in the modes of the check."""
        for change in facts.drift.changes:
            if change.kind == example.kind and not set(facts.modes).isdisjoint(change.modes):
                yield _finding(change, facts)

    return Rule(
        severity="warning",
        category=DRIFT,
        find=find,
        title=lambda first: str(first.data["what"]),
        bad=lambda: example_facts(drift=Drift((example,))),
    )


def _finding(change: Change, facts: Facts) -> Finding:
    modes = tuple(mode for mode in facts.modes if mode in change.modes)
    alone = modes == (TRAIN,)
    only = alone and _is_known_elsewhere(facts)
    return finding(
        _message(change),
        severity="note" if alone else "warning",
        modes=modes,
        subject=change.text,
        location=change.location,
        data={
            "what": change.text + (" (TRAIN only)" if only else ""),
            "then": change.then,
            "now": change.now,
        },
    )


def _message(change: Change) -> str:
    """Returns which nodes differ, each once if both graphs give it the same name."""
    then, now = (", ".join(names[:_MOST_NODES]) for names in (change.old, change.new))
    if then and then == now:
        return f"{'node' if len(change.old) == 1 else 'nodes'} in both graphs: {now}"
    return f"nodes in the saved graph: {then or 'none'}; in the graph of the code: {now or 'none'}"


def _is_known_elsewhere(facts: Facts) -> bool:
    """Whether it is known for a mode other than TRAIN that a change of TRAIN does not reach it.

    Ops that only the mode has do not matter.
    """
    drift, others = facts.drift, [mode for mode in facts.modes if mode != TRAIN]
    known = (drift.states.get(mode) != UNKNOWN or mode in drift.own for mode in others)
    return any(known) and drift.doubts.keys().isdisjoint(others)
