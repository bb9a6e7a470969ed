"""Decides whether the code causes an exception, or whether a wrong guess may be the reason."""

import re
from typing import List, Optional

from ..protocol import TRAIN, UNLABELED, UNNAMED, FailureKind
from .answers import Answer, reference_first
from .attempt import (
    ALIKE,
    Found,
    guessed_optional_keys,
    indexed_length,
    misses_labels,
    score_of,
    takes_all,
)
from .guess import Guess, is_unnamed, paths_of
from .learning import optional_keys
from .matching import agrees
from .structure import TENSOR, Path, wanted_keys

_OF_FEATURES = (FailureKind.RAISED, FailureKind.NO_SPEC, FailureKind.SCAFFOLD)
"""The failures that wrong features may cause."""


def raises_for_certain(found: Found) -> bool:
    """Whether there are failed traces, and all of them would also fail with the real features."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    return bool(failed) and all(is_certain(found, trace) for trace in failed)


def is_certain(found: Found, trace: Answer) -> bool:
    """Whether the failure of a mode does not depend on how the features were guessed.

    A failure is certain if the mode timed out or crashed, if a param is missing, if it failed
    before model_fn was called, if only the dtype of one tensor is the cause, or if the mode raises
    the same error with other tensors. It is also certain if TRAIN uses the inputs as the saved
    model did, and the mode has used all of them in the same way before it raised. If it has not,
    its inputs may differ from those of TRAIN.
    """
    if trace.misfit or found.guess is None:
        return False
    if trace.failure is None or trace.failure.kind not in _OF_FEATURES:
        return True
    if trace.misses_param or not trace.seen.first_op or _is_of_dtype(found, trace):
        return True
    if keys_are_missed(found) or missed_fields(found) or misses_labels(found.guess, trace):
        return False
    if (found.guess.absent | found.guess.added).intersection(trace.uses):
        return False  # the dtypes of these features are not known
    # A list may be a dict: the code only iterated over it. A tensor that the code indexes may be a
    # list. And an optional key may be absent, or missing in the guess.
    is_optional = bool(guessed_optional_keys(found)) or lacks_optional_keys(found)
    is_open = is_optional or _may_be_lists(found)
    is_settled = not is_open and found.guess.features.kind != "list"
    if trace.mode in found.regardless and (is_settled or trace.mode in found.of_any_structure):
        return True
    if not found.complete:
        return False
    reference = reference_first(found.traces)[0]
    if reference.mode != TRAIN:
        return False
    if reference.finished:
        return _is_of_same_inputs(found, found.guess, trace, reference)
    if trace.problem != reference.problem:
        return False
    if is_open:
        return False
    return _agrees_so_far(found, found.guess, reference)


def _is_of_dtype(found: Found, trace: Answer) -> bool:
    """Whether a mode finishes if one tensor has another dtype."""
    return found.of_dtype is not None and trace.mode in found.of_dtype.modes


def _is_of_same_inputs(found: Found, guess: Guess, trace: Answer, train: Answer) -> bool:
    """Whether a mode raised although its inputs are surely those that TRAIN used."""
    if score_of(found) < ALIKE or not _has_used_all(found, trace):
        return False
    if _asks_for_more(guess, trace, train):
        return False
    return trace.mode in found.of_any_unused or not _asks_for_unused(guess, trace)


def _may_be_lists(found: Found) -> bool:
    """Whether the code indexes features or labels that were guessed to be one tensor."""
    guess = found.guess
    assert guess is not None
    traces = found.traces.values()
    pairs = ((guess.features, "features"), (guess.labels, "labels"))
    return any(node == TENSOR and indexed_length(traces, root) for node, root in pairs)


def lacks_optional_keys(found: Found) -> bool:
    """Whether the features may have keys that the code looks for with ``in`` or ``get``.

    The saved model used a tensor that no feature of the guess is. It may be one of these keys.
    """
    if found.guess is None or takes_all(found.guess):
        return False
    if found.guess.features.kind not in ("dict", "unknown"):
        return False
    return bool(open_keys(found, found.guess))


def open_keys(found: Found, guess: Guess) -> List[str]:
    """Returns the optional keys that the features may have, although the guess lacks them.

    If TRAIN finishes without a key that the search left out, the features do not have it.
    """
    decided = set(guess.features.keys)
    if TRAIN in found.traces and found.traces[TRAIN].finished:
        decided |= guess.without
    return sorted(set(optional_keys(found.traces)) - decided)


def _agrees_so_far(found: Found, guess: Guess, trace: Answer) -> bool:
    """Whether the saved graph has the ops that consumed each input before the exception.

    If all inputs but one have such a leaf, and one leaf is left, the last input and this leaf are
    a pair, too.
    """
    used = {path: consumers for path, consumers in trace.uses.items() if consumers}
    leaves = guess.pool.leaves
    paths = [path for path in paths_of(guess.features, guess.labels) if path not in guess.new]
    paired = [p for p in paths if p in used and agrees(used[p], leaves[guess.places[p]])]
    if len(paired) == len(leaves) - 1 == len(paths) - 1 and paired:
        return True
    unused = {path[0] for path in paths if path not in used}
    ordered = guess.pool.sorted_keys  # if so, the labels are the last tensors
    labeled = "labels" not in unused or found.same_unlabeled
    only = ordered and len(paths) == len(leaves) and labeled
    places = guess.places
    taken = set(places.values())
    free = any(leaf.used for place, leaf in enumerate(leaves) if place not in taken)
    if not only and ("features" in unused or (unused and (free or not ordered))):
        return False  # another pairing is possible, and this one may be the reason for the error
    shown = [agrees(c, leaves[places[p]]) for p, c in used.items() if p in places]
    return bool(shown) and all(shown)


def lacks_labels(found: Found) -> bool:
    """Whether a mode raised because the features take all tensors, and none is left for labels.

    The model_fn then asks for one more feature than the saved model.
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

    If the code only iterates over the features, the guess is a list. Code that then calls
    a method of strings on an item expects keys. A trace that used all inputs as the saved model did
    does not need the keys.
    """
    failed = (trace for trace in found.traces.values() if not trace.finished)
    said = [trace.said for trace in failed if not _has_used_all(found, trace)]
    if found.guess is None or not said:
        return False
    if any(is_unnamed(key) for path in found.guess.places for key in path):
        return True
    asked = [_NO_ATTRIBUTE.search(text) for text in said]
    of_strings = any(match and hasattr(str, match.group(1)) for match in asked)
    return found.guess.features.kind == "list" and of_strings


def _has_used_all(found: Found, trace: Answer) -> bool:
    """Whether a trace used each input of the saved model in the same way."""
    guess, uses = found.guess, trace.uses
    if guess is None or not found.complete or trace.misfit or UNNAMED in trace.said:
        return False
    pairs = [(path, guess.pool.leaves[place]) for path, place in guess.places.items()]
    asked = [(path, leaf) for path, leaf in pairs if leaf.used]
    if trace.mode in UNLABELED:
        asked = [(path, leaf) for path, leaf in asked if path[0] == "features"]
    return bool(asked) and all(uses.get(path) and agrees(uses[path], leaf) for path, leaf in asked)


def _asks_for_more(guess: Guess, trace: Answer, train: Answer) -> bool:
    """Whether a mode asks for a feature that TRAIN does not ask for.

    Its tensor may not be the one in the guess, unless a name in the saved graph shows it.
    """
    keys = set(wanted_keys(trace.seen.events, "key")) - set(wanted_keys(train.seen.events, "key"))
    paths = (path for path in guess.places if path[0] == "features" and path[-1] in keys)
    return any(not guess.is_named(path) for path in paths)


def _asks_for_unused(guess: Guess, trace: Answer) -> bool:
    """Whether TRAIN does not use the tensor of a feature, and another unused tensor may be it."""
    asked = set(wanted_keys(trace.seen.events, "key"))
    paths = [path for path in unused_paths(guess) if path[0] == "features" and path[-1] in asked]
    return any(_has_unused_rival(guess, path) for path in paths if not guess.is_named(path))


def unused_paths(guess: Guess) -> List[Path]:
    """Returns the paths whose tensors the saved model did not use."""
    leaves = guess.pool.leaves
    return [path for path, place in guess.places.items() if not leaves[place].used]


def _has_unused_rival(guess: Guess, path: Path) -> bool:
    """Whether the order allows another unused tensor, of another dtype or shape, for a path."""
    leaves, own = guess.pool.leaves, guess.places[path]
    first, last = 0, len(leaves)
    if guess.pool.sorted_keys:
        first = max((p + 1 for p in guess.places.values() if p < own), default=0)
        last = min((p for p in guess.places.values() if p > own), default=len(leaves))
    free = set(range(first, last)).difference(guess.places.values())
    return any(not leaves[p].used and leaves[p].spec != leaves[own].spec for p in free)


def missed_fields(found: Found) -> List[str]:
    """Returns missing attributes of the inputs that made a trace raise, such as ``features.ids``.

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
    """Whether one tensor of the guess may be several tensors, because enough leaves are free.

    If the code has not used the labels yet, the features as a whole may include their tensors.
    """
    if guess is None:
        return False
    others = [p for p in guess.places if p != path and (len(path) > 1 or trace.uses.get(p))]
    return len(guess.pool.leaves) - len(others) > 1


_NO_ATTRIBUTE = re.compile(r"Tensor' object has no attribute '(\w+)'")
