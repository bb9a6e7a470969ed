"""The bytes of a tensor are not the bytes that were saved.

The index holds a checksum of every tensor. TensorFlow verifies it when it reads the tensor, and
raises ``Checksum does not match``: hours later, on the machine that restores. The usual causes are
disks, networks, interrupted copies, and an index beside the data of another save. ``ckptcheck
verify`` reads all of the data and verifies every checksum. Other checks verify only the global
step, which differs between any two saves.

What to do: copy the data file again from where it was written, or use the previous checkpoint
(``ckptcheck verify --all-checkpoints`` finds the last good one).
"""

from typing import Iterator

from ..model_dir import FlawKind, TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import DATA, UNSOUND, Facts, Rule, counted, outcomes_of_reading, untraced
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds tensors whose bytes do not match their checksums, or cannot be read."""
    flaws = facts.files.flaws if facts.files else ()
    known = {flaw.variable for flaw in flaws if flaw.kind is not FlawKind.OVERLAP}
    for flaw in flaws:
        if flaw.kind is FlawKind.CHECKSUM:
            yield _finding(facts, flaw.variable, flaw.text)
    for scan in facts.scans or ():
        if scan.problem and scan.variable.name not in known:
            yield _finding(facts, scan.variable.name, scan.problem)


def _finding(facts: Facts, name: str, problem: str) -> Finding:
    return RULE.finding(
        facts,
        f"{name}: {problem}" + untraced(facts, "restoring it raises"),
        outcomes=outcomes_of_reading(facts, [name]),
        variable=name,
        hint="copy the index and the data files again from where they were written",
        data={"problem": problem},
    )


RULE = Rule(
    id="corrupt-tensor",
    severity="error",
    summary="The bytes of a tensor are not the bytes that were saved.",
    check=check,
    category=DATA,
    role=UNSOUND,
    title=counted("1 tensor is corrupt", "{} tensors are corrupt"),
    bad=lambda: facts(
        scans=(
            TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), "Checksum does not match"),
        )
    ),
)
