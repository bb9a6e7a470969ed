"""Tries the pairings of features and tensors that order alone excludes.

Estimator flattens a dict in the order of its keys, so the order shows which tensor a feature is.
This is wrong if the input_fn makes the dict from a tuple, or if a key was renamed. And if the code
no longer uses a feature, the order does not show which one.
"""

import dataclasses
import itertools
from typing import Dict, FrozenSet, Iterator, NamedTuple, Optional

from ..protocol import CheckpointIndex
from .answers import reference_first, shapes_read, unfit_reads
from .attempt import Ask, Found
from .guess import Guess
from .matching import Uses, similarity
from .structure import Path

_MOST_RIVALS = 6


class _Rival(NamedTuple):
    """Other tensors for one or two features.

    ``unused`` is true if such a tensor is one that the code no longer uses.
    """

    places: Dict[Path, int]
    unused: bool


def doubtful_features(found: Found, index: Optional[CheckpointIndex], ask: Ask) -> FrozenSet[Path]:
    """Returns the features whose tensors are in doubt, if the verdict depends on them.

    Features are in doubt if the checkpoint fits better when two of them exchange their tensors. A
    feature is also in doubt if its tensor may be one that the code no longer uses, or if either the
    input_fn or the saved model_fn may have made it from the outputs of the input pipeline.

    Args:
        found: the end of a search for the features.
        index: what the checkpoint holds; None if it is not known.
        ask: traces modes.
    """
    trace = reference_first(found.traces)[0]
    if found.guess is None or index is None or not trace.finished:
        return frozenset()
    unfit, shapes = unfit_reads(trace, index), shapes_read(trace)
    direct = found.of_pipeline
    if direct is not None and shapes != shapes_read(reference_first(direct.traces)[0]):
        return frozenset(path for path in found.guess.places if path[0] == "features")
    rivals = (rival for rival in _rivals(found.guess, trace.uses) if rival.unused or unfit)
    for rival in itertools.islice(rivals, _MOST_RIVALS):
        places = {**found.guess.places, **rival.places}
        guess = dataclasses.replace(found.guess, places=places)
        for answer in ask({trace.mode: guess.inputs(trace.mode)}).values():
            fits_better = unfit_reads(answer, index) < unfit
            differs = shapes != shapes_read(answer)
            if answer.finished and (fits_better or (rival.unused and differs)):
                return frozenset(rival.places)
    return frozenset()


def _rivals(guess: Guess, uses: Uses) -> Iterator[_Rival]:
    """Yields other tensors for one or two features, if the consumers fit them as well."""
    leaves, taken = guess.pool.leaves, {place: path for path, place in guess.places.items()}
    paths = [path for path in guess.places if _may_be_another(guess, path) and uses.get(path)]
    for path, place in itertools.product(paths, range(len(leaves))):
        own, other = guess.places[path], taken.get(place)
        if leaves[place].spec == leaves[own].spec or not _fits(guess, uses, path, place):
            continue
        if other is None:
            moved = {**guess.places, path: place}
            if leaves[place].used and _keeps_order(guess, moved):
                yield _Rival({path: place}, True)
        elif path < other and other in paths and _fits(guess, uses, other, own):
            yield _Rival({path: place, other: own}, False)


def _may_be_another(guess: Guess, path: Path) -> bool:
    """Whether only the order says which tensor a feature is."""
    return path[0] == "features" and len(path) > 1 and not guess.is_named(path)


def _fits(guess: Guess, uses: Uses, path: Path, place: int) -> bool:
    """Whether the consumers of a feature fit a tensor as well as they fit the one in the guess."""
    mine = uses[path]
    now, then = guess.pool.leaves[guess.places[path]], guess.pool.leaves[place]
    return similarity(mine, then.consumers) >= similarity(mine, now.consumers)


def _keeps_order(guess: Guess, places: Dict[Path, int]) -> bool:
    """Whether the tensors are in the order of their features, if that matters."""
    order = [places[path] for path in sorted(places)]
    return not guess.pool.sorted_keys or order == sorted(order)
