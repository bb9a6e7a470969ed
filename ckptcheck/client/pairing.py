"""Pairs features with tensors of the saved graph again, and says whether the pairs are certain.

For the search for features, any pairing with which the model_fn runs is good enough. A comparison
of graphs needs the right pairing.
"""

import dataclasses
import itertools
from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..graph.graph import Graph
from ..graph.nodes import split_input
from ..protocol import allows
from ..uses import InputTensor
from .answers import Answer, consumers_of
from .guess import Guess, is_unnamed, paths_of
from .input_pools import Leaf, Pool, head_of, pools
from .matching import Uses, agrees, placed
from .structure import Path, node_of, specs_of


class Pairing(NamedTuple):
    """Which leaf of the pool each tensor is.

    ``certain`` tells whether no other pairing is possible. ``settled`` has the pairs that consumers
    or names confirm.
    """

    places: Mapping[Path, int]
    certain: bool
    settled: Mapping[Path, int]


def pair(guess: Guess, uses: Uses) -> Pairing:
    """Pairs tensors and leaves.

    If only one tensor and only one leaf have some consumers, they are a pair. If such a
    pair contradicts the guess, which follows the order of the keys, a name in the saved graph must
    confirm the pair. Otherwise, the code may have exchanged two features.
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
    settled = {
        path: place
        for path, place in guess.places.items()
        if shown.get(path, place) == place
        if path in shown or _is_alone_named(guess, path, place)
    }
    return Pairing(places if agreed and len(lost) < 2 else guess.places, certain, settled)


def _by_consumers(guess: Guess, uses: Uses) -> Dict[Path, int]:
    leaves = guess.pool.leaves
    taken = set(guess.places.values())
    of_leaves = Counter(leaf.consumers for leaf in leaves)
    of_paths = Counter(tuple(uses.get(path, ())) for path in guess.places)
    places = {leaves[place].consumers: place for place in taken}
    return {
        path: places[consumers]
        for path, consumers in ((path, tuple(uses.get(path, ()))) for path in guess.places)
        if consumers and of_leaves[consumers] == of_paths[consumers] == 1
    }


def exchanges(guess: Guess, uses: Uses) -> List[Tuple[Path, Path]]:
    """Returns the pairs of features that only the order of their keys distinguishes.

    Their tensors have the same dtype and shape, and the same ops consume them. Returns at most ten
    pairs.
    """
    leaves = {path: guess.pool.leaves[place] for path, place in guess.places.items()}
    features = (path for path in leaves if path[0] == "features" and len(path) > 1)
    open_paths = [path for path in features if uses.get(path) and not guess.is_named(path)]
    pairs = itertools.combinations(open_paths, 2)
    alike = (
        (one, other)
        for one, other in pairs
        if leaves[one].spec == leaves[other].spec
        and agrees(leaves[one].consumers, leaves[other])
        and agrees(leaves[other].consumers, leaves[one])
    )
    return list(itertools.islice(alike, MOST_EXCHANGES))


MOST_EXCHANGES = 10


def _is_named(guess: Guess, path: Path, place: int) -> bool:
    """Whether the saved graph names a leaf after a feature. True for one tensor without a key."""
    key = path[-1]
    return len(path) == 1 or (isinstance(key, str) and guess.pool.leaves[place].is_named(key))


def _is_alone_named(guess: Guess, path: Path, place: int) -> bool:
    """Whether the saved graph names a leaf, and no other leaf, after a feature."""
    key, leaves = path[-1], guess.pool.leaves
    named = [at for at, leaf in enumerate(leaves) if isinstance(key, str) and leaf.is_named(key)]
    return len(path) > 1 and named == [place]


def _is_settled(guess: Guess, kept: Mapping[Path, int], uses: Uses) -> bool:
    """Whether the tensors whose consumers show nothing have only one possible pairing."""
    leaves = guess.pool.leaves
    used = [p for p, place in kept.items() if uses.get(p) or leaves[place].consumers]
    taken = set(guess.places.values())
    lost = {leaf.consumers for place, leaf in enumerate(leaves) if leaf.used and place not in taken}
    if len(used) < 2 and not any(leaves[kept[path]].consumers in lost for path in used):
        return True
    paths = paths_of(guess.features, guess.labels)
    if guess.pool.sorted_keys and len(paths) == len(leaves):
        return True
    return all(len(path) > 1 and _is_named(guess, path, kept[path]) for path in used)


def guess_of_given(graph: Graph, train: Answer) -> Optional[Guess]:
    """Pairs the features and labels that the user gave with tensors of the saved graph.

    An input_fn that has not changed gives tensors with the same names. Otherwise, Estimator's order
    decides, if the saved graph has as many tensors as the user gave. If dtypes or shapes contradict
    this order, the consumers decide.

    Args:
        graph: the saved graph.
        train: the trace of TRAIN.

    Returns:
        None if dtypes, shapes or the number of tensors differ.

    Raises:
        DamagedError: the saved graph is damaged.
    """
    specs = _given(train)
    roots = [node_of([path[1:] for path in specs if path[0] == r]) for r in ("features", "labels")]
    paths = paths_of(*roots)
    names = {tensor.path: tensor for tensor in train.seen.inputs}
    if not paths or set(paths) != set(names):
        return None
    for pool in _pools_of(graph, [names[path] for path in paths], specs):
        if not pool.sorted_keys or len(pool.leaves) != len(paths):
            continue
        places = {path: place for place, path in enumerate(paths)}
        in_order = Guess(pool, roots[0], roots[1], places)
        free = dataclasses.replace(in_order, pool=dataclasses.replace(pool, sorted_keys=False))
        for guess in (in_order, placed(free, train.uses)):
            if all(_fits(pool.leaves[guess.places[path]], specs[path]) for path in paths):
                return guess
    return None


def has_other_sizes(guess: Guess, train: Answer) -> bool:
    """Whether a given tensor and its leaf differ in the sizes that are known.

    Code that reads static sizes then makes other ops, although the code has not changed.
    """
    leaves = guess.pool.leaves
    given = _given(train).items()
    return any(leaves[guess.places[path]].spec["shape"] != spec["shape"] for path, spec in given)


def _given(train: Answer) -> Dict[Path, Any]:
    """The dtype and the shape of each tensor that the model_fn got."""
    roots = ((train.seen.features, ("features",)), (train.seen.labels, ("labels",)))
    return {path: spec for structure, root in roots for path, spec in specs_of(structure, root)}


def _pools_of(
    graph: Graph, tensors: Sequence[InputTensor], specs: Mapping[Path, Any]
) -> Iterator[Pool]:
    """Yields a pool of the tensors with the same names, then the pools of the pipeline."""
    nodes = {node.name: node for node in graph.nodes}
    leaves: List[Leaf] = []
    for tensor in tensors:
        name, output = split_input(tensor.parts[0] if tensor.parts else tensor.name)
        made = graph.outputs(nodes[name]) if name in nodes else ()
        if len(made) <= output:
            break
        dtype, shape = made[output]
        spec = {"dtype": dtype, "shape": None if shape is None else list(shape)}
        if tensor.parts:
            if {split_input(part)[0] for part in tensor.parts} != {name}:
                break  # a SparseTensor of several nodes, such as a constant of the input_fn
            spec = {**specs[tensor.path], "dtype": made[1].dtype}
        used = split_input(tensor.name)
        key = str(tensor.path[-1])
        leaves.append(Leaf(f"{name}:{output}", spec, consumers_of(graph, *used), key=key))
    if len(leaves) == len(tensors):
        yield Pool(tuple(leaves), sorted_keys=True)
    yield from pools(head_of(graph))


def _fits(leaf: Leaf, spec: Mapping[str, Any]) -> bool:
    """Whether a tensor of the saved graph has the dtype and the shape that the user gave.

    The first size, that of the batch, may differ.
    """
    if leaf.spec["dtype"] != spec["dtype"] or leaf.spec.get("sparse") != spec.get("sparse"):
        return False
    mine, theirs = leaf.spec["shape"], spec["shape"]
    if mine is None or theirs is None:
        return True
    return len(mine) == len(theirs) and allows(tuple(theirs[1:]), tuple(mine[1:]))
