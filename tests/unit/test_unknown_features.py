"""Tests what ckptcheck learns from the events of a trace, and its error if this is not enough."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest

from ckptcheck.client import input_pools
from ckptcheck.client.answers import Answer
from ckptcheck.client.attempt import Found
from ckptcheck.client.guess import Guess, first_guess
from ckptcheck.client.input_pools import head_of
from ckptcheck.client.learning import better_guess
from ckptcheck.client.unknown_features import no_graph, not_found, template
from ckptcheck.features_file import feature_file
from ckptcheck.options import CheckSpec
from ckptcheck.protocol import FailedTrace, Failure, FailureKind, Observed
from ckptcheck.tracer.inputs import _fits
from ckptcheck.uses import InputEvent, InputTensor

from ..graphs import consumers, node, saved_graph, text_of

Leaf = Dict[str, Any]
FLOAT, WORD = ({"dtype": dtype, "shape": [None, 2]} for dtype in ("float32", "string"))


def guess_of(*leaves: Leaf) -> Guess:
    graph = saved_graph(("IteratorGetNext", "IteratorGetNext", [(leaf, ()) for leaf in leaves]))
    return first_guess(input_pools.pools(head_of(graph))[0])


Event = Tuple[str, str, Any]


def failed(
    events: Sequence[Event], error: Optional[Tuple[str, str]] = None, mode: str = "train"
) -> Dict[str, Answer]:
    """A trace that did these things and then raised an error."""
    shown = tuple(InputEvent((root,), *rest) for root, *rest in events)
    seen = Observed(events=shown, first_op=1)
    failure = Failure(FailureKind.RAISED, *(error or ("ValueError", "no")))
    return {mode: Answer(FailedTrace(mode, failure, seen))}


def structures(guess: Guess) -> Tuple[List[Any], List[Any]]:
    return list(guess.features.keys), list(guess.labels.keys)


def test_a_dict_that_the_code_goes_through_has_as_many_keys_as_there_are_tensors() -> None:
    learned = better_guess(
        guess_of(FLOAT, FLOAT, FLOAT), failed([("features", "iterate", "items")])
    )
    assert structures(learned) == (
        ["ckptcheck_unnamed_features_000", "ckptcheck_unnamed_features_001"],
        [],
    )


def test_labels_that_the_code_goes_through_get_the_names_that_it_knows() -> None:
    guess = guess_of(FLOAT, FLOAT, FLOAT)
    learned = better_guess(guess, failed([("features", "key", "x"), ("labels", "dict", "items")]))
    assert structures(learned)[1] == [
        "ckptcheck_unnamed_labels_000",
        "ckptcheck_unnamed_labels_001",
    ]
    names = [("labels", "iterate", "items"), ("labels", "name", "b"), ("labels", "name", "a")]
    error = ("KeyError", "'ckptcheck_unnamed_labels_000'")
    assert structures(better_guess(learned, failed(names, error))) == (["x"], ["a", "b"])


@pytest.mark.parametrize(
    ("events", "error"),
    [
        (
            [("features", "iterate", "**")],
            ("TypeError", "f() missing 2 required positional arguments: 'a' and 'b'"),
        ),
        (
            [("features", "iterate", "keys"), ("features", "key", "a")],
            ("KeyError", "'b'"),
        ),
        (
            [],
            ("KeyError", "\"Expected keys: {'a', 'b'}\""),
        ),
    ],
)
def test_keys_that_an_error_names(events: List[Event], error: Tuple[str, str]) -> None:
    learned = better_guess(guess_of(FLOAT, FLOAT, FLOAT), failed(events, error))
    assert structures(learned)[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("labels must be a dict. Given: Tensor", []),
        ("labels has missing values for head(s): ['one', 'two']", ["one", "two"]),
    ],
)
def test_what_a_multi_head_says_of_labels(message: str, keys: List[str]) -> None:
    events = [("features", "key", "x")]
    learned = better_guess(guess_of(FLOAT, FLOAT, FLOAT), failed(events, ("ValueError", message)))
    assert learned.labels.kind == "dict"
    assert structures(learned)[1] == keys


def test_keys_that_may_be_missing_are_added_if_there_is_room() -> None:
    events = [("features", "maybe-key", "weight"), ("features", "key", "x")]
    assert structures(better_guess(guess_of(FLOAT, FLOAT, FLOAT), failed(events)))[0] == [
        "weight",
        "x",
    ]
    assert structures(better_guess(guess_of(FLOAT, FLOAT), failed(events)))[0] == ["x"]


@pytest.fixture
def spec(tmp_path: Path) -> CheckSpec:
    (tmp_path / "net.py").write_text("def train_input_fn(): ...\n")
    return CheckSpec(str(tmp_path), "net:model_fn", {}, app_dir=str(tmp_path))


def printed(text: str) -> Any:
    """The features file in a message."""
    return json.loads(text[text.index("{\n") :])


def test_the_error_says_why_and_names_what_it_knows(spec: CheckSpec) -> None:
    events = [("features", "key", "x"), ("features", "key", "y"), ("features", "key", "z")]
    traces = failed(events, ("TypeError", "not with a string"))
    guess = better_guess(guess_of(FLOAT, WORD), traces)
    text = str(not_found(spec, Found(traces, guess, False), "model.ckpt-1.meta"))
    assert "(model.ckpt-1.meta)" in text
    assert "it has no tensor for features.z" in text
    assert "(tensors in the saved graph: float32 [?, 2], string [?, 2])" in text
    assert "--input-fn net:train_input_fn" in text
    assert list(printed(text)["features"]) == ["x", "y", "z"]


def test_an_error_that_features_may_have_caused_is_quoted(spec: CheckSpec) -> None:
    traces = failed([("features", "key", "x")], ("TypeError", "not with a string"))
    guess = better_guess(guess_of(WORD, FLOAT), traces)
    found = Found(traces, guess, True)
    text = str(not_found(spec, found, "model.ckpt-1.meta", out_of_time=True))
    assert "raises an error in TRAIN (TypeError: not with a string)" in text
    assert "took too long" in text
    document = printed(text)
    assert document["features"] == {"x": {"dtype": "?", "shape": None}}
    with pytest.raises(Exception, match="replace '\\?'"):
        feature_file(document)


OF_CONCAT = ("concat ConcatV2:0",), ("concat ConcatV2:1",)
OF_LAYERS = ("a/MatMul MatMul:0",), ("b/MatMul MatMul:0",)


@pytest.mark.parametrize(("texts", "known"), [(OF_CONCAT, False), (OF_LAYERS, True)])
def test_consumers_that_several_tensors_have_show_none_of_too_few(
    texts: Sequence[Tuple[str, ...]], known: bool, spec: CheckSpec
) -> None:
    """With one more feature than before, each position of ``concat`` has another tensor."""
    outputs = [(leaf, users) for leaf, users in zip((FLOAT, FLOAT), texts)]
    graph = saved_graph(("IteratorGetNext", "IteratorGetNext", outputs))
    guess = first_guess(input_pools.pools(head_of(graph))[0])
    names = ["x", "y"]
    text = text_of(*(node(n, "Placeholder") for n in names), *users_of(names, texts))
    inputs = tuple(InputTensor(("features", name), f"{name}:0") for name in names)
    events = tuple(InputEvent(("features",), "key", name) for name in (*names, "z"))
    seen = Observed(events=events, inputs=inputs, graph=text, first_op=len(names))
    failure = Failure(FailureKind.RAISED, "KeyError", "'z'")
    traces = {"train": Answer(FailedTrace("train", failure, seen))}
    found = Found(traces, better_guess(guess, traces), False)
    document = printed(str(not_found(spec, found, "model.ckpt-1.meta")))
    assert [leaf["dtype"] == "?" for leaf in document["features"].values()] == [
        not known,
        not known,
        True,
    ]


def users_of(names: Sequence[str], texts: Sequence[Tuple[str, ...]]) -> List[bytes]:
    return [user for name, some in zip(names, texts) for user in consumers(name, some)]


@pytest.mark.parametrize(
    ("event", "kind"), [(("iterate", None), dict), (("index", 0), list), (("index", 1), list)]
)
def test_what_the_code_only_iterates_over_is_shown_as_a_dict(
    event: Tuple[str, Any], kind: type, spec: CheckSpec
) -> None:
    traces = failed([("features", *event)])
    guess = better_guess(guess_of(FLOAT, FLOAT, FLOAT), traces)
    assert guess.features.kind == "list"
    document = printed(str(not_found(spec, Found(traces, guess, True), "model.ckpt-1.meta")))
    assert type(document["features"]) is kind


def test_a_file_marks_what_is_not_known_in_a_list() -> None:
    unknown = {"dtype": "?", "shape": None}
    document = printed(template([None, FLOAT], {"tuple": [None]}))
    assert document == {"features": [unknown, FLOAT], "labels": {"tuple": [unknown]}}


def test_made_up_keys_are_not_printed(spec: CheckSpec) -> None:
    traces = failed([("features", "iterate", "items")])
    guess = better_guess(guess_of(FLOAT, FLOAT, FLOAT), traces)
    text = str(not_found(spec, Found(traces, guess, True), "graph.pbtxt"))
    assert "iterates over the keys" in text
    assert list(printed(text)["features"]) == ["?1", "?2"]


@pytest.mark.parametrize(
    ("problem", "said"),
    [("", "there is no saved graph"), ("it ends early", "cannot be read: it ends early")],
)
def test_no_graph_at_all(problem: str, said: str, spec: CheckSpec) -> None:
    traces = failed([("features", "key", "x")]).values()
    text = str(no_graph(spec, problem, ("runs/graph.pbtxt",), traces))
    assert said in text and "graph.pbtxt" in text
    assert printed(text)["features"] == {"x": {"dtype": "?", "shape": None}}


@pytest.mark.parametrize(
    ("leaf", "described", "fits"),
    [
        (FLOAT, None, True),
        (FLOAT, FLOAT, True),
        (FLOAT, WORD, False),
        (FLOAT, {"dtype": "float32", "shape": [None, 3]}, False),
        ({"dtype": "int64", "shape": [8]}, {"dtype": "float32", "shape": [None, 1]}, True),
        ({"dtype": "float32", "shape": [8, None]}, {"dtype": "float32", "shape": [None, 3]}, True),
        ({"dtype": "float32", "shape": None}, {"dtype": "float32", "shape": [None, 3]}, True),
        (WORD, {"dtype": "string", "shape": [None, None], "sparse": True}, True),
    ],
)
def test_which_tensor_a_feature_column_can_mean(leaf: Leaf, described: Any, fits: bool) -> None:
    assert _fits(leaf, described) == fits


def test_a_feature_that_its_use_shows_to_be_new_is_named(spec: CheckSpec) -> None:
    new = frozenset({("features", "z")})
    traces = failed([("features", "key", "z")])
    guess = dataclasses.replace(better_guess(guess_of(FLOAT), traces), places={}, added=new)
    text = str(not_found(spec, Found(traces, guess, True), "model.ckpt-1.meta"))
    assert "it has no tensor for features.z" in text
    assert printed(text)["features"] == {"z": {"dtype": "?", "shape": None}}
