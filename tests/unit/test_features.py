"""Tests the search for features with a fake tracer, because the search itself runs no code.

The fake tracer gets requests to trace modes with some structure of features. It replies with the
events of a fake model_fn.
"""

import dataclasses
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest

from ckptcheck.client import input_pools
from ckptcheck.client.answers import Answer
from ckptcheck.client.attempt import Found
from ckptcheck.client.certainty import is_certain, raises_for_certain
from ckptcheck.client.features import find
from ckptcheck.client.guess import Guess, Inputs, new_features
from ckptcheck.client.input_pools import Head, head_of
from ckptcheck.client.matching import placed, similarity
from ckptcheck.client.structure import NOTHING, TENSOR, UNKNOWN, Node, learn, render, sequence
from ckptcheck.graph import nodes
from ckptcheck.graph.graph import Graph
from ckptcheck.protocol import (
    MODES,
    PROBE,
    FailedTrace,
    Failure,
    FailureKind,
    FinishedTrace,
    Misfit,
    Observed,
    RestorePlan,
)
from ckptcheck.uses import InputEvent, InputTensor

from ..graphs import consumers, node, saved_graph, text_of

Path = Tuple[Any, ...]
Leaf = Dict[str, Any]


class WrongGuessError(Exception):
    """The fake model_fn did something that shows that the structure is wrong."""


class Tensor:
    """A fake placeholder.

    It notes its consumers, and raises an error if used as a dict or a list.
    """

    def __init__(self, play: "Play", leaf: Leaf, path: Path) -> None:
        self.play, self.leaf, self.path = play, leaf, path
        self.consumers: List[str] = []

    def use(self, *consumers: str) -> None:
        """Notes that the fake model_fn uses it in ops."""
        self.consumers.extend(consumers)

    def __getitem__(self, key: Any) -> Any:
        raise self.play.wrong(self.path, "key", key)

    def unpack(self, count: int) -> Any:
        raise self.play.wrong(self.path, "unpack", count)


class Probe:
    """Features with unknown keys. A requested key gets the next tensor of the pool."""

    def __init__(self, play: "Play", probe: Dict[str, Any], path: Path) -> None:
        self.play, self.path, self.pool = play, path, list(probe["pool"])
        self.known = {
            key: play.build(item, (*path, key)) for key, item in probe.get("known", {}).items()
        }

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            raise self.play.wrong(self.path, "index", key)
        self.play.note(self.path, "key", key)
        if key not in self.known:
            if not self.pool:
                raise KeyError(key)
            self.known[key] = self.play.build(self.pool.pop(0), (*self.path, key))
        return self.known[key]

    def __contains__(self, key: str) -> bool:
        self.play.note(self.path, "maybe-key", key)
        return key in self.known

    def use(self, *consumers: str) -> None:
        raise self.play.wrong(self.path, "tensor", consumers[0])

    def unpack(self, count: int) -> Any:
        raise self.play.wrong(self.path, "unpack", count)


class Tuples(tuple):  # type: ignore[type-arg]
    """A tuple with an explicit method for unpacking, like the other fake values."""

    def unpack(self, count: int) -> Any:
        if len(self) != count:
            raise ValueError("not enough values to unpack")
        return self


ModelFn = Callable[[Any, Any, str], None]


