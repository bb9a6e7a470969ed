"""Converts protobuf's text format to the wire format.

The parser is strict, because it reads untrusted text. It supports what graphs use. It parses other
fields too, but leaves them out of the result.
"""

import re
import struct
from typing import Callable, Dict, Iterator, List, NamedTuple, Tuple

from .dtypes import dtype_number
from .errors import DamagedError
from .wire import FIXED32, FIXED64, VARINT
from .writing import field_of, varint_of

_MOST_TOKENS = 1 << 24
_DEEPEST = 100

_SCHEMA_TEXT = """
GraphDef: node=1 NodeDef, library=2 FunctionDefLibrary, versions=4 VersionDef
VersionDef: producer=1 int, min_consumer=2 int
FunctionDefLibrary: function=1 FunctionDef, gradient=2 GradientDef
GradientDef: function_name=1 string, gradient_func=2 string
FunctionDef: signature=1 OpDef, node_def=3 NodeDef, ret=4 TextEntry, attr=5 AttrEntry,
    control_ret=6 TextEntry
OpDef: name=1 string, input_arg=2 ArgDef, output_arg=3 ArgDef
ArgDef: name=1 string, type=3 dtype, type_attr=4 string, number_attr=5 string,
    type_list_attr=6 string
TextEntry: key=1 string, value=2 string
NodeDef: name=1 string, op=2 string, input=3 string, device=4 string, attr=5 AttrEntry
AttrEntry: key=1 string, value=2 AttrValue
AttrValue: list=1 ListValue, s=2 string, i=3 int, f=4 float, b=5 bool, type=6 dtype,
    shape=7 TensorShapeProto, tensor=8 TensorProto, placeholder=9 string, func=10 NameAttrList
ListValue: s=2 string, i=3 int, f=4 float, b=5 bool, type=6 dtype,
    shape=7 TensorShapeProto, tensor=8 TensorProto, func=9 NameAttrList
NameAttrList: name=1 string, attr=2 AttrEntry
TensorShapeProto: dim=2 Dim, unknown_rank=3 bool
Dim: size=1 int, name=2 string
TensorProto: dtype=1 dtype, tensor_shape=2 TensorShapeProto, version_number=3 int,
    tensor_content=4 string, float_val=5 float, double_val=6 double, int_val=7 int,
    string_val=8 string, scomplex_val=9 float, int64_val=10 int, bool_val=11 bool,
    dcomplex_val=12 double, half_val=13 int, uint32_val=16 int, uint64_val=17 int
"""
"""The fields that graphs use: the name, the number and the type of each, by message."""

_Fields = Dict[str, Tuple[int, str]]
_SCHEMA: Dict[str, _Fields] = {
    message: {
        name: (int(number), kind) for name, number, kind in re.findall(r"(\w+)=(\d+) (\w+)", listed)
    }
    for message, listed in re.findall(r"^(\w+):([^:]*)$", _SCHEMA_TEXT, re.MULTILINE)
}
"""The number and the type of each field, by message and by name."""

