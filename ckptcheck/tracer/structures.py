"""The structure of features and labels, as JSON.

A leaf is ``{"dtype": "float32", "shape": [null, 1]}``, with ``"sparse": true`` for a SparseTensor.
A dict of features is an object of leaves, a list is an array, and a tuple is ``{"tuple": [...]}``.
A part that is not known yet is ``{PROBE: {...}}``.
"""

from typing import Any, Callable, Iterator, Tuple

from ..protocol import PROBE
from ..uses import InputTensor
from .static_shapes import static_shape

Path = Tuple[Any, ...]
Make = Callable[[Any, Path], Any]
"""Makes the value for a leaf or a probe with a given path."""


def is_leaf(node: Any) -> bool:
    """Whether a node describes one tensor."""
    return isinstance(node, dict) and isinstance(node.get("dtype"), str) and "shape" in node


def is_probe(node: Any) -> bool:
    """Whether the structure of a node is not known yet."""
    return isinstance(node, dict) and PROBE in node


def is_tuple(node: Any) -> bool:
    """Whether a node describes a tuple."""
    return isinstance(node, dict) and set(node) == {"tuple"} and isinstance(node["tuple"], list)


def build(node: Any, make: Make, path: Path) -> Any:
    """Builds the value that a structure describes; ``make`` is called with leaves and probes."""
    if node is None:
        return None
    if is_leaf(node) or is_probe(node):
        return make(node, path)
    if is_tuple(node):
        return tuple(build(item, make, path + (i,)) for i, item in enumerate(node["tuple"]))
    if isinstance(node, list):
        return [build(item, make, path + (i,)) for i, item in enumerate(node)]
    return {key: build(item, make, path + (key,)) for key, item in node.items()}


def flatten(value: Any, path: Path) -> Iterator[Tuple[Path, Any]]:
    """The leaves of a nested value of tensors with their paths, as ``nest.flatten`` orders them."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from flatten(value[key], path + (str(key),))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flatten(item, path + (index,))
    elif value is not None:
        yield path, value


def describe(value: Any) -> Any:
    """The structure of a nested value of tensors."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "dense_shape"):
        return {"tuple": [describe(item) for item in value]}
    if isinstance(value, list):
        return [describe(item) for item in value]
    if not hasattr(value, "dtype") or not hasattr(value, "get_shape"):
        return {"dtype": type(value).__name__, "shape": None}
    leaf = {"dtype": value.dtype.base_dtype.name, "shape": static_shape(value)}
    if hasattr(value, "dense_shape"):
        leaf["sparse"] = True
    return leaf


def named(path: Path, tensor: Any) -> InputTensor:
    """Returns the names of a leaf of the features or labels.

    Args:
        path: where the leaf is.
        tensor: the tensor, or the SparseTensor.
    """
    if not hasattr(tensor, "dense_shape"):
        return InputTensor(path, tensor.name)
    parts = (tensor.indices, tensor.values, tensor.dense_shape)
    return InputTensor(path, tensor.values.name, tuple(part.name for part in parts))
