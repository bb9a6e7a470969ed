"""Tries other structures and other tensors while model_fn raises."""

import dataclasses
import itertools
import re
from typing import Iterator, List, Mapping, Sequence, Set, Tuple

from ..protocol import TRAIN
from .answers import Answer, uses_in_train
from .attempt import (
    Ask,
    Found,
    OtherDtype,
    attempt,
    fits,
    guessed_optional_keys,
    indexed_length,
    progress,
    score_of,
    takes_all,
    with_own_inputs,
    without_keys,
)
from .certainty import raises_for_certain, unused_paths
from .guess import Guess, is_unnamed, paths_of, with_unnamed
from .learning import all_finished, optional_keys
from .matching import agrees, placed
from .structure import NOTHING, TENSOR, Node, Path, sequence

_MOST_SWAPS = 24


def with_other_structures(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Tries other structures if a trace raised and no trace has confirmed the structure.

    A structure with which TRAIN fits the saved graph is best. If the code reads keys, no other
    structure is taken unless TRAIN fits: another branch of the code may finish, although the real
    run would raise an error.
    """
    guess = found.guess
    if guess is None or not _is_worth_a_swap(found):
        return found
    others = list(_other_structures(found))
    same = set(found.problems if others else ())
    further: List[Found] = []
    for other in others:
        tried = with_own_inputs(attempt(other, modes, ask, {}), modes, ask)
        if progress(tried) > progress(found):
            if raises_for_certain(tried):
                return tried
            further.append(tried)
            if fits(tried) or other.without != guess.without:  # the code may show more events now
                tried = with_other_structures(tried, modes, ask)
            if fits(tried):
                return tried
        problems = tried.problems
        same = {mode for mode in same if problems.get(mode) == found.problems[mode]}
    if further and guess.features.kind != "dict":
        return with_other_structures(max(further, key=score_of), modes, ask)
    return dataclasses.replace(found, of_any_structure=frozenset(same))


def with_dict_of_labels(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Tries a dict of labels if the saved model used more tensors than TRAIN uses now.

    Code that accepts one tensor or a dict may not show that it also accepts a dict.
    """
    guess, train = found.guess, found.traces.get(TRAIN)
    if guess is None or guess.labels != TENSOR or train is None or not train.finished:
        return found
    if takes_all(guess):
        return found
    other = placed(dataclasses.replace(guess, labels=Node("dict")), {})
    tried = with_own_inputs(attempt(other, modes, ask, {}), modes, ask)
    return tried if fits(tried) else found


def with_other_dtype(found: Found, ask: Ask) -> Found:
    """Tries other dtypes if an error is about dtypes.

    Only labels, and features that the code has not used before the error, can be the cause. If all
    modes finish with another dtype of one tensor, only this dtype is wrong: the code may have a
    mistake, or the input_fn may have changed with the code.
    """
    guess, failed = found.guess, [trace for trace in found.traces.values() if trace.raised]
    if guess is None or not failed or not all(_OF_DTYPES.search(trace.said) for trace in failed):
        return found
    paths = [path for path in guess.places if not is_unnamed(path[-1])]
    open_paths = [path for path in paths if _is_open(guess, path, failed)]
    for path in open_paths[:_MOST_OPEN] if found.complete else ():
        place = guess.places[path]
        leaf = guess.pool.leaves[place]
        for dtype in _OTHER_DTYPES.get(leaf.spec["dtype"], ()):
            leaves = list(guess.pool.leaves)
            leaves[place] = dataclasses.replace(leaf, spec={**leaf.spec, "dtype": dtype})
            pool = dataclasses.replace(guess.pool, leaves=tuple(leaves))
            other = dataclasses.replace(guess, pool=pool)
            answers = ask({trace.mode: other.inputs(trace.mode) for trace in failed})
            if answers and all_finished(answers):
                of = OtherDtype(path, frozenset(answers), leaf.spec["dtype"], dtype)
                return dataclasses.replace(found, of_dtype=of)
    return found


_MOST_OPEN = 2
_OF_DTYPES = re.compile(r"\b(types?|dtypes?|DataType|integers?)\b")
"""Shape errors have dtypes in them, too, such as ``T=DT_FLOAT``."""
_OTHER_DTYPES = {
    "int32": ("float32",),
    "int64": ("float32",),
    "float32": ("int64", "int32"),
    "float64": ("int64", "int32"),
}


def _is_open(guess: Guess, path: Path, traces: Sequence[Answer]) -> bool:
    """Whether the saved model used a tensor, and no trace has used it in this way yet.

    The code may use labels in another way now. A feature that it uses in another way may be another
    tensor.
    """
    leaf = guess.pool.leaves[guess.places[path]]
    shown = [trace.uses[path] for trace in traces if trace.uses.get(path)]
    if path[0] != "labels":
        return leaf.used and not shown
    return leaf.used and not any(agrees(used, leaf) for used in shown)


def _other_structures(found: Found) -> Iterator[Guess]:
    """Yields guesses with other structures that features and labels may have."""
    guess = found.guess
    assert guess is not None
    base = Guess(
        guess.pool, guess.features, guess.labels, {}, columns=guess.columns, without=guess.without
    )
    bases = [base]
    optional = guessed_optional_keys(found)
    if optional:
        fewer = without_keys(base, optional)
        bases = [fewer, base]
        yield placed(fewer, {})
    for base in bases:
        for features, labels in _other_kinds(found, base):
            other = dataclasses.replace(base, features=features, labels=labels)
            without = base.without.difference(map(str, features.keys))
            yield placed(dataclasses.replace(other, without=without), {})


def _other_kinds(found: Found, guess: Guess) -> Iterator[Tuple[Node, Node]]:
    """Yields other structures of the same tensors.

    A layer iterates over any input, and a loop iterates over the keys of a dict. So what looks like
    a list of features may be one tensor or a dict, and what looks like one tensor may be a list.
    Labels that the code indexes look like one tensor. For code that tests for optional keys, each
    key is tried.
    """
    features, labels, most = guess.features, guess.labels, len(guess.pool.leaves)
    least = indexed_length(found.traces.values(), "labels") if labels == TENSOR else 0
    if least and features.kind == "list" and most % 2 == 0:  # each tower has one of each
        yield sequence("list", most // 2), sequence("list", most // 2)
    if least:
        taken, used = len(paths_of(features, NOTHING)), sum(x.used for x in guess.pool.leaves)
        counts = dict.fromkeys((most - taken, used - taken, least))
        for count in (count for count in counts if least <= count <= most - taken):
            yield features, sequence("list", count)
    if features == TENSOR and indexed_length(found.traces.values(), "features"):
        yield sequence("list", most - len(paths_of(NOTHING, labels))), labels
    if features.kind == "list":
        yield TENSOR, labels
        yield with_unnamed(Node("dict"), "features", len(features.items)), labels
    made_up = sum(map(is_unnamed, features.keys))
    for fewer in reversed(range(1, made_up)):  # the rest are labels
        known = tuple(item for item in features.items if not is_unnamed(item[0]))
        yield with_unnamed(Node("dict", known), "features", fewer), labels
    if features.kind == "dict" and not made_up and len(paths_of(features, labels)) > 1:
        yield TENSOR, TENSOR  # a branch for dicts may be for serving only
    for key in optional_keys(found.traces):  # the code may want one of several
        yield Node("dict").with_item(key, TENSOR), TENSOR
    if features == labels == TENSOR and most > 2:
        yield features, sequence("tuple", most - 1)


def with_other_leaves(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Gives the tensors other leaves, as long as traces raise and each change makes more ops.

    A trace that raises early shows too few consumers to tell the leaves apart. A better choice
    gets further, so a better choice makes more ops than a worse one. If the code causes the
    exceptions, nothing else is tried.
    """
    left = _MOST_SWAPS
    tried: List[Mapping[Path, int]] = []
    while left > 0 and _is_worth_a_swap(found) and not raises_for_certain(found):
        guess, reached = found.guess, found
        assert guess is not None
        unused = unused_paths(guess)
        same = set(found.problems if unused else ())
        paths = (p for p in paths_of(guess.features, guess.labels) if p in guess.places)
        agreeing = _agreeing(found)
        for path in sorted(paths, key=lambda path: (path not in unused, path in agreeing)):
            if path not in unused and same:  # tensors that TRAIN leaves out are not the reason
                found = dataclasses.replace(found, of_any_unused=frozenset(same))
                reached, same = found, set()
                if raises_for_certain(found):
                    break
            swaps = list(itertools.islice(_swapped(found, path, tried, modes, ask), left))
            left -= len(swaps)
            if not left or path in guess.pins:  # not all other leaves were tried
                same = set()
            same = {m for m in same if all(s.problems[m] == found.problems[m] for s in swaps)}
            reached = max([found, *swaps], key=progress)
            if reached is not found:
                break
        else:
            break
        found = reached
    return _unpinned(found, modes, ask)


def _agreeing(found: Found) -> Set[Path]:
    """Returns the tensors that TRAIN uses as the saved model used them."""
    guess, uses = found.guess, uses_in_train(found.traces)
    assert guess is not None
    placed_leaves = ((path, guess.pool.leaves[place]) for path, place in guess.places.items())
    return {path for path, leaf in placed_leaves if uses.get(path) and agrees(uses[path], leaf)}


def _is_worth_a_swap(found: Found) -> bool:
    """Whether a trace failed, not only for a missing param, and no trace timed out or crashed."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    if found.guess is None or not found.complete or any(trace.ended for trace in failed):
        return False
    return not all(trace.misses_param for trace in failed)


def _swapped(
    found: Found,
    path: Path,
    tried: List[Mapping[Path, int]],
    modes: Sequence[str],
    ask: Ask,
) -> Iterator[Found]:
    """Yields an attempt with each other leaf for one tensor, until no mode raises.

    If another shape does not change the error, a leaf with another dtype is still tried. It adds
    the choice of each attempt to ``tried``, and repeats no choice.
    """
    guess, problems = found.guess, found.problems
    assert guess is not None
    dtypes = {_dtype(guess, guess.places[path])}
    has_no_part = False
    for place in other_leaves(guess, path):
        if has_no_part and _dtype(guess, place) in dtypes:
            continue
        dtypes.add(_dtype(guess, place))
        pinned = _pinned(guess, path, place, uses_in_train(found.traces))
        if pinned.places.get(path) != place or pinned.places in tried:
            continue  # the order of the keys does not allow it
        tried.append(pinned.places)
        other = attempt(pinned, modes, ask, {})
        yield other
        if all_finished(other.traces):
            break
        has_no_part = has_no_part or other.problems == problems


def _dtype(guess: Guess, place: int) -> object:
    return guess.pool.leaves[place].spec["dtype"]


def _pinned(guess: Guess, path: Path, place: int, uses: Mapping[Path, Sequence[str]]) -> Guess:
    """Returns the guess with another leaf for one tensor, and few other changes."""
    pinned = dataclasses.replace(guess, pins={**guess.pins, path: place})
    if guess.pool.sorted_keys:
        return placed(pinned, uses)
    before = guess.places[path]
    others = {p: before if taken == place else taken for p, taken in guess.places.items()}
    return dataclasses.replace(pinned, places={**others, path: place})


def other_leaves(guess: Guess, path: Path) -> List[int]:
    """Returns the places of other leaves that the tensor at a path could be.

    There is one for each dtype and shape that differs from those of its present leaf. Leaves that
    no other path has come first.
    """
    pool = guess.pool
    paths = paths_of(guess.features, guess.labels)
    if path in guess.pins:
        return []
    if pool.sorted_keys and len(pool.leaves) == len(paths):
        return []  # the order leaves no choice
    seen = [pool.leaves[guess.places[path]].spec]
    found = []
    taken = set(guess.places.values())
    for place in sorted(range(len(pool.leaves)), key=taken.__contains__):
        spec = pool.leaves[place].spec
        if spec not in seen and place not in guess.pins.values():
            seen.append(spec)
            found.append(place)
    return found


def _unpinned(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Assigns the leaves again by their consumers, without pins, if that scores better."""
    if found.guess is None or not found.guess.pins:
        return found
    guess = placed(dataclasses.replace(found.guess, pins={}), uses_in_train(found.traces))
    if guess.places == found.guess.places:
        return dataclasses.replace(found, guess=guess)
    other = attempt(guess, modes, ask, {})
    return other if score_of(other) > score_of(found) else found
