"""Makes the error for features that cannot be found: the reason, and a file to fill in."""

import dataclasses
import json
import os
import re
from typing import Any, FrozenSet, Iterable, List, Optional, Sequence, Set, Tuple

from ..errors import UnknownFeaturesError
from ..features_file import FILL_IN
from ..options import CheckSpec
from ..protocol import PROBE, UNLABELED, Failure
from ..results import shape_text
from .answers import Answer, reference_first
from .attempt import ALIKE, Found, takes_all
from .certainty import is_certain, keys_are_missed, lacks_optional_keys, missed_fields, open_keys
from .features import names_depend_on_keys
from .guess import Guess, is_unnamed, with_unnamed
from .input_functions import input_functions
from .matching import similarity
from .structure import Node, Path

_UNKNOWN = {"dtype": FILL_IN, "shape": None}
_UNNAMED = "a feature whose key is unknown"
_MOST_FUNCTIONS = 3
_MOST_TENSORS = 8
_LEAF = re.compile(r'\{\s*"dtype": "[^"]*",\s*"shape": (null|\[[^\]]*\])(,\s*"sparse": true)?\s*\}')
"""A leaf in JSON."""


def no_graph(
    spec: CheckSpec, problem: str, graphs: Sequence[str], traces: Iterable[Answer]
) -> UnknownFeaturesError:
    """Returns the error for a missing saved graph. It lists the keys that the code names.

    Args:
        spec: what was checked.
        problem: why the graph cannot be read; "" if there is none.
        graphs: the paths where a graph may be.
        traces: what the code did with features that are completely unknown.
    """
    names = " or ".join(dict.fromkeys(map(os.path.basename, graphs))) or "no .meta file"
    if problem:
        text = f"the saved graph ({names}) cannot be read: {problem}"
    elif not spec.model_dir:
        text = "without MODEL_DIR, there is no saved graph, so the features are unknown"
    else:
        text = (
            f"there is no saved graph beside the checkpoint ({names}), so the features are unknown"
        )
    keys = dict.fromkeys(_named_keys(traces), _UNKNOWN)
    return UnknownFeaturesError(text, _advice(spec, template(keys, _UNKNOWN)))


def not_found(
    spec: CheckSpec, found: Found, file: str, out_of_time: bool = False
) -> UnknownFeaturesError:
    """Returns the error for a saved graph that does not determine the features.

    Args:
        spec: what was checked.
        found: the end of the search.
        file: the file of the saved graph.
        out_of_time: whether the search took too long.
    """
    features: Any = {}
    labels: Any = _UNKNOWN
    if found.guess is not None:
        features, labels = plain_inputs(_confirmed(found, found.guess))
    features = features or dict.fromkeys(_named_keys(found.traces.values()), _UNKNOWN)
    problem = f"ckptcheck cannot find the features in the saved graph ({file}): {_why(found)}"
    problem += _tensors(found.guess)
    if out_of_time:
        problem += "; ckptcheck stopped the search because it took too long"
    if missed_fields(found):
        return UnknownFeaturesError(problem, f"Specify them with {' or '.join(_functions(spec))}")
    return UnknownFeaturesError(problem, _advice(spec, template(features, labels)))


def no_labels(spec: CheckSpec, found: Found, file: str) -> UnknownFeaturesError:
    """Returns the error for the graph of a SavedModel, if modes need labels.

    Args:
        spec: what was checked.
        found: the end of the search for the features.
        file: the file of the SavedModel.
    """
    features: Any = {}
    if found.guess is not None:
        features, _ = plain_inputs(_confirmed(found, found.guess))
    modes = " and ".join(mode.upper() for mode in spec.modes if mode not in UNLABELED)
    problem = f"{file} has the features of PREDICT, but no labels, which {modes} may need"
    given = _given(spec, template(features, _UNKNOWN))
    advice = "To check PREDICT alone, add --mode predict. Or specify the features and labels with "
    return UnknownFeaturesError(problem, advice + given)


