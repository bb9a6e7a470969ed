"""The shapes that a graph knows before it runs."""

from typing import Any, List, Optional, Tuple

from ..protocol import Shape


def static_shape(tensor: Any) -> Optional[List[Optional[int]]]:
    """A tensor's or variable's shape as its graph knows it, None for an unknown rank."""
    shape = tensor.shape
    return None if shape.rank is None else shape.as_list()


def full_shape(tensor: Any) -> Optional[Tuple[int, ...]]:
    """A tensor's shape if its graph knows every size, else None."""
    shape = static_shape(tensor)
    return None if shape is None or None in shape else tuple(size or 0 for size in shape)


def attribute_shape(op: Any, name: str = "shape") -> Shape:
    """The shape that an op declares in an attribute, by default a variable's own."""
    proto = op.get_attr(name)
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in proto.dim)
