"""Parts of the composed source: sizes, and the style of reading params."""

import dataclasses
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

SUBSCRIPT, GET, ATTRIBUTE, BULK, LITERAL = "subscript", "get", "attribute", "bulk", "literal"
STYLES = (SUBSCRIPT, GET, ATTRIBUTE, BULK, LITERAL)
"""How a model_fn reads its params; ``LITERAL`` has none."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A size in the code.

    Attributes:
        value: what it was trained with.
        param: the key in params that holds the size; "" if the size is in the code.
        default: the default in the code, if the style of params has one.
    """

    value: int
    param: str = ""
    default: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Writer:
    """Renders what depends on the style of params."""

    style: str

    def number(self, number: Number) -> str:
        """The expression that gives a size."""
        if not number.param or self.style == LITERAL:
            return str(number.value)
        if self.style == GET and number.default is not None:
            return f'params.get("{number.param}", {number.default})'
        if self.style == ATTRIBUTE:
            return f"params.{number.param}"
        if self.style == BULK:
            return number.param
        return f'params["{number.param}"]'


def indented(lines: Sequence[str]) -> List[str]:
    """The lines one level deeper."""
    return ["    " + line if line else line for line in lines]


def numbers_in(value: Any) -> Iterator[Number]:
    """Every size in a frozen dataclass or a tuple of them."""
    if isinstance(value, Number):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers_in(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers_in(getattr(value, field.name))


def with_number(value: Any, old: Number, new: Number) -> Any:
    """Returns the same value with one size replaced."""
    if value is old:
        return new
    if isinstance(value, tuple):
        return tuple(with_number(item, old, new) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, (Number, type)):
        changes: Dict[str, Any] = {}
        for field in dataclasses.fields(value):
            before = getattr(value, field.name)
            after = with_number(before, old, new)
            if after is not before:
                changes[field.name] = after
        return dataclasses.replace(value, **changes) if changes else value
    return value


def params_of(value: Any) -> Dict[str, int]:
    """The params that a model reads, with the values that it was trained with."""
    return {number.param: number.value for number in numbers_in(value) if number.param}


def arguments_of(value: Any) -> Tuple[str, ...]:
    """The arguments of a function that takes params as ``**params``, those with defaults last."""
    found: Dict[str, Number] = {n.param: n for n in numbers_in(value) if n.param}
    needed = [name for name, number in found.items() if number.default is None]
    optional = [f"{n.param}={n.default}" for n in found.values() if n.default is not None]
    return (*needed, *optional)
