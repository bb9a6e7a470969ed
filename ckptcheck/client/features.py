"""Finds the features and labels by asking: guess, trace, learn from what the model_fn did.

The saved graph gives the tensors (see :mod:`.input_pools`); their keys and nesting come from
watching the model_fn. Each round traces the modes with the best guess so far, until a round teaches
nothing new. Which tensor is which key follows from the order in which Estimator flattens features
(keys sorted, labels last) and, where that leaves a choice, from who consumes it.
"""

import collections
import dataclasses
import itertools
import re
import types
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..protocol import TRAIN, UNLABELED, Failure, InputEvent, ModeTrace, SavedGraph
from . import input_pools
from .input_pools import Leaf, Pool
from .structure import (
    NOTHING,
    TENSOR,
    UNKNOWN,
    Node,
    Path,
    learn,
    render,
    sequence,
    wanted_keys,
)

_MOST_ROUNDS = 12
_MOST_PERMUTED = 6
_MOST_SEARCHES = 10
_MOST_SWAPS = 24
_COMPLETE, _TRACED, _ALIKE = 0.1, 0.2, 0.6
"""Scores: a tensor for everything, a trace that did not raise, and one whose features are consumed
as the saved graph's are."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a trace is given: the structures of features and labels, as JSON.

    ``taken_names`` are the names of the input_fn's ops.
    """

    features: Any
    labels: Any
    taken_names: Tuple[str, ...] = ()


Ask = Callable[[Mapping[str, Inputs]], Dict[str, ModeTrace]]
"""Traces modes with the given features and labels."""


