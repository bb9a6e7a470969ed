"""Helpers for the commands that read only files."""

import os
from typing import Callable, Optional, Sequence, Tuple

from .checkpoint.bundle import Bundle
from .checkpoint.examine import Examined
from .model_dir import Located, Missing, Named, TensorScan, Unnamed
from .protocol import Failure, FailureKind
from .results import DataRead
from .rules import Facts
from .rules.state_file_wording import absence_text
from .rules.unreadable_checkpoint import OWN_READER


def file_facts(
    located: Located, examined: Examined, scans: Optional[Tuple[TensorScan, ...]] = None
) -> Facts:
    """Returns the facts for rules in commands that trace no model."""
    unreadable = None
    if examined.problem and not examined.first_version:
        unreadable = Failure(FailureKind.RAISED, OWN_READER, examined.problem)
    return Facts(
        located=located,
        modes=(),
        index=examined.bundle.checkpoint_index() if examined.bundle else None,
        unreadable=unreadable,
        files=examined.files,
        scans=scans,
    )


Progress = Callable[[int, int], None]
"""Called with the number of bytes read so far and the number of all bytes."""


class Count:
    """Counts the bytes that were read, and reports the progress."""

    def __init__(self, progress: Optional[Progress], whole: int) -> None:
        self.done = 0
        self._progress = progress
        self._whole = whole

    def __call__(self, count: int) -> None:
        """Adds bytes that were read."""
        self.done += count
        if self._progress is not None:
            self._progress(self.done, self._whole)


def data_size(bundle: Optional[Bundle]) -> int:
    """Returns the number of bytes of all tensors of a checkpoint."""
    return sum(item.size for item in bundle.stored()) if bundle else 0


def data_read(bundle: Optional[Bundle], scans: Optional[Sequence[TensorScan]]) -> DataRead:
    """Returns how much of the data was read and matches the index."""
    names = {item.variable.name for item in scans or () if not item.problem}
    stored = bundle.stored() if bundle else ()
    return DataRead(len(names), sum(item.size for item in stored if item.name in names))


def loaded_prefix(located: Located) -> str:
    """Returns the checkpoint that a restore would load, "" for none.

    If the state file names a checkpoint in the directory by another path, the result has the same
    form as the other candidates.
    """
    if not located.prefix or not located.exists:
        return ""
    real = os.path.realpath(located.prefix)
    same = (prefix for prefix in located.candidates if os.path.realpath(prefix) == real)
    return next(same, located.prefix)


def why_loaded(located: Located, bundle: Optional[Bundle]) -> str:
    """Returns which checkpoint Estimator would load, and why."""
    prefix, folder = loaded_prefix(located) or located.prefix, os.path.join(located.model_dir, "")
    name = prefix[len(folder) :] if prefix.startswith(folder) else os.path.basename(prefix)
    if isinstance(located, Named):
        return f"{name} is the one that you named"
    if isinstance(located, Missing):
        return absence_text(located)
    if isinstance(located, Unnamed):
        if located.candidates:
            return "Estimator loads no checkpoint from this directory"
        if located.refused:
            return "Estimator raises an error: it cannot use the state file"
        return "Estimator starts with random weights"
    if bundle is not None and bundle.object_based:
        named = located.prefix if located.elsewhere else name
        return f"the state file names {named}, which is object-based"
    if located.elsewhere:
        return f"Estimator loads {located.prefix}, which is not in this directory"
    return f"Estimator loads {name}: the state file names it"
