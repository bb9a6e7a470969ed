"""One search: traces and learns until a round teaches nothing new, then swaps tensors."""

import dataclasses
import itertools
import re
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from ..protocol import TRAIN, UNLABELED
from .answers import Answer, reference_first, uses_in_train
from .guess import Guess, Inputs, OwnInputs, is_unnamed, paths_of, with_unnamed
from .learning import all_finished, better_guess, optional_keys
from .matching import assign, similarity
from .structure import NOTHING, TENSOR, Node, Path, sequence

_MOST_ROUNDS = 12
_MOST_SWAPS = 24
_COMPLETE, _TRACED, ALIKE = 0.1, 0.2, 0.6
"""Scores: a tensor for everything, a trace that did not raise, and one whose features are consumed
as the saved graph's are."""

Ask = Callable[[Mapping[str, Inputs]], Dict[str, Answer]]
"""Traces modes with the given features and labels."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The end of a search.

    Attributes:
        traces: the answers of the last round.
        guess: the guess that these traces were made with.
        complete: whether there is a tensor for everything that the model_fn asks for.
        alike: whether the traced model consumes the tensors as the saved one did.
        lacks_labels: whether the features took all tensors, and then labels were missing.
        regardless: the modes that raise the same with other tensors.
        same_unlabeled: whether all modes raise the same errors without labels.
        of_any_structure: the modes that raise the same with other structures of the features.
    """

    traces: Mapping[str, Answer]
    guess: Optional[Guess]
    complete: bool
    alike: bool = False
    lacks_labels: bool = False
    regardless: FrozenSet[str] = frozenset()
    same_unlabeled: bool = False
    of_any_structure: FrozenSet[str] = frozenset()

    @property
    def problems(self) -> Dict[str, object]:
        """Why each mode was not traced to its end; None if it was."""
        return {mode: trace.problem for mode, trace in self.traces.items()}


def search(guess: Guess, modes: Sequence[str], ask: Ask, ended: Mapping[str, Answer]) -> Found:
    """Traces and learns until a round teaches nothing new, or what an earlier one did.

    If two leaves fit a tensor equally badly, the search could alternate between them for ever,
    because each trace shows other consumers. It then stops with one of them, and
    :func:`repaired` tries the others.

    Args:
        guess: where to begin.
        modes: the modes to trace.
        ask: traces modes.
        ended: modes that are not to be asked again.
    """
    traces: Dict[str, Answer] = dict(ended)
    open_modes = [mode for mode in modes if mode not in ended]
    seen = [guess]
    for _ in range(_MOST_ROUNDS):
        answers = ask({mode: guess.inputs(mode) for mode in open_modes})
        if not answers:
            break
        traces.update(answers)
        learned = better_guess(guess, traces)
        open_modes = [mode for mode in modes if _outdated(traces[mode], guess, learned, mode)]
        if not open_modes:
            return Found(traces, learned, not learned.wanting)
        if learned == guess:
            break
        if learned in seen:
            return Found(traces, guess, not guess.wanting)
        guess = learned
        seen.append(guess)
    return Found(traces, guess, False)


def _outdated(trace: Answer, before: Guess, after: Guess, mode: str) -> bool:
    """Whether a trace was made with other inputs than the guess now gives."""
    if trace.ended:
        return False
    if trace.misfit:
        return True
    if after.labels != before.labels and mode not in UNLABELED:
        return True
    if not trace.finished and before != after:
        return True
    given = _leaves(trace.seen.features, ("features",)) + _leaves(trace.seen.labels, ("labels",))
    for path, spec in given:
        place = after.places.get(path)
        if place is not None and after.pool.leaves[place].spec != spec:
            return True
    return False


def _leaves(structure: Any, path: Path) -> List[Tuple[Path, Any]]:
    """The leaves of a structure in JSON, with their paths."""
    if structure is None:
        return []
    if isinstance(structure, list):
        pairs: Any = enumerate(structure)
    elif isinstance(structure.get("dtype"), str) and "shape" in structure:
        return [(path, structure)]
    elif set(structure) == {"tuple"} and isinstance(structure["tuple"], list):
        pairs = enumerate(structure["tuple"])
    else:
        pairs = structure.items()
    return [leaf for key, item in pairs for leaf in _leaves(item, path + (key,))]


def wants_labels(found: Found) -> bool:
    """Whether a mode raised because it got no labels, while the features use all tensors.

    Then the model_fn asks for one feature more than the saved model did.
    """
    guess = found.guess
    if guess is None or guess.labels != NOTHING or not found.complete:
        return False
    if len(paths_of(guess.features, guess.labels)) < len(guess.pool.leaves):
        return False
    failed = {mode: trace for mode, trace in found.traces.items() if not trace.finished}
    if any(mode in UNLABELED for mode in failed):
        return False
    return any(SAYS_NONE.search(trace.said) for trace in failed.values())


