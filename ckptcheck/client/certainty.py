"""Whether an exception is the code's fault, or may come from features that were guessed wrongly."""

import collections
import re
from typing import List, Optional, Sequence

from ..protocol import TRAIN, UNLABELED
from .answers import Answer, reference_first
from .attempt import ALIKE, Found, guessed_optional_keys, is_indexed, misses_labels, score_of
from .guess import Guess, is_unnamed, paths_of
from .structure import TENSOR, Path

_ENOUGH_SHARED = 0.5


def raises_for_certain(found: Found) -> bool:
    """Whether a trace raised, and each that raised would also raise with the real features."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    return bool(failed) and all(is_certain(found, trace) for trace in failed)


def is_certain(found: Found, trace: Answer) -> bool:
    """Whether the failure of a mode does not depend on how the features were guessed.

    A failure is certain if the mode hung, crashed or missed a param, or if it raises the same error
    with other tensors. It is also certain if TRAIN uses the inputs as the saved model did: then the
    guess is right for TRAIN, and :func:`.attempt.with_own_inputs` has tried the inputs that another
    mode may have instead.
    """
    if trace.misfit or found.guess is None:
        return False
    if trace.failure is None or trace.failure.kind not in ("raised", "no-spec", "scaffold"):
        return True
    if any(read.raised for read in trace.seen.params.reads):
        return True
    if keys_are_missed(found) or missed_fields(found) or misses_labels(found.guess, trace):
        return False
    if found.guess.absent.intersection(trace.uses):
        return False  # of these, nobody knows the dtype
    # A list may be a dict: the code only iterated over it. A tensor that the code indexes may be a
    # list. And an optional key may be absent.
    is_open = bool(guessed_optional_keys(found)) or _may_be_lists(found)
    is_settled = not is_open and found.guess.features.kind != "list"
    if trace.mode in found.regardless and (is_settled or trace.mode in found.of_any_structure):
        return True
    if not found.complete:
        return False
    reference = reference_first(found.traces)[0]
    if reference.mode != TRAIN:
        return False
    if reference.finished:
        return score_of(found) >= ALIKE
    if trace.problem != reference.problem:
        return False
    if is_open:
        return False
    return _agrees_so_far(found, found.guess, reference)


def _may_be_lists(found: Found) -> bool:
    """Whether the code indexes features or labels that were guessed to be one tensor."""
    guess = found.guess
    assert guess is not None
    traces = found.traces.values()
    pairs = ((guess.features, "features"), (guess.labels, "labels"))
    return any(node == TENSOR and is_indexed(traces, root) for node, root in pairs)


def _agrees_so_far(found: Found, guess: Guess, trace: Answer) -> bool:
    """Whether the saved graph has the ops that consumed each input before the exception."""
    used = {path: consumers for path, consumers in trace.uses.items() if consumers}
    leaves = guess.pool.leaves
    paths = [path for path in paths_of(guess.features, guess.labels) if path not in guess.new]
    unused = {path[0] for path in paths if path not in used}
    ordered = guess.pool.sorted_keys  # then the labels are the last tensors
    labeled = "labels" not in unused or found.same_unlabeled
    only = ordered and len(paths) == len(leaves) and labeled
    if not only and ("features" in unused or (unused and not ordered)):
        return False  # another pairing is possible, and what raised may be due to this one
    places = guess.places
    shares = [_share(c, leaves[places[p]].consumers) for p, c in used.items() if p in places]
    return bool(shares) and min(shares) >= _ENOUGH_SHARED


def _share(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """Returns the share of consumers whose op the saved graph has, too."""
    a, b = (
        collections.Counter(text.partition(" ")[2] for text in texts) for texts in (mine, theirs)
    )
    return sum((a & b).values()) / sum(a.values())


def lacks_labels(found: Found) -> bool:
    """Whether a mode raised because it got no labels, while the features use all tensors.

    Then the model_fn asks for one feature more than the saved model did.
    """
    guess, traces = found.guess, found.traces.values()
    if guess is None or not found.complete:
        return False
    if len(paths_of(guess.features, guess.labels)) < len(guess.pool.leaves):
        return False
    if any(trace.mode in UNLABELED and not trace.finished for trace in traces):
        return False
    return any(misses_labels(guess, trace) for trace in traces)


def keys_are_missed(found: Found) -> bool:
    """Whether a trace raised because it needs the keys of the features, which no graph holds.

    A trace gets a list if nothing but iteration over the features is known. Code that then calls
    a method of strings on an item expects keys.
    """
    said = [trace.said for trace in found.traces.values() if not trace.finished]
    if found.guess is None or not said:
        return False
    if any(map(is_unnamed, (*found.guess.features.keys, *found.guess.labels.keys))):
        return True
    asked = [_NO_ATTRIBUTE.search(text) for text in said]
    of_strings = any(match and hasattr(str, match.group(1)) for match in asked)
    return found.guess.features.kind == "list" and of_strings


def missed_fields(found: Found) -> List[str]:
    """Returns the attributes of the inputs that traces raised for, such as ``features.ids``.

    If the saved graph has more tensors than the guess uses, the inputs may be namedtuples.
    """
    failed = (trace for trace in found.traces.values() if not trace.finished)
    return [
        ".".join(map(str, (*event.path, event.value)))
        for trace in failed
        for event in trace.seen.events
        if event.event == "field" and f"'{event.value}'" in trace.said
        if _may_have_parts(found.guess, trace, event.path)
    ]


def _may_have_parts(guess: Optional[Guess], trace: Answer, path: Path) -> bool:
    """Whether one tensor of the guess may be several, because the other inputs leave enough.

    If the code has not used the labels yet, the features as a whole may include their tensors.
    """
    if guess is None:
        return False
    others = [p for p in guess.places if p != path and (len(path) > 1 or trace.uses.get(p))]
    return len(guess.pool.leaves) - len(others) > 1


_NO_ATTRIBUTE = re.compile(r"Tensor' object has no attribute '(\w+)'")
