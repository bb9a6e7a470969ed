"""The current guess of the features and labels."""

import dataclasses
import enum
from typing import Any, Dict, FrozenSet, List, Mapping, Tuple

from ..protocol import UNLABELED, UNNAMED
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


class OwnInputs(enum.Enum):
    """How a mode's inputs differ from those of TRAIN. The search tries them in this order."""

    BATCH = "the batch size is unknown"
    ONE = "the batch size is 1"
    INTEGERS = "integers have the other size"


_OTHER_INTEGER = {"int64": "int32", "int32": "int64"}


@dataclasses.dataclass(frozen=True)
class Guess:
    """The current guess of the features and labels.

    Attributes:
        pool: the tensors of the saved graph to choose from.
        features: the structure of the features.
        labels: the structure of the labels.
        places: the leaf of each tensor of the structures, by its number in the pool.
        pins: the leaves that are being tried. They stay, even if the consumers do not fit.
        columns: the features that feature columns describe, each as a leaf.
        own: the modes whose inputs differ from TRAIN's, and how.
        absent: the features that TRAIN does not ask for and does not have.
        asked: the keys of features that have been asked for, each with the mode that asked.
        used: the tensors that TRAIN has used.
        without: the keys that the code looks for with ``in``, and that the features do not have.
        hints: the consumers of each tensor in a trace with blurred tensors.
        added: the features whose consumers fit no tensor of the saved graph.
    """

    pool: Pool
    features: Node
    labels: Node
    places: Mapping[Path, int]
    pins: Mapping[Path, int] = dataclasses.field(default_factory=dict)
    columns: Mapping[Path, Any] = dataclasses.field(default_factory=dict)
    own: Mapping[str, OwnInputs] = dataclasses.field(default_factory=dict)
    absent: FrozenSet[Path] = frozenset()
    asked: FrozenSet[Tuple[str, str]] = frozenset()
    used: FrozenSet[Path] = frozenset()
    without: FrozenSet[str] = frozenset()
    hints: Mapping[Path, Tuple[str, ...]] = dataclasses.field(default_factory=dict)
    added: FrozenSet[Path] = frozenset()

    def inputs(self, mode: str) -> Inputs:
        """The structures for one mode; PREDICT and an export have no labels."""
        leaves = [self.leaf(place, mode) for place in range(len(self.pool.leaves))]
        specs = {path: leaves[place] for path, place in self.places.items()}
        specs.update((path, leaf) for path, leaf in self.new.items() if leaf is not None)
        taken = set(self.places.values())
        free = [place for place in range(len(leaves)) if place not in taken]
        last = max((p for path, p in self.places.items() if path[0] == "features"), default=-1)
        behind = [place for place in free if place > last or not self.pool.sorted_keys]
        offered = [] if self.without else [leaves[place] for place in free]
        features = render(self.features, specs, ("features",), offered)
        labels = render(self.labels, specs, ("labels",), [leaves[place] for place in behind])
        return Inputs(features, None if mode in UNLABELED else labels, self.pool.names)

    def leaf(self, place: int, mode: str) -> Any:
        """Returns the spec of a leaf in one mode."""
        spec = self.pool.leaves[place].spec
        own = self.own.get(mode)
        if own is not None and self.pool.batch is not None:
            batch = 1 if own == OwnInputs.ONE else None
            spec = {**spec, "shape": [batch, *spec["shape"][1:]]}
        if own == OwnInputs.INTEGERS:
            spec = {**spec, "dtype": _OTHER_INTEGER.get(spec["dtype"], spec["dtype"])}
        return spec

    def is_named(self, path: Path) -> bool:
        """Whether a name in the saved graph shows which tensor a feature is."""
        key = path[-1]
        return isinstance(key, str) and self.pool.leaves[self.places[path]].is_named(key)

    @property
    def assumed(self) -> List[Tuple[str, Leaf]]:
        """The keys that no name in the saved graph confirms, with their tensors.

        The labels of a list count, too: features that the code does not use may be before them.
        """
        found = []
        for path, place in self.places.items():
            leaf, key = self.pool.leaves[place], path[-1]
            if isinstance(key, int) and path[0] == "labels":
                found.append(("labels" + "".join(f"[{part!r}]" for part in path[1:]), leaf))
            elif isinstance(key, str) and len(path) > 1 and not is_unnamed(key):
                found.extend([] if leaf.is_named(key) else [(key, leaf)])
        return found

    @property
    def wanting(self) -> List[Path]:
        """The tensors without a leaf."""
        paths = paths_of(self.features, self.labels)
        return [p for p in paths if p not in self.places and self.new.get(p) is None]

    @property
    def new(self) -> Dict[Path, Any]:
        """The features that are new since the checkpoint; see :func:`new_features`."""
        return new_features(self, self.features)


def paths_of(features: Node, labels: Node) -> List[Path]:
    """The paths of all tensors, in the order in which Estimator flattens them."""
    return list(features.leaves(("features",))) + list(labels.leaves(("labels",)))


_ANY = {"dtype": "float32", "shape": None}
"""A tensor of unknown shape. Code that makes a variable for it raises an error."""


def new_features(guess: Guess, features: Node) -> Dict[Path, Any]:
    """Returns the features that are new since the checkpoint. They have no leaf in the pool.

    The names in the saved graph decide: if they name some of the keys that feature columns ask for,
    then the others are new. If an input pipeline parses some of the keys, the keys that it does not
    parse are new, too. The pipeline does not count while there are enough tensors, because it may
    rename what it parses.

    Args:
        guess: what else is known.
        features: the structure of the features.

    Returns:
        For each new feature, the leaf that its feature column describes; None without a column.
    """
    pool, columns = guess.pool, guess.columns
    keys = [key for key in features.keys if isinstance(key, str) and not is_unnamed(key)]
    named = {key for key in keys if pool.names_key(key)}
    of_columns = any(("features", key) in columns for key in named)
    of_parsing = bool(named & pool.parsed) and _uses_more(guess, features)
    new = {path: columns.get(path, _ANY) for path in guess.absent | guess.added}
    for path in (("features", key) for key in keys if key not in named):
        if path not in new and ((of_columns and path in columns) or of_parsing):
            new[path] = columns.get(path)
    return new


def _uses_more(guess: Guess, features: Node) -> bool:
    """Whether TRAIN uses more tensors than the saved model did."""
    used = guess.used.intersection(paths_of(features, guess.labels))
    return len(used) > sum(leaf.used for leaf in guess.pool.leaves)


def first_guess(pool: Pool) -> Guess:
    """Returns the guess before any trace: unknown features, and the last tensor as the labels."""
    if len(pool.leaves) < 2 or not pool.labeled:
        return Guess(pool, UNKNOWN, NOTHING, {})
    return Guess(pool, UNKNOWN, TENSOR, {("labels",): len(pool.leaves) - 1})


def unnamed(root: str, place: int) -> str:
    """Returns a made-up key. Made-up keys sort in the order of the real ones."""
    return f"{UNNAMED}{root}_{place:03}"


def is_unnamed(key: object) -> bool:
    """Whether a key is made up."""
    return isinstance(key, str) and key.startswith(UNNAMED)


def with_unnamed(node: Node, root: str, count: int) -> Node:
    """Returns a dict with ``count`` more keys, which are made up."""
    for place in range(count):
        node = node.with_item(unnamed(root, place), TENSOR)
    return node
