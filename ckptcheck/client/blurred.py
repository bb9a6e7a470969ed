"""Learns from traces with blurred tensors: do they change the exception, and what consumes them?

A blurred tensor has an unknown shape, so few ops raise for it. A trace with blurred tensors gets
further than a trace with wrong tensors, and shows more consumers.
"""

import dataclasses
from typing import Any, Dict, FrozenSet, Iterator, Sequence, Set

from .answers import Answer, reference_first, uses_in_train
from .attempt import (
    Ask,
    Found,
    attempt,
    guessed_optional_keys,
    progress,
    with_own_inputs,
    without_keys,
)
from .guess import Guess, Inputs, paths_of
from .matching import agrees, contradicts, placed
from .other_guesses import other_leaves
from .structure import NOTHING, TENSOR, Path

_MOST_EXCHANGES = 4


def has_added(found: Found) -> bool:
    """Whether a feature is new since the checkpoint, as far as its use shows."""
    return found.guess is not None and bool(found.guess.added)


def with_regardless(found: Found, ask: Ask) -> Found:
    """Finds the modes that raise the same error with other tensors.

    It traces the failed modes again: with blurred tensors of other dtypes, and then with each other
    leaf that a tensor could have. It adds the consumers of the blurred tensors to the
    guess as hints.
    """
    guess = found.guess
    failed = [mode for mode, trace in found.traces.items() if trace.raised]
    if guess is None or not failed:
        return found
    blurred = dataclasses.replace(guess, added=guess.added | set(guess.wanting))
    answers = ask({mode: _blurred(blurred.inputs(mode)) for mode in failed})
    same = _same(found, answers)
    for exchanged in _exchanged(guess):
        if same:
            same = _same(found, ask({mode: exchanged.inputs(mode) for mode in same}))
    if reference_first(found.traces)[0].mode in answers:
        hints = {path: uses for path, uses in uses_in_train(answers).items() if uses}
        guess = dataclasses.replace(guess, hints={**guess.hints, **hints})
    return dataclasses.replace(found, guess=guess, regardless=same)


def _same(found: Found, answers: Dict[str, Answer]) -> FrozenSet[str]:
    """Returns the modes that raised the same as before."""
    return frozenset(m for m in answers if answers[m].problem == found.traces[m].problem)


def _exchanged(guess: Guess) -> Iterator[Guess]:
    """Yields guesses that give each tensor another leaf, in any order and with a limit."""
    free = dataclasses.replace(guess, pool=dataclasses.replace(guess.pool, sorted_keys=False))
    choices = {path: other_leaves(free, path) for path in guess.places}
    most = max(map(len, choices.values()), default=0)
    for turn in range(min(most, _MOST_EXCHANGES)):
        others = {path: places[turn % len(places)] for path, places in choices.items() if places}
        yield dataclasses.replace(guess, places={**guess.places, **others})


def _blurred(inputs: Inputs) -> Inputs:
    """Returns the inputs with each tensor replaced by one of unknown shape and another dtype."""
    features, labels = _without_specs(inputs.features), _without_specs(inputs.labels)
    return dataclasses.replace(inputs, features=features, labels=labels)


def _without_specs(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_specs(item) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("dtype"), str) and "shape" in node:
        dtype = "float64" if node["dtype"] == "float32" else "float32"
        return {**node, "dtype": dtype, "shape": None}
    return {key: _without_specs(item) for key, item in node.items()}


def with_hints(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Pairs tensors and leaves again, by the consumers of the blurred tensors.

    If this shows that a feature is new since the checkpoint, no other pairing can be right. If the
    use of an optional key differs from the use of all leaves, the features do not have this key.
    """
    guess = found.guess
    if guess is None or not guess.hints:
        return found
    strange = guessed_optional_keys(found).intersection(path[-1] for path in _strange(guess))
    better = without_keys(guess, strange) if strange else _with_added(guess)
    better = placed(better, {} if strange else uses_in_train(found.traces))
    if better == guess:
        return found
    tried = with_own_inputs(attempt(better, modes, ask, {}), modes, ask)
    return tried if better.added or progress(tried) > progress(found) else found


def _with_added(guess: Guess) -> Guess:
    """Returns the guess, and marks the features that are new since the checkpoint.

    If a feature is new, the code asks for more tensors than the saved graph has. Then the features
    take the tensor of the labels, or some features take the tensors of others. If the saved graph
    has the consumers of all other features, the consumers of a new feature show that it is new.
    """
    paths = [path for path in paths_of(guess.features, guess.labels) if path not in guess.new]
    room = len(guess.pool.leaves) - len(paths)
    strange = _strange(guess).intersection(paths)
    known = {path: uses for path, uses in guess.hints.items() if path not in strange}
    if guess.features.kind != "dict" or room > 0 or not strange or not known:
        return guess
    labels = guess.labels
    if labels == NOTHING and guess.pool.labeled and room + len(strange) > 0:
        labels = TENSOR
    elif labels != NOTHING and not contradicts(dataclasses.replace(guess, hints=known), {}):
        return guess
    return dataclasses.replace(guess, added=guess.added | strange, labels=labels)


def _strange(guess: Guess) -> Set[Path]:
    """Returns the features whose consumers fit no tensor of the saved graph."""
    leaves = guess.pool.leaves
    known = ((path, uses) for path, uses in guess.hints.items() if path[0] == "features")
    return {path for path, uses in known if not any(agrees(uses, leaf) for leaf in leaves)}
