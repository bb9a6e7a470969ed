"""Says what a comparison with the saved graph could not find out."""

from typing import Dict, Iterator, Sequence

from .changes import Drift
from .protocol import MODES, TRAIN

_MOST_OPS = 3
_SINCE = "has changed since the checkpoint was saved"
_WHETHER = f"whether the computation {_SINCE}"
_WHETHER_OF = f"whether the computation of {{}} {_SINCE}"
_THE_UPDATE = f"whether the update of variables in TRAIN {_SINCE} (its loss was compared)"
_OTHER_VERSION = (
    "another version of TensorFlow made the saved graph, which may be why some ops differ"
)
_OWN_OPS = (
    "the saved graph is that of TRAIN, and ckptcheck found no counterpart in it for some ops of "
    "this mode, such as {}. To compare each mode with its own graph, write a record of the "
    "checkpoint (ckptcheck record)"
)


def not_compared(drift: Drift) -> Iterator[str]:
    """Yields a line for everything that the comparison could not find out."""
    if drift.why:
        yield f"{_WHETHER}: {drift.why}"
    for mode, own in drift.own.items():
        yield f"{_WHETHER_OF.format(mode.upper())}: {_OWN_OPS.format(', '.join(own[:_MOST_OPS]))}"
    for why in dict.fromkeys(drift.doubts.values()):
        yield f"{_whether([mode for mode in drift.doubts if drift.doubts[mode] == why])}: {why}"
    yield from _other_version(drift)


def _other_version(drift: Drift) -> Iterator[str]:
    """Yields what the version of TensorFlow may have changed. Modes that agree share a line."""
    found: Dict[str, Dict[str, None]] = {}
    of_loss = {mode for item in drift.unlike if not item.update for mode in item.modes}
    for item in drift.unlike:
        if item.update and TRAIN in of_loss:
            continue
        text = _THE_UPDATE if item.update else _whether(item.modes)
        found.setdefault(text, {}).update(dict.fromkeys(item.ops))
    for text, ops in found.items():
        yield f"{text}: {_OTHER_VERSION} ({_some([*ops])})"


def _whether(modes: Sequence[str]) -> str:
    *most, last = [mode.upper() for mode in MODES if mode in modes]
    return _WHETHER_OF.format(f"{', '.join(most)} and {last}" if most else last)


def _some(ops: Sequence[str]) -> str:
    rest = len(ops) - _MOST_OPS
    return ", ".join(ops[:_MOST_OPS]) + (f" and {rest} more" if rest > 0 else "")
