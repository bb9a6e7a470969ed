"""What traced code was not shown of its model_dir, and whether it touched that."""

import dataclasses
import json
import os
from typing import List, Sequence, Tuple

from . import scratch
from .failures import UsageError
from .open_watch import UNWATCHED, OpenWatch

_FILE = "left-out"
_MOST_NAMES = 3


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """What traced code is not shown.

    Attributes:
        name: its path below the model_dir; "" where whole entries are missing.
        reason: why no copy can be made, in words that follow the name; "" where one can.
        watch: its number in the :class:`OpenWatch`.
    """

    name: str
    reason: str
    watch: int


def write_left_out(root: str, items: Sequence[LeftOut]) -> None:
    """Writes it down before the code runs, for the tracer."""
    if items:
        rows = [dataclasses.astuple(item) for item in items]
        with open(os.path.join(root, _FILE), "wb") as file:
            file.write(json.dumps(rows).encode("ascii"))


def touched(root: str, watch: OpenWatch) -> Tuple[LeftOut, ...]:
    """What was left out and the code touched, or may have touched, in a trace that has ended."""
    items = _read(root)
    if not items:
        return ()
    opened, asked = watch.opened(), scratch.was_asked(root)
    return tuple(
        item
        for item in items
        if (asked if item.watch == UNWATCHED else watch.lost or item.watch in opened)
    )


def _read(root: str) -> List[LeftOut]:
    try:
        with open(os.path.join(root, _FILE), "rb") as file:
            return [LeftOut(*row) for row in json.loads(file.read().decode("ascii"))]
    except OSError:  # nothing was
        return []


def incomplete(items: Sequence[LeftOut]) -> UsageError:
    """What to say of a trace that missed something which no copy can be made of."""
    told = [item for item in items if item.reason] or list(items)
    shown = "; ".join(map(_described, told[:_MOST_NAMES]))
    rest = len(told) - _MOST_NAMES
    return UsageError(
        f"the code reads its model_dir, and could not be shown all of it: {shown}"
        + (f"; and {rest} more" if rest > 0 else "")
        + ". Without that there is no verdict. Move it out of MODEL_DIR, or check a small copy "
        "(ckptcheck snapshot MODEL_DIR OUT) if the code does not need it"
    )


def _described(item: LeftOut) -> str:
    if not item.name:
        return f"MODEL_DIR holds {item.reason}"
    return f"{item.name} {item.reason or 'is read only in part'}"