@dataclasses.dataclass(frozen=True)
class Guess:
    """What is believed of the features and labels.

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
        """The keys and their tensors where no name in the saved graph says that they match."""
        inner = [(path[-1], place) for path, place in self.places.items() if len(path) > 1]
        leaves = [(key, self.pool.leaves[place]) for key, place in inner if isinstance(key, str)]
        return [(k, leaf) for k, leaf in leaves if not is_unnamed(k) and not leaf.is_named(k)]

    @property
    def wanting(self) -> List[Path]:
        """The tensors that the pool has no leaf for."""
        return [path for path in _paths(self.features, self.labels) if path not in self.places]


def _paths(features: Node, labels: Node) -> List[Path]:
    return list(features.leaves(("features",))) + list(labels.leaves(("labels",)))


@dataclasses.dataclass(frozen=True)
class Found:
    """The end of a search.

    Attributes:
        traces: of the last round.
        guess: that they were made with.
        complete: whether there is a tensor for everything that the model_fn asks for.
        alike: whether the traced model consumes the tensors as the saved one did.
        lacks_labels: whether the features took all tensors, and then labels were missing.
    """

    traces: Mapping[str, ModeTrace]
    guess: Optional[Guess]
    complete: bool
    alike: bool = False
    lacks_labels: bool = False


def first_guess(pool: Pool) -> Guess:
    """Before anything is known: a dict of features, and the last tensor as the labels."""
    places = pool.used or tuple(range(len(pool.leaves)))
    if len(places) < 2:
        return Guess(pool, UNKNOWN, NOTHING, {})
    return Guess(pool, UNKNOWN, TENSOR, {("labels",): places[-1]})


def find(graph: SavedGraph, modes: Sequence[str], ask: Ask, known: Optional[Guess] = None) -> Found:
    """Finds the features that fit a saved graph.

    Args:
        graph: what the saved graph tells.
        modes: the modes to trace.
        ask: traces modes.
        known: what fitted the same model_fn with other params; where it does no longer, it is
            forgotten.
    """
    if known is not None:
        found = _search(known, modes, ask, {})
        if _score(found) >= _ALIKE:
            return _judged(dataclasses.replace(found, alike=True))
    return _judged(_searched(graph, modes, ask))


def _judged(found: Found) -> Found:
    """With what makes it incomplete besides tensors that are not there."""
    lacks_labels = _lacks_labels(found)
    complete = found.complete and not lacks_labels and not keys_are_missed(found)
    return dataclasses.replace(found, complete=complete, lacks_labels=lacks_labels)


def _searched(graph: SavedGraph, modes: Sequence[str], ask: Ask) -> Found:
    """The best of the candidates that the saved graph shows, and of those that traces lead to."""
    candidates = [first_guess(pool) for pool in input_pools.pools(graph)]
    best = Found({}, None, False)
    best_score = -1.0
    tried: List[Tuple[object, ...]] = []
    said: List[Tuple[Pool, Dict[str, object]]] = []
    ended: Dict[str, ModeTrace] = {}
    while candidates and len(tried) < _MOST_SEARCHES:
        guess = candidates.pop(0)
        if _identity(guess) in tried:
            continue
        tried.append(_identity(guess))
        found = _otherwise(_search(guess, modes, ask, ended), modes, ask)
        found = _repaired(found, modes, ask)
        ended.update((mode, t) for mode, t in found.traces.items() if _has_ended(t))
        score = _score(found)
        if score > best_score:
            best, best_score = dataclasses.replace(found, alike=score >= _ALIKE), score
        failures: Dict[str, object] = {m: trace.failure for m, trace in found.traces.items()}
        if score >= _ALIKE or len(ended) == len(modes):
            break
        if _is_the_codes(guess.pool, failures, said):
            break
        said.append((guess.pool, failures))
        candidates = [
            *_with_unused_labels(found),
            *_aligned(graph, found),
            *candidates,
        ]
        candidates.sort(key=lambda guess: -_fit(guess.pool, found))
        candidates[:0] = _without_labels(found)
    return best


def _lacks_labels(found: Found) -> bool:
    """Whether a mode raised for want of labels, all tensors being features.

    Then the model_fn has come to ask for a feature that the saved graph has no tensor for.
    """
    guess = found.guess
    if guess is None or guess.labels != NOTHING or not found.complete:
        return False
    if len(_paths(guess.features, guess.labels)) < len(guess.pool.used):
        return False
    failed = {mode: trace.failure for mode, trace in found.traces.items() if trace.failure}
    if any(mode in UNLABELED for mode in failed):
        return False
    return any(_SAYS_NONE.search(failure.message) for failure in failed.values())


_SAYS_NONE = re.compile(r"\bNone\b|NoneType|\blabels\b")


def _fit(pool: Pool, found: Found) -> float:
    """How well some leaf of a pool fits each tensor whose consumers a trace has shown."""
    shown = [
        use.consumers for trace in found.traces.values() for use in trace.uses if use.consumers
    ]
    best = [
        max((similarity(mine, leaf.consumers) for leaf in pool.leaves), default=0.0)
        for mine in shown
    ]
    return round(sum(best) / len(best), 1) if best else 0.0


def _is_the_codes(
    pool: Pool, failures: Dict[str, object], said: Sequence[Tuple[Pool, Dict[str, object]]]
) -> bool:
    """Whether other tensors failed alike: then the model_fn raises whatever it is given."""
    if not any(failures.values()):
        return False
    return any(other != pool and failures == theirs for other, theirs in said)


def _identity(guess: Guess) -> Tuple[object, ...]:
    pool = guess.pool
    return tuple(leaf.name for leaf in pool.leaves), pool.unused_labels, guess.labels


def _otherwise(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Other structures, where a trace raised that was given one that nothing has shown."""
    guess = found.guess
    if guess is None or not _is_worth_a_swap(found):
        return found
    for features, labels in _other_structures(guess):
        places = assign(guess.pool, features, labels, {})
        other = _search(Guess(guess.pool, features, labels, places), modes, ask, {})
        if _progress(other) > _progress(found):
            return _otherwise(other, modes, ask)
    return found


def _other_structures(guess: Guess) -> Iterator[Tuple[Node, Node]]:
    """What features and labels may be as well.

    A layer goes through whatever it is given, and so does a loop over the keys of a dict: so a list
    of features may be one tensor, or a dict. Labels whose parts are asked for by number look like
    one tensor.
    """
    if guess.features.kind == "list":
        yield TENSOR, guess.labels
        yield _unnamed_dict(len(guess.features.items)), guess.labels
    left = len(guess.pool.used) - 1
    if guess.features == guess.labels == TENSOR and left > 1:
        yield guess.features, sequence("tuple", left)


