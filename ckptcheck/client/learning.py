"""Improves the guess with the events of the last traces."""

import dataclasses
import json
import re
from typing import Any, Collection, Dict, FrozenSet, Iterator, List, Mapping, Sequence, Tuple

from ..protocol import EVAL, TRAIN, UNLABELED
from ..uses import InputEvent
from .answers import Answer, uses_in_train
from .guess import Guess, is_unnamed, new_features, with_unnamed
from .matching import contradicts, placed
from .structure import NOTHING, TENSOR, UNKNOWN, Node, Path, learn, sequence, wanted_keys

_VIEWS = ("items", "keys", "values")


def better_guess(guess: Guess, traces: Mapping[str, Answer]) -> Guess:
    """A better guess, by the events of all modes and the consumers in the TRAIN graph."""
    events: List[InputEvent] = []
    for trace in traces.values():
        events.extend(trace.seen.events)
        events.extend(_missing_keys(trace))
        events.extend(_said_of_labels(trace))
    asked = _asked(guess, traces)
    uses = uses_in_train(traces)
    known = dataclasses.replace(
        guess,
        columns=_columns(guess.columns, events),
        absent=_absent(guess, asked, traces),
        asked=asked,
        used=guess.used | {path for path, consumers in uses.items() if consumers},
    )
    guesses = list(_possible(known, events, traces))
    return next((guess for guess in guesses if not contradicts(guess, uses)), guesses[0])


def _possible(
    guess: Guess, events: Sequence[InputEvent], traces: Mapping[str, Answer]
) -> Iterator[Guess]:
    """Yields what the guess may be after the events, the likeliest first.

    The features may lack keys that the code looks for, and there may be no labels. Then the other
    tensors have other places in the order, so their consumers can show it.
    """
    used = any(trace.uses.get(("labels",)) for trace in traces.values())
    without = guess.without.union(_optional_features(guess, traces))
    fewer = [dataclasses.replace(guess, without=without)] if without != guess.without else []
    with_labels = [guess, *fewer]
    bare = [] if used or guess.labels != TENSOR else with_labels
    for known in (*with_labels, *(dataclasses.replace(it, labels=NOTHING) for it in bare)):
        features, labels = _structures(known, events, traces)
        later = () if all_finished(traces) else _later_keys(features, events)
        after = dataclasses.replace(known, features=features, labels=labels)
        yield placed(after, uses_in_train(traces), later)


def _structures(
    guess: Guess, events: Sequence[InputEvent], traces: Mapping[str, Answer]
) -> Tuple[Node, Node]:
    """Returns the structures of features and labels, with what the events add to them."""
    most = len(guess.pool.leaves)
    labels = learn(guess.labels, events, "labels", most)
    features = learn(guess.features, events, "features", most - _count(labels))
    items = tuple(item for item in features.items if item[0] not in guess.without)
    features = dataclasses.replace(features, items=items)  # code that found a key asked for it
    if features.kind == "unknown":
        features = _by_iteration(events, traces, most - _count(labels))
    most += len(new_features(guess, features))
    features = _padded(features, "features", events, most - _count(labels))
    optional = _optional_features(guess, traces)
    features = _with_optional(features, optional, most - _count(labels))
    optional = optional_keys(traces, "labels")
    labels = _with_optional(labels, optional, most - _count(features))
    labels = _padded(labels, "labels", events, most - _count(features))
    return features, _fitting_labels(features, labels, most)


def _optional_features(guess: Guess, traces: Mapping[str, Answer]) -> List[str]:
    """Returns the optional keys that the code looked for, if the inputs can have them.

    The tensors are those of TRAIN, so none is a key that only PREDICT looks for.
    """
    if TRAIN in traces:
        traces = {mode: trace for mode, trace in traces.items() if mode not in UNLABELED}
    return [key for key in optional_keys(traces) if key not in guess.without]


def _later_keys(features: Node, events: Sequence[InputEvent]) -> List[Path]:
    """Returns the features that the code names and has not asked for yet."""
    return [("features", key) for key in wanted_keys(events, "named") if key not in features.keys]


def _asked(guess: Guess, traces: Mapping[str, Answer]) -> FrozenSet[Tuple[str, str]]:
    """Returns the keys of the features that have been asked for, each with the mode that asked."""
    asked = {
        (key, mode)
        for mode, trace in traces.items()
        for key in wanted_keys(trace.seen.events, "key")
    }
    return guess.asked | asked


def _absent(
    guess: Guess, asked: FrozenSet[Tuple[str, str]], traces: Mapping[str, Answer]
) -> FrozenSet[Path]:
    """Returns the features that TRAIN does not ask for, if TRAIN's inputs cannot have them.

    TRAIN does not use these features, so their tensors have no consumers in the saved graph.
    """
    if TRAIN not in traces or traces[TRAIN].misfit:  # TRAIN may have stopped too early
        return guess.absent
    as_far = (TRAIN,) if traces[TRAIN].finished else (TRAIN, EVAL)
    known = {key for key, mode in asked if mode in as_far}
    alone = frozenset(("features", key) for key, _ in asked if key not in known)
    free = sum(not leaf.used for leaf in guess.pool.leaves)
    return alone if len(alone) > free else frozenset()


def _count(node: Node) -> int:
    """Returns the number of tensors in a structure."""
    return sum(1 for _ in node.leaves(()))


def all_finished(traces: Mapping[str, Answer]) -> bool:
    """Whether every mode was traced to its end."""
    return all(trace.finished for trace in traces.values())