class Play:
    """One trace of one mode with a fake model_fn."""

    def __init__(self, model_fn: ModelFn, mode: str, inputs: Inputs) -> None:
        self.model_fn, self.mode, self.inputs = model_fn, mode, inputs
        self.events: List[InputEvent] = []
        self.tensors: List[Tensor] = []

    def note(self, path: Path, event: str, value: Any) -> None:
        self.events.append(InputEvent(path, event, value))

    def wrong(self, path: Path, event: str, value: Any) -> WrongGuessError:
        self.note(path, event, value)
        return WrongGuessError()

    def build(self, node: Any, path: Path) -> Any:
        if node is None:
            return None
        if isinstance(node, list):
            return [self.build(item, (*path, place)) for place, item in enumerate(node)]
        if PROBE in node:
            return Probe(self, node[PROBE], path)
        if "dtype" in node:
            self.tensors.append(Tensor(self, node, path))
            return self.tensors[-1]
        if set(node) == {"tuple"}:
            return Tuples(self.build(item, (*path, i)) for i, item in enumerate(node["tuple"]))
        return {key: self.build(item, (*path, key)) for key, item in node.items()}

    def describe(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.leaf
        if isinstance(value, Probe):
            return {key: self.describe(item) for key, item in value.known.items()}
        if isinstance(value, tuple):
            return {"tuple": [self.describe(item) for item in value]}
        if isinstance(value, list):
            return [self.describe(item) for item in value]
        if isinstance(value, dict):
            return {key: self.describe(item) for key, item in value.items()}
        return None

    def run(self) -> Answer:
        features = self.build(self.inputs.features, ("features",))
        labels = self.build(self.inputs.labels, ("labels",))
        failure: Optional[Failure] = None
        misfit = False
        try:
            self.model_fn(features, labels, self.mode)
        except WrongGuessError:
            misfit = True
        except Exception as error:
            failure = Failure(FailureKind.RAISED, type(error).__name__, str(error))
        seen = self.seen(features, labels)
        if misfit:
            return Answer(Misfit(self.mode, "wrong guess", seen))
        if failure is not None:
            return Answer(FailedTrace(self.mode, failure, seen))
        return Answer(FinishedTrace(self.mode, RestorePlan(self.mode, ()), seen))

    def seen(self, features: Any, labels: Any) -> Observed:
        names = [f"ckptcheck_inputs/Placeholder_{place}" for place in range(len(self.tensors))]
        placeholders = [node(name, "Placeholder") for name in names]
        users = [
            user for name, t in zip(names, self.tensors) for user in consumers(name, t.consumers)
        ]
        return Observed(
            events=tuple(self.events),
            inputs=tuple(InputTensor(t.path, n + ":0") for t, n in zip(self.tensors, names)),
            features=self.describe(features),
            labels=self.describe(labels),
            graph=text_of(*placeholders, *users),
            first_op=len(placeholders),
        )


class Asked:
    """Runs every requested mode, and counts the rounds."""

    def __init__(self, model_fn: ModelFn) -> None:
        self.model_fn = model_fn
        self.rounds: List[List[str]] = []

    def __call__(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        self.rounds.append(sorted(wanted))
        return {mode: Play(self.model_fn, mode, inputs).run() for mode, inputs in wanted.items()}


def leaf(dtype: str = "float32", *shape: Optional[int]) -> Leaf:
    return {"dtype": dtype, "shape": list(shape or (None, 1))}


def saved(*outputs: Tuple[Leaf, Sequence[str]], op: str = "IteratorGetNext") -> Graph:
    """A saved graph whose input pipeline ends in one op with these outputs and consumers."""
    return saved_graph((op, op, outputs))


def found(graph: Graph, model_fn: ModelFn, modes: Sequence[str] = MODES) -> Found:
    result = find(graph, modes, Asked(model_fn))
    assert result.complete, result
    return result


def inputs(result: Found, mode: str = "train") -> Tuple[Any, Any]:
    """Returns the final structures of the search. They have no probe."""
    assert result.guess is not None
    given = result.guess.inputs(mode)
    return without_probe(given.features), without_probe(given.labels)


def without_probe(structure: Any) -> Any:
    if isinstance(structure, dict) and PROBE in structure:
        return structure[PROBE]["known"]
    return structure


X, Y, Z, LABEL = leaf("float32", None, 3), leaf("int64", None), leaf("string", None, 2), leaf()
TO_MATMUL = ("dense/MatMul MatMul:0",)
TO_LOSS = ("loss/Sub Sub:1",)
TO_GATHER = ("embed/GatherV2 GatherV2:1",)


def of_loss(labels: Any, mode: str) -> None:
    if mode != "predict":
        labels.use(*TO_LOSS)


# --- structures ------------------------------------------------------------------------------


def test_a_dict_with_one_key() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)

    result = found(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), model_fn)
    assert inputs(result) == ({"x": X}, LABEL)
    assert inputs(result, "predict") == ({"x": X}, None)
    assert all(trace.finished for trace in result.traces.values())
    assert set(result.traces) == set(MODES)


def test_a_dict_is_flattened_by_its_sorted_keys() -> None:
    """The order in which the model_fn asks for the keys does not matter."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["z"].use("z/A A:0")
        features["a"].use("a/B B:0")
        features["m"].use("m/C C:0")
        of_loss(labels, mode)

    graph = saved((X, ("a/B B:0",)), (Y, ("m/C C:0",)), (Z, ("z/A A:0",)), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ({"a": X, "m": Y, "z": Z}, LABEL)


def test_a_key_that_only_train_asks_for() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode == "train":
            features["weight"].use("w/Mul Mul:0")
        of_loss(labels, mode)

    graph = saved((Y, ("w/Mul Mul:0",)), (X, TO_MATMUL), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ({"weight": Y, "x": X}, LABEL)


def test_a_feature_that_the_saved_graph_has_no_tensor_for() -> None:
    """It must not take the tensor of the labels."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        features["z"].use(*TO_MATMUL)
        if mode != "predict" and labels is None:
            raise ValueError("Argument `labels` must not be None.")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert result.lacks_labels and not result.complete


