"""TensorFlow cannot read the checkpoint, or not all of it is there.

The index says which tensors there are; the data files (shards) hold their bytes. With a shard
missing or cut short the index can still be listed, so a look at the names finds nothing wrong, and
the restore raises later, in the modes that read a tensor that is not there: ``Read less bytes than
requested``, ``No such file or directory``.

What to do: copy all files of the checkpoint (``.index`` and every ``.data-…-of-…``) again from
where it was written.
"""

import dataclasses
from typing import Dict, Iterator, List, Tuple

from ..model_dir import CheckpointFiles
from ..protocol import Failure
from ..results import Finding
from .base import (
    DATA,
    FAILS_AT_RESTORE,
    UNSOUND,
    Facts,
    Rule,
    all_modes,
    bytes_said,
    outcomes_of_reading,
    some_names,
    untraced,
)
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds an index that TensorFlow refuses, and shards that are missing."""
    located = facts.located
    if facts.unreadable is not None and (located.exists or located.explicit):
        refusal = _refusal(facts.unreadable, located.prefix)
        refusal += untraced(facts, "restoring raises in every mode")
        yield _finding(facts, located.prefix, refusal)
    if facts.files is not None:
        yield from _files(facts, facts.files)
        return
    for name in located.missing_shards:
        yield _finding(facts, name, f"the data file {name} is missing")


def _refusal(failure: Failure, prefix: str) -> str:
    """Who says what of the index; ckptcheck's own reader names the file itself."""
    if failure.type == OWN_READER:
        return failure.message
    return f"TensorFlow says of {prefix}: {failure.message}"


OWN_READER = "DamagedError"
"""The type of what ckptcheck's own reader says, which an inspection hears."""


def _files(facts: Facts, files: CheckpointFiles) -> Iterator[Finding]:
    """Data files that are not there or not whole, by what the index refers to."""
    lost_by_file: Dict[str, List[str]] = {}
    for flaw in files.flaws:
        if flaw.kind in ("no-file", "past-end"):
            lost_by_file.setdefault(flaw.file, []).append(flaw.variable)
    for file in files.files:
        if file.whole:
            continue
        lost = lost_by_file.get(file.name, [])
        names = f"without it {some_names(lost)} cannot be read"
        if file.problem:
            message = f"the data file {file.name} cannot be read ({file.problem}): {names}"
        elif file.size is None:
            message = f"the data file {file.name} is missing: {names}"
        else:
            message = (
                f"the data file {file.name} has {bytes_said(file.size)}; by the index it has "
                f"{file.needed}: {some_names(lost)} cannot be read"
            )
        message += untraced(facts, "restoring any of them raises")
        finding = _finding(facts, file.name, message, file.problem)
        yield dataclasses.replace(finding, outcomes=outcomes_of_reading(facts, lost))


def _finding(facts: Facts, subject: str, message: str, problem: str = "") -> Finding:
    again = "copy all files of the checkpoint again from where it was written"
    return Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=message,
        modes=facts.modes,
        outcomes=all_modes(facts, FAILS_AT_RESTORE),
        subject=subject,
        hint=f"make {subject} a file that can be read, or {again}" if problem else again,
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the checkpoint's files are not whole"


RULE = Rule(
    id="unreadable-checkpoint",
    severity="error",
    summary="TensorFlow cannot read the checkpoint, or a data file is missing or cut short.",
    check=check,
    category=DATA,
    role=UNSOUND,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(), index=None, unreadable=Failure("raised", "DataLossError", "not an sstable")
    ),
)
