"""Matches features with tensors of the saved graph, by order, consumers and names."""

import collections
import dataclasses
import itertools
from typing import Any, Dict, List, Mapping, Sequence

from .guess import Guess, is_unnamed, paths_of
from .input_pools import Leaf, Pool
from .structure import Path

Uses = Mapping[Path, Sequence[str]]
"""The consumers of each tensor of features and labels, as far as they are known."""

_MOST_PERMUTED = 6
_ENOUGH_SHARED = 0.5


def similarity(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """Returns how similar two multisets of consumers are, from 0 to 1.

    Ops count most. Their scopes distinguish tensors that the same ops consume.
    """
    ops = _overlap([text.partition(" ")[2] for text in mine], [t.partition(" ")[2] for t in theirs])
    scopes = _overlap(list(map(_scope, mine)), list(map(_scope, theirs)))
    return 0.6 * ops + 0.4 * scopes


def _scope(text: str) -> str:
    """The scope of a consumer; its name if it is in no scope."""
    name = text.partition(" ")[0]
    return name.rpartition("/")[0] or name


def _overlap(mine: Sequence[str], theirs: Sequence[str]) -> float:
    a, b = collections.Counter(mine), collections.Counter(theirs)
    union = sum((a | b).values())
    return sum((a & b).values()) / union if union else 1.0


def agrees(mine: Sequence[str], leaf: Leaf) -> bool:
    """Whether a leaf has at least half of the consumers of a tensor.

    A trace that raised shows fewer consumers.
    """
    ours, theirs = (
        collections.Counter(text.partition(" ")[2] for text in texts)
        for texts in (mine, leaf.consumers)
    )
    return sum((ours & theirs).values()) >= _ENOUGH_SHARED * sum(ours.values())


def contradicts(guess: Guess, uses: Uses) -> bool:
    """Whether a tensor has other consumers than its leaf."""
    uses, leaves = {**guess.hints, **uses}, guess.pool.leaves
    used = (path for path in guess.places if uses.get(path))
    return not all(agrees(uses[path], leaves[guess.places[path]]) for path in used)


def placed(guess: Guess, uses: Uses, later: Sequence[Path] = ()) -> Guess:
    """Returns a guess with a leaf of the pool for each tensor of its structures.

    If Estimator flattened the structure, its order is kept, and only the leaves to leave out are
    chosen. Otherwise any order is possible. Made-up keys get the leaves that are left. Features
    that are new since the checkpoint get none.

    Args:
        guess: the guess. Consumers do not matter for pinned tensors.
        uses: the consumers of each tensor in a trace.
        later: the features that the code names but has not asked for yet. If there are enough
            leaves, these features get leaves, too, so that the order is right. If the consumers
            contradict this order, these features do not count.
    """
    uses = {**guess.hints, **uses}
    new = guess.new
    paths = [path for path in paths_of(guess.features, guess.labels) if path not in new]
    later = [path for path in later if path not in new]
    worth = _Worth(guess.pool, uses, guess.pins, guess.columns)
    found = _assigned(worth, _with_later(paths, later, len(guess.pool.leaves)))
    places = {path: place for path, place in found.items() if path in paths}
    ordered = dataclasses.replace(guess, places=places)
    if not later or not contradicts(ordered, uses):
        return ordered
    alone = dataclasses.replace(guess, places=_assigned(worth, paths))
    return ordered if contradicts(alone, uses) else alone


def _with_later(paths: List[Path], later: Sequence[Path], most: int) -> List[Path]:
    """Adds the features that the code asks for later to a dict, if enough leaves are free."""
    known = [path for path in paths if path[0] == "features"]
    rest = [path for path in paths if path[0] == "labels"]
    is_dict = all(len(path) > 1 and isinstance(path[1], str) for path in known)
    if not is_dict or len({*known, *later}) + len(rest) > most:
        return paths
    return [*sorted({*known, *later}), *rest]


def _assigned(worth: "_Worth", paths: List[Path]) -> Dict[Path, int]:
    places = list(range(len(worth.pool.leaves)))
    if not paths or len(places) < len(paths):
        return dict(zip(paths, places))
    if not worth.pool.sorted_keys:
        return _assign_freely(worth, paths, places)
    known = [path for path in paths if not is_unnamed(path[-1])]
    if not known:
        return dict(zip(paths, places))
    found = _assign_in_order(worth, known, places)
    rest = [place for place in places if place not in found.values()]
    return {**found, **dict(zip((path for path in paths if path not in found), rest))}


@dataclasses.dataclass(frozen=True)
class _Worth:
    """Scores how well a leaf fits a tensor, by consumers, names, dtype and pins."""

    pool: Pool
    uses: Uses
    pins: Mapping[Path, int]
    columns: Mapping[Path, Any]

    def of(self, path: Path, place: int) -> float:
        if place in self.pins.values() or path in self.pins:
            return _PINNED if self.pins.get(path) == place else -_PINNED
        leaf = self.pool.leaves[place]
        column = self.columns.get(path)
        if column is not None and (column["dtype"] == "string") != (leaf.spec["dtype"] == "string"):
            return -_UNFIT
        prior = _USED if leaf.used else 0.0
        if column is not None and leaf.is_named(str(path[-1])):
            prior += _OF_COLUMN
        if column is not None and column["dtype"] == leaf.spec["dtype"]:
            prior += _SAME_DTYPE
        return prior + (similarity(self.uses[path], leaf.consumers) if path in self.uses else 0.0)

    def by_name(self, path: Path, place: int) -> float:
        """Prefers leaves with the key in their names, and later leaves for labels."""
        key, node = path[-1], self.pool.leaves[place].name.rpartition(":")[0]
        named = isinstance(key, str) and key.lower() in node.lower()
        late = path[0] == "labels"
        return self.of(path, place) + (_NAMED if named else 0.0) + (_LATER * place if late else 0.0)


_PINNED, _UNFIT, _OF_COLUMN, _NAMED, _SAME_DTYPE, _USED, _LATER = (
    1000.0,
    10.0,
    2.0,
    0.3,
    0.1,
    0.01,
    1e-6,
)
"""``_OF_COLUMN`` is more than equal consumers give (1 at most): a column is better evidence."""


def _assign_in_order(worth: _Worth, paths: List[Path], places: List[int]) -> Dict[Path, int]:
    """The best assignment that keeps the order, by dynamic programming over both lists.

    Without evidence the features are the first leaves and the labels the last ones. If there are
    as many leaves as tensors, only one assignment keeps the order, whatever it is worth.
    """
    if len(paths) == len(places):
        return dict(zip(paths, places))
    never = float("-inf")
    rows, columns = len(paths), len(places)
    best = [[never] * (columns + 1) for _ in range(rows)] + [[0.0] * (columns + 1)]
    takes = [[False] * columns for _ in range(rows)]
    for i in reversed(range(rows)):
        late = paths[i][0] == "labels"
        for j in reversed(range(columns)):
            taken = best[i + 1][j + 1] + worth.of(paths[i], places[j])
            skipped = best[i][j + 1]
            takes[i][j] = taken > skipped if late else taken >= skipped
            best[i][j] = taken if takes[i][j] else skipped
    found, i = {}, 0
    for j in range(columns):
        if i < rows and takes[i][j]:
            found[paths[i]] = places[j]
            i += 1
    return found


def _assign_freely(worth: _Worth, paths: List[Path], places: List[int]) -> Dict[Path, int]:
    """The best assignment in any order."""
    if len(places) <= _MOST_PERMUTED:
        orders = itertools.permutations(places, len(paths))
        chosen = max(orders, key=lambda order: sum(map(worth.by_name, paths, order)))
        return dict(zip(paths, chosen))
    free = list(places)
    found = {}
    for path in paths:
        place = max(free, key=lambda item: worth.by_name(path, item))
        free.remove(place)
        found[path] = place
    return found
