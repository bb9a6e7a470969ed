"""Entries of the index cannot be correct.

For each tensor, the index holds its shape and dtype, and which bytes of which data file hold its
values. If the number of bytes does not match the shape, if a data file of that number cannot exist,
or if a part of a partitioned variable is not listed, TensorFlow still lists the checkpoint, and
raises when it restores the variable (``Invalid size in bundle entry``, ``Key … not found``). If the
bytes of two tensors overlap, one of them is not what was saved; the checksums tell which. No saver
writes such an index: a tool wrote it, or the file was changed.

What to do: use the previous checkpoint, or save it again with the tool that wrote it.
"""

from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles, EntryFlaw, FlawKind
from ..results import Finding
from .base import DATA, FILES, UNSOUND, Facts, Rule, outcomes_of_reading, untraced
from .examples import facts

_RAISES = (FlawKind.NO_SHARD, FlawKind.SIZE, FlawKind.MISSING_PART)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds entries that cannot be correct."""
    for flaw in facts.files.flaws if facts.files else ():
        if flaw.kind in _RAISES:
            yield _finding(facts, flaw, "error", "restoring it raises")
        elif flaw.kind is FlawKind.OVERLAP:
            yield _finding(facts, flaw, "warning", "TensorFlow verifies only their checksums")


def _finding(facts: Facts, flaw: EntryFlaw, severity: str, effect: str) -> Finding:
    raises = severity == "error"
    return RULE.finding(
        facts,
        f"{flaw.variable}: {flaw.text}" + untraced(facts, effect),
        severity=severity,
        outcomes=outcomes_of_reading(facts, [flaw.variable]) if raises else {},
        subject=f"{flaw.variable} {flaw.kind}",
        hint="use the previous checkpoint",
        data={"variable": flaw.variable, "reason": flaw.kind.value},
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """Returns the headline of a group."""
    if findings[0].severity == "warning":
        return "tensors overlap in the data files"
    return "entries of the index cannot be correct"


RULE = Rule(
    id="corrupt-index",
    severity="error",
    summary="Entries of the checkpoint's index cannot be correct.",
    check=check,
    category=DATA,
    needs=(FILES,),
    role=UNSOUND,
    title=title,
    bad=lambda: facts(
        files=CheckpointFiles(
            flaws=(EntryFlaw("dense/kernel", FlawKind.SIZE, "its shape takes 256 bytes, not 4"),)
        )
    ),
)
