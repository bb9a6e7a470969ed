"""Tests of protobuf's text format: a text is decoded to its message, or is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.encoding.errors import DamagedError
from ckptcheck.encoding.text_format import encoded
from ckptcheck.graph.graph import Graph


def graph(text: str) -> Graph:
    return Graph(encoded(text.encode("utf-8"), "GraphDef"))


def test_every_way_to_write_a_field() -> None:
    text = """# made by hand
    node { name: "a" op: 'Const' input: ["x", "y:1"], input: "^c";
      attr < key: "value" value: { f: -5e-1 } > }
    node: { name: 'b' "c"
      "d" op: "Op\\101\\x42\\n\\"" unknown { deep < n: [1, 2] > } other: -7 }
    versions { producer: 0x10 }"""
    first, second = graph(text).nodes
    assert first[:4] == ("a", "Const", ("x", "y:1"), ("c",))
    assert first.values("value") == (-0.5,)
    assert (second.name, second.op) == ("bcd", 'OpAB\n"')
    assert graph(text).producer == 16


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("b: true", (True,)),
        ("i: -3", (-3,)),
        ('s: "\\377"', (b"\xff",)),
        ("type: DT_HALF", ("float16",)),
        ("type: DT_FLOAT_REF", ("float32",)),
        ("list { type: DT_INT64 type: DT_STRING }", ("int64", "string")),
        ("list { i: 1 i: -1 }", (1, -1)),
        ("shape { dim { size: -1 } dim { size: 2 } }", ((None, 2),)),
        ("shape { unknown_rank: true }", (None,)),
        ('func { name: "f" }', (b"f",)),
        ("f: inf", (float("inf"),)),
    ],
)
def test_values(value: str, expected: object) -> None:
    (node,) = graph(f'node {{ attr {{ key: "k" value {{ {value} }} }} }}').nodes
    assert node.values("k") == expected


@pytest.mark.parametrize(
    "text",
    [
        "node {",
        "node }",
        "}",
        "node { name: }",
        "node { name: 3 }",
        'node { name: "a }',
        "node: 3",
        "versions { producer: x }",
        "versions { producer: { } }",
        'node { attr { key: "k" value { type: DT_NONE } } }',
        'node { attr { key: "k" value { f: "1" } } }',
        "node { input: [",
        'node { input: ["a" }',
        "node {>",
        "3",
        "node { name: \x00 }",
        "node {" * 1000,
        "x {" * 100000,
    ],
)
def test_what_is_no_graph(text: str) -> None:
    with pytest.raises(DamagedError):
        encoded(text.encode("utf-8"), "GraphDef")


def test_other_encodings_are_refused() -> None:
    with pytest.raises(DamagedError, match="UTF-8"):
        encoded(b"\xff", "GraphDef")


WORDS = ["node", "name", "{", "}", "<", ">", "[", "]", ":", ",", '"a"', "'", "1", "-1", "attr", " "]


@given(st.lists(st.sampled_from([*WORDS, "list", "f", "type", "DT_FLOAT", "#", "\n", "\\"])))
def test_any_words_are_a_graph_or_an_error(words: list) -> None:  # type: ignore[type-arg]
    try:
        encoded(" ".join(words).encode("utf-8"), "GraphDef")
    except DamagedError:
        return
