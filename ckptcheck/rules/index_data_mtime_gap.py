"""The index and the data files were not written at one time.

A save writes the data first and the index right after it. Where more than an hour lies between
them, they may come from two saves of one name: a copy that stopped halfway, or a directory that was
copied over another. TensorFlow notices only where sizes or checksums do not fit. The harmless cause
is a copy that did not keep the times of the files (``cp -p`` and ``rsync -t`` do).

What to do: verify the checksums (``ckptcheck verify``); if they are right, nothing is mixed.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule
from .examples import facts

_LONG = 3600.0


def check(facts: Facts) -> Iterator[Finding]:
    """Finds an index and data whose times are far apart."""
    if facts.files is None or abs(facts.files.data_newer_by) < _LONG:
        return
    if facts.data_is_right:
        return
    hours = abs(facts.files.data_newer_by) / 3600
    order = "before" if facts.files.data_newer_by > 0 else "after"
    yield Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=f"the index was written {hours:.1f} hours {order} the newest data file; "
        "if they are of two saves, TensorFlow notices only what does not fit",
        modes=facts.modes,
        subject=facts.located.prefix,
        hint="verify the checksums with ckptcheck verify" if facts.scans is None else "",
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "index and data were written at different times"


RULE = Rule(
    id="index-data-mtime-gap",
    severity="note",
    summary="The index and the data files were not written at one time.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(facts(), files=CheckpointFiles(data_newer_by=86400.0)),
)
