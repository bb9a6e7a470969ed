"""Formats sizes, ages, counts and structures for people."""

from typing import Any, Optional

from ..protocol import VariableSpec
from ..results import Report, shape_text


def checkpoint_text(report: Report, place: str) -> str:
    """Returns a name for a report's checkpoint: its path, or the code that would save it."""
    return f"a checkpoint of the code at {report.against}" if report.against else place


def report_text(report: Report) -> str:
    """Returns a name for a report: its checkpoint, or its command if it has no checkpoint."""
    return checkpoint_text(report, report.model_dir) or report.command


def bytes_text(size: float) -> str:
    """Formats a size: ``12.3 KiB``."""
    if size == 1:
        return "1 byte"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def age_text(seconds: float) -> str:
    """Formats an age in its largest unit: ``2 days ago``."""
    if seconds < 0:
        return "just now" if seconds > -60 else "in the future"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return times_text(count, unit) + " ago"
    return "just now"


def times_text(count: int, noun: str) -> str:
    """Formats a count: ``1 tensor``, ``2,000 tensors``."""
    return "{:,} {}{}".format(count, noun, "" if count == 1 else "s")


def spec_text(spec: Optional[VariableSpec]) -> str:
    """Formats the dtype and shape of a variable: ``float32 [2, 3]``; ``-`` for None."""
    return "-" if spec is None else f"{spec.dtype} {shape_text(spec.shape)}"


def structure_text(structure: Any) -> str:
    """Formats a structure of features: ``x float32 [?, 1], ids int64 [?]``."""
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
