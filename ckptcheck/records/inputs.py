"""Describes the features and labels of the graph of a training run."""

from typing import Any, Iterator, List, NamedTuple, Optional, Set, Tuple

from ..tracer.graph_text import graph_text
from ..tracer.structures import Path, describe, flatten, named
from .value import RecordedMode

_ITERATORS = ("IteratorGetNext", "IteratorGetNextSync")


class KnownInputs(NamedTuple):
    """The features and labels of TRAIN.

    Attributes:
        features: their structure, as in docs/features.md.
        labels: the same.
        tensors: the tensors by their paths.
    """

    features: Any
    labels: Any
    tensors: Tuple[Tuple[Path, Any], ...]


def known_inputs(features: Any, labels: Any) -> Optional[KnownInputs]:
    """Describes what the model_fn was called with.

    Returns:
        None if the description would be wrong: under a distribution strategy, the model_fn gets
        other tensors; a namedtuple has fields; and the model_fn may have removed features from the
        dict already.
    """
    if not (_is_plain(features) and _is_plain(labels)):
        return None
    tensors = (*flatten(features, ("features",)), *flatten(labels, ("labels",)))
    if not tensors:
        return None
    sources = [_source(_values(tensor)) for _, tensor in tensors]
    seen: Set[Any] = {(id(tensor.op), tensor.value_index) for tensor in sources}
    for tensor in sources:
        outputs = tensor.op.outputs if tensor.op.type in _ITERATORS else []
        if any((id(output.op), output.value_index) not in seen for output in outputs):
            return None
    return KnownInputs(describe(features), describe(labels), tensors)


def _is_plain(value: Any) -> bool:
    """Whether a value consists of tensors, dicts with strings as keys, lists and tuples."""
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(value[key]) for key in value)
    if isinstance(value, list) or type(value) is tuple:
        return all(map(_is_plain, value))
    return value is None or _is_tensor(value)


def _is_tensor(value: Any) -> bool:
    return hasattr(_values(value), "op") and hasattr(value, "get_shape")


def _values(tensor: Any) -> Any:
    """Returns a tensor; of a SparseTensor, its values."""
    return tensor.values if hasattr(tensor, "dense_shape") else tensor


def _source(tensor: Any) -> Any:
    """Follows single inputs up to the output of an iterator, or to the first op of another kind."""
    while tensor.op.type not in _ITERATORS and len(tensor.op.inputs) == 1:
        tensor = tensor.op.inputs[0]
    return tensor


def texts_of(graph: Any) -> Iterator[str]:
    """Yields the strings among the constants of a graph, such as the names of files."""
    for op in graph.get_operations():
        if op.type == "Const" and op.outputs[0].dtype.name == "string":
            values = op.get_attr("value").string_val
            if len(values) == 1:
                yield values[0].decode("utf-8", "replace")


def recorded_mode(graph: Any, inputs: KnownInputs, keeps_graph: bool) -> RecordedMode:
    """Returns what a record holds of TRAIN.

    Args:
        graph: the graph of the session.
        inputs: features and labels.
        keeps_graph: whether the record has the graph, which takes time for a large one.
    """
    import tensorflow

    operations: List[Any] = graph.get_operations()
    ops = {_values(tensor).op for _, tensor in inputs.tensors}
    last = max(place for place, op in enumerate(operations) if op in ops)
    names = [op.name for op in operations[: last + 1]]
    return RecordedMode(
        features=inputs.features,
        labels=inputs.labels,
        taken_names=tuple(name for name in names if name.partition("/")[0] != "global_step"),
        graph=graph_text(tensorflow, graph) if keeps_graph else "",
        first_op=last + 1,
        inputs=tuple(named(path, tensor) for path, tensor in inputs.tensors),
    )
