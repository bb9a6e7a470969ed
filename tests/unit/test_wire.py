"""Tests of protobuf's wire format: messages are decoded, and other bytes are an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.errors import DamagedError
from ckptcheck.encoding.wire import fields, number_of, signed, varint

from ..checkpoints import writer


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3))
def test_a_number_comes_back(number: int, after: bytes) -> None:
    data = writer.varint(number) + after
    assert varint(data, 0, len(data)) == (number, len(data) - len(after))


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_signed_number_comes_back(number: int) -> None:
    ((_, kind, value),) = fields(writer.field(5, number))
    assert number_of(kind, value) == number
    assert signed(number & (1 << 64) - 1) == number


@given(st.lists(st.tuples(st.integers(1, 1 << 28), st.one_of(st.binary(), st.integers(0, 9)))))
def test_fields_come_back(items: list) -> None:  # type: ignore[type-arg]
    data = b"".join(writer.field(number, value) for number, value in items)
    assert [(number, value) for number, _, value in fields(data)] == items


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",
        b"\x08\x80",
        b"\x08" + b"\xff" * 10,
        b"\x08" + b"\x80" * 10 + b"\1",
        b"\x0a\x05abcd",
        b"\x0a" + b"\xff" * 9 + b"\1",
        b"\x0d\0\0\0",
        b"\x09\0\0\0\0\0\0\0",
        b"\x0b",
        b"\x0c",
        b"\x0f",
        b"\x02\0",
        b"\0\0",
    ],
)
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(DamagedError):
        list(fields(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        found = list(fields(data))
    except DamagedError:
        return
    assert sum(2 if isinstance(v, int) else 1 + len(v) for _, _, v in found) <= len(data)
