"""TensorFlow cannot read the checkpoint, or a data file is missing or truncated.

The index lists the tensors; the data files (shards) hold their bytes. If only a data file is
missing or truncated, TensorFlow can still list the names in the index, and nothing seems wrong. The
restore raises an error later, in the modes that read a tensor of that file: ``Read less bytes than
requested`` or ``No such file or directory``.

What to do: copy all files of the checkpoint (``.index`` and every ``.data-…-of-…``) again from its
original location.
"""

from typing import Dict, Iterator, List

from ..model_dir import CheckpointFiles, DataFile, FlawKind, Found, Named
from ..protocol import Failure, FailureKind
from ..results import Finding, Outcome
from .base import (
    UNSOUND,
    Facts,
    Rule,
    bytes_said,
    finding,
    outcomes_of_reading,
    some_names,
    untraced,
)
from .examples import facts
from .file_names import stable_name

OWN_READER = "DamagedError"
"""The type of a failure of ckptcheck's own reader, whose messages name the file."""

_COPY_AGAIN = "copy all files of the checkpoint again from its original location"


def find(facts: Facts) -> Iterator[Finding]:
    """Finds an index that TensorFlow cannot read, and data files that are missing or truncated."""
    located, failure = facts.located, facts.unreadable
    every_mode = dict.fromkeys(facts.modes, Outcome.FAILS_AT_RESTORE)
    if failure is not None and located.exists:
        says = "" if failure.type == OWN_READER else f"TensorFlow cannot read {located.prefix}: "
        yield finding(
            says + failure.message + untraced(facts, "the restore raises an error in every mode"),
            outcomes=every_mode,
            subject="index",
            hint=_COPY_AGAIN,
            data={"checkpoint": located.prefix, "problem": failure.message},
        )
    if facts.files is not None:
        yield from _incomplete(facts, facts.files)
    elif isinstance(located, (Found, Named)):
        for name in located.missing_shards:
            yield finding(
                f"the data file {name} is missing",
                outcomes=every_mode,
                subject=stable_name(name),
                hint=_COPY_AGAIN,
                data={"file": name},
            )


def _incomplete(facts: Facts, files: CheckpointFiles) -> Iterator[Finding]:
    """Yields data files that are missing or truncated, and the variables that they hold."""
    unreadable: Dict[str, List[str]] = {}
    for flaw in files.flaws:
        if flaw.kind in (FlawKind.NO_FILE, FlawKind.PAST_END):
            unreadable.setdefault(flaw.file, []).append(flaw.variable)
    for file in files.files:
        if file.complete:
            continue
        variables = unreadable.get(file.name, [])
        yield finding(
            _message(file, variables) + untraced(facts, "restoring any of them raises an error"),
            outcomes=outcomes_of_reading(facts, variables),
            subject=stable_name(file.name),
            hint=f"make {file.name} readable, or {_COPY_AGAIN}" if file.problem else _COPY_AGAIN,
            data={
                "file": file.name,
                "problem": file.problem,
                "size": file.size,
                "expected_size": file.needed,
                "variables": variables,
            },
        )


def _message(file: DataFile, variables: List[str]) -> str:
    if file.problem:
        wrong = f"cannot be read ({file.problem})"
    elif file.size is None:
        wrong = "is missing"
    else:
        wrong = f"has {bytes_said(file.size)}, but the index requires {file.needed}"
    return f"the data file {file.name} {wrong}, so {some_names(variables)} cannot be read"


RULE = Rule(
    severity="error",
    category="data",
    find=find,
    role=UNSOUND,
    title="the checkpoint's files are incomplete or unreadable",
    bad=lambda: facts(
        index=None, unreadable=Failure(FailureKind.RAISED, "DataLossError", "not an sstable")
    ),
)
