"""Files of other saves are beside the checkpoint's own files.

A data file with another number of shards in its name comes from another save with the same name;
TensorFlow does not read it. The same is true of a data file that is longer than the index requires:
the data of two saves may be mixed. An interrupted save or copy leaves ``.tempstate`` files,
``_temp`` directories, ``checkpoint.tmp…``, and rsync's ``.model.ckpt-….AbCdEf``. A save or copy
that is still running has such files, too.

What to do: delete the files of an interrupted save when no training runs. If data files of two
saves may be mixed, verify the checksums (``ckptcheck verify``) before you delete anything.
"""

from typing import Any, Iterator, Mapping, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule, bytes_said
from .examples import facts
from .file_names import stable_name


def check(facts: Facts) -> Iterator[Finding]:
    """Finds files that the checkpoint does not need."""
    files = facts.files
    if files is None:
        return
    for name in files.unreferenced:
        message = f"{name} belongs to another save with this name; TensorFlow does not read it"
        severity, hint = ("note", _NEEDLESS) if facts.data_is_right else ("warning", _MIXED)
        yield _finding(facts, severity, name, message, hint, {"reason": "unreferenced"})
    for file in files.files:
        surplus = (file.size or 0) - file.needed
        if surplus > 0 and not facts.data_is_right:
            message = f"{file.name} has {bytes_said(surplus, 'more')} than the index refers to: "
            message += "TensorFlow reads what the index refers to, whichever save wrote it"
            data = {"reason": "longer", "size": file.size, "expected_size": file.needed}
            yield _finding(facts, "warning", file.name, message, _MIXED, data)
    for name in files.remains:
        message = f"{name} is from a save or copy that was interrupted or is still running; "
        message += "no restore reads it"
        yield _finding(facts, "note", name, message, _REMAINS, {"reason": "temporary"})


_MIXED = "verify the checksums with ckptcheck verify"
_NEEDLESS = "delete it: the checksums of the data that the index refers to match"
_REMAINS = "delete it when no training or copy is running"


def _finding(
    facts: Facts, severity: str, name: str, message: str, hint: str, data: Mapping[str, Any]
) -> Finding:
    return RULE.finding(
        facts,
        message,
        severity=severity,
        subject=stable_name(name),
        hint=hint,
        data={"file": name, **data},
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """Returns the headline of a group."""
    if findings[0].data["reason"] == "temporary":
        return "an interrupted save or copy has left files"
    return "files of another save are beside the checkpoint's"


RULE = Rule(
    id="leftover-files",
    severity="warning",
    summary="Files of other saves are beside the checkpoint's own files.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title=title,
    bad=lambda: facts(files=CheckpointFiles(unreferenced=("model.ckpt-10.data-00000-of-00002",))),
)