def test_an_error_for_missing_labels_is_not_shown_where_another_explains_more() -> None:
    """The features may have taken the tensor of the labels."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        if features["a"].leaf["shape"] != features["x"].leaf["shape"] != LABEL["shape"]:
            raise ValueError("the sizes differ")
        features["x"].use(*TO_MATMUL)
        if mode != "predict" and labels is None:
            raise ValueError("labels must not be None.")

    result = find(saved((Y, ()), (X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert result.traces["train"].said == "the sizes differ"


def test_labels_among_the_features_are_no_lack_of_labels() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        features["y"].use(*TO_LOSS)
        raise KeyError("num_hidden")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert result.complete and not result.lacks_labels


def test_one_tensor() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features.use(*TO_MATMUL)
        of_loss(labels, mode)

    result = found(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), model_fn)
    assert inputs(result) == (X, LABEL)


def test_a_tuple_that_is_unpacked() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        words, lengths = features.unpack(2)
        words.use(*TO_GATHER)
        lengths.use("mask/Less Less:1")
        of_loss(labels, mode)

    graph = saved((Z, TO_GATHER), (Y, ("mask/Less Less:1",)), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ({"tuple": [Z, Y]}, LABEL)


def test_a_nested_tuple() -> None:
    """Sequence taggers have features such as ``((words, lengths), (chars, sizes))``."""
    consumers = ["a/A A:0", "b/B B:0", "c/C C:0", "d/D D:0"]

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        first, second = features.unpack(2)
        tensors = [*first.unpack(2), *second.unpack(2)]
        for tensor, consumer in zip(tensors, consumers):
            tensor.use(consumer)
        of_loss(labels, mode)

    specs = [Z, Y, leaf("string", None, None, 5), leaf("int64", None, 7)]
    graph = saved(*((spec, (to,)) for spec, to in zip(specs, consumers)), (LABEL, TO_LOSS))
    expected = {"tuple": [{"tuple": specs[:2]}, {"tuple": specs[2:]}]}
    assert inputs(found(graph, model_fn)) == (expected, LABEL)


def test_a_list() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        for place in range(3):
            features[place].use(f"tower_{place}/MatMul MatMul:0")
        of_loss(labels, mode)

    uses = [(f"tower_{place}/MatMul MatMul:0",) for place in range(3)]
    graph = saved((X, uses[0]), (X, uses[1]), (X, uses[2]), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ([X, X, X], LABEL)


def test_the_structure_that_fits_the_saved_graph_is_best() -> None:
    """The code also accepts a single tensor, but uses it in another way than the saved model."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        if isinstance(features, Tensor):
            features.use("dense/MatMul MatMul:0")
        else:
            features.play.note(features.path, "iterate", None)
            if not features.known:
                raise ValueError("nothing to concatenate")
            for place, key in enumerate(sorted(features.known)):
                features.known[key].use(f"concat ConcatV2:{place}")
        of_loss(labels, mode)

    graph = saved((X, ("concat ConcatV2:0",)), (Y, ("concat ConcatV2:1",)), (LABEL, TO_LOSS))
    features, labels = inputs(found(graph, model_fn))
    assert ([*features.values()], labels) == ([X, Y], LABEL)


def test_labels_as_a_dict() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode != "predict":
            labels["tags"].use("loss/A A:0")
            labels["score"].use("loss/B B:0")

    graph = saved((X, TO_MATMUL), (LABEL, ("loss/B B:0",)), (Y, ("loss/A A:0",)))
    assert inputs(found(graph, model_fn)) == ({"x": X}, {"score": LABEL, "tags": Y})


def test_a_list_of_one_feature_that_the_code_walks_through() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        if not isinstance(features, list):
            event = "maybe-index" if isinstance(features, Tensor) else "iterate"
            features.play.note(features.path, event, 0)
            raise TypeError("nothing to add")
        for part in features:
            part.use(*TO_MATMUL)
        of_loss(labels, mode)

    assert inputs(found(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), model_fn)) == ([X], LABEL)


def test_code_that_takes_one_label_or_a_dict_of_them() -> None:
    """The saved model also used a second tensor of labels."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode == "predict":
            return
        if isinstance(labels, Probe):
            labels["weight"].use("loss/Mul Mul:1")
        (labels["y"] if isinstance(labels, Probe) else labels).use(*TO_LOSS)

    graph = saved((X, TO_MATMUL), (Y, ("loss/Mul Mul:1",)), (LABEL, TO_LOSS))
    features, labels = inputs(found(graph, model_fn))
    assert (features, without_probe(labels)) == ({"x": X}, {"weight": Y, "y": LABEL})


def test_a_key_that_was_renamed_may_sort_elsewhere() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        if [features[key].leaf for key in ("z", "id")] != [X, Y]:
            raise ValueError(f"not with {features['z'].leaf}")
        features["z"].use(*TO_MATMUL)
        features["id"].use(*TO_GATHER)
        of_loss(labels, mode)

    graph = saved((X, TO_MATMUL), (Y, TO_GATHER), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ({"id": Y, "z": X}, LABEL)


def test_a_dict_that_the_input_fn_makes_from_a_tuple() -> None:
    """Estimator's order would give the key that is read last the first tensor."""
    name = {"dtype": "string", "shape": [2]}

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        if features["spectrogram"].leaf != X:
            raise ValueError(f"not with {features['spectrogram'].leaf}")
        features["spectrogram"].use(*TO_MATMUL)
        if mode == "predict":
            return
        if labels.leaf == name:
            raise TypeError("expected a string")
        of_loss(labels, mode)
        features["plaintext"].use("summary Summary:0")

    graph = saved((X, TO_MATMUL), (LABEL, TO_LOSS), (name, ("summary Summary:0",)))
    assert inputs(found(graph, model_fn)) == ({"plaintext": name, "spectrogram": X}, LABEL)


