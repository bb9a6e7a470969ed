"""ckptcheck and TensorFlow read different things from the same index.

ckptcheck has its own reader for the index of a checkpoint, and compares the result with
TensorFlow's list. They should never differ. If they do, one of them is wrong, or the file was
written again in between. Do not rely on anything else that the report says about the checkpoint.

What to do: run the check again while nothing writes to the model_dir. If they still differ, report
a bug in ckptcheck, with the index file.
"""

from typing import Iterator

from ..results import Finding
from .base import CANNOT_BE_TRACED, FILES, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a difference between the two readers."""
    if facts.disagreement:
        yield RULE.finding(
            facts,
            facts.disagreement,
            outcomes=dict.fromkeys(facts.modes, CANNOT_BE_TRACED),
            subject="index",
            hint="run the check again while nothing writes to the model_dir",
            data={"checkpoint": facts.located.prefix},
        )


RULE = Rule(
    id="readers-disagree",
    severity="error",
    summary="ckptcheck and TensorFlow read different things from the same index.",
    check=check,
    category=FILES,
    title="ckptcheck and TensorFlow read different things",
    bad=lambda: facts(disagreement="dense/kernel: float32 and float64"),
)
