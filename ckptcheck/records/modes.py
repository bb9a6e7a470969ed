"""Turns the trace of a mode into what a record holds of it."""

from ..protocol import FinishedTrace
from ..results import Trace
from .value import RecordedMode


def recorded_mode(mode: FinishedTrace, trace: Trace) -> RecordedMode:
    """Returns what a record holds of a mode.

    Args:
        mode: the trace of the mode.
        trace: the trace of all modes.
    """
    seen = mode.seen
    reads = seen.params.reads
    return RecordedMode(
        features=seen.features,
        labels=seen.labels,
        taken_names=trace.taken_names,
        defaults={item.key: item.default for item in reads if not item.found and item.has_default},
        plan=mode.plan,
        graph=seen.graph,
        first_op=seen.first_op,
        inputs=seen.inputs,
        restore_op=seen.restore_op,
        outputs=seen.outputs,
        output_keys=seen.output_keys,
        train_op=seen.train_op,
    )
