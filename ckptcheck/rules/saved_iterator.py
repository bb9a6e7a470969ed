"""An iterator of the input_fn is restored with the variables, which Estimator cannot do.

``make_saveable_from_iterator`` in the collection ``tf.GraphKeys.SAVEABLE_OBJECTS`` makes the saver
restore the iterator. Estimator initializes iterators after the restore, and TensorFlow restores
only into one that is initialized: ``Restore() failed because the iterator has not been
initialized``.

What to do: save the iterator apart from the variables, with
``tf.data.experimental.CheckpointInputPipelineHook``, or take it out of the collection.
"""

from typing import Iterator, Tuple

from ..protocol import Read, ReadCheck, ReadSink
from ..results import Finding
from .base import FAILS_AT_RESTORE, Facts, PerVariable, Rule, reads_by_key
from .examples import READS, WEIGHTS, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads into iterators that are initialized too late."""
    found = PerVariable(RULE.id, RULE.severity)
    stored = facts.stored
    for plan in facts.plans:
        for key, item in reads_by_key(plan).items():
            if item.check is ReadCheck.INITIALIZED and key in stored:
                found.add(plan.mode, key, FAILS_AT_RESTORE, _MESSAGE)
    return found.findings()


_MESSAGE = (
    "the restore raises: Restore() failed because the iterator has not been initialized; Estimator "
    "does that later"
)


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "an iterator of the input_fn is restored with the variables"


_ITERATOR = Read(
    "iterator", "", None, "variant", "", ReadSink.ITERATOR, ReadCheck.INITIALIZED, "other"
)

RULE = Rule(
    id="saved-iterator",
    severity="error",
    summary="An iterator of the input_fn is restored with the variables.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: facts(
        stored={**WEIGHTS, "iterator": ((), "variant")},
        reads=(*READS, _ITERATOR),
    ),
)
