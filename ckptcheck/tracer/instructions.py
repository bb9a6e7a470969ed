"""Reads bytecode: the current instruction of a frame, and the keys that a function asks for."""

import types
from dis import get_instructions
from typing import Any, Iterator, Optional, Tuple


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
    """Returns the constant keys that a function reads from one of its variables."""
    inner = getattr(function, "func", function)
    if not hasattr(inner, "__code__"):
        inner = getattr(type(inner), "__call__", None)  # noqa: B004 (its code is wanted)
    code = getattr(inner, "__code__", None)
    return tuple(sorted(set(_subscripts(code, name)))) if code is not None else ()


def _subscripts(code: types.CodeType, name: str) -> Iterator[str]:
    instructions = list(get_instructions(code))
    for load, constant, subscript in zip(instructions, instructions[1:], instructions[2:]):
        if (
            load.argval == name
            and load.opname.startswith("LOAD_")
            and isinstance(constant.argval, str)
            and constant.opname == "LOAD_CONST"
            and "SUBSCR" in subscript.opname + str(subscript.argrepr).upper()
        ):
            yield constant.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _subscripts(constant, name)
