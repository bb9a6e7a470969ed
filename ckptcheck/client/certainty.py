"""Whether an exception is the code's fault, or may come from features that were guessed wrongly."""

import collections
from typing import Sequence

from ..protocol import TRAIN
from .answers import Answer, reference_first
from .guess import Guess, paths_of
from .search import ALIKE, Found, is_indexed, score_of
from .structure import NOTHING, TENSOR

_ENOUGH_SHARED = 0.75


def raises_for_certain(found: Found) -> bool:
    """Whether a trace raised, and all that raised would do so with the real features too."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    return bool(failed) and all(is_certain(found, trace) for trace in failed)


def is_certain(found: Found, trace: Answer) -> bool:
    """Whether the failure of a mode does not depend on how the features were guessed.

    It does not if the mode hung, crashed or missed a param, if it raised before it used an input,
    or if the traced model uses the inputs as the saved one did.
    """
    if trace.misfit or found.guess is None:
        return False
    if trace.failure is None or trace.failure.kind not in ("raised", "no-spec", "scaffold"):
        return True
    if any(read.raised for read in trace.seen.params.reads) or not _used(found.guess, trace):
        return True
    if not found.complete:
        return False
    reference = reference_first(found.traces)[0]
    if reference.mode == TRAIN and reference.finished:
        return score_of(found) >= ALIKE
    return _only_pairing(found) and _agrees_so_far(found.guess, reference)


def _used(guess: Guess, trace: Answer) -> bool:
    """Whether the code used its inputs; the keys that it names do not count."""
    events = any(event.event != "named" for event in trace.seen.events)
    return events or guess.features.kind != "unknown" or any(trace.uses.values())


def _only_pairing(found: Found) -> bool:
    """Whether order allows no other pairing, and nothing hints at another structure."""
    guess = found.guess
    assert guess is not None
    if not guess.pool.sorted_keys or guess.labels == NOTHING or guess.new:
        return False
    if len(paths_of(guess.features, guess.labels)) != len(guess.pool.leaves):
        return False
    traces = found.traces.values()
    pairs = ((guess.features, "features"), (guess.labels, "labels"))
    return not any(node == TENSOR and is_indexed(traces, root) for node, root in pairs)


def _agrees_so_far(guess: Guess, trace: Answer) -> bool:
    """Whether the ops that consumed the inputs before the exception do so in the saved graph."""
    used = [(path, consumers) for path, consumers in trace.uses.items() if consumers]
    leaves = guess.pool.leaves
    shares = [_share(c, leaves[guess.places[p]].consumers) for p, c in used if p in guess.places]
    return bool(shares) and sum(shares) / len(shares) >= _ENOUGH_SHARED


def _share(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """Returns the share of consumers whose op the saved graph has, too."""
    a, b = (
        collections.Counter(text.partition(" ")[2] for text in texts) for texts in (mine, theirs)
    )
    return sum((a & b).values()) / sum(a.values())