def test_labels_that_the_code_walks_through() -> None:
    """``zip(labels, logits)`` fails with one tensor, but the code is right with a list of two."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode != "predict" and isinstance(labels, Tensor):
            labels.play.note(labels.path, "maybe-index", 0)
            raise TypeError("zip argument #1 must support iteration")
        for place, part in enumerate(labels[:2] if labels else ()):
            part.use(f"loss_{place}/Sub Sub:1")

    of_losses = [(LABEL, (f"loss_{place}/Sub Sub:1",)) for place in range(2)]
    result = found(saved((X, TO_MATMUL), (Y, ()), *of_losses), model_fn)
    assert inputs(result) == ({"x": X}, [LABEL, LABEL])


@pytest.mark.parametrize("raises", [False, True])
def test_a_feature_that_eval_alone_asks_for(raises: bool) -> None:
    """TRAIN's inputs need not have it. Its dtype is unknown, so an error may come from that."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)
        if mode == "eval":
            features["weight"].use("mean Mul:1")
            if raises:
                raise TypeError("not with a float32")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert inputs(result, "train")[0]["x"] == X
    assert result.traces["train"].finished
    assert result.traces["eval"].finished != raises
    assert not is_certain(result, result.traces["eval"]) or not raises


def test_labels_as_a_list() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode != "predict":
            depth, angle = labels.unpack(2)
            depth.use("loss/A A:0")
            angle.use("loss/B B:0")

    graph = saved((X, TO_MATMUL), (LABEL, ("loss/A A:0",)), (Y, ("loss/B B:0",)))
    features, labels = inputs(found(graph, model_fn))
    assert features == {"x": X}
    assert labels == {"tuple": [LABEL, Y]}


def test_no_labels() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        assert labels is None or isinstance(labels, Tensor)
        features["a"].use("a/A A:0")
        features["b"].use("b/B B:0")

    graph = saved((X, ("a/A A:0",)), (Y, ("b/B B:0",)))
    assert inputs(found(graph, model_fn)) == ({"a": X, "b": Y}, None)


def test_labels_that_stand_among_the_features() -> None:
    """BERT's fine-tuning does this. Labels are None in every mode."""
    uses = {"input_ids": "ids/G G:1", "input_mask": "mask/C C:0", "label_ids": "loss/O O:0"}

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["input_ids"].use(uses["input_ids"])
        features["input_mask"].use(uses["input_mask"])
        if mode != "predict":
            features["label_ids"].use(uses["label_ids"])

    ids, label = leaf("int32", 8, 16), leaf("int32", 8)
    graph = saved(
        (ids, (uses["input_ids"],)), (ids, (uses["input_mask"],)), (label, (uses["label_ids"],))
    )
    features, labels = inputs(found(graph, model_fn))
    assert features == {"input_ids": ids, "input_mask": ids, "label_ids": label}
    assert labels is None


def test_a_single_tensor_and_no_labels() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features.use(*TO_MATMUL)

    assert inputs(found(saved((X, TO_MATMUL)), model_fn)) == (X, None)


# --- which tensor is which -------------------------------------------------------------------


