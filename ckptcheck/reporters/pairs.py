"""Pairs what a checkpoint holds with what the model reads."""

import dataclasses
from typing import Dict, List, Optional, Tuple

from ..protocol import Read, VariableSpec
from ..results import Report, natural_key


@dataclasses.dataclass(frozen=True)
class Pair:
    """One key of a checkpoint or of a restore plan.

    Attributes:
        key: the name in the checkpoint.
        stored: what the checkpoint holds; None if it lacks the key.
        read: the first read of the key; None if no mode reads it.
        modes: the modes that read it.
    """

    key: str
    stored: Optional[VariableSpec] = None
    read: Optional[Read] = None
    modes: Tuple[str, ...] = ()

    @property
    def declared(self) -> Optional[VariableSpec]:
        """What the model declares; None if no mode reads the key."""
        return VariableSpec(self.key, self.read.shape, self.read.dtype) if self.read else None


def pairs(report: Report) -> List[Pair]:
    """Returns every key that the checkpoint holds or that a mode reads, sorted."""
    index = report.checkpoint
    stored = {spec.name: spec for spec in index.variables} if index else {}
    modes: Dict[str, Dict[str, None]] = {}
    reads: Dict[str, Read] = {}
    for plan in report.trace.plans if report.trace else ():
        for read in plan.reads:
            reads.setdefault(read.key, read)
            modes.setdefault(read.key, {})[plan.mode] = None
    return [
        Pair(key, stored.get(key), reads.get(key), tuple(modes.get(key, ())))
        for key in sorted({*reads, *stored}, key=natural_key)
    ]
