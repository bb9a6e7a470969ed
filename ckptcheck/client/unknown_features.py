"""Makes the error for features that cannot be found: the reason, and a file to fill in."""

import json
import os
from typing import Any, Iterable, List, Sequence, Tuple

from ..errors import UnknownFeaturesError
from ..protocol import PROBE
from .answers import Answer
from .features import keys_are_missed, names_depend_on_keys
from .guess import Guess
from .search import Found


def no_graph(problem: str, graphs: Sequence[str], traces: Iterable[Answer]) -> UnknownFeaturesError:
    """Returns the error for a missing saved graph. It lists the keys that the code names.

    Args:
        problem: why the graph cannot be read; "" if there is none.
        graphs: where it can be.
        traces: what the code did with features of which nothing is known.
    """
    names = " or ".join(dict.fromkeys(map(os.path.basename, graphs))) or "no .meta file"
    if problem:
        text = f"the saved graph ({names}) cannot be read: {problem}"
    else:
        text = (
            f"there is no saved graph next to the checkpoint ({names}), so the features are unknown"
        )
    return UnknownFeaturesError(text, _advice(template(dict.fromkeys(_named_keys(traces)), None)))


def not_found(found: Found, file: str) -> UnknownFeaturesError:
    """Returns the error for a saved graph that does not determine the features.

    Args:
        found: the end of the search.
        file: of the saved graph.
    """
    features: Any = {}
    labels: Any = None
    if found.guess is not None:
        features, labels = plain_inputs(found.guess)
    features = features or dict.fromkeys(_named_keys(found.traces.values()))
    problem = f"ckptcheck cannot find the features in the saved graph ({file}): {_why(found)}"
    return UnknownFeaturesError(problem, _advice(template(features, labels)))


def _advice(example: str) -> str:
    return (
        "Specify them with --input-fn module:input_fn, or with --features and a file such as this "
        f"one (its dtypes and shapes may be wrong):\n{example}"
    )


def _named_keys(traces: Iterable[Answer]) -> List[str]:
    keys = {
        str(event.value)
        for trace in traces
        for event in trace.seen.events
        if event.path == ("features",) and event.event in ("key", "named", "maybe-key")
    }
    return sorted(keys)


def plain_inputs(guess: Guess) -> Tuple[Any, Any]:
    """The structures of features and labels without what is only for the search."""
    inputs = guess.inputs("train")
    return _without_probes(inputs.features), _without_probes(inputs.labels)


def _without_probes(structure: Any) -> Any:
    if isinstance(structure, dict) and PROBE in structure:
        return structure[PROBE].get("known", {})
    return structure


def _why(found: Found) -> str:
    guess = found.guess
    if guess is None:
        return "it has no tensors that an input_fn could have made"
    if guess.wanting:
        names = [".".join(map(str, path)) for path in guess.wanting]
        return "it has no tensor for {}".format(", ".join(names))
    if found.lacks_labels:
        asked = ", ".join(map(str, guess.features.keys)) or "the features"
        return f"it has a tensor for each of {asked}, but none is left for the labels"
    if names_depend_on_keys(found.traces):
        return "the model_fn names variables after the keys of its features; no graph stores them"
    if keys_are_missed(found):
        return "the model_fn iterates over the keys of its features; no graph stores them"
    return "no structure of its tensors fits what the model_fn asks for"


def template(features: Any, labels: Any) -> str:
    """A ``--features`` file to fill in, with what is known already in it."""
    unknown = {"dtype": "float32", "shape": [None, 1]}
    if isinstance(features, dict):
        features = {key: item or unknown for key, item in features.items()}
    filled = {"features": features or {"x": unknown}, "labels": labels or unknown}
    return json.dumps(filled, indent=2)