def test_an_output_that_nothing_used_is_left_out() -> None:
    """The dataset has columns that the model_fn never asks for."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["c"].use(*TO_MATMUL)
        of_loss(labels, mode)

    graph = saved((Z, ()), (Y, ()), (X, TO_MATMUL), (LABEL, TO_LOSS))
    assert inputs(found(graph, model_fn)) == ({"c": X}, LABEL)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_consumers_decide_between_tensors_that_look_alike(order: Tuple[int, int]) -> None:
    """Two placeholders have the same dtype, and their order does not show their keys.

    Only their consumers show which one is which.

    """
    specs = [leaf("float32", None, 3), leaf("float32", None, 5)]
    uses = [("height/Mul Mul:0",), ("width/Add Add:0", "width/Sub Sub:0")]

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["height"].use(*uses[0])
        features["width"].use(*uses[1])
        of_loss(labels, mode)

    made = [(f"node_{i}", "Cast", [(specs[i], uses[i])]) for i in order]
    graph = saved_graph(*made, ("label", "Cast", [(LABEL, TO_LOSS)]))
    assert inputs(found(graph, model_fn)) == ({"height": specs[0], "width": specs[1]}, LABEL)


def test_similarity_is_that_of_bags() -> None:
    assert similarity((), ()) == 1.0
    assert similarity(TO_MATMUL, TO_MATMUL) == pytest.approx(1.0)
    assert similarity(TO_MATMUL, ()) == 0.0
    assert similarity(TO_MATMUL, TO_LOSS) == 0.0
    same_op, same_scope = ("a/MatMul MatMul:0",), ("dense/Add Add:0",)
    assert similarity(TO_MATMUL, same_op) > similarity(TO_MATMUL, same_scope) > 0.0
    assert similarity(TO_MATMUL * 2, TO_MATMUL) < 1.0


def test_without_evidence_tensors_that_nothing_used_are_left_out() -> None:
    graph = saved((X, TO_MATMUL), (Y, ()), (X, TO_MATMUL), (LABEL, TO_LOSS))
    pool = input_pools.pools(head_of(graph))[0]
    features = Node("dict", (("a", TENSOR), ("h", TENSOR)))
    guess = placed(Guess(pool, features, TENSOR, {}), {})
    assert guess.places == {("features", "a"): 0, ("features", "h"): 2, ("labels",): 3}


# --- the end of the search -------------------------------------------------------------------


def raising(features: Any, labels: Any, mode: str) -> None:
    features["x"].use(*TO_MATMUL)
    raise ValueError("rank must be 2")


def test_a_model_fn_that_raises_stops_the_search_early() -> None:
    """Every round traces the user's code.

    If that code has a bug, the search must not take minutes.
    """
    asked = Asked(raising)
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, asked)
    assert {str(t.failure.message) for t in result.traces.values() if t.failure} == {
        "rank must be 2"
    }
    assert len(asked.rounds) <= 6


def test_a_model_fn_that_raises_in_one_mode_is_found_in_the_others() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        labels.use(*TO_LOSS)

    asked = Asked(model_fn)
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, asked)
    assert result.complete
    assert inputs(result) == ({"x": X}, LABEL)
    assert [mode for mode in MODES if result.traces[mode].failure] == ["predict"]
    assert len(asked.rounds) <= 4


def test_a_key_that_no_tensor_is_left_for_is_wanting() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        for key in ("a", "b", "c"):
            features[key].use("x/X X:0")

    result = find(saved((X, ("x/X X:0",))), MODES, Asked(model_fn))
    assert not result.complete
    assert result.guess is not None
    assert result.guess.wanting


def test_a_graph_without_any_input_finds_nothing() -> None:
    asked = Asked(raising)
    result = find(Graph(b"", file="graph.pbtxt"), MODES, asked)
    assert not result.complete
    assert len(asked.rounds) <= 2


def test_a_model_fn_that_looks_different_each_time_ends() -> None:
    """The search ends even if every round shows something new."""
    count = [0]

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        count[0] += 1
        features[f"key_{count[0]}"].use(*TO_MATMUL)

    asked = Asked(model_fn)
    find(saved(*((X, TO_MATMUL) for _ in range(30))), MODES, asked)
    assert len(asked.rounds) <= 60


@pytest.mark.parametrize("mode", MODES)
def test_one_mode_alone(mode: str) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)

    result = found(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), model_fn, (mode,))
    assert list(result.traces) == [mode]
    assert inputs(result, mode)[0] == {"x": X}


# --- the parts -------------------------------------------------------------------------------


def test_pools_of_a_pipeline_that_works_on_its_tensors() -> None:
    """The outputs of the iterator are the first candidate.

    The tensors that cross a border are the next.
    """
    raw = ("Parse ParseExample:0",)
    graph = saved_graph(
        ("IteratorGetNext", "IteratorGetNext", [(leaf("string", None), ())]),
        ("Parse", "ParseExample", [(leaf("float32", None, 3), TO_MATMUL)]),
    )
    head = head_of(graph)
    (record,) = head.leaves[0]
    of_record = (dataclasses.replace(record, consumers=raw, users=(1,)),)
    head = dataclasses.replace(head, leaves=(of_record, *head.leaves[1:]))
    names = [[item.name for item in pool.leaves] for pool in input_pools.pools(head)]
    assert names == [["IteratorGetNext:0"], ["Parse:0"]]
    assert [pool.sorted_keys for pool in input_pools.pools(head)] == [True, False]


def test_constants_of_an_input_fn_without_a_pipeline() -> None:
    """The number of the model_fn's ops before the first variable does not matter."""
    constants = [("Const", (4, 2), 4), ("Const_1", (4, 1), 4), ("Const_2", (4,), 30)]
    body = [(f"op_{place}", (4, 3), place + 1) for place in range(4, 30)]
    made = [*constants, ("concat/axis", (), 4), *body]
    ops = ["Const"] * 4 + ["Tanh"] * len(body)
    leaves = tuple(
        (input_pools.Leaf(f"{name}:0", spec_of(sizes), ("x/Op Op:0",), (user,)),)
        for name, sizes, user in made
    )
    of_head = tuple(nodes.Node(name, op) for (name, _, _), op in zip(made, ops))
    first = input_pools.pools(Head(of_head, leaves, ()))[0]
    assert [leaf.name for leaf in first.leaves] == ["Const:0", "Const_1:0", "Const_2:0"]


@pytest.mark.parametrize(
    ("name", "user", "names"),
    [
        ("concat/axis", "concat ConcatV2:2", []),
        ("mean/Sum/axis", "mean/Sum/reduced Sum:1", []),
        ("inputs/axis", "concat ConcatV2:2", ["inputs/axis:0"]),
        ("axis", "concat ConcatV2:2", ["axis:0"]),
    ],
)
def test_a_constant_that_an_op_takes_is_no_feature(name: str, user: str, names: List[str]) -> None:
    graph = saved_graph((name, "Const", [(spec_of(()), (user,))]))
    assert [item.name for some in head_of(graph).leaves for item in some] == names


def spec_of(sizes: Sequence[int]) -> Leaf:
    return {"dtype": "float32", "shape": list(sizes)}


def test_a_queue_leaves_out_the_number_of_the_row() -> None:
    graph = saved((leaf("int64", None), ()), (X, TO_MATMUL), op="QueueDequeueManyV2")
    (pool,) = input_pools.pools(head_of(graph))
    assert [item.name for item in pool.leaves] == ["QueueDequeueManyV2:1"]


