"""Computes statistics of tensors' values. Only this module needs numpy."""

import dataclasses
from typing import Any, Optional

import numpy as np

from ..encoding.dtypes import element_size


@dataclasses.dataclass
class Summary:
    """Statistics of a tensor's values. Pieces of the tensor can be added in any order."""

    nan: int = 0
    infinite: int = 0
    least: Optional[float] = None
    most: Optional[float] = None

    def add(self, other: "Summary") -> None:
        """Adds the statistics of another piece."""
        self.nan += other.nan
        self.infinite += other.infinite
        if other.least is not None and other.most is not None:
            self.least = other.least if self.least is None else min(self.least, other.least)
            self.most = other.most if self.most is None else max(self.most, other.most)


_KINDS = {
    "bool": "u",
    "complex": "f",
    "float": "f",
    "int": "i",
    "qint": "i",
    "quint": "u",
    "uint": "u",
}
"""numpy's letter for the values of a dtype, by the dtype's name without digits at its end."""


def has_values(dtype: str) -> bool:
    """Whether this module can read the values of a dtype as numbers."""
    return dtype == "bfloat16" or dtype.rstrip("0123456789") in _KINDS


def summarize(data: bytes, dtype: str, big_endian: bool = False) -> Summary:
    """Returns the statistics of the values in some bytes."""
    values = _values(data, dtype, ">" if big_endian else "<")
    if values.size == 0:
        return Summary()
    least, most = values.min(), values.max()
    if values.dtype.kind != "f" or (np.isfinite(least) and np.isfinite(most)):
        return Summary(0, 0, least.item(), most.item())
    finite = np.isfinite(values)
    parts = 2 if dtype.startswith("complex") else 1
    nan = int(np.isnan(values).reshape(-1, parts).any(axis=1).sum())
    infinite = int((~finite).reshape(-1, parts).any(axis=1).sum()) - nan
    summary = Summary(nan, infinite)
    if finite.any():
        summary.least, summary.most = values[finite].min().item(), values[finite].max().item()
    return summary


def quiet() -> Any:
    """Returns a context without numpy's warnings about NaN, which this module looks for."""
    return np.errstate(all="ignore")


def _values(data: bytes, dtype: str, order: str) -> Any:
    """Returns the numbers in some bytes; two for each complex number."""
    if dtype == "bfloat16":  # the upper half of a float32
        halves = np.frombuffer(data, order + "u2")
        return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    size = element_size(dtype) or 1
    if dtype.startswith("complex"):
        size //= 2
    values = np.frombuffer(data, f"{order}{_KINDS[dtype.rstrip('0123456789')]}{size}")
    return values.astype(np.float32) if dtype == "float16" else values