_TOKEN = re.compile(
    r"""(?:[ \t\r\n\f\v]|\#[^\n]*)*
    (?: (?P<word>[A-Za-z0-9_.+-]+)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>[{}<>\[\]:;,])
      | (?P<end>\Z) )""",
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    for _ in range(_MOST_TOKENS):
        match = _TOKEN.match(text, at)
        if match is None:
            raise DamagedError(f"the text at character {at} is not a field")
        kind = str(match.lastgroup)
        yield _Token(kind, match.group(kind))
        if kind == "end":
            return
        at = match.end()
    raise DamagedError(f"it has more than {_MOST_TOKENS} words")


def encoded(data: bytes, message: str) -> bytes:
    """Converts a message from text to bytes.

    Args:
        data: the text, in UTF-8.
        message: the type of the message.

    Raises:
        DamagedError: the text is not a message of this type.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise DamagedError("it is not UTF-8") from None
    return _Parser(text).message(message)


class _Open(NamedTuple):
    """A message that has not ended yet.

    Attributes:
        fields: its schema; {} if the schema is not known.
        number: its field number in the enclosing message; 0 if it is left out of the result.
        end: the mark that ends it.
        parts: its encoded fields so far.
    """

    fields: _Fields
    number: int
    end: str
    parts: List[bytes]


_ENDS = {"{": "}", "<": ">"}


class _Parser:
    """Parses one text. It uses a stack, so that deep nesting does not exhaust Python's stack."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def message(self, kind: str) -> bytes:
        """Parses the whole text as one message, and returns its bytes."""
        stack = [_Open(_SCHEMA[kind], 0, "", [])]
        while True:
            token = self._take()
            if token.kind == "end" or token.text == stack[-1].end:
                done = stack.pop()
                if not stack:
                    if done.end:
                        break
                    return b"".join(done.parts)
                if token.kind == "end":
                    break
                if done.number:
                    stack[-1].parts.append(field_of(done.number, b"".join(done.parts)))
                self._skip_separator()
            elif token.kind == "word":
                self._field(token.text, stack)
            else:
                break
        raise DamagedError("it is not a message in protobuf's text format")

    def _take(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _skip_separator(self) -> None:
        if self._next.text in (";", ","):
            self._take()

    def _field(self, name: str, stack: List[_Open]) -> None:
        """Parses a scalar field, or the start of a message field."""
        fields, parts = stack[-1].fields, stack[-1].parts
        number, kind = fields.get(name, (0, ""))
        if self._next.text == ":":
            self._take()
        if self._next.text in _ENDS:
            if len(stack) > _DEEPEST:
                raise DamagedError(f"its messages are nested more than {_DEEPEST} deep")
            if number and kind not in _SCHEMA:
                raise DamagedError(f"the field {name} has a message instead of a value")
            stack.append(_Open(_SCHEMA.get(kind, {}), number, _ENDS[self._take().text], []))
            return
        values = self._values(name)
        if number and kind in _SCHEMA:
            raise DamagedError(f"the field {name} has a value instead of a message")
        if number:
            parts.extend(_scalar(number, kind, value) for value in values)
        self._skip_separator()

    def _values(self, name: str) -> List[_Token]:
        """Takes a scalar or a list of scalars."""
        if self._next.text != "[":
            return [self._value(name)]
        self._take()
        found: List[_Token] = []
        while self._next.text != "]":
            found.append(self._value(name))
            if self._next.text != ",":
                break
            self._take()
        if self._take().text != "]":
            raise DamagedError(f"the list in the field {name} does not end")
        return found

    def _value(self, name: str) -> _Token:
        token = self._take()
        if token.kind not in ("word", "text"):
            raise DamagedError(f"the field {name} has no value")
        while token.kind == "text" and self._next.kind == "text":  # adjacent strings are one
            token = _Token("text", token.text[:-1] + self._take().text[1:])
        return token


def _scalar(number: int, kind: str, token: _Token) -> bytes:
    """Encodes a field with a scalar value.

    Raises:
        DamagedError: the word is not a value of this type.
    """
    if (kind == "string") != (token.kind == "text"):
        raise DamagedError(f"{token.text[:40]} is not a value of type {kind}")
    if kind == "string":
        return field_of(number, _unescaped(token.text[1:-1]))
    try:
        if kind == "float":
            return varint_of(number << 3 | FIXED32) + struct.pack("<f", float(token.text))
        if kind == "double":
            return varint_of(number << 3 | FIXED64) + struct.pack("<d", float(token.text))
        return varint_of(number << 3 | VARINT) + varint_of(
            _NUMBERS[kind](token.text) & (1 << 64) - 1
        )
    except (ValueError, KeyError, OverflowError):
        raise DamagedError(f"{token.text[:40]} is not a value of type {kind}") from None


_BOOLEANS = {"true": 1, "True": 1, "t": 1, "1": 1, "false": 0, "False": 0, "f": 0, "0": 0}
_NUMBERS: Dict[str, Callable[[str], int]] = {
    "int": lambda text: int(text, 0),
    "bool": _BOOLEANS.__getitem__,
    "dtype": dtype_number,
}

_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_SIMPLE = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v"))


def _unescaped(text: str) -> bytes:
    return _ESCAPE.sub(_character, text.encode("utf-8"))


def _character(match: "re.Match[bytes]") -> bytes:
    octal, hexadecimal, simple = match.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 255])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    return bytes([_SIMPLE.get(simple[0], simple[0])])
