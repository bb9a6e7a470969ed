"""Improves the guess at the features by what the last traces did."""

import re
from typing import List, Mapping, Sequence

from ..protocol import InputEvent
from .answers import Answer, uses_in_train
from .guess import Guess, paths_of, unnamed_dict
from .matching import assign
from .structure import NOTHING, TENSOR, UNKNOWN, Node, learn, sequence, wanted_keys


def better_guess(guess: Guess, traces: Mapping[str, Answer]) -> Guess:
    """A better guess, by the events of all modes and the consumers in the TRAIN graph."""
    events: List[InputEvent] = []
    for trace in traces.values():
        events.extend(trace.seen.events)
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
    places = assign(guess.pool, features, labels, uses_in_train(traces), guess.pins)
    return Guess(guess.pool, features, labels, places, guess.pins)


def all_finished(traces: Mapping[str, Answer]) -> bool:
    """Whether every mode was traced to its end."""
    return all(trace.finished for trace in traces.values())


def _by_iteration(events: Sequence[InputEvent], traces: Mapping[str, Answer], room: int) -> Node:
    """Returns the structure of features that the code iterated over without asking for a key.

    A probe does not see TensorFlow flatten nested values, because that runs in C++.
    """
    if all_finished(traces):
        return Node("dict")  # nothing was asked of them
    seen = [e for e in events if e.path[:1] == ("features",)]
    iterated = [e for e in seen if e.event == "iterate" and len(e.path) == 1]
    if (seen and not iterated) or wanted_keys(events, "maybe-key"):
        return UNKNOWN
    if any(event.value for event in iterated):  # .items() and the like: a dict, whatever its keys
        return unnamed_dict(room)
    return TENSOR if room == 1 else sequence("list", room)


def _key_error(trace: Answer) -> List[InputEvent]:
    """Returns the missing keys of the features that an exception names."""
    failure = trace.failure
    if failure is None or failure.type not in ("KeyError", "FormattedKeyError"):
        return []
    expected = re.search(r"Expected keys: \{(.+?)\}", failure.message)
    if expected:  # what a Keras model that was turned into an Estimator says
        keys = re.findall(r"'([^']+)'", expected.group(1))
        return [InputEvent(("features",), "key", key) for key in keys]
    if not any(event.event == "iterate" for event in trace.seen.events):
        return []
    key = failure.message.strip("'\"")
    if any(read.raised and read.key == key for read in trace.seen.params.reads):
        return []  # it was params that lack it
    return [InputEvent(("features",), "key", key)]


def _said_of_labels(trace: Answer) -> List[InputEvent]:
    """Returns what the error of a multi-head says: that labels are a dict, and its keys."""
    message = trace.said
    missing = re.search(r"labels has missing values for head\(s\): \[(.+?)\]", message)
    if missing:
        keys = re.findall(r"'([^']+)'", missing.group(1))
        return [InputEvent(("labels",), "key", key) for key in keys]
    if message.startswith("labels must be a dict"):
        return [InputEvent(("labels",), "dict")]
    return []


def _with_soft_keys(features: Node, labels: Node, events: Sequence[InputEvent], most: int) -> Node:
    """Adds the optional keys that the code asked for, if enough tensors are left."""
    if features.kind not in ("dict", "unknown"):
        return features
    soft = [key for key in wanted_keys(events, "maybe-key") if key not in dict(features.items)]
    room = most - len(paths_of(features, labels))
    if not soft or len(soft) > room:
        return features
    grown = features if features.kind == "dict" else Node("dict")
    for key in soft:
        grown = grown.with_item(key, TENSOR)
    return grown


def _fitting_labels(features: Node, labels: Node, most: int) -> Node:
    """Returns no labels if the features alone take all tensors."""
    if labels == TENSOR and len(list(features.leaves(("features",)))) >= most:
        return NOTHING
    return labels
