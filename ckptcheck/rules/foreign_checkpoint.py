"""The state file lists checkpoints of another directory.

Besides the checkpoint to load, a state file lists all checkpoints that are kept
(``all_model_checkpoint_paths``). TRAIN treats them as its own: once it has saved more than
``keep_checkpoint_max``, it deletes the oldest ones, wherever they are. So a copy of a model_dir
whose list has absolute paths deletes the checkpoints of the original. If the directory of a listed
checkpoint does not exist, TensorFlow 1 raises ``NotFoundError`` in TRAIN, after the restore;
TensorFlow 2 does not.

What to do: before TRAIN runs, replace the file ``checkpoint`` in the model_dir by the single line
``model_checkpoint_path: "model.ckpt-1000"``.
"""

import dataclasses
from typing import Iterator, Sequence

from ..model_dir import Found
from ..protocol import TRAIN
from ..results import Finding
from .base import FAILS_AT_RESTORE, FILES, Facts, Rule, some_names, untraced
from .examples import LOCATED, facts
from .state_file_wording import state_file_fix


def check(facts: Facts) -> Iterator[Finding]:
    """Finds listed checkpoints that TRAIN would treat as its own."""
    located = facts.located
    if not isinstance(located, Found) or (facts.modes and TRAIN not in facts.modes):
        return
    if located.listed_elsewhere:
        names = some_names(located.listed_elsewhere)
        them = "them as its own" if len(located.listed_elsewhere) > 1 else "it as one of its own"
        message = f"the state file lists {names}: TRAIN deletes {them} when it has saved newer ones"
        yield _finding(facts, located, "warning", message, located.listed_elsewhere)
    if located.listed_nowhere and facts.major < 2:
        severity = "error" if facts.modes else "warning"
        message = (
            "the state file lists checkpoints in directories that do not exist: "
            + some_names(located.listed_nowhere)
            + untraced(facts, "TensorFlow 1 raises NotFoundError in TRAIN")
        )
        yield _finding(facts, located, severity, message, located.listed_nowhere)


def _finding(
    facts: Facts, located: Found, severity: str, message: str, paths: Sequence[str]
) -> Finding:
    modes = (TRAIN,) if facts.modes else ()
    exist = paths is located.listed_elsewhere
    return RULE.finding(
        facts,
        message,
        severity=severity,
        modes=modes,
        outcomes=dict.fromkeys(modes, FAILS_AT_RESTORE) if severity == "error" else {},
        subject="checkpoints" if exist else "directories",
        hint=state_file_fix(located),
        data={"checkpoints" if exist else "missing_directories": list(paths)},
    )


RULE = Rule(
    id="foreign-checkpoint",
    severity="warning",
    summary="The state file lists checkpoints of another directory, which TRAIN would delete.",
    check=check,
    category=FILES,
    title="the state file lists checkpoints of another directory",
    bad=lambda: facts(
        located=dataclasses.replace(LOCATED, listed_elsewhere=("/runs/first/model.ckpt-10",))
    ),
)
