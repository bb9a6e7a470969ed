"""Features that the order of the keys does not show, with a fake model_fn of dense layers."""

import dataclasses
from typing import Any, Dict, FrozenSet, Mapping, Tuple

from ckptcheck.client.answers import Answer, unfit_reads
from ckptcheck.client.features import find
from ckptcheck.client.guess import Inputs
from ckptcheck.client.pairing import exchanges
from ckptcheck.client.rivals import doubtful_features
from ckptcheck.client.unknown_features import not_found
from ckptcheck.options import CheckSpec
from ckptcheck.protocol import (
    MODES,
    CheckpointIndex,
    FinishedTrace,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    VariableSpec,
)

from .test_features import LABEL, TO_LOSS, Asked, Play, leaf, of_loss, saved

WIDE, NARROW = leaf("float32", None, 6), leaf("float32", None, 3)
FIRST, SECOND = "dense/MatMul MatMul:0", "dense_1/MatMul MatMul:0"
Path = Tuple[Any, ...]


class Layers(Asked):
    """Reads a kernel for each tensor that a dense layer takes."""

    def __call__(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        self.rounds.append(sorted(wanted))
        return {mode: self._answer(mode, inputs) for mode, inputs in wanted.items()}

    def _answer(self, mode: str, inputs: Inputs) -> Answer:
        play = Play(self.model_fn, mode, inputs)
        answer = play.run()
        if not isinstance(answer.outcome, FinishedTrace):
            return answer
        layers = [(t, text) for t in play.tensors for text in t.consumers if "MatMul" in text]
        reads = tuple(kernel(text.partition("/")[0], t.leaf["shape"][-1]) for t, text in layers)
        return Answer(dataclasses.replace(answer.outcome, plan=RestorePlan(mode, reads)))


def kernel(layer: str, rows: int) -> Read:
    name, sink = f"{layer}/kernel", ReadSink.ASSIGN
    return Read(name, name, (rows, 8), "float32", "", sink, ReadCheck.NONE, "weight")


def index(**rows: int) -> CheckpointIndex:
    """A checkpoint with the kernels of some layers."""
    variables = [
        VariableSpec(f"{name}/kernel", (size, 8), "float32") for name, size in rows.items()
    ]
    return CheckpointIndex("model.ckpt-1", 1, tuple(variables))


def two_layers(features: Any, labels: Any, mode: str) -> None:
    features["image"].use(FIRST)
    features["extra"].use(SECOND)
    of_loss(labels, mode)


def one_layer(features: Any, labels: Any, mode: str) -> None:
    features["b"].use(FIRST)
    of_loss(labels, mode)


def doubts(graph: Any, model_fn: Any, held: CheckpointIndex) -> FrozenSet[Path]:
    asked = Layers(model_fn)
    result = find(graph, MODES, asked)
    assert result.complete
    return doubtful_features(result, held, asked)


TUPLE = saved((WIDE, (FIRST,)), (NARROW, (SECOND,)), (LABEL, TO_LOSS))
"""The graph of an input_fn that makes its dict from the tuple (image, extra)."""
SORTED = saved((NARROW, (SECOND,)), (WIDE, (FIRST,)), (LABEL, TO_LOSS))


def test_an_order_that_the_checkpoint_contradicts_is_in_doubt() -> None:
    held = index(dense=6, dense_1=3)
    assert doubts(TUPLE, two_layers, held) == {("features", "extra"), ("features", "image")}


def test_an_order_that_fits_is_certain() -> None:
    assert doubts(SORTED, two_layers, index(dense=6, dense_1=3)) == set()


def test_a_mismatch_that_no_other_order_avoids_does_not_count() -> None:
    assert doubts(SORTED, two_layers, index(dense=7, dense_1=4)) == set()
    assert doubts(SORTED, two_layers, index()) == set()


def test_a_name_in_the_graph_decides() -> None:
    named = [text.replace("dense", "image") for text in (FIRST, SECOND)]
    graph = saved((WIDE, (named[0],)), (NARROW, (named[1].replace("image", "extra"),)))

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["image"].use(named[0])
        features["extra"].use(named[1].replace("image", "extra"))

    assert doubts(graph, model_fn, index()) == set()


def test_a_tensor_that_the_code_no_longer_uses_may_be_the_feature() -> None:
    four, eight = leaf("float32", None, 4), leaf("float32", None, 8)
    graph = saved((four, (FIRST,)), (eight, (SECOND,)), (LABEL, TO_LOSS))
    assert doubts(graph, one_layer, index(dense=4, dense_1=8)) == {("features", "b")}
    equal = saved((four, (FIRST,)), (four, (SECOND,)), (LABEL, TO_LOSS))
    assert doubts(equal, one_layer, index(dense=4, dense_1=4)) == set()


def test_the_error_names_the_features_and_does_not_fill_them_in() -> None:
    asked = Layers(two_layers)
    result = find(TUPLE, MODES, asked)
    found = doubtful_features(result, index(dense=6, dense_1=3), asked)
    error = not_found(
        CheckSpec("model_dir", target="net:model_fn"),
        dataclasses.replace(result, doubtful=found),
        "a.meta",
    )
    assert "but the checkpoint fits better if extra and image exchange their tensors" in str(error)
    assert '"extra": {"dtype": "?", "shape": null}' in str(error)


def test_reads_that_the_checkpoint_does_not_have() -> None:
    train = Layers(two_layers)({"train": Inputs({"image": WIDE, "extra": NARROW}, LABEL)})["train"]
    assert unfit_reads(train, index(dense=6, dense_1=4)) == {"dense_1/kernel"}
    assert unfit_reads(train, None) == {"dense/kernel", "dense_1/kernel"}


def test_alike_features_can_be_exchanged() -> None:
    asked = Layers(two_layers)
    graph = saved((WIDE, (FIRST,)), (WIDE, (SECOND,)), (LABEL, TO_LOSS))
    result = find(graph, MODES, asked)
    assert result.guess is not None
    uses = result.traces["train"].uses
    assert exchanges(result.guess, uses) == [(("features", "extra"), ("features", "image"))]
    assert exchanges(result.guess, {}) == []
