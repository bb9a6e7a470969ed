"""TensorFlow's dtypes: their numbers in files, their names, and the bytes of one element."""

from typing import Dict, NamedTuple, Optional


class DType(NamedTuple):
    """TensorFlow's name of a dtype, and its size in bytes; None if elements differ in size."""

    name: str
    size: Optional[int]


_BY_NUMBER: Dict[int, DType] = {
    1: DType("float32", 4),
    2: DType("float64", 8),
    3: DType("int32", 4),
    4: DType("uint8", 1),
    5: DType("int16", 2),
    6: DType("int8", 1),
    7: DType("string", None),
    8: DType("complex64", 8),
    9: DType("int64", 8),
    10: DType("bool", 1),
    11: DType("qint8", 1),
    12: DType("quint8", 1),
    13: DType("qint32", 4),
    14: DType("bfloat16", 2),
    15: DType("qint16", 2),
    16: DType("quint16", 2),
    17: DType("uint16", 2),
    18: DType("complex128", 16),
    19: DType("float16", 2),
    20: DType("resource", None),
    21: DType("variant", None),
    22: DType("uint32", 4),
    23: DType("uint64", 8),
    24: DType("float8_e5m2", 1),
    25: DType("float8_e4m3fn", 1),
    26: DType("float8_e4m3fnuz", 1),
    27: DType("float8_e4m3b11fnuz", 1),
    28: DType("float8_e5m2fnuz", 1),
    29: DType("int4", 1),
    30: DType("uint4", 1),
    31: DType("int2", 1),
    32: DType("uint2", 1),
    33: DType("float4_e2m1fn", 1),
}
_SIZES: Dict[str, Optional[int]] = dict(_BY_NUMBER.values())


_REFERENCE = 100
"""The number of a reference dtype is the number of its dtype plus this."""
_OTHER_NAMES = {"FLOAT": "float32", "DOUBLE": "float64", "HALF": "float16"}
_NUMBERS: Dict[str, int] = {dtype.name: number for number, dtype in _BY_NUMBER.items()}


def dtype_name(number: int) -> str:
    """Returns the name of a dtype or reference dtype; for an unknown dtype, its number as text."""
    known = _BY_NUMBER.get(number - _REFERENCE if number > _REFERENCE else number)
    return f"dtype {number}" if known is None else known.name


def dtype_number(text: str) -> int:
    """Returns the number of a dtype in text format, such as ``DT_FLOAT`` or ``1``.

    Raises:
        ValueError: there is no such dtype.
    """
    if not text.startswith("DT_"):
        return int(text)
    reference = text.endswith("_REF")
    name = text[3:-4] if reference else text[3:]
    name = _OTHER_NAMES.get(name, name.lower())
    if name == "invalid":
        return 0
    if name not in _NUMBERS:
        raise ValueError(f"no dtype {text}")
    return _NUMBERS[name] + (_REFERENCE if reference else 0)


def element_size(name: str) -> Optional[int]:
    """Returns the size of one element in bytes; None if it varies or is not known."""
    return _SIZES.get(name)