def _by_iteration(events: Sequence[InputEvent], traces: Mapping[str, Answer], room: int) -> Node:
    """Returns the structure of the features if the code iterates over them and asks for no key.

    A probe does not see TensorFlow flatten nested values, because that runs in C++.
    """
    if all_finished(traces):
        return Node("dict")  # the code did not use them
    seen = [e for e in events if e.path[:1] == ("features",)]
    iterated = [e for e in seen if e.event == "iterate" and len(e.path) == 1]
    if (seen and not iterated) or wanted_keys(events, "maybe-key"):
        return UNKNOWN
    if any(event.value for event in iterated):  # .items() and the like: a dict, whatever its keys
        return Node("dict")
    return TENSOR if room == 1 else sequence("list", room)


def _padded(node: Node, root: str, events: Sequence[InputEvent], room: int) -> Node:
    """Adds made-up keys for all free tensors to a dict that the code iterates over.

    If the code iterates over a dict in the inputs, and not over the inputs themselves, that dict
    gets the keys. If there are several such dicts, nothing shows how many keys each has.

    Args:
        node: the structure of the features or labels.
        root: its name.
        events: what the traces saw.
        room: the number of tensors that it can have.
    """
    viewed = {e.path for e in events if e.path[:1] == (root,) and e.value in _VIEWS}
    path = (root,) if (root,) in viewed or len(viewed) != 1 else viewed.pop()
    mine = [event for event in events if event.path == path]
    part = node.at(path[1:])
    if part is None or part.kind != "dict" or not any(event.value in _VIEWS for event in mine):
        return node
    names = [str(event.value) for event in mine if event.event == "name"]
    filled = _filled(part, root, dict.fromkeys(names), room - _count(node) + _count(part))
    return node.replaced(path[1:], filled)


def _filled(node: Node, root: str, names: Collection[str], room: int) -> Node:
    """Returns a dict that takes all tensors. New keys are made up if the code revealed too few."""
    items = tuple((key, item) for key, item in node.items if not is_unnamed(key))
    count = max(room - _count(Node("dict", items)), 0)
    made_up = len(node.items) - len(items)
    count = min(count, made_up) if made_up else count
    if len(names) == count:
        items += tuple((name, TENSOR) for name in names)
        return Node("dict", tuple(sorted(items)))
    return with_unnamed(Node("dict", items), root, count)


def _columns(known: Mapping[Path, Any], events: Sequence[InputEvent]) -> Dict[Path, Any]:
    """Returns the leaves that feature columns describe, by feature."""
    described = (event for event in events if event.event == "column")
    return {**known, **{event.path: json.loads(str(event.value)) for event in described}}


def _missing_keys(trace: Answer) -> List[InputEvent]:
    """Returns the missing keys of the features that an exception names."""
    failure = trace.failure
    if failure is None:
        return []
    keys: List[str] = []
    if failure.type in ("KeyError", "FormattedKeyError"):
        keys = _keys_of_key_error(trace, failure.message)
    elif failure.type == "TypeError" and _unpacks_features(trace):
        missing = _MISSING_ARGUMENTS.search(failure.message)
        keys = re.findall(r"'([^']+)'", missing.group(1)) if missing else []
    return [InputEvent(("features",), "key", key) for key in keys]


_MISSING_ARGUMENTS = re.compile(r"missing \d+ required [\w-]+ arguments?: (.+)")


def _unpacks_features(trace: Answer) -> bool:
    """Whether the code calls a function with the features as keyword arguments."""
    return InputEvent(("features",), "iterate", "**") in trace.seen.events


def _keys_of_key_error(trace: Answer, message: str) -> List[str]:
    expected = re.search(r"Expected keys: \{(.+?)\}", message)
    if expected:  # the message of model_to_estimator
        return re.findall(r"'([^']+)'", expected.group(1))
    if not any(event.event == "iterate" for event in trace.seen.events):
        return []
    key = message.strip("'\"")
    if any(read.raised and read.key == key for read in trace.seen.params.reads) or is_unnamed(key):
        return []  # the key is missing in the params, or in a dict of the code
    return [key]


def _said_of_labels(trace: Answer) -> List[InputEvent]:
    """Returns the events that a multi-head's error shows: labels are a dict with certain keys."""
    message = trace.said
    missing = re.search(r"labels has missing values for head\(s\): \[(.+?)\]", message)
    if missing:
        keys = re.findall(r"'([^']+)'", missing.group(1))
        return [InputEvent(("labels",), "key", key) for key in keys]
    if message.startswith("labels must be a dict"):
        return [InputEvent(("labels",), "dict")]
    return []


def optional_keys(traces: Mapping[str, Answer], root: str = "features") -> List[str]:
    """Returns the keys that the code looked for with ``in`` or ``get``, in this order."""
    events = (trace.seen.events for trace in traces.values())
    keys = (key for some in events for key in wanted_keys(some, "maybe-key", root))
    return list(dict.fromkeys(keys))


def _with_optional(node: Node, wanted: Sequence[str], room: int) -> Node:
    """Adds the optional keys that the code asked for, if enough tensors are left."""
    if node.kind not in ("dict", "unknown"):
        return node
    new = [key for key in wanted if key not in node.keys]
    if not new or len(new) > room - _count(node):
        return node
    grown = node if node.kind == "dict" else Node("dict")
    for key in new:
        grown = grown.with_item(key, TENSOR)
    return grown


def _fitting_labels(features: Node, labels: Node, most: int) -> Node:
    """Returns no labels if the features alone take all tensors."""
    if labels == TENSOR and _count(features) >= most:
        return NOTHING
    return labels
