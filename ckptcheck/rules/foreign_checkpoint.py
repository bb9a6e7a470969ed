"""The state file lists checkpoints of another directory.

Beside the checkpoint to load, a state file lists all that are kept
(``all_model_checkpoint_paths``). TRAIN takes them for its own: once it has saved more than
``keep_checkpoint_max``, it deletes the oldest ones of the list, wherever they are. So a copy of a
model_dir whose list has absolute paths deletes the checkpoints of the original. Where the directory
of a listed one is not there, TensorFlow 1 raises ``NotFoundError`` in TRAIN, after the restore;
TensorFlow 2 does not mind.

What to do: write the file ``checkpoint`` in the model_dir anew, with the single line
``model_checkpoint_path: "model.ckpt-1000"``, before TRAIN runs.
"""

import dataclasses
from typing import Iterator, Tuple

from ..protocol import TRAIN
from ..results import Finding
from .base import FAILS_AT_RESTORE, FILES, Facts, Rule, some_names, state_file_fix, untraced
from .examples import LOCATED, facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds checkpoints that TRAIN would take for its own."""
    located = facts.located
    if located.explicit or not located.exists or (facts.modes and TRAIN not in facts.modes):
        return
    if located.listed_elsewhere:
        names = some_names(located.listed_elsewhere)
        them = "them as its own" if len(located.listed_elsewhere) > 1 else "it as one of its own"
        yield _finding(
            facts,
            "warning",
            f"the state file lists {names}: TRAIN deletes {them} when it has saved newer ones",
        )
    if located.listed_nowhere and facts.major < 2:
        names = some_names(located.listed_nowhere)
        yield _finding(
            facts,
            "error" if facts.modes else "warning",
            f"the state file lists checkpoints where no directory is, in {names}"
            + untraced(facts, "TensorFlow 1 raises NotFoundError in TRAIN"),
        )


def _finding(facts: Facts, severity: str, message: str) -> Finding:
    located = facts.located
    modes = (TRAIN,) if facts.modes else ()
    return Finding(
        rule=RULE.id,
        severity=severity,
        message=message,
        modes=modes,
        outcomes=dict.fromkeys(modes, FAILS_AT_RESTORE) if severity == "error" else {},
        subject=f"{located.model_dir} {severity}",
        hint=state_file_fix(located),
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "the state file lists checkpoints of another directory"


RULE = Rule(
    id="foreign-checkpoint",
    severity="warning",
    summary="The state file lists checkpoints of another directory, which TRAIN would delete.",
    check=check,
    category=FILES,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        located=dataclasses.replace(LOCATED, listed_elsewhere=("/runs/first/model.ckpt-10",)),
    ),
)
