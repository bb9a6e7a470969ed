"""The directory has data files of another checkpoint, but not its index.

TensorFlow finds a checkpoint by its index (``model.ckpt-N.index``) and ignores data files without
one. An interrupted copy or save left the data files, or someone deleted the index. Nothing can read
the weights without the index.

What to do: copy the ``.index`` file from the original location of the checkpoint. If that file no
longer exists, the data files are useless.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts
from .file_names import stable_name


def find(facts: Facts) -> Iterator[Finding]:
    """Finds data files that have no index."""
    for name in facts.files.without_index if facts.files else ():
        yield finding(
            f"{name} has no index, so TensorFlow ignores it",
            subject=stable_name(name),
            hint="copy the .index file from its original location; without it, nothing can read "
            "the data file",
            data={"file": name},
        )


RULE = Rule(
    severity="note",
    category="files",
    find=find,
    title="data files of another checkpoint have no index",
    bad=lambda: facts(files=CheckpointFiles(without_index=("model.ckpt-20.data-00000-of-00001",))),
)
