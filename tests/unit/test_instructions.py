"""Tests which keys a function asks for. Each version of Python has other bytecode."""

import functools
from typing import Any

import pytest

from ckptcheck.tracer.instructions import asked_keys


def _reads(features: Any) -> Any:
    return features["x"], features["y"]["inner"], features["z"][0:1]


def _after_each_other(features: Any) -> Any:
    x = features["x"]
    y = features["y"]
    return x[y["inner"]], y[features["z"]]


def _in_a_function(features: Any) -> Any:
    return lambda: features["x"], [features["y"] for _ in range(2)]


def _stores(features: Any) -> Any:
    features["x_norm"] = features["x"] / 2.0
    features["unread"] = 1
    return features["x_norm"]


def _stores_for_a_function(features: Any) -> Any:
    features["x_norm"] = features["x"] / 2.0
    return lambda: features["x_norm"]


def _replaces(features: Any) -> Any:
    features["x"] = features["x"] / 2.0
    features["y"] += 1
    return features["x"]


def _deletes(features: Any) -> None:
    features["own"] = 1
    del features["x"]
    del features["own"]


def _another(features: Any, labels: Any) -> Any:
    return features[labels["x"]], labels[features["y"]]


@pytest.mark.parametrize(
    ("function", "keys"),
    [
        (_reads, ("x", "y", "z")),
        (functools.partial(_reads), ("x", "y", "z")),
        (_after_each_other, ("x", "y", "z")),
        (_in_a_function, ("x", "y")),
        (_stores, ("x",)),
        (_stores_for_a_function, ("x",)),
        (_replaces, ("x", "y")),
        (_deletes, ("x",)),
        (_another, ("y",)),
    ],
)
def test_the_keys_that_have_to_be_there(function: Any, keys: Any) -> None:
    assert asked_keys(function, "features") == keys
