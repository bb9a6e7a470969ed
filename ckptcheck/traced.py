"""What the tracer found out for one check: a value that can be kept and used again."""

import dataclasses
from typing import Optional, Tuple

from .changes import NO_DRIFT, Drift
from .origins import Origins
from .protocol import CheckpointIndex, Failure, FailureKind
from .results import Trace
from .uncompared import not_compared


@dataclasses.dataclass(frozen=True)
class Traced:
    """What the tracer found out for one check.

    Attributes:
        index: what the checkpoint holds; None if there is no checkpoint or it cannot be read.
        unreadable: why the checkpoint cannot be read; None if it can.
        trace: all modes; None if there is no checkpoint and the features cannot be found.
        doubts: what the traces could not find out.
        listed: what TensorFlow's own reader lists; None if it cannot read the checkpoint.
        drift: what the model computes differently than when it was saved.
        origins: the origins of the code; None if the check did not ask for them.
    """

    index: Optional[CheckpointIndex]
    unreadable: Optional[Failure]
    trace: Optional[Trace]
    doubts: Tuple[str, ...]
    listed: Optional[CheckpointIndex] = None
    drift: Drift = NO_DRIFT
    origins: Optional[Origins] = None

    @property
    def not_judged(self) -> Tuple[str, ...]:
        """What the check could not find out."""
        modes = self.trace.modes if self.trace else ()
        notes = (note for trace in modes for note in trace.notes)
        return tuple(dict.fromkeys((*self.doubts, *notes, *not_compared(self.drift))))

    @property
    def raised(self) -> bool:
        """Whether the code raised in a mode."""
        failures = (mode.failure for mode in self.trace.modes) if self.trace else ()
        return any(
            failure is not None and failure.kind is FailureKind.RAISED for failure in failures
        )


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What to find out besides the restore plans.

    Attributes:
        judgement: whether to find out if the run raises after a restore of other shapes.
        origins: what the code comes from.
        drift: what the model computes differently than when it was saved.
        recorded_params: whether the params come from the record.
        places: the lines of the code that make the ops that differ.
        same_inputs: whether the record was made with the features that the user gave.
    """

    judgement: bool = True
    origins: bool = False
    drift: bool = True
    recorded_params: bool = False
    places: bool = True
    same_inputs: bool = False


EVERYTHING = Wanted()
"""The facts that a check without a record needs."""