SAYS_NONE = re.compile(r"\bNone\b|NoneType|\blabels\b")


def score_of(found: Found) -> float:
    """Scores how similar the consumers of the leaves are in the traced and the saved graph."""
    traces = reference_first(found.traces)
    if found.guess is None or not traces:
        return 0.0
    reference = traces[0]
    if not found.complete or wants_labels(found):
        return 0.0
    uses = reference.uses
    leaves = found.guess.pool.leaves
    worths = [
        similarity(uses.get(path, ()), leaves[place].consumers)
        for path, place in found.guess.places.items()
    ]
    alike = sum(worths) / len(worths) if worths else 1.0
    if reference.finished:
        return _TRACED + (1 - _TRACED) * alike
    traced = sum(trace.finished for trace in traces) / len(traces)
    return _COMPLETE + (_TRACED - _COMPLETE) * (0.7 * traced + 0.2 * alike)


def otherwise(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Tries other structures if a trace raised with a structure that no trace has confirmed."""
    guess = found.guess
    if guess is None or not _is_worth_a_swap(found):
        return found
    same = set(found.problems)
    for other in _other_structures(found):
        places = assign(guess.pool, other.features, other.labels, {}, {}, guess.columns)
        changed = Guess(
            guess.pool,
            other.features,
            other.labels,
            places,
            columns=guess.columns,
            without=other.without,
        )
        tried = with_own_inputs(search(changed, modes, ask, {}), modes, ask)
        if progress(tried) > progress(found):
            if guess.features.kind != "dict" or _fits(tried):
                return otherwise(tried, modes, ask)
            if other.without != guess.without:  # the code may now show more of the labels
                tried = otherwise(tried, modes, ask)
                if _fits(tried):
                    return tried
        problems = tried.problems
        same = {mode for mode in same if problems.get(mode) == found.problems[mode]}
    return dataclasses.replace(found, of_any_structure=frozenset(same))


def _fits(found: Found) -> bool:
    """Whether TRAIN finished, and consumed each tensor that the saved model did, in the same way.

    If the code reads keys, other structures count only then: another branch of the code may finish
    while the branch of the real run raises.
    """
    trace = found.traces.get(TRAIN)
    if found.guess is None or trace is None or not trace.finished:
        return False
    leaves, uses, places = found.guess.pool.leaves, trace.uses, found.guess.places
    if not {place for place, leaf in enumerate(leaves) if leaf.used} <= set(places.values()):
        return False
    pairs = places.items()
    return all(similarity(uses.get(p, ()), leaves[i].consumers) >= ALIKE for p, i in pairs)


def _other_structures(found: Found) -> Iterator[Guess]:
    """Yields guesses with other structures that features and labels may have."""
    guess = found.guess
    assert guess is not None
    bases = [guess]
    optional = guessed_optional_keys(found)
    if optional:
        items = tuple(item for item in guess.features.items if item[0] not in optional)
        features = dataclasses.replace(guess.features, items=items)
        fewer = dataclasses.replace(guess, features=features, without=guess.without | optional)
        bases = [fewer, guess]
        yield fewer
    for base in bases:
        for features, labels in _other_kinds(found, base):
            yield dataclasses.replace(base, features=features, labels=labels)


def guessed_optional_keys(found: Found) -> FrozenSet[str]:
    """Returns the keys of the guessed features that the code looks for with ``in`` or ``get``."""
    keys = found.guess.features.keys if found.guess else ()
    return frozenset(optional_keys(found.traces)).intersection(keys)


def _other_kinds(found: Found, guess: Guess) -> Iterator[Tuple[Node, Node]]:
    """Yields other structures of the same tensors.

    A layer iterates over any input, and a loop iterates over the keys of a dict. So a list of
    features may be one tensor or a dict. Labels that the code indexes look like one tensor. Code
    that tests for optional keys may go on differently with each.
    """
    features, labels, most = guess.features, guess.labels, len(guess.pool.leaves)
    indexed = labels == TENSOR and is_indexed(found.traces.values(), "labels")
    if indexed and features.kind == "list" and most % 2 == 0:  # one of each for each tower
        yield sequence("list", most // 2), sequence("list", most // 2)
    if indexed:
        yield features, sequence("list", most - sum(1 for _ in features.leaves(())))
    if features.kind == "list":
        yield TENSOR, labels
        yield with_unnamed(Node("dict"), "features", len(features.items)), labels
    made_up = sum(map(is_unnamed, features.keys))
    for fewer in reversed(range(1, made_up)):  # the rest are labels
        known = tuple(item for item in features.items if not is_unnamed(item[0]))
        yield with_unnamed(Node("dict", known), "features", fewer), labels
    if features.kind == "dict" and not made_up and len(guess.places) > 1:
        yield TENSOR, TENSOR  # a branch for dicts may be for serving only
    for key in optional_keys(found.traces):  # the code may want one of several
        yield Node("dict").with_item(key, TENSOR), TENSOR
    if features == labels == TENSOR and most > 2:
        yield features, sequence("tuple", most - 1)


def is_indexed(traces: Iterable[Answer], root: str) -> bool:
    """Whether the code indexes the features or labels with a number, or iterates over them."""
    events = (event for trace in traces for event in trace.seen.events)
    return any(event.event == "maybe-index" and event.path == (root,) for event in events)


def with_own_inputs(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Traces modes that raised again, with what their own input_fn may give instead of TRAIN's.

    The saved graph shows the inputs of TRAIN. Another mode may have another batch size, and so may
    TRAIN with other params. Tensors of integers may be int32 in one mode and int64 in another. An
    exception that depends on this does not count.
    """
    for change in OwnInputs:
        guess = found.guess
        if guess is None or not found.complete:
            return found
        failed = [mode for mode in modes if mode in found.traces and _raised(found.traces[mode])]
        if change == OwnInputs.INTEGERS:
            failed = [mode for mode in failed if mode != TRAIN]
        own = {**guess.own, **dict.fromkeys(failed, change)}
        changed = dataclasses.replace(guess, own=own)
        inputs = {mode: changed.inputs(mode) for mode in failed}
        asked = {mode: given for mode, given in inputs.items() if given != guess.inputs(mode)}
        answers = ask(asked) if asked else {}
        better = {mode: answer for mode, answer in answers.items() if answer.finished}
        own = {**guess.own, **dict.fromkeys(better, change)}
        guess = dataclasses.replace(guess, own=own)
        found = dataclasses.replace(found, traces={**found.traces, **better}, guess=guess)
    return found


def with_regardless(found: Found, ask: Ask) -> Found:
    """Finds out which modes raise the same with other tensors, so that the features do not matter.

    It traces the modes that raised once more. The tensors have unknown shapes and other dtypes.
    """
    guess = found.guess
    failed = [mode for mode, trace in found.traces.items() if _raised(trace)]
    if guess is None or not failed:
        return found
    answers = ask({mode: _blurred(guess.inputs(mode)) for mode in failed})
    same = (mode for mode in answers if answers[mode].problem == found.traces[mode].problem)
    return dataclasses.replace(found, regardless=frozenset(same))


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


def _raised(trace: Answer) -> bool:
    return trace.failure is not None and trace.failure.kind == "raised"


def repaired(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Gives the tensors other leaves while traces raise and each change leads further.

    A trace that raises early shows too few consumers to tell the leaves apart. A better choice
    gets further, so the number of ops tells a better choice from a worse one.
    """
    left = _MOST_SWAPS
    while left > 0 and _is_worth_a_swap(found):
        guess, reached = found.guess, found
        assert guess is not None
        for path in (p for p in paths_of(guess.features, guess.labels) if p in guess.places):
            swaps = list(itertools.islice(_swapped(found, path, modes, ask), left))
            left -= len(swaps)
            reached = max([found, *swaps], key=progress)
            if reached is not found:
                break
        else:
            break
        found = reached
    return _unpinned(found, modes, ask)


def _is_worth_a_swap(found: Found) -> bool:
    """Whether a trace failed for another reason than a missing param, and none hung or crashed."""
    failed = [trace for trace in found.traces.values() if not trace.finished]
    if found.guess is None or not found.complete or any(trace.ended for trace in failed):
        return False
    return any(not any(read.raised for read in t.seen.params.reads) for t in failed)


def progress(found: Found) -> Tuple[int, int]:
    """Returns how many traces finished, and how many ops all traces made."""
    if not found.complete:
        return -1, 0
    traces = found.traces.values()
    return sum(trace.finished for trace in traces), sum(trace.ops for trace in traces)


def _swapped(found: Found, path: Path, modes: Sequence[str], ask: Ask) -> Iterator[Found]:
    """Searches with each other leaf for one tensor, until no mode raises.

    If another shape does not change what is raised, another dtype still may.
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
    """Returns the guess with another leaf for one tensor, and few other changes."""
    pins = {**guess.pins, path: place}
    if guess.pool.sorted_keys:
        places = assign(
            guess.pool, guess.features, guess.labels, uses, pins, guess.columns, guess.absent
        )
    else:
        before = guess.places[path]
        others = {p: before if taken == place else taken for p, taken in guess.places.items()}
        places = {**others, path: place}
    return dataclasses.replace(guess, places=places, pins=pins)


def _other_leaves(guess: Guess, path: Path) -> List[int]:
    """Returns a leaf for each other dtype and shape. Prefers leaves that are free."""
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
    guess = dataclasses.replace(found.guess, pins={})
    uses = uses_in_train(found.traces)
    places = assign(guess.pool, guess.features, guess.labels, uses, {}, guess.columns, guess.absent)
    if places == guess.places:
        return dataclasses.replace(found, guess=guess)
    other = search(dataclasses.replace(guess, places=places), modes, ask, {})
    return other if score_of(other) > score_of(found) else found
