"""Computes nodes whose inputs are small constants, as TensorFlow would."""

import itertools
import struct
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..encoding.dtypes import dtype_number
from ..encoding.wire import VARINT
from ..encoding.writing import field_of, varint_of
from .constants import FORMATS, constant_of, plain_values
from .nodes import Node

_MOST_VALUES = 64


class Known(NamedTuple):
    """The value of a constant.

    Attributes:
        dtype: TensorFlow's name of the dtype.
        shape: the shape.
        values: all values, in order.
    """

    dtype: str
    shape: Tuple[int, ...]
    values: Tuple[Any, ...]

    @property
    def scalar(self) -> Any:
        """The value of a scalar; None for any other constant."""
        return None if self.shape else self.values[0]


def known_value(node: Node) -> Optional[Known]:
    """Returns the value of a small constant; None for any other node."""
    constant = constant_of(node)
    if constant is None or constant.dtype not in FORMATS or constant.shape is None:
        return None
    shape = tuple(size or 0 for size in constant.shape)
    values = plain_values(constant, exact=True)
    return None if values is None else Known(constant.dtype, shape, tuple(values))


def constant_node(name: str, known: Known) -> Node:
    """Returns a node that is a constant with this value."""
    packing = "<" + FORMATS[known.dtype]
    sizes = (field_of(2, varint_of(1 << 3 | VARINT) + varint_of(size)) for size in known.shape)
    dtype = varint_of(dtype_number("DT_" + _UPPER.get(known.dtype, known.dtype).upper()))
    tensor = b"".join(
        (
            varint_of(1 << 3 | VARINT) + dtype,
            field_of(2, b"".join(sizes)),
            field_of(4, b"".join(struct.pack(packing, value) for value in known.values)),
        )
    )
    kind = field_of(1, b"dtype") + field_of(2, varint_of(6 << 3 | VARINT) + dtype)
    value = field_of(1, b"value") + field_of(2, field_of(8, tensor))
    return Node(name, "Const", (), (), (kind, value))


_UPPER = {"float32": "float", "float64": "double", "float16": "half"}


def folded(op: str, attributes: Dict[str, Any], inputs: Sequence[Known]) -> Optional[Known]:
    """Computes a node; None if that is not possible.

    Args:
        op: its op.
        attributes: its attributes that matter.
        inputs: its inputs.
    """
    try:
        if op in _ELEMENTWISE:
            return _elementwise(_ELEMENTWISE[op], inputs)
        if op in _OTHERS:
            return _OTHERS[op](attributes, *inputs)
    except (ArithmeticError, LookupError, struct.error, TypeError, ValueError):
        return None  # TensorFlow raises an error, too, or has a result that Python does not have
    return None


def is_folded(op: str) -> bool:
    """Whether :func:`folded` knows an op."""
    return op in _ELEMENTWISE or op in _OTHERS


_ELEMENTWISE: Dict[str, Callable[..., Any]] = {
    "AddV2": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "RealDiv": lambda a, b: a / b,
    "Maximum": max,
    "Minimum": min,
    "Neg": lambda a: -a,
    "Square": lambda a: a * a,
}


def _elementwise(compute: Callable[..., Any], inputs: Sequence[Known]) -> Optional[Known]:
    dtype = inputs[0].dtype
    shape = max((known.shape for known in inputs), key=len)
    if dtype == "bool" or any(known.shape not in ((), shape) for known in inputs):
        return None
    count = _product(shape)
    rows = [known.values if known.shape else known.values * count for known in inputs]
    return Known(dtype, shape, tuple(rounded(compute(*row), dtype) for row in zip(*rows)))


def rounded(value: Any, dtype: str) -> Any:
    """Returns a number as a dtype holds it.

    Raises:
        struct.error: it does not fit.
        OverflowError: it does not fit.
    """
    packing = "<" + FORMATS[dtype]
    return struct.unpack(packing, struct.pack(packing, value))[0]


def _product(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _cast(attributes: Dict[str, Any], known: Known) -> Optional[Known]:
    (dtype,) = attributes["DstT"]
    if dtype not in FORMATS or dtype == "bool" or known.dtype == "bool":
        return None
    whole = FORMATS[dtype] not in "efd"
    values = (int(value) if whole else float(value) for value in known.values)
    return Known(dtype, known.shape, tuple(rounded(value, dtype) for value in values))


def _range(attributes: Dict[str, Any], start: Known, limit: Known, delta: Known) -> Optional[Known]:
    if FORMATS[start.dtype] in "efd":
        return None
    values = tuple(
        itertools.islice(range(start.scalar, limit.scalar, delta.scalar), _MOST_VALUES + 1)
    )
    return None if len(values) > _MOST_VALUES else Known(start.dtype, (len(values),), values)


def _pack(attributes: Dict[str, Any], *parts: Known) -> Optional[Known]:
    if any(part.shape for part in parts):
        return None
    return Known(parts[0].dtype, (len(parts),), tuple(part.scalar for part in parts))


def _concat(attributes: Dict[str, Any], *parts: Known) -> Optional[Known]:
    if any(len(part.shape) != 1 for part in parts[:-1]):
        return None
    values: List[Any] = [value for part in parts[:-1] for value in part.values]
    return Known(parts[0].dtype, (len(values),), tuple(values))


def _slice(
    attributes: Dict[str, Any], known: Known, begin: Known, end: Known, step: Known
) -> Optional[Known]:
    masks = {key[:-5]: value[0] for key, value in attributes.items() if key.endswith("_mask")}
    bounds = (begin, end, step)
    if len(known.shape) != 1 or any(bound.shape != (1,) for bound in bounds):
        return None
    if masks["ellipsis"] or masks["new_axis"] or step.values[0] < 1:
        return None
    if masks["shrink_axis"]:
        return Known(known.dtype, (), (known.values[begin.values[0]],))
    first = None if masks["begin"] else begin.values[0]
    last = None if masks["end"] else end.values[0]
    values = known.values[first : last : step.values[0]]
    return Known(known.dtype, (len(values),), values)


def _prod(attributes: Dict[str, Any], known: Known, axes: Known) -> Optional[Known]:
    if len(known.shape) != 1 or axes.values not in ((0,), (-1,)) or attributes["keep_dims"][0]:
        return None
    return Known(known.dtype, (), (rounded(_product(known.values), known.dtype),))


_OTHERS: Dict[str, Callable[..., Optional[Known]]] = {
    "Cast": _cast,
    "Range": _range,
    "Pack": _pack,
    "ConcatV2": _concat,
    "StridedSlice": _slice,
    "Prod": _prod,
}
