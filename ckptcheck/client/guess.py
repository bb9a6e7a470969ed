"""The current guess of the features and labels."""

import dataclasses
from typing import Any, List, Mapping, Tuple

from ..protocol import UNLABELED
from .input_pools import Leaf, Pool
from .structure import NOTHING, TENSOR, UNKNOWN, Node, Path, render


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a trace is given: the structures of features and labels, as JSON.

    ``taken_names`` are the names of the input_fn's ops.
    """

    features: Any
    labels: Any
    taken_names: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Guess:
    """The current guess of the features and labels.

    Attributes:
        pool: the tensors that there are.
        features: the structure of the features.
        labels: the structure of the labels.
        places: which leaf of the pool each tensor of the structures is.
        pins: the places that are on trial: kept, whatever the consumers say.
    """

    pool: Pool
    features: Node
    labels: Node
    places: Mapping[Path, int]
    pins: Mapping[Path, int] = dataclasses.field(default_factory=dict)

    def inputs(self, mode: str) -> Inputs:
        """The structures for one mode; PREDICT and an export have no labels."""
        specs = {path: self.pool.leaves[place].spec for path, place in self.places.items()}
        free = [leaf.spec for leaf in self._free()]
        features = render(self.features, specs, ("features",), free)
        labels = render(self.labels, specs, ("labels",), free)
        return Inputs(features, None if mode in UNLABELED else labels, self.pool.names)

    def _free(self) -> List[Leaf]:
        taken = set(self.places.values())
        places = self.pool.used or range(len(self.pool.leaves))
        return [self.pool.leaves[place] for place in places if place not in taken]

    @property
    def assumed(self) -> List[Tuple[str, Leaf]]:
        """The keys, with their tensors, that no name in the saved graph confirms."""
        inner = [(path[-1], place) for path, place in self.places.items() if len(path) > 1]
        leaves = [(key, self.pool.leaves[place]) for key, place in inner if isinstance(key, str)]
        return [(k, leaf) for k, leaf in leaves if not is_unnamed(k) and not leaf.is_named(k)]

    @property
    def wanting(self) -> List[Path]:
        """The tensors without a leaf in the pool."""
        return [path for path in paths_of(self.features, self.labels) if path not in self.places]


def paths_of(features: Node, labels: Node) -> List[Path]:
    """The paths of all tensors, in the order in which Estimator flattens them."""
    return list(features.leaves(("features",))) + list(labels.leaves(("labels",)))


def first_guess(pool: Pool) -> Guess:
    """Before anything is known: a dict of features, and the last tensor as the labels."""
    places = pool.used or tuple(range(len(pool.leaves)))
    if len(places) < 2:
        return Guess(pool, UNKNOWN, NOTHING, {})
    return Guess(pool, UNKNOWN, TENSOR, {("labels",): places[-1]})


MARK = "ckptcheck_unnamed_feature_"


def unnamed(place: int) -> str:
    """Returns a made-up key for a feature. Made-up keys sort in the order of the real ones."""
    return f"{MARK}{place:03}"


def is_unnamed(key: str) -> bool:
    """Whether a key is made up."""
    return key.startswith(MARK)


def unnamed_dict(count: int) -> Node:
    """Returns a dict of ``count`` features with made-up keys."""
    return Node("dict", tuple((unnamed(place), TENSOR) for place in range(count)))