def _repaired(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Gives the tensors other leaves while traces raise, as long as that leads further.

    A trace that raises early shows too little of what consumes what to tell the leaves apart, but
    how far it came tells a better choice from a worse one.
    """
    left = _MOST_SWAPS
    while left > 0 and _is_worth_a_swap(found):
        guess, reached = found.guess, found
        assert guess is not None
        for path in _paths(guess.features, guess.labels):
            swaps = list(itertools.islice(_swapped(found, path, modes, ask), left))
            left -= len(swaps)
            reached = max([found, *swaps], key=_progress)
            if reached is not found:
                break
        else:
            break
        found = reached
    return _unpinned(found, modes, ask)


def _is_worth_a_swap(found: Found) -> bool:
    """Whether a trace raised, and not for a hang, a crash, or something that params lack."""
    failed = [trace for trace in found.traces.values() if trace.failure is not None]
    if found.guess is None or not found.complete or not failed:
        return False
    return not any(_has_ended(t) or any(read.raised for read in t.params.reads) for t in failed)


def _progress(found: Found) -> Tuple[int, int]:
    """How far the traces came: how many did not raise, and the ops that all of them made."""
    if not found.complete:
        return -1, 0
    traces = found.traces.values()
    return sum(trace.failure is None for trace in traces), sum(trace.ops for trace in traces)


def _swapped(found: Found, path: Path, modes: Sequence[str], ask: Ask) -> Iterator[Found]:
    """Searches with each other leaf for one tensor, until no mode raises.

    A tensor whose shape changes nothing of what was raised may still be of the wrong dtype.
    """
    guess, failures = found.guess, _failures(found)
    assert guess is not None
    dtypes = {_dtype(guess, guess.places[path])}
    has_no_part = False
    for place in _other_leaves(guess, path):
        if has_no_part and _dtype(guess, place) in dtypes:
            continue
        dtypes.add(_dtype(guess, place))
        pinned = _pinned(guess, path, place, _uses(found.traces))
        if pinned.places.get(path) != place:
            continue  # the order of the keys does not allow it
        other = _search(pinned, modes, ask, {})
        yield other
        if _finished(other.traces):
            break
        has_no_part = has_no_part or _failures(other) == failures


def _dtype(guess: Guess, place: int) -> object:
    return guess.pool.leaves[place].spec["dtype"]


def _pinned(guess: Guess, path: Path, place: int, uses: Mapping[Path, Sequence[str]]) -> Guess:
    """The guess with another leaf for one tensor, and as little else changed as can be."""
    pins = {**guess.pins, path: place}
    if guess.pool.sorted_keys:
        places = assign(guess.pool, guess.features, guess.labels, uses, pins)
    else:
        before = guess.places[path]
        others = {p: before if taken == place else taken for p, taken in guess.places.items()}
        places = {**others, path: place}
    return dataclasses.replace(guess, places=places, pins=pins)


def _failures(found: Found) -> Dict[str, Optional[Failure]]:
    return {mode: trace.failure for mode, trace in found.traces.items()}


def _other_leaves(guess: Guess, path: Path) -> List[int]:
    """A leaf of each other dtype and shape that a tensor might be, rather one that is free."""
    pool = guess.pool
    paths = _paths(guess.features, guess.labels)
    if path in guess.pins:
        return []
    if pool.sorted_keys and len(pool.used) == len(paths):
        return []  # the order leaves no choice
    seen = [pool.leaves[guess.places[path]].spec]
    found = []
    taken = set(guess.places.values())
    for place in sorted(pool.used or range(len(pool.leaves)), key=taken.__contains__):
        spec = pool.leaves[place].spec
        if spec not in seen and place not in guess.pins.values():
            seen.append(spec)
            found.append(place)
    return found


def _unpinned(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """What the consumers say, now that the traces show them, where that fits better still."""
    if found.guess is None or not found.guess.pins:
        return found
    guess = dataclasses.replace(found.guess, pins={})
    places = assign(guess.pool, guess.features, guess.labels, _uses(found.traces))
    if places == guess.places:
        return dataclasses.replace(found, guess=guess)
    other = _search(dataclasses.replace(guess, places=places), modes, ask, {})
    return other if _score(other) > _score(found) else found


def _without_labels(found: Found) -> List[Guess]:
    """The same tensors with no labels among them, where nothing showed that there are."""
    guess = found.guess
    if guess is None or guess.labels != TENSOR or _uses(found.traces).get(("labels",)):
        return []
    return [Guess(guess.pool, UNKNOWN, NOTHING, {})]


def _with_unused_labels(found: Found) -> List[Guess]:
    """The last tensor as the labels, which TRAIN did not use, where another mode lacks them."""
    if not _lacks_labels(found) or found.guess is None:
        return []
    pool = dataclasses.replace(found.guess.pool, unused_labels=True)
    if not pool.sorted_keys or pool.used == found.guess.pool.used:
        return []
    return [Guess(pool, UNKNOWN, TENSOR, {("labels",): len(pool.leaves) - 1})]


def _aligned(graph: SavedGraph, found: Found) -> List[Guess]:
    """The pool at the border where the traced model_fn's ops begin in the saved graph."""
    for trace in _reference_first(found.traces):
        border = input_pools.aligned_border(graph, trace.head)
        if border is not None:
            return [first_guess(input_pools.pool_at(graph, border))]
    return []


def _reference_first(traces: Mapping[str, ModeTrace]) -> List[ModeTrace]:
    """The traces, that of TRAIN first: it is the mode of the saved graph."""
    return sorted(traces.values(), key=lambda trace: trace.mode != TRAIN)


def _score(found: Found) -> float:
    """How far the leaves are consumed in the traced graph as they are in the saved one."""
    traces = _reference_first(found.traces)
    if found.guess is None or not traces:
        return 0.0
    reference = traces[0]
    if not found.complete or _lacks_labels(found):
        return 0.0
    uses = {use.path: use.consumers for use in reference.uses}
    leaves = found.guess.pool.leaves
    worths = [
        similarity(uses.get(path, ()), leaves[place].consumers)
        for path, place in found.guess.places.items()
    ]
    alike = sum(worths) / len(worths) if worths else 1.0
    if reference.failure is None:
        return _TRACED + (1 - _TRACED) * alike
    traced = sum(trace.failure is None for trace in traces) / len(traces)
    return _COMPLETE + (_TRACED - _COMPLETE) * (0.7 * traced + 0.2 * alike)


def similarity(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """How much two bags of consumers have in common, from 0 to 1.

    Ops count most; the scopes that they stand in tell tensors apart that the same ops consume.
    """
    ops = _overlap([text.partition(" ")[2] for text in mine], [t.partition(" ")[2] for t in theirs])
    scopes = _overlap(
        [text.partition("/")[0] for text in mine], [t.partition("/")[0] for t in theirs]
    )
    return 0.6 * ops + 0.4 * scopes


def _overlap(mine: Sequence[str], theirs: Sequence[str]) -> float:
    a, b = collections.Counter(mine), collections.Counter(theirs)
    union = sum((a | b).values())
    return sum((a & b).values()) / union if union else 1.0


_ENDED = ("timed-out", "crashed", "out-of-memory")


def _has_ended(trace: ModeTrace) -> bool:
    """Whether a mode hung or crashed: it is not asked again with other inputs."""
    return trace.failure is not None and trace.failure.kind in _ENDED


def _search(guess: Guess, modes: Sequence[str], ask: Ask, ended: Mapping[str, ModeTrace]) -> Found:
    """Traces and learns until a round teaches nothing new, or what an earlier one did.

    Two leaves that fit a tensor equally ill take turns for ever: each one's trace shows other
    consumers. Such a search ends with one of them, and a swap finds the leaf that fits.

    Args:
        guess: where to begin.
        modes: the modes to trace.
        ask: traces modes.
        ended: modes that are not to be asked again.
    """
    traces: Dict[str, ModeTrace] = dict(ended)
    open_modes = [mode for mode in modes if mode not in ended]
    seen = [guess]
    for _ in range(_MOST_ROUNDS):
        traces.update(ask({mode: guess.inputs(mode) for mode in open_modes}))
        learned = _learn(guess, traces)
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


def _outdated(trace: ModeTrace, before: Guess, after: Guess, mode: str) -> bool:
    """Whether a trace was made with other inputs than the guess now gives."""
    if _has_ended(trace):
        return False
    if trace.failure is not None and trace.failure.kind == "structure":
        return True
    if after.labels != before.labels and mode not in UNLABELED:
        return True
    if trace.failure is not None and before != after:
        return True
    given = _leaves(trace.features, ("features",)) + _leaves(trace.labels, ("labels",))
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


def _learn(guess: Guess, traces: Mapping[str, ModeTrace]) -> Guess:
    """A better guess, by the events of all modes and the consumers in the TRAIN graph."""
    events: List[InputEvent] = []
    for trace in traces.values():
        events.extend(trace.events)
        events.extend(_key_error(trace))
        events.extend(_said_of_labels(trace))
    most = len(guess.pool.used or guess.pool.leaves)
    labels = learn(guess.labels, events, "labels", most)
    room = most - sum(1 for _ in labels.leaves(("labels",)))
    features = learn(guess.features, events, "features", room)
    if features.kind == "unknown":
        features = _by_iteration(events, traces, room)
    features = _with_soft_keys(features, labels, events, most)
    labels = _fitting_labels(features, labels, most)
    places = assign(guess.pool, features, labels, _uses(traces), guess.pins)
    return Guess(guess.pool, features, labels, places, guess.pins)


def _finished(traces: Mapping[str, ModeTrace]) -> bool:
    return all(trace.failure is None for trace in traces.values())


def _by_iteration(events: Sequence[InputEvent], traces: Mapping[str, ModeTrace], room: int) -> Node:
    """What features are that were gone through and never asked for a key.

    TensorFlow's own look at nested values, in C++, asks nothing that a probe could see.
    """
    if _finished(traces):
        return Node("dict")  # nothing was asked of them
    seen = [e for e in events if e.path[:1] == ("features",)]
    iterated = [e for e in seen if e.event == "iterate" and len(e.path) == 1]
    if (seen and not iterated) or wanted_keys(events, "maybe-key"):
        return UNKNOWN
    if any(event.value for event in iterated):  # .items() and the like: a dict, whatever its keys
        return _unnamed_dict(room)
    return TENSOR if room == 1 else sequence("list", room)


_MARK = "ckptcheck_unnamed_feature_"


def unnamed(place: int) -> str:
    """A key for a feature whose own key nothing shows; their order is that of the real keys."""
    return f"{_MARK}{place:03}"


def is_unnamed(key: str) -> bool:
    """Whether a key is made up."""
    return key.startswith(_MARK)


def _unnamed_dict(count: int) -> Node:
    return Node("dict", tuple((unnamed(place), TENSOR) for place in range(count)))


def names_depend_on_keys(traces: Mapping[str, ModeTrace]) -> bool:
    """Whether a variable is named after a feature whose key nothing shows."""
    plans = [trace.plan for trace in traces.values() if trace.plan is not None]
    return any(_MARK in read.key for plan in plans for read in plan.reads)


def keys_are_missed(found: Found) -> bool:
    """Whether a trace raised because features that are gone through have no keys, or made-up ones.

    Features that showed nothing but that are a list to a trace; what asks their parts for a
    method of strings takes them for keys, which no graph holds.
    """
    failures = [trace.failure for trace in found.traces.values() if trace.failure is not None]
    if found.guess is None or not failures:
        return False
    if unnamed(0) in found.guess.features.keys:
        return True
    asked = [_NO_ATTRIBUTE.search(failure.message) for failure in failures]
    of_strings = any(match and hasattr(str, match.group(1)) for match in asked)
    return found.guess.features.kind == "list" and of_strings


_NO_ATTRIBUTE = re.compile(r"Tensor' object has no attribute '(\w+)'")


def _key_error(trace: ModeTrace) -> List[InputEvent]:
    """The keys that the features did not have, by what was raised."""
    failure = trace.failure
    if failure is None or failure.type not in ("KeyError", "FormattedKeyError"):
        return []
    expected = re.search(r"Expected keys: \{(.+?)\}", failure.message)
    if expected:  # what a Keras model that was turned into an Estimator says
        keys = re.findall(r"'([^']+)'", expected.group(1))
        return [InputEvent(("features",), "key", key) for key in keys]
    if not any(event.event == "iterate" for event in trace.events):
        return []
    key = failure.message.strip("'\"")
    if any(read.raised and read.key == key for read in trace.params.reads):
        return []  # it was params that lack it
    return [InputEvent(("features",), "key", key)]


def _said_of_labels(trace: ModeTrace) -> List[InputEvent]:
    """What a multi-head's complaint tells of the labels: that they are a dict, and its keys."""
    message = trace.failure.message if trace.failure is not None else ""
    missing = re.search(r"labels has missing values for head\(s\): \[(.+?)\]", message)
    if missing:
        keys = re.findall(r"'([^']+)'", missing.group(1))
        return [InputEvent(("labels",), "key", key) for key in keys]
    if message.startswith("labels must be a dict"):
        return [InputEvent(("labels",), "dict")]
    return []


def _with_soft_keys(features: Node, labels: Node, events: Sequence[InputEvent], most: int) -> Node:
    """Keys that the code asked for without need, where tensors are left that they can be."""
    if features.kind not in ("dict", "unknown"):
        return features
    soft = [key for key in wanted_keys(events, "maybe-key") if key not in dict(features.items)]
    room = most - len(_paths(features, labels))
    if not soft or len(soft) > room:
        return features
    grown = features if features.kind == "dict" else Node("dict")
    for key in soft:
        grown = grown.with_item(key, TENSOR)
    return grown


def _fitting_labels(features: Node, labels: Node, most: int) -> Node:
    """No labels where the features alone take all tensors (they stand among the features)."""
    if labels == TENSOR and len(list(features.leaves(("features",)))) >= most:
        return NOTHING
    return labels


def _uses(traces: Mapping[str, ModeTrace]) -> Dict[Path, Tuple[str, ...]]:
    reference = _reference_first(traces)[0]
    if reference.mode != TRAIN:
        return {}
    return {use.path: use.consumers for use in reference.uses}


def assign(
    pool: Pool,
    features: Node,
    labels: Node,
    uses: Mapping[Path, Sequence[str]],
    pins: Mapping[Path, int] = types.MappingProxyType({}),
) -> Dict[Path, int]:
    """Which leaf of the pool is which tensor of the structure.

    Where Estimator's own flattening gave the order, it is kept and only the choice of the leaves
    that are left out is free; else any order is tried.

    Args:
        pool: the leaves.
        features: the structure of the features.
        labels: the structure of the labels.
        uses: what consumed each tensor in a trace.
        pins: the leaves that some tensors have whatever consumes them.
    """
    paths = _paths(features, labels)
    places = list(pool.used) if len(pool.used) >= len(paths) else list(range(len(pool.leaves)))
    if not paths or len(places) < len(paths):
        return dict(zip(paths, places))
    worth = _Worth(pool, uses, pins)
    if pool.sorted_keys:
        return _assign_in_order(worth, paths, places)
    return _assign_freely(worth, paths, places)


@dataclasses.dataclass(frozen=True)
class _Worth:
    """How well a leaf fits a tensor: by its consumers, its name, and what is pinned."""

    pool: Pool
    uses: Mapping[Path, Sequence[str]]
    pins: Mapping[Path, int]

    def of(self, path: Path, place: int) -> float:
        if place in self.pins.values() or path in self.pins:
            return _PINNED if self.pins.get(path) == place else -_PINNED
        if path not in self.uses:
            return 0.0
        return similarity(self.uses[path], self.pool.leaves[place].consumers)

    def by_name(self, path: Path, place: int) -> float:
        """Names of nodes that hold the key count for it; labels are made after the features."""
        key, node = path[-1], self.pool.leaves[place].name.rpartition(":")[0]
        named = isinstance(key, str) and key.lower() in node.lower()
        late = path[0] == "labels"
        return self.of(path, place) + (_NAMED if named else 0.0) + (_LATER * place if late else 0.0)


_PINNED, _NAMED, _LATER = 1000.0, 0.3, 1e-6


def _assign_in_order(worth: _Worth, paths: List[Path], places: List[int]) -> Dict[Path, int]:
    """The best assignment that keeps the order, by dynamic programming over both lists.

    Without evidence the features are the first leaves and the labels the last ones.
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
