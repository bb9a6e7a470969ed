"""Tests of the protocol: values are frozen, and survive the way to JSON and back."""

import dataclasses
import inspect
import json
import random
import typing
from typing import Any, Callable, Dict, List, Type, Union

import pytest

from ckptcheck import codec, protocol, uses
from ckptcheck.codec import from_json, to_json
from ckptcheck.protocol import Failure, FailureKind, RestorePlan, VariableSpec
from ckptcheck.results import Finding, Outcome, shape_text
from ckptcheck.uses import Location

TYPES: List[Type[Any]] = [
    value
    for _, value in sorted({**vars(protocol), **vars(uses)}.items())
    if inspect.isclass(value) and dataclasses.is_dataclass(value)
]
EACH_TYPE = pytest.mark.parametrize("cls", TYPES, ids=[cls.__name__ for cls in TYPES])
STRINGS = [
    "",
    "x",
    "dense_1/kernel:0",
    "naïve",
    "\U0001d518",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "a\nb",
    '"',
]
NUMBERS = [0, 1, -1, 2**63, 10**30]


def some_json(rng: random.Random, depth: int) -> Any:
    """Any value that JSON has."""
    kind = rng.randrange(7 if depth else 5)
    if kind < 5:
        return [None, rng.random() < 0.5, rng.choice(NUMBERS), rng.choice(STRINGS), 0.5][kind]
    size = rng.randrange(3)
    if kind == 5:
        return [some_json(rng, depth - 1) for _ in range(size)]
    return {rng.choice(STRINGS): some_json(rng, depth - 1) for _ in range(size)}


def _valid(cls: Any, fields: Dict[str, Any]) -> Dict[str, Any]:
    """Returns random fields, changed so that they are valid together."""
    return fields


def some_value(hint: Any, rng: random.Random, depth: int = 4) -> Any:
    """A random value of a type as the fields of the protocol declare them."""
    if hint is Any:
        return some_json(rng, 2)
    if isinstance(hint, type) and issubclass(hint, codec.Word):
        return rng.choice(list(hint))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = {
            f.name: some_value(hints[f.name], rng, depth - 1) for f in dataclasses.fields(hint)
        }
        cls: Any = hint
        return cls(**_valid(cls, fields))
    simple: Dict[Any, Callable[[], Any]] = {
        str: lambda: rng.choice(STRINGS),
        bool: lambda: rng.random() < 0.5,
        int: lambda: rng.choice(NUMBERS),
        float: lambda: rng.random() * 1e6,
    }
    if hint in simple:
        return simple[hint]()
    origin, arguments = hint.__origin__, hint.__args__
    size = rng.randrange(3) if depth > 0 else 0
    if origin is tuple:
        assert arguments[1:] == (Ellipsis,), hint
        return tuple(some_value(arguments[0], rng, depth - 1) for _ in range(size))
    if origin is Union:
        if type(None) in arguments and (depth <= 0 or rng.random() < 0.3):
            return None
        return some_value(rng.choice([a for a in arguments if a is not type(None)]), rng, depth)
    assert arguments[0] is str, hint
    return {rng.choice(STRINGS): some_value(arguments[1], rng, depth - 1) for _ in range(size)}


@EACH_TYPE
def test_random_values_go_to_json_and_back(cls: Type[Any]) -> None:
    """Any instance survives, whatever is nested in it; the seed makes it the same every time."""
    rng = random.Random(cls.__name__)
    for _ in range(60):
        value = some_value(cls, rng)
        text = json.dumps(to_json(value))
        assert from_json(cls, json.loads(text)) == value


@EACH_TYPE
def test_is_frozen(cls: Type[Any]) -> None:
    value = some_value(cls, random.Random(1))
    name = dataclasses.fields(cls)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@EACH_TYPE
def test_missing_fields_are_refused(cls: Type[Any]) -> None:
    required = [
        field
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if not required:
        assert from_json(cls, {}) == cls()
        return
    with pytest.raises(TypeError):
        from_json(cls, {})


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (None, "?"),
        ((), "[]"),
        ((1,), "[1]"),
        ((None, 64), "[?, 64]"),
        ((0, 1), "[0, 1]"),
    ],
)
def test_shapes_are_written_as_people_do(shape: protocol.Shape, text: str) -> None:
    assert shape_text(shape) == text


@pytest.mark.parametrize("shape", [None, (), (None,), (1, None, 3)])
def test_shapes_come_back_as_tuples(shape: protocol.Shape) -> None:
    """An unknown rank, a scalar and an unknown dimension are three things."""
    value = VariableSpec("w", shape, "float32")
    assert from_json(VariableSpec, json.loads(json.dumps(to_json(value)))) == value


def test_values_can_be_compared_and_hashed_after_the_way_back() -> None:
    """Equal failures of several modes become one finding."""
    plan = RestorePlan("eval", (), (VariableSpec("w", (1, None), "float32"),))
    again = from_json(RestorePlan, json.loads(json.dumps(to_json(plan))))
    assert hash(again) == hash(plan)
    failure = Failure(
        FailureKind.RAISED, "ValueError", "no", (protocol.Frame("net.py", 1, "f", "x"),)
    )
    assert hash(from_json(Failure, to_json(failure))) == hash(failure)


def finding(**changes: Any) -> Finding:
    base = Finding(
        rule="shape-mismatch",
        severity="error",
        message="m",
        modes=("predict",),
        outcomes={"predict": Outcome.SILENTLY_WRONG},
        variable="dense/kernel",
        checkpoint=VariableSpec("dense/kernel", (1, 2), "float32"),
        model=VariableSpec("dense/kernel", (1, 3), "float32"),
    )
    return dataclasses.replace(base, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "other words"},
        {"modes": ("predict", "train")},
        {"severity": "warning"},
        {"hint": "do"},
        {"detail": ("a line",)},
        {"location": Location("net.py", 4)},
    ],
)
def test_a_key_does_not_depend_on_words_and_lines(changes: Any) -> None:
    """Baselines refer to keys: rewording a message must not make an old finding a new one."""
    assert finding(**changes).key == finding().key


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "dtype-mismatch"},
        {"variable": "dense/bias"},
        {"checkpoint": VariableSpec("dense/kernel", (1, 4), "float32")},
        {"checkpoint": VariableSpec("dense/kernel", (1, 2), "float64")},
        {"checkpoint": None},
        {"model": VariableSpec("dense/kernel", (1, 4), "float32")},
        {"model": None},
    ],
)
def test_a_key_tells_rule_variable_and_both_specs_apart(changes: Any) -> None:
    assert finding(**changes).key != finding().key


def test_an_enumeration_is_its_word_in_json_and_in_messages() -> None:
    failure = Failure(FailureKind.INPUT_FN, "", "")
    assert json.loads(json.dumps(to_json(failure)))["kind"] == "input-fn" == f"{failure.kind}"
    again = from_json(Failure, {"kind": "input-fn", "type": "", "message": ""})
    assert again.kind is FailureKind.INPUT_FN
    with pytest.raises(TypeError, match="'no-kind' is not a valid FailureKind"):
        from_json(Failure, {"kind": "no-kind", "type": "", "message": ""})
