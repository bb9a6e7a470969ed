"""Pairing features with tensors before graphs are compared."""

from typing import Dict, Sequence, Tuple

from ckptcheck.client.guess import Guess
from ckptcheck.client.input_pools import Leaf, Pool
from ckptcheck.client.pairing import pair
from ckptcheck.client.structure import NOTHING, TENSOR, Node, Path, node_of, specs_of

LABELS = ("labels",)


def feature(key: str) -> Path:
    return ("features", key)


def guess_of(
    keys: Sequence[str], consumers: Sequence[Tuple[str, ...]], order: bool = True
) -> Guess:
    """A guess that pairs features in the order of their keys, and then the labels."""
    leaves = tuple(
        Leaf(f"IteratorGetNext:{place}", {"dtype": "float32", "shape": [None]}, texts)
        for place, texts in enumerate(consumers)
    )
    places: Dict[Path, int] = {feature(key): place for place, key in enumerate(sorted(keys))}
    places[LABELS] = len(keys)
    features = Node("dict", tuple((key, TENSOR) for key in sorted(keys)))
    return Guess(Pool(leaves, order), features, TENSOR, places)


def uses_of(
    keys: Sequence[str], consumers: Sequence[Tuple[str, ...]]
) -> Dict[Path, Tuple[str, ...]]:
    paths = [*map(feature, sorted(keys)), LABELS]
    return dict(zip(paths, consumers))


ALIKE = (("a/MatMul MatMul:0",), ("b/MatMul MatMul:0",), ("loss Sub:1",))


def test_consumers_confirm_the_order() -> None:
    found = pair(guess_of("ab", ALIKE), uses_of("ab", ALIKE))
    assert found.certain
    assert found.places == {feature("a"): 0, feature("b"): 1, LABELS: 2}


def test_labels_between_the_features_are_found_by_names() -> None:
    saved = (("in/a_embedding/Cast Cast:0",), ("loss Sub:1",), ("in/b_embedding/Cast Cast:0",))
    now = (saved[0], saved[2], saved[1])
    found = pair(guess_of("ab", saved), uses_of("ab", now))
    assert found.certain
    assert found.places == {feature("a"): 0, feature("b"): 2, LABELS: 1}


def test_features_that_changed_places_are_not_certain_without_names() -> None:
    swapped = (ALIKE[1], ALIKE[0], ALIKE[2])
    found = pair(guess_of("ab", ALIKE), uses_of("ab", swapped))
    assert not found.certain
    assert found.places == {feature("a"): 0, feature("b"): 1, LABELS: 2}


def test_equal_consumers_are_certain_only_in_a_known_order() -> None:
    equal = (("concat ConcatV2:0",), ("concat ConcatV2:0",), ("loss Sub:1",))
    assert pair(guess_of("ab", equal), uses_of("ab", equal)).certain
    assert not pair(guess_of("ab", equal, order=False), uses_of("ab", equal)).certain


def test_the_last_pair_is_certain_whatever_consumes_it() -> None:
    changed = (("a/Conv2D Conv2D:0",), *ALIKE[1:])
    assert pair(guess_of("ab", ALIKE, order=False), uses_of("ab", changed)).certain


def test_made_up_keys_are_not_certain() -> None:
    keys = ("ckptcheck_unnamed_features_000", "b")
    assert not pair(guess_of(keys, ALIKE), uses_of(keys, ALIKE)).certain


def test_paths_of_given_features_are_in_the_order_of_estimator() -> None:
    leaf = {"dtype": "float32", "shape": [None, 1]}
    given = {"b": [leaf, leaf], "a": {"tuple": [leaf, {"d": leaf, "c": leaf}]}, "none": None}
    specs = dict(specs_of(given, ("features",)))
    paths = list(node_of([path[1:] for path in specs]).leaves(("features",)))
    assert paths == [
        ("features", "a", 0),
        ("features", "a", 1, "c"),
        ("features", "a", 1, "d"),
        ("features", "b", 0),
        ("features", "b", 1),
    ]
    assert set(paths) == set(specs)


def test_one_tensor_and_no_tensor_are_structures() -> None:
    assert node_of([()]) == TENSOR
    assert node_of([]) == NOTHING