def _confirmed(found: Found, guess: Guess) -> Guess:
    """Returns a guess that has only tensors that a name or consumers confirm.

    If the model_fn asks for more tensors than there are, the order of the tensors shows nothing.
    Consumers then confirm a tensor only if no other tensor has the same consumers.
    """
    uses = reference_first(found.traces)[0].uses if found.traces else {}
    leaves = guess.pool.leaves
    ordered = not (found.lacks_labels or guess.wanting)

    def is_confirmed(path: Path, place: int) -> bool:
        leaf, mine = leaves[place], uses.get(path, ())
        if path in found.doubtful:
            return False
        if leaf.is_named(str(path[-1])):
            return True
        if ordered:
            return bool(mine) and similarity(mine, leaf.consumers) >= ALIKE
        ops = _without_slots(mine)
        having = [other for other in leaves if ops <= _without_slots(other.consumers)]
        return bool(mine) and having == [leaf]

    places = {path: place for path, place in guess.places.items() if is_confirmed(path, place)}
    features = guess.features
    events = (event for trace in found.traces.values() for event in trace.seen.events)
    indexed = any(e.event == "index" and e.path == ("features",) for e in events)
    if features.kind == "list" and not indexed:
        # the code only iterated over the features; a dict is more usual than a list
        features = with_unnamed(Node("dict"), "features", len(features.items))
    none: FrozenSet[Path] = frozenset()
    return dataclasses.replace(guess, features=features, places=places, absent=none, added=none)


def _without_slots(consumers: Iterable[str]) -> Set[str]:
    """Returns the ops that consume a tensor, without the numbers of their inputs."""
    return {text.rpartition(":")[0] for text in consumers}


def _tensors(guess: Optional[Guess]) -> str:
    """Lists the tensors of the saved graph."""
    leaves = guess.pool.leaves if guess is not None else ()
    if not leaves:
        return ""
    specs = [leaf.spec for leaf in leaves[:_MOST_TENSORS]]
    shapes = [None if spec["shape"] is None else tuple(spec["shape"]) for spec in specs]
    shown = [f"{spec['dtype']} {shape_text(shape)}" for spec, shape in zip(specs, shapes)]
    more = f" and {len(leaves) - _MOST_TENSORS} more" if len(leaves) > _MOST_TENSORS else ""
    return f" (tensors in the saved graph: {', '.join(shown)}{more})"


def _functions(spec: CheckSpec) -> List[str]:
    """Returns the ``--input-fn`` options for the input functions beside the target."""
    serving = all(mode in UNLABELED for mode in spec.modes)
    functions = input_functions(spec.target or "", spec.app_dir, serving)[:_MOST_FUNCTIONS]
    return [f"--input-fn {name}" for name in functions] or ["--input-fn module:input_fn"]


def _advice(spec: CheckSpec, example: str) -> str:
    return f"Specify them with {_given(spec, example)}"


def _given(spec: CheckSpec, example: str) -> str:
    """Returns the options that specify features and labels, and an example of a file."""
    fill = f"replace each {FILL_IN!r}, and " if f'"{FILL_IN}' in example else ""
    file = f"--features and a file such as this one ({fill}add or remove keys)"
    return f"{' or '.join(_functions(spec))}, or with {file}:\n{example}"


def _named_keys(traces: Iterable[Answer]) -> List[str]:
    keys = {
        str(event.value)
        for trace in traces
        for event in trace.seen.events
        if event.path == ("features",) and event.event in ("key", "named", "maybe-key")
    }
    return sorted(keys)


def plain_inputs(guess: Guess) -> Tuple[Any, Any]:
    """Returns the structures of features and labels without the parts that only the search uses."""
    inputs = guess.inputs("train")
    return _without_probes(inputs.features), _without_probes(inputs.labels)


def _without_probes(structure: Any) -> Any:
    if isinstance(structure, list):
        return [_without_probes(item) for item in structure]
    if not isinstance(structure, dict):
        return structure
    known = structure[PROBE].get("known", {}) if PROBE in structure else structure
    pairs = enumerate(known.items(), 1)
    return {
        f"{FILL_IN}{place}" if is_unnamed(key) else key: _without_probes(item)
        for place, (key, item) in pairs
    }


