"""Reads bytecode: the current instruction of a frame, and the keys that a function asks for."""

import types
from dis import get_instructions
from typing import Any, Iterator, Optional, Set, Tuple


def unpacked(frame: Optional[types.FrameType]) -> Optional[int]:
    """Returns how many values a frame's current instruction unpacks; None if it does not unpack."""
    instruction = current(frame)
    if instruction is None or instruction.opname != "UNPACK_SEQUENCE":
        return None
    return int(instruction.argval)


def reads_attribute(frame: Optional[types.FrameType], name: str) -> bool:
    """Whether a frame's current instruction reads an attribute by name, as in ``labels.items``.

    ``hasattr`` and ``getattr`` look at any value, so they say nothing about its structure.
    """
    instruction = current(frame)
    attribute = instruction is not None and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD")
    return attribute and instruction.argval == name


def current(frame: Optional[types.FrameType]) -> Any:
    """Returns the current instruction of a frame; None if there is none."""
    if frame is None:
        return None
    wanted = frame.f_lasti
    return next((i for i in get_instructions(frame.f_code) if i.offset == wanted), None)


def asked_keys(function: Any, name: str) -> Tuple[str, ...]:
    """Returns the constant keys that one of a function's variables has to have when it is called.

    The function reads or deletes these keys, and does not store them first.
    """
    inner = getattr(function, "func", function)
    if not hasattr(inner, "__code__"):
        inner = getattr(type(inner), "__call__", None)  # noqa: B004 (its code is wanted)
    code = getattr(inner, "__code__", None)
    return tuple(sorted(set(_subscripts(code, name, set())))) if code is not None else ()


_COPIES = ("COPY", "DUP_TOP_TWO")
"""Come before the subscript in ``features["x"] += 1``."""


def _subscripts(code: types.CodeType, name: str, stored: Set[str]) -> Iterator[str]:
    """Yields the keys that code asks for; adds those that it stores to ``stored``."""
    instructions = [item for item in get_instructions(code) if item.opname not in _COPIES]
    for load, constant, subscript in zip(instructions, instructions[1:], instructions[2:]):
        key = constant.argval
        if not _loads(load, name) or constant.opname != "LOAD_CONST" or not isinstance(key, str):
            continue
        if subscript.opname == "STORE_SUBSCR":
            stored.add(key)
        elif subscript.opname in ("BINARY_SUBSCR", "DELETE_SUBSCR") and key not in stored:
            yield key
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _subscripts(constant, name, stored)


def _loads(instruction: Any, name: str) -> bool:
    """Whether an instruction ends with loading a variable.

    Python 3.13 has instructions for two variables, such as ``STORE_FAST_LOAD_FAST``.
    """
    variable = instruction.argval
    if instruction.opname.endswith("_LOAD_FAST"):
        variable = variable[-1]
    return "LOAD_" in instruction.opname and variable == name
