"""The values of small constants, as a person writes them."""

import struct
from typing import Any, List, Optional

from .nodes import Node
from .values import Constant

FORMATS = {
    "float16": "e",
    "float32": "f",
    "float64": "d",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "bool": "?",
}
"""How the dtypes of numbers are packed."""
_MOST_VALUES = 64


def constant_of(node: Node) -> Optional[Constant]:
    """Returns the value of a constant; None if the node is no constant."""
    for value in node.values("value") if node.op == "Const" else ():
        if isinstance(value, Constant):
            return value
    return None


def plain_value(constant: Constant) -> Any:
    """Returns a scalar, or a flat list of the values; None if there are too many to know."""
    found = plain_values(constant)
    if found is None:
        return None
    return found if constant.shape or not found else found[0]


def plain_values(constant: Constant, exact: bool = False) -> Optional[List[Any]]:
    """Returns the values; None if there are too many to know.

    Args:
        constant: the constant.
        exact: whether floats are exact, or have the fewest digits, as a person writes them.
    """
    count = 1
    for size in constant.shape or ():
        count *= size or 0
    if count > _MOST_VALUES or (count and not constant.content):
        return None
    found = _values(constant, exact)
    if not found:
        return None if count else []
    return found + found[-1:] * (count - len(found))


def _values(constant: Constant, exact: bool) -> List[Any]:
    content = constant.content
    if constant.dtype == "string":
        return list(_texts(content))
    kind = FORMATS.get(constant.dtype)
    if kind is None or len(content) % struct.calcsize("<" + kind):
        return []
    found = [item[0] for item in struct.iter_unpack("<" + kind, content)]
    return [shortest(value, kind) for value in found] if kind in "ef" and not exact else found


def _texts(content: bytes) -> List[str]:
    found, at = [], 0
    while at + 8 <= len(content):
        end = at + 8 + int(struct.unpack_from("<Q", content, at)[0])
        found.append(content[at + 8 : end].decode("utf-8", "replace"))
        at = end
    return found


def shortest(value: float, kind: str = "f") -> float:
    """Returns the number with the fewest digits that a float of this format stores as ``value``."""
    for digits in range(1, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.pack("<" + kind, short) == struct.pack("<" + kind, value):
                return short
        except OverflowError:
            continue
    return value