def _why(found: Found) -> str:
    guess = found.guess
    if guess is None:
        return "it has no tensors that an input_fn could have made"
    missing = guess.wanting or sorted(guess.added)
    if missing:
        named = [".".join(map(str, path)) for path in missing if not is_unnamed(path[-1])]
        unnamed = len(missing) - len(named)
        if unnamed:
            named.append(f"{unnamed} features whose keys are unknown" if unnamed > 1 else _UNNAMED)
        return "it has no tensor for {}".format(", ".join(named))
    if found.doubtful:
        return _why_doubtful(found, guess)
    if found.lacks_labels:
        asked = ", ".join(map(str, guess.features.keys)) or "the features"
        return f"it has a tensor for each of {asked}, but none is left for the labels"
    if names_depend_on_keys(found.traces):
        return (
            "the model_fn names variables after the keys of its features; no graph stores the keys"
        )
    if keys_are_missed(found):
        return "the model_fn iterates over the keys of its inputs; no graph stores the keys"
    if lacks_optional_keys(found):
        keys = ", ".join(open_keys(found, guess))
        return (
            f"the model_fn looks for optional keys ({keys}), and nothing shows which of them the "
            "features had"
        )
    fields = missed_fields(found)
    if fields:
        return (
            f"the model_fn reads {fields[0]} like a field of a namedtuple; no graph stores the "
            "fields of a namedtuple"
        )
    for trace in found.traces.values():
        if trace.misfit or not is_certain(found, trace):
            return _why_raised(trace)
    return "no structure of its tensors fits what the model_fn asks for"


def _why_doubtful(found: Found, guess: Guess) -> str:
    """Returns a message: why it is not certain which tensor a feature is."""
    keys = [str(path[-1]) for path in sorted(found.doubtful)]
    names = " and ".join(keys)
    which = f"which tensor {names} is" if len(keys) == 1 else f"which tensors {names} are"
    if found.of_pipeline is not None:
        return (
            f"it does not show whether the input_fn or the model_fn made {_made(found, guess)}, so "
            f"nothing shows {which}"
        )
    if not takes_all(guess):
        return f"the code no longer uses some tensors of the graph, and nothing shows {which}"
    if not guess.pool.sorted_keys:
        return (
            "it does not show the order of its tensors. ckptcheck assumed one, but the checkpoint "
            f"fits better if {names} exchange their tensors"
        )
    return (
        f"it is not certain {which}: the order of the keys gives one answer, but the checkpoint "
        f"fits better if {names} exchange their tensors. Either the input_fn makes the dict from a "
        "tuple, or the code renamed a key or exchanged features"
    )


def _made(found: Found, guess: Guess) -> str:
    """Returns the names of the tensors in doubt, without their output numbers."""
    leaves = [guess.pool.leaves[guess.places[path]] for path in sorted(found.doubtful)]
    return " and ".join(leaf.name.rpartition(":")[0] for leaf in leaves[:_MOST_TENSORS])


def _why_raised(trace: Answer) -> str:
    """Returns a message: what model_fn raises, and that wrong features may be the cause."""
    problem = trace.problem
    mode = trace.mode.upper()
    if isinstance(problem, Failure) and problem.type:
        said = f"the model_fn raises an error in {mode} ({problem.type}: {problem.message})"
    else:
        said = f"{mode} cannot be traced ({trace.said})"
    return f"with the tensors that fit best, {said}, and wrong features may be the cause"


def template(features: Any, labels: Any) -> str:
    """A ``--features`` file with all that is known. The rest is :data:`FILL_IN`."""
    known = {"features": features or {FILL_IN: _UNKNOWN}, "labels": labels}
    text = json.dumps(_filled(known), indent=2)
    return _LEAF.sub(lambda leaf: json.dumps(json.loads(leaf.group())), text)


def _filled(node: Any) -> Any:
    """Returns a structure with marks for what is not known."""
    if not node:
        return _UNKNOWN
    if isinstance(node, list):
        return [_filled(item) for item in node]
    if not isinstance(node.get("dtype"), str):
        return {key: _filled(item) for key, item in node.items()}
    return node
