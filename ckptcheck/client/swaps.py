"""Other structures, and other tensors for them, where traces with the guess raised."""

import dataclasses
import itertools
from typing import Iterator, List, Mapping, Sequence, Tuple

from .answers import uses_in_train
from .guess import Guess, paths_of, unnamed_dict
from .learning import all_finished
from .matching import assign
from .search import Ask, Found, score_of, search
from .structure import TENSOR, Node, Path, sequence

_MOST_SWAPS = 24


def otherwise(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Other structures, where a trace raised that was given one that nothing has shown."""
    guess = found.guess
    if guess is None or not _is_worth_a_swap(found):
        return found
    for features, labels in _other_structures(guess):
        places = assign(guess.pool, features, labels, {})
        other = search(Guess(guess.pool, features, labels, places), modes, ask, {})
        if _progress(other) > _progress(found):
            return otherwise(other, modes, ask)
    return found


def _other_structures(guess: Guess) -> Iterator[Tuple[Node, Node]]:
    """What features and labels may be as well.

    A layer goes through whatever it is given, and so does a loop over the keys of a dict: so a list
    of features may be one tensor, or a dict. Labels whose parts are asked for by number look like
    one tensor.
    """
    if guess.features.kind == "list":
        yield TENSOR, guess.labels
        yield unnamed_dict(len(guess.features.items)), guess.labels
    left = len(guess.pool.used) - 1
    if guess.features == guess.labels == TENSOR and left > 1:
        yield guess.features, sequence("tuple", left)


def repaired(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Gives the tensors other leaves while traces raise, as long as that leads further.

    A trace that raises early shows too little of what consumes what to tell the leaves apart, but
    how far it came tells a better choice from a worse one.
    """
    left = _MOST_SWAPS
    while left > 0 and _is_worth_a_swap(found):
        guess, reached = found.guess, found
        assert guess is not None
        for path in paths_of(guess.features, guess.labels):
            swaps = list(itertools.islice(_swapped(found, path, modes, ask), left))
            left -= len(swaps)
            reached = max([found, *swaps], key=_progress)
            if reached is not found:
                break
        else:
            break
        found = reached
    return _unpinned(found, modes, ask)


def _is_worth_a_swap(found: Found) -> bool:
    """Whether a trace raised, and not for a hang, a crash, or something that params lack."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    if found.guess is None or not found.complete or not failed:
        return False
    return not any(t.ended or any(read.raised for read in t.seen.params.reads) for t in failed)


def _progress(found: Found) -> Tuple[int, int]:
    """How far the traces came: how many did not raise, and the ops that all of them made."""
    if not found.complete:
        return -1, 0
    traces = found.traces.values()
    return sum(trace.finished for trace in traces), sum(trace.ops for trace in traces)


def _swapped(found: Found, path: Path, modes: Sequence[str], ask: Ask) -> Iterator[Found]:
    """Searches with each other leaf for one tensor, until no mode raises.

    A tensor whose shape changes nothing of what was raised may still be of the wrong dtype.
    """
    guess, problems = found.guess, found.problems
    assert guess is not None
    dtypes = {_dtype(guess, guess.places[path])}
    has_no_part = False
    for place in _other_leaves(guess, path):
        if has_no_part and _dtype(guess, place) in dtypes:
            continue
        dtypes.add(_dtype(guess, place))
        pinned = _pinned(guess, path, place, uses_in_train(found.traces))
        if pinned.places.get(path) != place:
            continue  # the order of the keys does not allow it
        other = search(pinned, modes, ask, {})
        yield other
        if all_finished(other.traces):
            break
        has_no_part = has_no_part or other.problems == problems


def _dtype(guess: Guess, place: int) -> object:
    return guess.pool.leaves[place].spec["dtype"]


def _pinned(guess: Guess, path: Path, place: int, uses: Mapping[Path, Sequence[str]]) -> Guess:
    """The guess with another leaf for one tensor, and as little else changed as can be."""
    pins = {**guess.pins, path: place}
    if guess.pool.sorted_keys:
        places = assign(guess.pool, guess.features, guess.labels, uses, pins)
    else:
        before = guess.places[path]
        others = {p: before if taken == place else taken for p, taken in guess.places.items()}
        places = {**others, path: place}
    return dataclasses.replace(guess, places=places, pins=pins)


def _other_leaves(guess: Guess, path: Path) -> List[int]:
    """A leaf of each other dtype and shape that a tensor might be, rather one that is free."""
    pool = guess.pool
    paths = paths_of(guess.features, guess.labels)
    if path in guess.pins:
        return []
    if pool.sorted_keys and len(pool.used) == len(paths):
        return []  # the order leaves no choice
    seen = [pool.leaves[guess.places[path]].spec]
    found = []
    taken = set(guess.places.values())
    for place in sorted(pool.used or range(len(pool.leaves)), key=taken.__contains__):
        spec = pool.leaves[place].spec
        if spec not in seen and place not in guess.pins.values():
            seen.append(spec)
            found.append(place)
    return found


def _unpinned(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """What the consumers say, now that the traces show them, where that fits better still."""
    if found.guess is None or not found.guess.pins:
        return found
    guess = dataclasses.replace(found.guess, pins={})
    places = assign(guess.pool, guess.features, guess.labels, uses_in_train(found.traces))
    if places == guess.places:
        return dataclasses.replace(found, guess=guess)
    other = search(dataclasses.replace(guess, places=places), modes, ask, {})
    return other if score_of(other) > score_of(found) else found
