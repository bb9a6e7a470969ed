"""Computes statistics of tensors' values. Only this module needs numpy."""

import dataclasses
import math
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np


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


def _half(low: int, high: int, bias: int, finite_only: bool, unsigned_zero: bool) -> Any:
    """Returns the values of all 256 codes of an 8-bit float.

    Args:
        low: the bits of the mantissa.
        high: the bits of the exponent.
        bias: the bias of the exponent.
        finite_only: whether there are no infinities, and NaN has only the codes with all ones.
        unsigned_zero: whether NaN has only the code of minus zero.
    """
    values = np.empty(256, np.float32)
    for code in range(256):
        sign = -1.0 if code & 128 else 1.0
        exponent, mantissa = (code >> low) & ((1 << high) - 1), code & ((1 << low) - 1)
        fraction = mantissa / (1 << low)
        if exponent:
            value = sign * (1 + fraction) * 2.0 ** (exponent - bias)
        else:
            value = sign * fraction * 2.0 ** (1 - bias)
        if unsigned_zero:
            value = math.nan if code == 128 else value
        elif finite_only:
            value = math.nan if code & 127 == 127 else value
        elif exponent == (1 << high) - 1:
            value = math.nan if mantissa else sign * math.inf
        values[code] = value
    return values


_FLOAT8: Dict[str, Callable[[], Any]] = {
    "float8_e5m2": lambda: _half(2, 5, 15, False, False),
    "float8_e4m3fn": lambda: _half(3, 4, 7, True, False),
    "float8_e4m3fnuz": lambda: _half(3, 4, 8, False, True),
    "float8_e4m3b11fnuz": lambda: _half(3, 4, 11, False, True),
    "float8_e5m2fnuz": lambda: _half(2, 5, 16, False, True),
}
_PLAIN = {
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "complex64": "f4",
    "complex128": "f8",
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "bool": "u1",
    "qint8": "i1",
    "qint16": "i2",
    "qint32": "i4",
    "quint8": "u1",
    "quint16": "u2",
    "int4": "i1",
    "uint4": "u1",
    "int2": "i1",
    "uint2": "u1",
}
_TABLES: Dict[str, Any] = {}


def has_values(dtype: str) -> bool:
    """Whether this module can read the values of a dtype as numbers."""
    return dtype in _PLAIN or dtype in _FLOAT8 or dtype == "bfloat16"


def summarize(data: bytes, dtype: str, big_endian: bool = False) -> Summary:
    """Returns the statistics of the values in some bytes. It ignores an incomplete value."""
    values = _values(data, dtype, ">" if big_endian else "<")
    if values.size == 0:
        return Summary()
    least, most = values.min(), values.max()
    if values.dtype.kind != "f" or (np.isfinite(least) and np.isfinite(most)):
        return Summary(0, 0, _number(least), _number(most))
    return _not_finite(values, 2 if dtype.startswith("complex") else 1)


def varints(data: bytes, most: int) -> Tuple[List[int], int]:
    """Reads varints of up to four bytes from the start of some bytes.

    Args:
        data: the bytes; they may end within a varint.
        most: the largest number of varints to read.

    Returns:
        The numbers, and the number of bytes that they take.
    """
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets < 128)[:most]
    sizes = np.diff(ends, prepend=-1)
    if sizes.size and sizes.max() > _LONGEST_VARINT:
        ends = ends[: int(np.argmax(sizes > _LONGEST_VARINT))]
    if not ends.size:
        return [], 0
    used, sizes = int(ends[-1]) + 1, sizes[: ends.size]
    starts = ends - sizes + 1
    places = np.arange(used) - np.repeat(starts, sizes)
    parts = (octets[:used] & 127).astype(np.int64) << (7 * places)
    return np.add.reduceat(parts, starts).tolist(), used


_LONGEST_VARINT = 4


def quiet() -> Any:
    """Returns a context without numpy's warnings about NaN, which this module looks for."""
    return np.errstate(all="ignore")


def _values(data: bytes, dtype: str, order: str) -> Any:
    if dtype == "bfloat16":  # the upper half of a float32
        halves = np.frombuffer(data, order + "u2")
        return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype in _FLOAT8:
        if dtype not in _TABLES:
            _TABLES[dtype] = _FLOAT8[dtype]()
        return _TABLES[dtype][np.frombuffer(data, np.uint8)]
    values = np.frombuffer(data, order + _PLAIN[dtype])
    return values.astype(np.float32) if dtype == "float16" else values


def _not_finite(values: Any, parts: int) -> Summary:
    """Returns the statistics of values with NaN or infinities. A complex value has two parts."""
    finite = values[np.isfinite(values)]
    nan = int(np.isnan(values).reshape(-1, parts).any(axis=1).sum())
    infinite = int((~np.isfinite(values)).reshape(-1, parts).any(axis=1).sum()) - nan
    if finite.size == 0:
        return Summary(nan, infinite)
    return Summary(nan, infinite, _number(finite.min()), _number(finite.max()))


def _number(value: Any) -> float:
    return value.item()  # type: ignore[no-any-return]
