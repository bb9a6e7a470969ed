"""The bytes of a tensor are not the bytes that were saved.

The index holds a checksum of every tensor. TensorFlow verifies it only when it reads the tensor,
which may be much later and on another machine. Then it raises ``Checksum does not match``. Usual
causes are disks, networks, interrupted copies, and an index beside the data of another save.
``ckptcheck verify`` and ``ckptcheck check --deep`` read all data and verify every checksum. The
other commands verify only the checksum of the global step. The global step is different in each
save, so a wrong checksum of the global step often means that the data comes from another save.

What to do: copy the index and the data files again from their original location, or use the
previous checkpoint (``ckptcheck verify --all-checkpoints`` finds the last good one).
"""

from typing import Iterator

from ..model_dir import FlawKind
from ..results import Finding
from .base import UNSOUND, Facts, Rule, finding, outcomes_of_reading, untraced
from .examples import with_scan


def find(facts: Facts) -> Iterator[Finding]:
    """Finds tensors whose bytes do not match their checksums, or cannot be read."""
    flaws = facts.files.flaws if facts.files else ()
    known = {flaw.variable for flaw in flaws if flaw.kind is not FlawKind.OVERLAP}
    problems = [(flaw.variable, flaw.text) for flaw in flaws if flaw.kind is FlawKind.CHECKSUM]
    for scan in facts.scans or ():
        if scan.problem and scan.variable.name not in known:
            problems.append((scan.variable.name, scan.problem))
    for name, problem in problems:
        yield finding(
            f"{name}: {problem}" + untraced(facts, "restoring it raises an error"),
            outcomes=outcomes_of_reading(facts, [name]),
            variable=name,
            hint="copy the index and the data files again from their original location",
            data={"problem": problem},
        )


RULE = Rule(
    severity="error",
    category="data",
    find=find,
    role=UNSOUND,
    title="1 tensor is corrupt",
    titles="{} tensors are corrupt",
    bad=lambda: with_scan(problem="Checksum does not match"),
)
