"""Sizes, ages, counts and structures as people write them."""

from typing import Any, Optional

from ..protocol import VariableSpec
from ..results import shape_text


def bytes_text(size: float) -> str:
    """A size as people write it: ``12.3 KiB``."""
    if size == 1:
        return "1 byte"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def age_text(seconds: float) -> str:
    """How long ago something was, in its largest unit."""
    if seconds < 0:
        return "just now" if seconds > -60 else "in the future"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return "{} {}{} ago".format(count, unit, "" if count == 1 else "s")
    return "just now"


def times_text(count: int, noun: str) -> str:
    """A count and what is counted: ``1 tensor``, ``2,000 tensors``."""
    return "{:,} {}{}".format(count, noun, "" if count == 1 else "s")


def spec_text(spec: Optional[VariableSpec]) -> str:
    """Dtype and shape of a variable: ``float32 [2, 3]``; ``-`` for none."""
    return "-" if spec is None else f"{spec.dtype} {shape_text(spec.shape)}"


def structure_text(structure: Any) -> str:
    """A structure of features in words: ``x float32 [?, 1], ids int64 [?]``."""
    if structure is None:
        return "none"
    if isinstance(structure, list):
        return "[{}]".format(", ".join(map(structure_text, structure)))
    if isinstance(structure.get("dtype"), str) and "shape" in structure:
        shape = structure["shape"]
        sparse = "sparse " if structure.get("sparse") else ""
        sizes = shape_text(None if shape is None else tuple(shape))
        return "{}{} {}".format(sparse, structure["dtype"], sizes)
    if set(structure) == {"tuple"} and isinstance(structure["tuple"], list):
        return "({})".format(", ".join(map(structure_text, structure["tuple"])))
    items = [f"{k!s} {structure_text(v)}" for k, v in structure.items()]
    return ", ".join(items) if items else "none"
