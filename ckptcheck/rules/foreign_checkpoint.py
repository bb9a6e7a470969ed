"""The state file lists checkpoints in another directory, and TRAIN would delete them.

Besides the checkpoint to load, a state file lists all checkpoints that are kept
(``all_model_checkpoint_paths``). TRAIN treats them as its own, whatever directory they are in.
After each save, if the list is longer than ``keep_checkpoint_max``, TRAIN deletes the first
checkpoint in the list. So the old checkpoints disappear one by one. If a state file has absolute
paths and you copy its model_dir, TRAIN in the copy deletes the checkpoints of the original. If the
directory of a listed checkpoint does not exist, TensorFlow 1 raises ``NotFoundError`` in TRAIN
after the restore; TensorFlow 2 does not.

What to do: before TRAIN runs, replace the contents of the state file (``checkpoint`` in the
model_dir) with one line, such as ``model_checkpoint_path: "model.ckpt-1000"``.
"""

from typing import Iterator

from ..model_dir import Found
from ..protocol import TRAIN
from ..results import Finding, Outcome
from .base import Facts, Rule, finding, some_names, untraced
from .examples import with_located
from .state_file_wording import state_file_fix


def find(facts: Facts) -> Iterator[Finding]:
    """Finds listed checkpoints that TRAIN would treat as its own."""
    located = facts.located
    if not isinstance(located, Found) or (facts.modes and TRAIN not in facts.modes):
        return
    modes = (TRAIN,) if facts.modes else ()
    if located.listed_elsewhere:
        yield finding(
            f"the state file lists {some_names(located.listed_elsewhere)}, "
            "which TRAIN will delete after it has saved newer checkpoints",
            modes=modes,
            subject="checkpoints",
            hint=state_file_fix(located),
            data={"checkpoints": list(located.listed_elsewhere)},
        )
    if located.listed_nowhere and facts.major < 2:
        yield finding(
            "the state file lists checkpoints in directories that do not exist: "
            + some_names(located.listed_nowhere)
            + untraced(facts, "TensorFlow 1 raises NotFoundError in TRAIN"),
            severity="error" if facts.modes else "warning",
            modes=modes,
            outcomes=dict.fromkeys(modes, Outcome.FAILS_AT_RESTORE),
            subject="directories",
            hint=state_file_fix(located),
            data={"missing_directories": list(located.listed_nowhere)},
        )


RULE = Rule(
    severity="warning",
    category="files",
    find=find,
    title="the state file lists checkpoints in another directory",
    bad=lambda: with_located(listed_elsewhere=("/runs/first/model.ckpt-10",)),
)
