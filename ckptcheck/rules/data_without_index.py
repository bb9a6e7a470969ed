"""The directory holds data files of another checkpoint without its index.

TensorFlow finds a checkpoint by its index (``model.ckpt-N.index``) and ignores data files without
one. An interrupted copy or save left them, or someone deleted the index. Without the index, nothing
can read the weights in them.

What to do: copy the ``.index`` file from where the checkpoint was written. If it no longer exists,
the data files are useless.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import FILES, Facts, Rule
from .examples import facts
from .file_names import stable_name


def check(facts: Facts) -> Iterator[Finding]:
    """Finds data files that have no index."""
    for name in facts.files.without_index if facts.files is not None else ():
        yield RULE.finding(
            facts,
            f"{name} has no index beside it, so TensorFlow finds no checkpoint there",
            subject=stable_name(name),
            hint="copy its .index file from where it was written; without one it is useless",
            data={"file": name},
        )


RULE = Rule(
    id="data-without-index",
    severity="note",
    summary="The directory holds data files of another checkpoint without its index.",
    check=check,
    category=FILES,
    needs=(FILES,),
    title="data files of another checkpoint lack their index",
    bad=lambda: facts(files=CheckpointFiles(without_index=("model.ckpt-20.data-00000-of-00001",))),
)
