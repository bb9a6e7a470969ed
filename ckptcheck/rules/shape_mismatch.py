"""A variable has another shape in the checkpoint than in the model.

What happens depends on how TensorFlow restores the variable. It verifies the shape of a reference
variable (TensorFlow 1) and of a part of a partitioned variable: the restore raises. It does not
verify the shape of a resource variable that is read whole (TensorFlow 2, and Keras layers in
TensorFlow 1): the variable takes the shape of the checkpoint, and nothing is logged. Then either an
op that uses it raises in the first run, or nothing raises, and the model runs with a layer of
another size than its code says. Training goes on with that size and saves it again.

A table of embeddings may have fewer rows in the checkpoint than in the code. Then nothing raises
until an id beyond these rows is looked up: the lookup raises on a CPU and reads zeros on a GPU.

What to do: find the param, the vocabulary or the feature that the size follows from, and give it
the value that it had when the checkpoint was written.
"""

from typing import Iterator

from ..protocol import Shape
from ..results import Finding, shape_text
from .base import (
    FAILS_AT_RESTORE,
    FAILS_AT_RUN,
    RESTORE,
    SHAPES,
    TRACE,
    Facts,
    PerVariable,
    Rule,
    counted,
    reads_by_key,
)
from .examples import facts, read
from .shape_outcome import ShapeProblem, shape_problem


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose shape is not the stored one."""
    found = PerVariable(RULE)
    stored = facts.stored
    for plan in facts.plans:
        for key, item in reads_by_key(plan).items():
            problem = shape_problem(item, stored[key], plan) if key in stored else None
            if problem is not None:
                error = {"error": problem.says} if problem.says else {}
                message = _message(stored[key].shape, item.shape, problem)
                found.add(plan, item, problem.outcome, message, stored[key], **error)
    return found.findings()


def _message(stored: Shape, declared: Shape, problem: ShapeProblem) -> str:
    shapes = f"the checkpoint holds {shape_text(stored)}, the model declares {shape_text(declared)}"
    if problem.outcome is FAILS_AT_RUN:
        return f"{shapes}; it is restored, and then the run raises: {problem.says}"
    if problem.outcome is FAILS_AT_RESTORE:
        return f"{shapes}; the restore raises: {problem.says}"
    return f"{shapes}; {_silently(stored, declared)}, and the model goes on with the stored shape"


def _silently(stored: Shape, declared: Shape) -> str:
    """Says that nothing raises, and for a table with too few rows, until when.

    Only the real data holds ids. The kernel of a layer may have such shapes too, but nothing looks
    up ids in it.
    """
    if not stored or not declared or len(stored) < 2 or stored[1:] != declared[1:]:
        return "nothing raises"
    rows, wanted = stored[0], declared[0]
    if rows is None or wanted is None or rows >= wanted:
        return "nothing raises"
    return f"nothing raises (if it is a table: until an id from {rows} on is looked up)"


RULE = Rule(
    id="shape-mismatch",
    severity="error",
    summary="A variable has another shape in the checkpoint than in the model.",
    check=check,
    category=RESTORE,
    needs=(TRACE,),
    role=SHAPES,
    title=counted(
        "a variable has another shape in the checkpoint than in the model",
        "{} variables have another shape in the checkpoint than in the model",
    ),
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 128)),), stored={"dense/kernel": ((1, 64), "float32")}
    ),
)