def test_a_sparse_feature_crosses_a_border_with_any_of_its_parts() -> None:
    """The model may take the indices, and not the values."""
    sizes = {"dtype": "int64", "shape": [2]}
    parts = [(leaf("int64"), ("cast Cast:0",)), (leaf("string"), ()), (sizes, ())]
    head = head_of(saved_graph(("sparse", "DeserializeSparse", parts)))
    (found,) = input_pools.pool_at(head, 1).leaves
    assert found.spec == {"dtype": "string", "shape": [None, None], "sparse": True}
    assert not found.used


def test_resources_and_variants_are_no_features() -> None:
    outputs = [(leaf("resource"), ("a A:0",)), (leaf("variant"), ("a A:0",)), (X, TO_MATMUL)]
    pool = input_pools.pool_at(head_of(saved(*outputs)), 1)
    assert [item.spec for item in pool.leaves] == [X]


@pytest.mark.parametrize(
    ("ops", "head", "border"),
    [
        (("A", "B", "C", "D", "E"), ("C", "D", "E"), 2),
        (("A", "B", "C", "D", "E"), ("A", "B", "C"), 0),
        (("A", "B", "C", "D", "E"), ("X", "Y", "Z"), None),
        (("A", "B", "C", "D", "E"), ("C", "D"), None),
    ],
)
def test_where_a_traced_model_fn_begins(
    ops: Tuple[str, ...], head: Tuple[str, ...], border: Optional[int]
) -> None:
    of_head = tuple(nodes.Node(op.lower(), op) for op in ops)
    saved_head = Head(of_head, ((),) * len(ops), ops)
    assert input_pools.aligned_border(saved_head, head) == border


def test_a_structure_grows_by_what_was_seen() -> None:
    node = UNKNOWN
    node = learn(node, [InputEvent(("features",), "key", "b")], "features", 5)
    node = learn(node, [InputEvent(("features",), "key", "a")], "features", 5)
    node = learn(node, [InputEvent(("labels",), "key", "c")], "features", 5)
    assert node == Node("dict", (("a", TENSOR), ("b", TENSOR)))
    node = learn(node, [InputEvent(("features", "a"), "unpack", 2)], "features", 5)
    assert list(node.leaves(("features",))) == [
        ("features", "a", 0),
        ("features", "a", 1),
        ("features", "b"),
    ]
    assert learn(node, [InputEvent(("features",), "tensor")], "features", 5) == node


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (NOTHING, None),
        (TENSOR, X),
        (sequence("list", 2), [Y, Z]),
        (sequence("tuple", 2), {"tuple": [Y, Z]}),
        (Node("dict", (("k", TENSOR),)), {PROBE: {"known": {"k": Y}, "pool": [Z]}}),
    ],
)
def test_a_structure_is_written_as_json(node: Node, value: Any) -> None:
    specs = {("r",): X, ("r", 0): Y, ("r", 1): Z, ("r", "k"): Y}
    assert render(node, specs, ("r",), [Z]) == value


def test_what_is_unknown_is_a_probe_with_the_tensors_that_are_left() -> None:
    assert render(UNKNOWN, {}, ("features",), [X, Y]) == {PROBE: {"known": {}, "pool": [X, Y]}}


def test_a_list_of_more_than_ten_parts_stays_in_order() -> None:
    """In alphabetical order, 10 comes before 2."""
    node = sequence("list", 12)
    for place in range(12):
        node = node.with_item(place, TENSOR)
    assert [path[-1] for path in node.leaves(("features",))] == list(range(12))


def test_what_fitted_before_is_tried_first() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)

    graph = saved((X, TO_MATMUL), (LABEL, TO_LOSS))
    before = find(graph, MODES, Asked(model_fn))
    again = Asked(model_fn)
    assert inputs(find(graph, MODES, again, before.guess)) == inputs(before)
    assert again.rounds == [sorted(MODES)]


def test_what_fitted_before_and_does_no_longer_is_forgotten() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        features["y"].use("y/Gather Gather:0")
        of_loss(labels, mode)

    graph = saved((X, TO_MATMUL), (Y, ("y/Gather Gather:0",)), (LABEL, TO_LOSS))
    (pool, *_) = input_pools.pools(head_of(graph))
    wrong = Guess(pool, Node("dict", (("other", TENSOR),)), NOTHING, {("features", "other"): 2})
    right = find(graph, MODES, Asked(model_fn))
    assert inputs(right) == ({"x": X, "y": Y}, LABEL)
    assert inputs(find(graph, MODES, Asked(model_fn), wrong)) == inputs(right)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("age", True),
        ("height", True),
        ("name", True),
        ("city", True),
        ("input", False),  # input_layer is no feature column of it
        ("dense", False),
        ("ag", False),
    ],
)
def test_a_name_that_says_which_feature_a_tensor_is(key: str, named: bool) -> None:
    consumers = (
        "input_layer/age_embedding/to_sparse_input/NotEqual NotEqual:0",
        "input_layer/height_bucketized/Bucketize Bucketize:0",
        "linear_model/name_X_street/SparseCross SparseCross:0",
        "input_layer/city/ExpandDims ExpandDims:0",
        "net/dense_of_all/MatMul MatMul:0",
    )
    assert input_pools.Leaf("IteratorGetNext:0", {}, consumers).is_named(key) == named


