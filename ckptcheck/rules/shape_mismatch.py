"""A variable has a different shape in the checkpoint than in the model.

What happens depends on the kind of variable. For a reference variable (TensorFlow 1), and for a
part of a partitioned variable, TensorFlow verifies the shape, and the restore raises an error. It
does not verify the shape of a resource variable that is read as a whole (TensorFlow 2, and Keras
layers in TensorFlow 1). Such a variable takes the shape in the checkpoint, and TensorFlow logs
nothing. Then an op that uses the variable may raise an error in the first run. Or TensorFlow raises
no error, and the model runs with a layer of a different size than the code says. Training continues
with that size, and saves it again.

Whether the run raises an error may depend on the data. If an embedding table has fewer rows in the
checkpoint than in the code, there is no error until the model looks up an id beyond these rows.
Such a lookup raises an error on a CPU and reads zeros on a GPU. The report then names the smallest
id with which the run fails. It does the same for labels, and for the length of inputs.

What to do: find the param, the vocabulary or the feature that determines the size, and give it the
value that it had when the checkpoint was saved.
"""

from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

from ..data_limits import limit_text
from ..protocol import (
    EVAL,
    TRAIN,
    DataLimit,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    Shape,
    VariableSpec,
    allows,
    elements,
)
from ..results import Finding, Outcome, shape_text
from .base import SHAPES, Facts, Rule, compared, in_mode, joins_modes
from .examples import facts, read

_REFUSALS = {
    ReadCheck.ASSIGN: "Assign requires shapes of both tensors to match",
    ReadCheck.RESHAPE: "Input to reshape is a tensor with a different number of values",
    ReadCheck.SLICE: "Shape in shape_and_slice spec does not match the shape in the save file",
    ReadCheck.TABLE: "Expected shape … for value, got …",
}
"""The error of TensorFlow for another shape, for each kind of check."""


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose shape is not the stored one."""
    for plan, item, stored in compared(facts):
        problem = _problem(item, stored, plan) if stored else None
        if stored and problem:
            outcome, error = problem
            limits = _limits(facts, item.key)
            data: Dict[str, Any] = {"error": error} if error else {}
            if outcome is Outcome.SILENTLY_WRONG and limits:
                data["fails_where"] = limits
            message = _message(stored.shape, item.shape, outcome, error, limits)
            yield in_mode(plan, item, outcome, message, stored, **data)


def _limits(facts: Facts, key: str) -> Tuple[DataLimit, ...]:
    """Returns the limits of the data: beyond them, a mode raises because of a variable's shape."""
    limits = (limit for plan in facts.plans for limit in plan.data_limits if key in limit.keys)
    return tuple(dict.fromkeys(limits))


_Problem = Tuple[Outcome, str]
"""The outcome of a wrong shape in a mode, and TensorFlow's error; "" if there is none."""


def _problem(item: Read, stored: VariableSpec, plan: RestorePlan) -> Optional[_Problem]:
    """Returns the problem of a read's shape; None if it fits, or if the dtype is wrong, too."""
    if item.dtype != stored.dtype:
        return None
    if item.sink is ReadSink.OPAQUE:
        return _opaque_problem(item, plan)
    if allows(item.shape, stored.shape):
        return None
    if item.check is ReadCheck.RESHAPE and _same_count(item.shape, stored.shape):
        return None
    if item.check in _REFUSALS:
        return Outcome.FAILS_AT_RESTORE, _REFUSALS[item.check]
    if any(spec.name == item.variable for spec in plan.reinitialized):
        return None  # its declared shape comes back, and the checkpoint's values are lost
    if item.role == "global_step":
        says = "the global step is not a scalar"
        if plan.mode == TRAIN:  # saves the step before its first step
            return Outcome.FAILS_AT_RESTORE, says
        if plan.mode == EVAL and stored.elements != 1:  # writes the step to a summary at its end
            return Outcome.FAILS_AT_RUN, says
    for error in plan.run_errors:
        if item.key in error.keys:
            return Outcome.FAILS_AT_RUN, error.message
    return Outcome.SILENTLY_WRONG, ""


def _opaque_problem(item: Read, plan: RestorePlan) -> Optional[_Problem]:
    for error in plan.opaque_errors:
        if item.key in error.keys:
            outcome = Outcome.FAILS_AT_RESTORE if error.message else Outcome.SILENTLY_WRONG
            return outcome, error.message
    return None


def _same_count(mine: Shape, theirs: Shape) -> bool:
    return mine is None or theirs is None or elements(mine) == elements(theirs)


def _message(
    stored: Shape, declared: Shape, outcome: Outcome, error: str, limits: Sequence[DataLimit]
) -> str:
    shapes = f"shape {shape_text(stored)} in the checkpoint, {shape_text(declared)} in the model"
    if outcome is Outcome.FAILS_AT_RUN:
        return f"{shapes}; the restore succeeds, and then the run raises: {error}"
    if outcome is Outcome.FAILS_AT_RESTORE:
        return f"{shapes}; the restore raises: {error}"
    if_so = " or ".join(dict.fromkeys(map(limit_text, limits)))
    raised = f"the run raises an error if {if_so}" if if_so else "TensorFlow raises no error"
    joined = "; otherwise" if if_so else ", and"
    return f"{shapes}; {raised}{joined} the model runs with the shape in the checkpoint"


RULE = Rule(
    severity="error",
    category="restore",
    find=find,
    role=SHAPES,
    title="a variable has a different shape in the checkpoint than in the model",
    titles="{} variables have a different shape in the checkpoint than in the model",
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 128)),), stored={"dense/kernel": ((1, 64), "float32")}
    ),
)
