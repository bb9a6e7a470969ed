"""The index and the data files were not written at the same time.

A save writes the data first and the index right after it. If more than an hour lies between them,
they may come from two saves with the same name: a copy stopped halfway, or a directory was copied
over another one. TensorFlow notices this only if sizes or checksums do not match. If a copy did not
preserve the modification times, this finding is harmless (``cp -p`` and ``rsync -t`` preserve
them).

What to do: verify the checksums with ``ckptcheck verify``. If they match, the files belong
together.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts

_LONG = 3600.0


def find(facts: Facts) -> Iterator[Finding]:
    """Finds an index and data files with modification times far apart."""
    if facts.files is None or abs(facts.files.data_newer_by) < _LONG or facts.data_is_right:
        return
    hours = abs(facts.files.data_newer_by) / 3600
    order = "before" if facts.files.data_newer_by > 0 else "after"
    yield finding(
        f"the index was written {hours:.1f} hours {order} the newest data file; if they come from "
        f"two saves, TensorFlow may not notice",
        subject="index",
        hint="verify the checksums with ckptcheck verify" if facts.scans is None else "",
        data={"data_newer_by_seconds": facts.files.data_newer_by},
    )


RULE = Rule(
    severity="note",
    category="files",
    find=find,
    title="index and data were written at different times",
    bad=lambda: facts(files=CheckpointFiles(data_newer_by=86400.0)),
)
