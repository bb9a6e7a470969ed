"""Files of other saves are beside the checkpoint's own files.

The name of a data file contains the number of data files. If this number differs from the one in
the index, the file comes from another save with the same name, and TensorFlow does not read it. If
a data file is longer than the index requires, the data of two saves may be mixed. An interrupted
save or copy leaves ``.tempstate`` files, ``_temp`` directories, ``checkpoint.tmp…`` files, and
files of rsync such as ``.model.ckpt-….AbCdEf``. A save or copy that is still running has such
files, too.

What to do: wait until no training run and no copy is running, then delete the files that an
interrupted save or copy left. If the data of two saves may be mixed, verify the checksums
(``ckptcheck verify``) before you delete anything.
"""

from typing import Any, Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import Facts, Rule, bytes_said, finding
from .examples import facts
from .file_names import stable_name


def find(facts: Facts) -> Iterator[Finding]:
    """Finds files that the checkpoint does not need."""
    files = facts.files
    if files is None:
        return
    for name in files.unreferenced:
        message = f"{name} belongs to another save with the same name; TensorFlow does not read it"
        severity, hint = ("note", _NEEDLESS) if facts.data_is_right else ("warning", _MIXED)
        yield _finding(severity, name, message, hint, reason="unreferenced")
    for file in files.files:
        surplus = (file.size or 0) - file.needed
        if surplus > 0 and not facts.data_is_right:
            message = f"{file.name} has {bytes_said(surplus, 'more')} than the index requires, so "
            message += "it may come from another save; TensorFlow reads it and ignores the surplus"
            sizes = {"size": file.size, "expected_size": file.needed}
            yield _finding("warning", file.name, message, _MIXED, reason="longer", **sizes)
    for name in files.remains:
        message = f"{name} is from a save or copy that was interrupted or is still running; "
        message += "TensorFlow does not read it"
        yield _finding("note", name, message, _REMAINS, reason="temporary")


_MIXED = "verify the checksums with ckptcheck verify"
_NEEDLESS = "delete it: the checksums of all data that the index refers to are correct"
_REMAINS = "delete it when no training run or copy is running"


def _finding(severity: str, name: str, message: str, hint: str, **data: Any) -> Finding:
    return finding(
        message,
        severity=severity,
        subject=stable_name(name),
        hint=hint,
        data={"file": name, **data},
    )


RULE = Rule(
    severity="warning",
    category="files",
    find=find,
    title=lambda first: (
        "files of an unfinished save or copy are in the directory"
        if first.data["reason"] == "temporary"
        else "files of another save are beside the checkpoint's files"
    ),
    bad=lambda: facts(files=CheckpointFiles(unreferenced=("model.ckpt-10.data-00000-of-00002",))),
)
