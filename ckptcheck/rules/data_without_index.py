"""Data files of a checkpoint lie in the directory without its index.

The index (``model.ckpt-N.index``) is what makes files a checkpoint: TensorFlow does not see data
files without one. They are what an interrupted copy or save has left, or all that is left of a
checkpoint whose index was deleted. The weights in them can be read with the index alone.

What to do: copy the ``.index`` file from where the checkpoint was written. If there is none any
more, the data files are of no use.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds data files that no index refers to."""
    for name in facts.files.without_index if facts.files is not None else ():
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=f"{name} has no index beside it: TensorFlow sees no checkpoint there",
            modes=facts.modes,
            subject=name,
            hint="copy its .index file from where it was written; without one it is of no use",
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "data files of another checkpoint lack their index"


RULE = Rule(
    id="data-without-index",
    severity="note",
    summary="Data files of another checkpoint lie in the directory without their index.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(), files=CheckpointFiles(without_index=("model.ckpt-20.data-00000-of-00001",))
    ),
)
