"""The words of a change, without a graph."""

from typing import Sequence

import pytest

from ckptcheck.drift.compare import _joined
from ckptcheck.drift.regions import Region
from ckptcheck.drift.wording import Said


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ((" after a",), "activation after a: Relu -> Tanh"),
        ((" after a", " after b"), "activation after a, after b: Relu -> Tanh"),
        ((" after a", "", " of b"), "activation after a, of b: Relu -> Tanh"),
        ((), "activation: Relu -> Tanh"),
    ],
)
def test_one_change_in_several_layers(layers: Sequence[str], text: str) -> None:
    then, now = {"op": "Relu"}, {"op": "Tanh"}
    said = (Said("op-changed", "activation{}", then, now, layer) for layer in layers or ("",))
    change = _joined([(one, Region((), (), ()), ("train",)) for one in said])
    assert change.text == text
