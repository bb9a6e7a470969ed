"""A variable has another shape in the checkpoint than in the model.

What happens depends on how TensorFlow restores it. A reference variable (TensorFlow 1) and a part
of a partitioned variable are verified: the restore raises. A resource variable (TensorFlow 2, and
Keras layers in TensorFlow 1) that is read whole is not: it takes the checkpoint's shape without a
word. Then either an op that uses it raises in the first run, or nothing does, and the model runs
with a layer of another size than its code says. Training goes on with it and saves it again.
A table of embeddings with fewer rows than the code says is such a case as long as no id is looked
up beyond them; at the first one that is, the run raises on a CPU, and reads zeros on a GPU.

What to do: find the param, the vocabulary or the feature whose size the shape follows, and give it
the value it had when the checkpoint was written.
"""

from typing import Iterator, Tuple

from ..protocol import Shape
from ..results import Finding, shape_text
from .base import Facts, PerVariable, Rule, counted, model_spec, reads_by_key
from .examples import facts, read
from .shape_outcome import ShapeProblem, shape_problem


def check(facts: Facts) -> Iterator[Finding]:
    """Finds reads whose shape is not the stored one."""
    found = PerVariable(RULE.id, RULE.severity)
    stored = facts.stored
    for plan in facts.plans:
        for key, item in reads_by_key(plan).items():
            problem = shape_problem(item, stored[key], plan) if key in stored else None
            if problem is not None:
                message = _message(stored[key].shape, item.shape, problem)
                found.add(plan.mode, key, problem.outcome, message, stored[key], model_spec(item))
    return found.findings()


def _message(stored: Shape, declared: Shape, problem: ShapeProblem) -> str:
    shapes = f"the checkpoint holds {shape_text(stored)}, the model declares {shape_text(declared)}"
    if problem.outcome.at == "run":
        return f"{shapes}; it is restored, and then the run raises: {problem.says}"
    if problem.outcome.verdict == "silent":
        return f"{shapes}; {_silently(stored, declared)}, and the checkpoint's shape wins"
    return f"{shapes}; the restore raises: {problem.says}"


def _silently(stored: Shape, declared: Shape) -> str:
    """Of a table with too few rows the ids decide, which only the data knows.

    A kernel with too few rows looks alike here, and no id is looked up in it.
    """
    if not stored or not declared or len(stored) < 2 or stored[1:] != declared[1:]:
        return "nothing raises"
    rows, wanted = stored[0], declared[0]
    if rows is None or wanted is None or rows >= wanted:
        return "nothing raises"
    return f"nothing raises (but the lookup of a row from {rows} on, if this is a table)"


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    what = counted(findings, "a variable has", "{} variables have")
    return f"{what} another shape in the checkpoint than in the model"


RULE = Rule(
    id="shape-mismatch",
    severity="error",
    summary="A variable has another shape in the checkpoint than in the model.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: facts(
        reads=(read("dense/kernel", (1, 128)),), stored={"dense/kernel": ((1, 64), "float32")}
    ),
)
