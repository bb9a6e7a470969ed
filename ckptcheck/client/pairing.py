"""Pairs features with tensors of the saved graph once more, and says whether that is certain.

The search for features needs a pairing with which the model_fn runs. A comparison of graphs needs
the right one.
"""

from collections import Counter
from typing import Dict, Mapping, NamedTuple, Tuple

from .guess import Guess, is_unnamed, paths_of
from .structure import Path

Uses = Mapping[Path, Tuple[str, ...]]
"""The consumers of each tensor of features and labels."""


class Pairing(NamedTuple):
    """Which leaf of the pool each tensor is, and whether no other pairing is possible."""

    places: Mapping[Path, int]
    certain: bool


def pair(guess: Guess, uses: Uses) -> Pairing:
    """Pairs tensors and leaves.

    Consumers that only one tensor and only one leaf have show a pair. If they contradict the guess,
    which follows the order of the keys, then a name in the saved graph has to confirm them.
    Otherwise, the code may have exchanged two features.
    """
    shown = _by_consumers(guess, uses)
    free = set(guess.places.values()) - set(shown.values())
    kept = {path: place for path, place in guess.places.items() if path not in shown}
    moved = [path for path, place in shown.items() if place != guess.places[path]]
    lost = [path for path, place in kept.items() if place not in free]
    if len(lost) == 1:
        kept[lost[0]] = (free - set(kept.values())).pop()
    places = {**kept, **shown}
    agreed = not moved or all(_is_named(guess, path, places[path]) for path in (*moved, *lost))
    made_up = guess.new or any(is_unnamed(path[-1]) for path in guess.places)
    certain = agreed and len(lost) < 2 and not made_up and _is_settled(guess, kept, uses)
    return Pairing(places if agreed and len(lost) < 2 else guess.places, certain)


def _by_consumers(guess: Guess, uses: Uses) -> Dict[Path, int]:
    leaves = guess.pool.leaves
    taken = set(guess.places.values())
    of_leaves = Counter(leaves[place].consumers for place in taken)
    of_paths = Counter(tuple(uses.get(path, ())) for path in guess.places)
    places = {leaves[place].consumers: place for place in taken}
    return {
        path: places[consumers]
        for path, consumers in ((path, tuple(uses.get(path, ()))) for path in guess.places)
        if consumers and of_leaves[consumers] == of_paths[consumers] == 1
    }


def _is_named(guess: Guess, path: Path, place: int) -> bool:
    """Whether the saved graph names a leaf after a feature; labels have no name."""
    key = path[-1]
    return len(path) == 1 or (isinstance(key, str) and guess.pool.leaves[place].is_named(key))


def _is_settled(guess: Guess, kept: Mapping[Path, int], uses: Uses) -> bool:
    """Whether the tensors whose consumers show nothing have only one possible pairing."""
    leaves = guess.pool.leaves
    used = [p for p, place in kept.items() if uses.get(p) or leaves[place].consumers]
    if len(used) < 2:
        return True
    paths = paths_of(guess.features, guess.labels)
    if guess.pool.sorted_keys and len(paths) == len(leaves):
        return True
    return all(len(path) > 1 and _is_named(guess, path, kept[path]) for path in used)