def test_a_placeholder_has_the_name_of_its_feature() -> None:
    assert input_pools.Leaf("age:0", {}, ()).is_named("age")
    assert not input_pools.Leaf("IteratorGetNext:0", {}, ()).is_named("age")


# --- what makes a failure certain -------------------------------------------------------------


def test_a_model_fn_that_raises_whatever_it_gets_fails_for_certain() -> None:
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(raising))
    assert raises_for_certain(result)


def test_a_failure_after_other_uses_than_the_saved_ones_is_not_certain() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use("other/Conv2D Conv2D:0")
        if features["x"].leaf["dtype"] == "float32":
            raise ValueError("not with a float32")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert not any(is_certain(result, trace) for trace in result.traces.values())


def test_a_failure_after_the_saved_uses_is_certain() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if features["x"].leaf["dtype"] == "float32":
            raise ValueError("not with a float32")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert raises_for_certain(result)


# --- each mode has its own inputs ---------------------------------------------------------------


def test_a_mode_with_another_batch_size() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        of_loss(labels, mode)
        if mode != "train" and features["x"].leaf["shape"][0] == 8:
            raise ValueError("the batch size is 4")

    graph = saved((leaf("float32", 8, 3), TO_MATMUL), (leaf("float32", 8), TO_LOSS))
    result = found(graph, model_fn)
    assert inputs(result, "train")[0] == {"x": leaf("float32", 8, 3)}
    assert inputs(result, "predict")[0] == {"x": leaf("float32", None, 3)}
    assert all(trace.finished for trace in result.traces.values())


def test_a_mode_with_other_integers() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_GATHER)
        of_loss(labels, mode)
        if mode == "predict" and features["x"].leaf["dtype"] != "int32":
            raise TypeError("int32 is needed")

    result = found(saved((Y, TO_GATHER), (LABEL, TO_LOSS)), model_fn)
    assert inputs(result, "train")[0] == {"x": Y}
    assert inputs(result, "predict")[0] == {"x": leaf("int32", None)}


# --- features that are new ---------------------------------------------------------------------

AGE, WEIGHT = ("features", "age"), ("features", "weight")
OF_AGE = ("input_layer/age/Reshape Reshape:0",)


def test_names_show_which_feature_is_new() -> None:
    pool = input_pools.pools(head_of(saved((X, OF_AGE), (LABEL, TO_LOSS))))[0]
    features = Node("dict", (("age", TENSOR), ("weight", TENSOR)))
    guess = Guess(pool, features, TENSOR, {})

    def new(**known: Any) -> Dict[Path, Any]:
        return new_features(dataclasses.replace(guess, **known), features)

    assert new(columns={AGE: X, WEIGHT: Y}) == {WEIGHT: Y}
    assert new(columns={AGE: X}) == {}  # nothing says what weight is
    assert new(columns={WEIGHT: X}) == {}  # age may have its name by chance


@pytest.mark.parametrize(("used", "new"), [((AGE, WEIGHT), {WEIGHT: None}), ((WEIGHT,), {})])
def test_a_pipeline_may_rename_what_it_parses(used: Tuple[Path, ...], new: Any) -> None:
    pool = input_pools.pools(head_of(saved((X, OF_AGE), (Y, ()), (LABEL, TO_LOSS))))[0]
    parsed = dataclasses.replace(pool, parsed=frozenset(["age", "label"]))
    features = Node("dict", (("age", TENSOR), ("weight", TENSOR)))
    guess = Guess(parsed, features, TENSOR, {}, used=frozenset([*used, ("labels",)]))
    assert new_features(guess, features) == new


def test_a_column_of_strings_gets_no_numbers() -> None:
    pool = input_pools.pools(head_of(saved((X, ()), (Z, ()), (LABEL, TO_LOSS))))[0]
    features = Node("dict", (("word", TENSOR),))
    guess = Guess(pool, features, TENSOR, {}, columns={("features", "word"): Z})
    assert placed(guess, {}).places == {("features", "word"): 1, ("labels",): 2}


def test_keys_that_the_code_names_keep_their_places() -> None:
    pool = input_pools.pools(head_of(saved((X, ()), (Y, ()), (Z, ()), (LABEL, TO_LOSS))))[0]
    later = [("features", "a"), ("features", "b")]
    guess = Guess(pool, Node("dict", (("c", TENSOR),)), TENSOR, {})
    assert placed(guess, {}, later).places == {("features", "c"): 2, ("labels",): 3}


