"""ckptcheck and TensorFlow read different things from the same index.

ckptcheck has its own reader for the index of a checkpoint, and compares the result with the list
that TensorFlow reads. If they differ, one of the two readers is wrong, or the file was written
again in between. Do not rely on anything else that the report says about the checkpoint.

What to do: check again while nothing writes to the model_dir. If the two readers still differ,
report a bug in ckptcheck, and attach the index file.
"""

from typing import Iterator

from ..results import Finding, Outcome
from .base import Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds a difference between the two readers."""
    if facts.disagreement:
        yield finding(
            facts.disagreement,
            outcomes=dict.fromkeys(facts.modes, Outcome.UNTRACEABLE),
            subject="index",
            hint="check again while nothing writes to the model_dir",
            data={"checkpoint": facts.located.prefix},
        )


RULE = Rule(
    severity="error",
    category="files",
    find=find,
    title="ckptcheck and TensorFlow read different things from the index",
    bad=lambda: facts(disagreement="dense/kernel: float32 and float64"),
)
