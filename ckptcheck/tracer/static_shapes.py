"""The shapes that a graph knows before it runs."""

from typing import Any, List, Optional


def static_shape(tensor: Any) -> Optional[List[Optional[int]]]:
    """A tensor's shape as its graph knows it, None for an unknown rank."""
    shape = tensor.get_shape()
    return None if shape.rank is None else shape.as_list()


def full_shape(tensor: Any) -> Optional[List[int]]:
    """A tensor's shape if its graph knows every size, else None."""
    shape = static_shape(tensor)
    sizes = [size for size in shape or () if size is not None]
    return sizes if shape is not None and len(sizes) == len(shape) else None
