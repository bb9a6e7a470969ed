"""Entries of the checkpoint's index cannot be correct.

For each tensor, the index holds the shape, the dtype, and the place of the values: which bytes of
which data file. The entry is wrong if the number of bytes does not match the shape, if it names a
data file with an impossible number, or if a part of a partitioned variable is not listed.
TensorFlow can still list the names in the index, but raises an error when it restores the variable
(``Invalid size in bundle entry``, ``Key … not found``). If the bytes of two tensors overlap, one of
the tensors is not what was saved; their checksums show which. TensorFlow never writes an index with
such entries: a tool wrote it, or the file was changed.

What to do: use the previous checkpoint, or save this one again with the tool that wrote it.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles, EntryFlaw, FlawKind
from ..results import Finding
from .base import UNSOUND, Facts, Rule, finding, outcomes_of_reading, untraced
from .examples import facts

_CHECKSUMS_ONLY = "TensorFlow notices this only if a checksum is wrong"
_RAISES = (FlawKind.NO_SHARD, FlawKind.SIZE, FlawKind.MISSING_PART)


def find(facts: Facts) -> Iterator[Finding]:
    """Finds entries that cannot be correct."""
    for flaw in facts.files.flaws if facts.files else ():
        raises = flaw.kind in _RAISES
        if not raises and flaw.kind is not FlawKind.OVERLAP:
            continue
        effect = "restoring it raises an error" if raises else _CHECKSUMS_ONLY
        yield finding(
            f"{flaw.variable}: {flaw.text}" + untraced(facts, effect),
            severity="error" if raises else "warning",
            outcomes=outcomes_of_reading(facts, [flaw.variable]) if raises else {},
            subject=f"{flaw.variable} {flaw.kind}",
            hint="use the previous checkpoint",
            data={"variable": flaw.variable, "reason": flaw.kind.value},
        )


RULE = Rule(
    severity="error",
    category="data",
    find=find,
    role=UNSOUND,
    title=lambda first: (
        "tensors overlap in the data files"
        if first.severity == "warning"
        else "entries of the index cannot be correct"
    ),
    bad=lambda: facts(
        files=CheckpointFiles(
            flaws=(EntryFlaw("dense/kernel", FlawKind.SIZE, "its shape takes 256 bytes, not 4"),)
        )
    ),
)
