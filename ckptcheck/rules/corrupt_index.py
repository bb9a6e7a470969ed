"""Entries of the index cannot be right.

The index says of each tensor its shape and dtype, and which bytes of which data file it is. Where
those bytes are not as many as the shape takes, where a data file of that number cannot be, or where
a part of a partitioned variable is not listed, TensorFlow lists the checkpoint as if it were sound
and raises when it restores the variable (``Invalid size in bundle entry``, ``Key … not found``).
Where the bytes of two tensors overlap, one of them is not what was saved, and the checksum tells
which. No saver writes such an index: a tool has, or the file has been changed.

What to do: take the checkpoint before this one, or save it again with the tool that wrote it.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles, EntryFlaw
from ..results import Finding
from .base import DATA, FILES, UNSOUND, Facts, Rule, outcomes_of_reading, untraced
from .examples import facts

_RAISES = ("no-shard", "size", "missing-part")
_OVERLAP = "TensorFlow looks at their checksums alone"


def check(facts: Facts) -> Iterator[Finding]:
    """Finds entries that cannot be."""
    flaws = facts.files.flaws if facts.files else ()
    for flaw in flaws:
        raises = flaw.kind in _RAISES
        if not raises and flaw.kind != "overlap":
            continue
        yield Finding(
            rule=RULE.id,
            severity="error" if raises else "warning",
            message=f"{flaw.variable}: {flaw.text}"
            + untraced(facts, "restoring it raises" if raises else _OVERLAP),
            modes=facts.modes,
            outcomes=outcomes_of_reading(facts, [flaw.variable]) if raises else {},
            subject=f"{flaw.variable} {flaw.kind}",
            hint="take the checkpoint before this one",
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    if findings[0].severity == "warning":
        return "tensors overlap in the data files"
    return "entries of the index cannot be right"


RULE = Rule(
    id="corrupt-index",
    severity="error",
    summary="Entries of the checkpoint's index cannot be right.",
    check=check,
    category=DATA,
    needs=(FILES,),
    role=UNSOUND,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        files=CheckpointFiles(
            flaws=(EntryFlaw("dense/kernel", "size", "it has 4 bytes; its shape takes 256"),)
        ),
    ),
)
