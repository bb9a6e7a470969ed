"""Tests of the search for features: evidence that a guess is wrong, or that it is the only one."""

from typing import Any

from ckptcheck.client.certainty import is_certain, keys_are_missed
from ckptcheck.client.features import find
from ckptcheck.protocol import MODES

from .test_features import (
    LABEL,
    TO_LOSS,
    TO_MATMUL,
    Asked,
    X,
    Y,
    found,
    inputs,
    of_loss,
    saved,
)

TO_CONCAT = [f"concat ConcatV2:{place}" for place in range(3)]


def test_consumers_outweigh_keys_that_the_code_names() -> None:
    """The first output has no consumers, so the code's keys belong to the other outputs."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        for key in ("height", "target"):
            features.play.note(features.path, "named", key)
        features["height"].use("concat Identity:0")
        if features["height"].leaf["shape"] != X["shape"]:
            raise TypeError("__int__ returned non-int (type NoneType)")
        if mode != "predict":
            features["target"].use(*TO_LOSS)

    graph = saved((LABEL, ()), (X, ("concat Identity:0",)), (LABEL, TO_LOSS))
    result = found(graph, model_fn)
    assert all(trace.finished for trace in result.traces.values())
    assert inputs(result) == ({"height": X, "target": LABEL}, None)
    assert result.guess is not None
    assert result.guess.places == {("features", "height"): 1, ("features", "target"): 2}


def test_an_exception_that_another_tensor_avoids_is_not_certain() -> None:
    """Before any op, the code raises the same error with a blurred and with the wrong tensor."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        shape = features["x"].leaf["shape"]
        if shape is None or shape[-1] is None:
            raise TypeError("__int__ returned non-int (type NoneType)")
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)

    graph = saved((Y, ("old/Mul Mul:0",)), (X, TO_MATMUL), (LABEL, TO_LOSS))
    result = found(graph, model_fn)
    assert inputs(result) == ({"x": X}, LABEL)
    assert all(trace.finished for trace in result.traces.values())


def of_equal_rank(features: Any, labels: Any, mode: str) -> None:
    """A fake ``concat`` that refuses other ranks, and a fake layer that refuses unknown ranks."""
    tensors = [features[key] for key in ("height", "age", "new")]
    shapes = [tensor.leaf["shape"] for tensor in tensors]
    if len({len(shape) for shape in shapes if shape is not None}) > 1:
        raise ValueError(f"Shape must be rank 2 but is rank 1: {shapes}")
    for tensor, consumer in zip(tensors, TO_CONCAT):
        tensor.use(consumer)
    if None in shapes:
        raise ValueError(f"The last dimension of the inputs should be defined: {shapes}")
    of_loss(labels, mode)


def test_the_use_of_a_feature_shows_that_it_is_new() -> None:
    """A new feature does not take the tensor of the labels, and the search ends."""
    height, age, _ = TO_CONCAT
    graph = saved((X, (age,)), (X, (height,)), (Y, TO_LOSS), op="Const")
    asked = Asked(of_equal_rank)
    result = find(graph, MODES, asked)
    assert result.guess is not None
    assert result.guess.added == {("features", "new")}
    assert inputs(result)[1] == Y
    assert not any(is_certain(result, trace) for trace in result.traces.values())
    assert len(asked.rounds) < 10


def test_a_new_feature_of_any_shape_is_no_question() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        age, new = features["age"], features["new"]
        if new.leaf["shape"] not in (None, X["shape"]):
            raise ValueError("Shape must be rank 2 but is rank 1")
        age.use(*TO_MATMUL)
        new.use("sum/Sum Sum:0")
        of_loss(labels, mode)

    result = found(saved((X, TO_MATMUL), (Y, TO_LOSS)), model_fn)
    assert result.guess is not None
    assert result.guess.added == {("features", "new")}
    assert all(trace.finished for trace in result.traces.values())


def test_a_new_feature_beside_an_output_that_nothing_used() -> None:
    """The features and the labels take all outputs, but with the wrong tensors."""
    height, age, _ = TO_CONCAT
    graph = saved((X, (age,)), (Y, ()), (X, (height,)), (LABEL, TO_LOSS))

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        of_equal_rank(features, labels, mode)
        raise AssertionError("the played layer accepts an unknown shape")

    asked = Asked(model_fn)
    result = find(graph, MODES, asked)
    assert result.guess is not None
    assert result.guess.places[("features", "height")] == 2
    assert result.guess.added == {("features", "new")}
    assert not any(is_certain(result, trace) for trace in result.traces.values())
    assert len(asked.rounds) < 10


def test_an_optional_key_that_would_move_the_others_is_not_there() -> None:
    """Nothing uses the first output any more. The labels are among the features."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if "weight" in features and features["weight"].leaf != X:
            raise ValueError("Dimensions must be equal")
        if mode != "predict":
            if features["target"].leaf != LABEL:
                raise ValueError("Shapes are incompatible")
            features["target"].use(*TO_LOSS)

    graph = saved((Y, TO_CONCAT[:1]), (LABEL, TO_LOSS), (X, TO_MATMUL))
    result = found(graph, model_fn)
    assert inputs(result) == ({"target": LABEL, "x": X}, None)
    assert all(trace.finished for trace in result.traces.values())


def test_an_optional_key_that_is_used_as_no_tensor_was_is_not_there() -> None:
    """The only free output belongs to a feature that the code does not use any more."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(TO_CONCAT[0])
        if "zone" in features or features.pool:  # the tracer names keys while there are tensors
            if features["zone"].leaf["shape"] is not None:
                raise ValueError("Dimensions must be equal")
            features["zone"].use("mul Mul:1")
        of_loss(labels, mode)

    graph = saved((X, TO_CONCAT[:1]), (Y, TO_CONCAT[1:2]), (LABEL, TO_LOSS))
    result = found(graph, model_fn)
    assert inputs(result) == ({"x": X}, LABEL)
    assert all(trace.finished for trace in result.traces.values())


def test_the_last_input_has_the_tensor_that_the_others_leave() -> None:
    """The code uses it in another way than the saved model did, and then raises."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use("Cast Cast:0")
        of_loss(labels, mode)
        if mode == "train":
            raise TypeError(f"float64 and float32 don't all match {features['x'].leaf}")

    asked = Asked(model_fn)
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS), op="Const"), MODES, asked)
    assert inputs(result) == ({"x": X}, LABEL)
    assert is_certain(result, result.traces["train"])
    assert result.traces["eval"].finished
    assert len(asked.rounds) < 4


def test_no_certainty_if_two_inputs_could_be_exchanged() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use("Cast Cast:0")
        features["y"].use("Cast Cast:0")
        of_loss(labels, mode)
        if mode == "train":
            raise TypeError(f"don't all match {features['x'].leaf} {features['y'].leaf}")

    graph = saved((X, TO_MATMUL), (Y, TO_CONCAT[:1]), (LABEL, TO_LOSS), op="Const")
    result = find(graph, MODES, Asked(model_fn))
    assert not is_certain(result, result.traces["train"])


def test_keys_that_no_graph_stores_matter_only_until_all_inputs_are_used() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode == "predict":
            return
        labels.play.note(labels.path, "iterate", "items")
        [label for _, label in sorted(labels.known.items())][-1].use(*TO_LOSS)
        if mode == "train":
            raise TypeError(f"float64 and float32 don't all match {features['x'].leaf}")

    graph = saved((X, TO_MATMUL), (LABEL, ()), (LABEL, TO_LOSS))
    result = find(graph, MODES, Asked(model_fn))
    assert result.complete
    assert is_certain(result, result.traces["train"])
    assert not keys_are_missed(result)
