"""TensorFlow cannot read the checkpoint, or parts of it are missing.

The index lists the tensors; the data files (shards) hold their bytes. If a data file is missing or
truncated, TensorFlow can still list the index, so a look at the names finds nothing wrong. The
restore raises later, in the modes that read a tensor of that file: ``Read less bytes than
requested``, ``No such file or directory``.

What to do: copy all files of the checkpoint (``.index`` and every ``.data-…-of-…``) again from
where it was written.
"""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping

from ..model_dir import CheckpointFiles, DataFile, FlawKind, Found, Named
from ..protocol import Failure, FailureKind
from ..results import Finding
from .base import (
    DATA,
    FAILS_AT_RESTORE,
    UNSOUND,
    Facts,
    Rule,
    bytes_said,
    outcomes_of_reading,
    some_names,
    untraced,
)
from .examples import facts
from .file_names import stable_name


def check(facts: Facts) -> Iterator[Finding]:
    """Finds an index that TensorFlow refuses, and data files that are missing."""
    located = facts.located
    if facts.unreadable is not None and located.exists:
        refusal = _refusal(facts.unreadable, located.prefix)
        refusal += untraced(facts, "restoring raises in every mode")
        data = {"checkpoint": located.prefix, "problem": facts.unreadable.message}
        yield _finding(facts, "index", refusal, _COPY_AGAIN, data)
    if facts.files is not None:
        yield from _incomplete(facts, facts.files)
    elif isinstance(located, (Found, Named)):
        for name in located.missing_shards:
            message = f"the data file {name} is missing"
            yield _finding(facts, stable_name(name), message, _COPY_AGAIN, {"file": name})


def _refusal(failure: Failure, prefix: str) -> str:
    """The reason why the index cannot be read; ckptcheck's own reader names the file itself."""
    if failure.type == OWN_READER:
        return failure.message
    return f"TensorFlow says of {prefix}: {failure.message}"


OWN_READER = "DamagedError"
"""The type of a failure of ckptcheck's own reader."""


def _incomplete(facts: Facts, files: CheckpointFiles) -> Iterator[Finding]:
    """Data files that are missing or truncated, and the variables that they hold."""
    unreadable: Dict[str, List[str]] = {}
    for flaw in files.flaws:
        if flaw.kind in (FlawKind.NO_FILE, FlawKind.PAST_END):
            unreadable.setdefault(flaw.file, []).append(flaw.variable)
    for file in files.files:
        if file.complete:
            continue
        variables = unreadable.get(file.name, [])
        message = _message(file, variables) + untraced(facts, "restoring any of them raises")
        hint = f"make {file.name} readable, or {_COPY_AGAIN}"
        data = {
            "file": file.name,
            "problem": file.problem,
            "size": file.size,
            "expected_size": file.needed,
            "variables": variables,
        }
        subject = stable_name(file.name)
        finding = _finding(facts, subject, message, hint if file.problem else _COPY_AGAIN, data)
        yield dataclasses.replace(finding, outcomes=outcomes_of_reading(facts, variables))


def _message(file: DataFile, variables: List[str]) -> str:
    cannot = f"{some_names(variables)} cannot be read"
    if file.problem:
        return f"the data file {file.name} cannot be read ({file.problem}): without it {cannot}"
    if file.size is None:
        return f"the data file {file.name} is missing: without it {cannot}"
    return (
        f"the data file {file.name} has {bytes_said(file.size)}, but the index requires "
        f"{file.needed}: {cannot}"
    )


_COPY_AGAIN = "copy all files of the checkpoint again from where it was written"


def _finding(
    facts: Facts, subject: str, message: str, hint: str, data: Mapping[str, Any]
) -> Finding:
    return RULE.finding(
        facts,
        message,
        outcomes=dict.fromkeys(facts.modes, FAILS_AT_RESTORE),
        subject=subject,
        hint=hint,
        data=data,
    )


RULE = Rule(
    id="unreadable-checkpoint",
    severity="error",
    summary="TensorFlow cannot read the checkpoint, or a data file is missing or truncated.",
    check=check,
    category=DATA,
    role=UNSOUND,
    title="the checkpoint's files are incomplete or unreadable",
    bad=lambda: facts(
        index=None, unreadable=Failure(FailureKind.RAISED, "DataLossError", "not an sstable")
    ),
)
