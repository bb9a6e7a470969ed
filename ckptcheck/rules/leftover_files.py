"""Files of other saves lie beside the checkpoint's own.

A data file with another number of shards in its name, at which TensorFlow does not look, or a data
file that is longer than its index says comes from a save that used the same name: what was copied
or saved over it may be mixed. ``.tempstate`` files, ``_temp`` directories, ``checkpoint.tmp…`` and
what rsync calls ``.model.ckpt-….AbCdEf`` are left from a save or copy that was interrupted, or
belong to one that is going on now.

What to do: delete what an interrupted save has left once no training runs. Where data files of two
saves are mixed, verify their checksums (``ckptcheck verify``) before the rest is deleted.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule, bytes_said
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds files that the checkpoint does not need."""
    files = facts.files
    if files is None:
        return
    for name in files.unreferenced:
        message = f"{name} belongs to another save of this name; TensorFlow does not look at it"
        severity, hint = ("note", _NEEDLESS) if facts.data_is_right else ("warning", _MIXED)
        yield _finding(facts, severity, name, message, hint)
    for file in files.files:
        surplus = (file.size or 0) - file.needed
        if surplus > 0 and not facts.data_is_right:
            message = f"{file.name} has {bytes_said(surplus, 'more')} than the index refers to: "
            message += "TensorFlow reads what the index says, of whatever save that is"
            yield _finding(facts, "warning", file.name, message, _MIXED)
    for name in files.remains:
        message = f"{name} is left from a save or copy that did not come to its end, or goes on; "
        message += "no restore looks at it"
        yield _finding(facts, "note", name, message, _REMAINS)


_MIXED = "verify the checksums with ckptcheck verify"
_NEEDLESS = "delete it: the checksums of the data that the index refers to are right"
_REMAINS = "delete it once no training or copying runs"


def _finding(facts: Facts, severity: str, subject: str, message: str, hint: str) -> Finding:
    return Finding(
        rule=RULE.id,
        severity=severity,
        message=message,
        modes=facts.modes,
        subject=subject,
        hint=hint,
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    if findings[0].hint == _REMAINS:
        return "an interrupted save or copy has left files"
    return "files of another save lie beside the checkpoint's"


RULE = Rule(
    id="leftover-files",
    severity="warning",
    summary="Files of other saves lie beside the checkpoint's own.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(), files=CheckpointFiles(unreferenced=("model.ckpt-10.data-00000-of-00002",))
    ),
)