@pytest.mark.parametrize("named", ["in", "a_key_of_dead_code"])
def test_a_key_that_the_code_names_takes_no_tensor_from_others(named: str) -> None:
    """The key may belong to another dict, or the code may never ask for it."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features.play.note(features.path, "named", named)
        features["in"]["x"].use("concat ConcatV2:0")
        of_loss(labels, mode)

    graph = saved((X, ("concat ConcatV2:0",)), (Y, ()), (LABEL, TO_LOSS))
    features, labels = inputs(found(graph, model_fn))
    assert (without_probe(features["in"]), labels) == ({"x": X}, LABEL)


def test_the_name_of_a_column_outweighs_consumers() -> None:
    """If a feature has a wrong tensor, its consumers look like those of that tensor."""
    scope = "input_layer/tags_weighted_by_weight_indicator"
    of_user = ("input_layer/user_embedding/ExpandDims ExpandDims:0",)
    graph = saved(
        (leaf("float32", None, 2), (f"{scope}/NotEqual NotEqual:0",)),
        (Y, of_user),
        (LABEL, TO_LOSS),
    )
    pool = input_pools.pools(head_of(graph))[0]
    columns: Dict[Path, Leaf] = {WEIGHT: leaf("float32", None, None)}
    uses: Dict[Path, Sequence[str]] = {WEIGHT: (f"{scope}/ExpandDims ExpandDims:0",)}
    features = Node("dict", (("weight", TENSOR),))
    guess = Guess(pool, features, TENSOR, {}, columns=columns)
    assert placed(guess, uses).places[WEIGHT] == 0


def test_a_feature_without_a_tensor_stays_out_of_the_swaps() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use("other/Conv2D Conv2D:0")
        if mode == "predict":
            features["scale"].use("mul Mul:1")
        of_loss(labels, mode)
        if mode != "predict" and features["x"].leaf["dtype"] == "float32":
            raise ValueError("not with a float32")

    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, Asked(model_fn))
    assert result.guess is not None
    assert result.guess.absent == {("features", "scale")}


# --- the end of the search ------------------------------------------------------------------------


def test_a_search_that_has_taken_long_enough_ends_with_the_best() -> None:
    asked = Asked(raising)

    def ask(wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        return asked(wanted) if len(asked.rounds) < 2 else {}

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use("other/Conv2D Conv2D:0")
        raise ValueError(str(features["x"].leaf))

    asked.model_fn = model_fn
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, ask)
    assert set(result.traces) == set(MODES)
    assert len(asked.rounds) == 2


def test_a_search_without_an_answer_still_knows_the_tensors() -> None:
    result = find(saved((X, TO_MATMUL), (LABEL, TO_LOSS)), MODES, lambda wanted: {})
    assert not result.complete
    assert result.guess is not None
    assert len(result.guess.pool.leaves) == 2


def test_labels_that_are_missing_make_no_failure_certain() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if mode != "predict":
            raise TypeError("'NoneType' object is not subscriptable")

    asked = Asked(model_fn)
    guess = Guess(input_pools.pools(head_of(saved((X, TO_MATMUL))))[0], UNKNOWN, NOTHING, {})
    traces = asked({mode: guess.inputs(mode) for mode in MODES})
    result = Found(traces, guess, True, regardless=frozenset(MODES))
    assert not is_certain(result, traces["train"])


# --- optional keys, and inputs that the code has not touched -------------------------------------


def test_an_optional_key_may_be_absent() -> None:
    """The code looks for the key with ``in``, and one tensor is unused."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if "weight" in features:
            raise ValueError("Dimensions must be equal")
        of_loss(labels, mode)

    graph = saved((Y, ()), (X, TO_MATMUL), (LABEL, TO_LOSS))
    result = find(graph, MODES, Asked(model_fn))
    assert inputs(result) == ({"x": X}, LABEL)
    assert all(trace.finished for trace in result.traces.values())


def test_an_optional_key_whose_tensor_the_saved_model_used_is_not_dropped() -> None:
    """The real run may take the branch that raises."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        if "weight" in features:
            raise ValueError("Dimensions must be equal")
        of_loss(labels, mode)

    graph = saved((Y, ("mul Mul:1",)), (X, TO_MATMUL), (LABEL, TO_LOSS))
    result = find(graph, MODES, Asked(model_fn))
    assert not any(trace.finished for trace in result.traces.values())


def test_code_that_raises_before_it_touches_its_inputs_fails_for_certain() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        raise TypeError("build() got an unexpected keyword argument 'size'")

    graph = saved((X, TO_MATMUL), (Y, TO_MATMUL), (LABEL, TO_LOSS))
    assert raises_for_certain(find(graph, MODES, Asked(model_fn)))


def test_unused_tensors_of_a_failed_trace_are_no_evidence() -> None:
    """The first tensors have no consumers in the saved graph, and none before the exception."""

    def model_fn(features: Any, labels: Any, mode: str) -> None:
        first, second = features["a"], features["b"]
        if {first.leaf["shape"][-1], second.leaf["shape"][-1]} != {X["shape"][-1]}:
            raise ValueError("Shape must be rank 2 but is rank 1")
        first.use(*TO_MATMUL)
        second.use(*TO_MATMUL)
        of_loss(labels, mode)

    graph = saved((X, TO_MATMUL), (LABEL, ()), (X, TO_MATMUL), (LABEL, TO_LOSS))
    result = find(graph, MODES, Asked(model_fn))
    assert all(trace.finished for trace in result.traces.values())


def test_an_error_in_all_modes_says_nothing_about_batch_sizes() -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> None:
        features["x"].use(*TO_MATMUL)
        raise KeyError("size")

    whole = [dict(spec, shape=[8, *spec["shape"][1:]]) for spec in (X, LABEL)]
    result = find(saved((whole[0], TO_MATMUL), (whole[1], TO_LOSS)), MODES, Asked(model_fn))
    assert result.guess is not None
    assert result.guess.own == {}
    assert all(is_certain(result, trace) for trace in result.traces.values())
