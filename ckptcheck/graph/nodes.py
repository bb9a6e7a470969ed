"""Reads the nodes of a GraphDef, and decodes their attributes lazily."""

from typing import Iterator, List, NamedTuple, Tuple

from ..encoding.errors import DamagedError
from ..encoding.wire import (
    BYTES,
    MOST_FIELDS,
    NOT_BYTES,
    TOO_MANY,
    bytes_in,
    field_at,
    invalid_field,
)
from .values import AttributeValue, attribute_values


class Node(NamedTuple):
    """A NodeDef.

    Attributes:
        name: its name.
        op: the type of its op.
        inputs: its data inputs: ``name`` for output 0 of a node, ``name:output`` for another.
        controls: the names of the nodes that run before it, sorted.
        attributes: its encoded attributes, sorted; :meth:`values` decodes them.
    """

    name: str
    op: str
    inputs: Tuple[str, ...] = ()
    controls: Tuple[str, ...] = ()
    attributes: Tuple[bytes, ...] = ()

    @property
    def keys(self) -> Tuple[str, ...]:
        """The names of its attributes.

        Raises:
            DamagedError: an attribute is damaged.
        """
        return tuple(bytes_in(item, 1)[0].decode("utf-8", "replace") for item in self.attributes)

    def values(self, key: str) -> Tuple[AttributeValue, ...]:
        """Returns the values of an attribute: one, or those of a list; () if it is missing.

        Raises:
            DamagedError: the attribute is damaged.
        """
        wanted = key.encode("utf-8")
        for item in self.attributes:
            found, value = bytes_in(item, 1, 2)
            if found == wanted:
                return tuple(attribute_values(value))
        return ()


def split_input(text: str) -> Tuple[str, int]:
    """Splits a data input into the name of a node and the number of its output."""
    name, _, output = text.partition(":")
    return name, int(output) if output.isdecimal() and len(output) < 10 else 0


def read_nodes(message: bytes, number: int = 1) -> Iterator[Node]:
    """Yields the nodes in a message.

    Args:
        message: a GraphDef, or another message.
        number: the number of the field that holds the nodes.

    Raises:
        DamagedError: the message is damaged or has too many fields.
    """
    left = [MOST_FIELDS]
    wanted = number << 3 | BYTES
    at, end = 0, len(message)
    while at < end:
        tag, start, at = field_at(message, at, end)
        left[0] -= 1
        if left[0] < 0:
            raise DamagedError(TOO_MANY)
        if tag == wanted:
            yield _node(message, start, at, left)


_NAME, _OP, _INPUT, _ATTRIBUTE = (number << 3 | BYTES for number in (1, 2, 3, 5))
_SHORT_TAGS = frozenset(number << 3 | BYTES for number in range(1, 16))


def _node(data: bytes, at: int, end: int, left: List[int]) -> Node:
    """Reads a node from the bytes ``at`` to ``end``.

    Nearly all tags and sizes have one byte. Reading these without a call takes half the time.
    """
    name = op = b""
    inputs: List[str] = []
    attributes: List[bytes] = []
    count, most, last = 0, left[0], end - 1
    while at < end:
        tag = data[at]
        if at < last and tag in _SHORT_TAGS and data[at + 1] < 128:
            start = at + 2
            at = start + data[at + 1]
            if at > end:
                raise DamagedError(invalid_field(start))
        else:
            tag, start, at = field_at(data, at, end)
        count += 1
        if count > most:
            raise DamagedError(TOO_MANY)
        if tag == _ATTRIBUTE:
            attributes.append(data[start:at])
        elif tag == _INPUT:
            inputs.append(data[start:at].decode("utf-8", "replace"))
        elif tag == _NAME:
            name = data[start:at]
        elif tag == _OP:
            op = data[start:at]
        elif tag >> 3 in (1, 2, 3, 5):
            raise DamagedError(NOT_BYTES)
    left[0] -= count
    attributes.sort()
    texts = (name.decode("utf-8", "replace"), op.decode("utf-8", "replace"))
    return Node(*texts, *_divided(inputs), tuple(attributes))


def _divided(inputs: List[str]) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Splits inputs into data inputs and control inputs. The control inputs come last."""
    if not inputs or not inputs[-1].startswith("^"):
        return tuple(inputs), ()
    controls = sorted(text[1:] for text in inputs if text.startswith("^"))
    return tuple(text for text in inputs if not text.startswith("^")), tuple(controls)
