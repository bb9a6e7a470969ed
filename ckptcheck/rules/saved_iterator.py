"""The saver restores an iterator of the input_fn, which Estimator initializes too late.

``make_saveable_from_iterator`` in the collection ``tf.GraphKeys.SAVEABLE_OBJECTS`` makes the saver
restore the iterator with the variables. TensorFlow restores an iterator only if it is initialized,
and Estimator initializes iterators after the restore: ``Restore() failed because the iterator has
not been initialized``.

What to do: save the iterator apart from the variables with
``tf.data.experimental.CheckpointInputPipelineHook``, or take it out of the collection.
"""

from typing import Dict, Iterator, List

from ..protocol import Read, ReadCheck, ReadSink
from ..results import Finding
from .base import FAILS_AT_RESTORE, RESTORE, TRACE, Facts, Rule, reads_by_key
from .examples import READS, WEIGHTS, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads into iterators that are initialized too late."""
    modes: Dict[str, List[str]] = {}
    for plan in facts.plans:
        for key, item in reads_by_key(plan).items():
            if item.check is ReadCheck.INITIALIZED and key in facts.stored:
                modes.setdefault(key, []).append(plan.mode)
    for key, mine in sorted(modes.items()):
        yield RULE.finding(
            facts,
            _MESSAGE,
            modes=tuple(mine),
            outcomes=dict.fromkeys(mine, FAILS_AT_RESTORE),
            variable=key,
            data={"error": _ERROR},
        )


_ERROR = "Restore() failed because the iterator has not been initialized"
_MESSAGE = f"the restore raises: {_ERROR}; Estimator does that later"


_ITERATOR = Read(
    "iterator", "", None, "variant", "", ReadSink.ITERATOR, ReadCheck.INITIALIZED, "other"
)

RULE = Rule(
    id="saved-iterator",
    severity="error",
    summary="An iterator of the input_fn is restored with the variables.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    title="an iterator of the input_fn is restored with the variables",
    bad=lambda: facts(stored={**WEIGHTS, "iterator": ((), "variant")}, reads=(*READS, _ITERATOR)),
)
