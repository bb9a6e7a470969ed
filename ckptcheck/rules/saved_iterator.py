"""An iterator of the input_fn is restored with the variables.

If the collection ``tf.GraphKeys.SAVEABLE_OBJECTS`` holds the result of
``make_saveable_from_iterator``, the saver restores the iterator together with the variables.
TensorFlow can only restore an iterator that is initialized, but Estimator initializes iterators
after the restore. So the restore raises ``Restore() failed because the iterator has not been
initialized``.

What to do: save the iterator separately with
``tf.data.experimental.CheckpointInputPipelineHook``, or remove it from the collection.
"""

from typing import Iterator

from ..protocol import Read, ReadCheck, ReadSink
from ..results import Finding, Outcome
from .base import Facts, Rule, compared, finding, joins_modes
from .examples import READS, WEIGHTS, facts

_ERROR = "Restore() failed because the iterator has not been initialized"


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds reads into iterators that are initialized too late."""
    for plan, read, stored in compared(facts):
        if stored and read.check is ReadCheck.INITIALIZED:
            yield finding(
                f"the restore raises: {_ERROR}; Estimator initializes the iterator only after the "
                f"restore",
                modes=(plan.mode,),
                outcomes={plan.mode: Outcome.FAILS_AT_RESTORE},
                variable=read.key,
                data={"error": _ERROR},
            )


_ITERATOR = Read(
    "iterator", "", None, "variant", "", ReadSink.ITERATOR, ReadCheck.INITIALIZED, "other"
)

RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    title="an iterator of the input_fn is restored with the variables",
    bad=lambda: facts(stored={**WEIGHTS, "iterator": ((), "variant")}, reads=(*READS, _ITERATOR)),
)
