"""What a model computes differently than the model that was saved."""

import dataclasses
from typing import Any, Mapping, Optional, Tuple

from .uses import Location

NONE, CHANGED, UNKNOWN = "none", "changed", "unknown"
"""Whether a mode computes something else than when the checkpoint was saved."""


@dataclasses.dataclass(frozen=True)
class Change:
    """One thing that differs between the computation that was saved and that of the code.

    Attributes:
        kind: the id of the rule that reports it.
        text: what changed, in one line. It has nothing that changes from save to save.
        then: what was saved: ``{"op": ...}``, ``{"value": ...}`` or ``{"text": ...}``.
        now: the same for the code.
        modes: the modes that it reaches.
        old: the saved nodes that differ.
        new: the traced nodes that differ.
        location: the line of the first node in ``new`` that the user's code makes.
    """

    kind: str
    text: str
    then: Mapping[str, Any]
    now: Mapping[str, Any]
    modes: Tuple[str, ...]
    old: Tuple[str, ...] = ()
    new: Tuple[str, ...] = ()
    location: Optional[Location] = None


@dataclasses.dataclass(frozen=True)
class Unlike:
    """Differences that the version of TensorFlow may have caused.

    Attributes:
        ops: the types of the ops that differ.
        modes: the modes that they reach.
        update: whether only what a step of TRAIN writes depends on them.
    """

    ops: Tuple[str, ...]
    modes: Tuple[str, ...]
    update: bool = False


@dataclasses.dataclass(frozen=True)
class Drift:
    """The comparison of the traced modes with the saved graph.

    Attributes:
        changes: what changed.
        states: for each mode, NONE, CHANGED or UNKNOWN.
        why: why nothing could be compared; "" if it could.
        own: by mode, the ops of PREDICT or EVAL that the saved graph of TRAIN does not have.
        doubts: why it is not known whether a mode computes something else, by mode.
        unlike: the differences that the version of TensorFlow may have caused.
    """

    changes: Tuple[Change, ...] = ()
    states: Mapping[str, str] = dataclasses.field(default_factory=dict)
    why: str = ""
    own: Mapping[str, Tuple[str, ...]] = dataclasses.field(default_factory=dict)
    doubts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unlike: Tuple[Unlike, ...] = ()


NO_DRIFT = Drift()
"""Nothing was compared, or nothing changed."""
