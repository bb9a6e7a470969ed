"""ckptcheck and TensorFlow read different things out of one index.

ckptcheck reads the index of a checkpoint by itself, and compares what it finds with the list that
TensorFlow gives. They should never differ. Where they do, either one of them is wrong, or the file
was written anew in between; nothing that is said about the checkpoint can be relied on.

What to do: run it again while nobody writes to the model_dir. If they differ still, report it as a
bug of ckptcheck, with the index file.
"""

import dataclasses
from typing import Iterator, Tuple

from ..results import Finding
from .base import CANNOT_BE_TRACED, FILES, Facts, Rule, all_modes
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a difference between the two readers."""
    if facts.disagreement:
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=facts.disagreement,
            modes=facts.modes,
            outcomes=all_modes(facts, CANNOT_BE_TRACED),
            subject=facts.located.prefix,
            hint="run it again while nobody writes to the model_dir",
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "ckptcheck and TensorFlow do not read the same"


RULE = Rule(
    id="readers-disagree",
    severity="error",
    summary="ckptcheck and TensorFlow read different things out of the index.",
    check=check,
    category=FILES,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(facts(), disagreement="dense/kernel: float32 and float64"),
)
