"""Derives what happens if a read has another shape than the checkpoint."""

from typing import NamedTuple, Optional

from ..protocol import (
    EVAL,
    TRAIN,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    Shape,
    VariableSpec,
    allows,
    elements,
)
from ..results import Outcome
from .base import FAILS_AT_RESTORE, FAILS_AT_RUN, SILENTLY_WRONG


class ShapeProblem(NamedTuple):
    """What another shape does to a mode, and the error of TensorFlow, "" for none."""

    outcome: Outcome
    says: str


_REFUSALS = {
    ReadCheck.ASSIGN: "Assign requires shapes of both tensors to match",
    ReadCheck.RESHAPE: "Input to reshape is a tensor with another number of values",
    ReadCheck.SLICE: "Shape in shape_and_slice spec does not match the shape in the save file",
    ReadCheck.TABLE: "Expected shape … for value, got …",
}
"""The error of TensorFlow for another shape, for each kind of check."""


def shape_problem(read: Read, stored: VariableSpec, plan: RestorePlan) -> Optional[ShapeProblem]:
    """Returns what a shape does; None if it is the stored shape, or if the dtype fails first."""
    if read.dtype != stored.dtype:
        return None
    if read.sink is ReadSink.OPAQUE:
        return _opaque_problem(read, plan)
    if allows(read.shape, stored.shape):
        return None
    if read.check is ReadCheck.RESHAPE and _same_count(read.shape, stored.shape):
        return None
    if read.check in _REFUSALS:
        return ShapeProblem(FAILS_AT_RESTORE, _REFUSALS[read.check])
    if any(spec.name == read.variable for spec in plan.reinitialized):
        return None  # its declared shape comes back, and the checkpoint's values are lost
    if read.role == "global_step":
        outcome = _outcome_of_steps(plan.mode, stored)
        if outcome is not None:
            return ShapeProblem(outcome, "the global step is no single number")
    for error in plan.run_errors:
        if read.key in error.keys:
            return ShapeProblem(FAILS_AT_RUN, error.message)
    return ShapeProblem(SILENTLY_WRONG, "")


def _outcome_of_steps(mode: str, stored: VariableSpec) -> Optional[Outcome]:
    """TRAIN saves the step before its first step; EVAL writes it to a summary at its end."""
    if mode == TRAIN:
        return FAILS_AT_RESTORE
    return FAILS_AT_RUN if mode == EVAL and stored.elements != 1 else None


def _opaque_problem(read: Read, plan: RestorePlan) -> Optional[ShapeProblem]:
    for error in plan.opaque_errors:
        if read.key in error.keys:
            outcome = FAILS_AT_RESTORE if error.message else SILENTLY_WRONG
            return ShapeProblem(outcome, error.message)
    return None


def _same_count(mine: Shape, theirs: Shape) -> bool:
    return mine is None or theirs is None or elements(mine) == elements(theirs)
