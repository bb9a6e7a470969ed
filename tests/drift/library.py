"""Calls of TensorFlow, and a digest of the common form of the graph that this version builds.

    python -m tests.drift.library lists the calls that this version builds in another way python -m
    tests.drift.library --write adds what this version builds to library.json

Versions build different graphs for the same call. ``ckptcheck/graph/version_rules.py`` gives them
a common form. ``library_calls.txt`` has the calls, one per line. They use the placeholders of
:func:`_inputs`. ``library.json`` has the digests, and says which calls have no common form.
"""

import argparse
import hashlib
import json
import os
import sys
import warnings
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ckptcheck.drift.sides import Side, training
from ckptcheck.graph.digests import Interner
from ckptcheck.graph.reader import traced_graph
from ckptcheck.graph.version_rules import RULES
from ckptcheck.tracer import compat, graph_text

FOLDER = os.path.dirname(os.path.abspath(__file__))
CALLS = os.path.join(FOLDER, "library_calls.txt")
RESULTS = os.path.join(FOLDER, "library.json")


class Digests(Interner):
    """Digests that are the same in each process."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = int(hashlib.sha256(repr(key).encode("utf-8")).hexdigest()[:15], 16)
        return number


def calls() -> List[str]:
    """All calls."""
    with open(CALLS, encoding="utf-8") as f:
        return f.read().splitlines()


def recorded() -> Dict[str, Any]:
    """Returns the content of library.json."""
    with open(RESULTS, encoding="utf-8") as f:
        found: Dict[str, Any] = json.load(f)
    return found


def _inputs(tf: Any) -> Dict[str, Any]:
    """Placeholders by name: u... has an unknown batch size, sp... are parts of sparse tensors."""
    shapes = {
        "x": ("float32", [8, 6]),
        "x2": ("float32", [8, 6]),
        "u": ("float32", [None, 6]),
        "u2": ("float32", [None, 6]),
        "img": ("float32", [2, 8, 8, 3]),
        "uimg": ("float32", [None, 8, 8, 3]),
        "seq": ("float32", [4, 5, 3]),
        "useq": ("float32", [None, 5, 3]),
        "ids": ("int32", [8]),
        "ids64": ("int64", [8]),
        "ids4": ("int32", [4]),
        "ids45": ("int32", [4, 5]),
        "uids": ("int32", [None, 5]),
        "idx2": ("int32", [4, 2]),
        "strs": ("string", [8, 1]),
        "flag": ("bool", []),
        "spi": ("int64", [None, 2]),
        "sps": ("int64", [2]),
        "spv": ("int32", [None]),
        "spv64": ("int64", [None]),
        "spf": ("float32", [None]),
        "spw": ("float32", [None]),
    }
    found = {name: tf.placeholder(*kind, name=name) for name, kind in shapes.items()}
    for name, values in (("sp", "spv"), ("sp64", "spv64"), ("spf", "spf"), ("spw", "spw")):
        found[name + "_"] = tf.SparseTensor(found["spi"], found[values], found["sps"])
    return found


class _Helpers:
    """Helpers that the calls use in addition to TensorFlow."""

    def __init__(self, tf: Any) -> None:
        self.tf = tf
        self.step = tf.train.get_or_create_global_step()
        self.trains = False

    def train(self, op: Any) -> Any:
        """Marks a call as one that writes variables."""
        self.trains = True
        return self.tf.group(op)

    def square_of(self, value: Any) -> Any:
        """A loss."""
        return self.tf.reduce_mean(self.tf.square(value))

    def clipped(self, optimizer: Any, loss: Any, clip: Any) -> Any:
        """Applies clipped gradients."""
        gradients, variables = zip(*optimizer.compute_gradients(loss))
        pairs = zip(clip(list(gradients)), variables)
        return optimizer.apply_gradients(list(pairs), global_step=self.step)

    def ema_after(self, op: Any, step: Optional[Any] = None) -> Any:
        """Averages the variables after an op."""
        average = self.tf.train.ExponentialMovingAverage(0.99, step)
        with self.tf.control_dependencies([op]):
            return average.apply(self.tf.trainable_variables())


def _built(tensorflow: Any, call: str) -> Side:
    """Builds the graph of a call."""
    import numpy as np

    tf = compat.v1(tensorflow)
    graph = tf.Graph()
    with graph.as_default():
        helpers, inputs = _Helpers(tf), _inputs(tf)
        names = {name: value for name, value in vars(_Helpers).items() if name[0] != "_"}
        bound = {name: getattr(helpers, name) for name in names}
        sparse = {name[:-1]: value for name, value in inputs.items() if name.endswith("_")}
        known = {"tf": tf, "np": np, "gs": helpers.step, **bound, **inputs, **sparse}
        result = eval(call, known)
        saver = tf.train.Saver(tf.global_variables())
        text = graph_text.graph_text(tensorflow, graph)
    while isinstance(result, (list, tuple)):
        result = result[0]
    leaves = {
        (tensor.op.name, 0): ("input", name)
        for name, tensor in inputs.items()
        if not name.endswith("_")
    }
    outputs = () if helpers.trains else (result.name,)
    return Side(traced_graph(text), saver.saver_def.restore_op_name, outputs, leaves)


def digests(tensorflow: Any) -> Iterator[Tuple[str, str]]:
    """Yields each call with a digest of its graph; "" if this version does not have it."""
    for call in calls():
        try:
            side = _built(tensorflow, call)
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            print(f"{call}: {error!r}"[:200], file=sys.stderr)
            yield call, ""
            continue
        computed = training(side, Digests(), side, RULES)
        found = sorted(computed.steps[place].digest for place in computed.roots)
        yield call, hashlib.sha256(repr(found).encode("utf-8")).hexdigest()[:12]


def unlike(found: Mapping[str, str], version: str) -> List[str]:
    """Returns the calls whose digests are not the recorded ones."""
    known = recorded()
    own = {call: by[version] for call, by in known["unlike"].items() if version in by}
    expected = {**known["same"], **own}
    return [call for call, text in found.items() if text and expected.get(call, text) != text]


def _write(found: Mapping[str, str], version: str) -> None:
    known = recorded() if os.path.exists(RESULTS) else {"versions": [], "same": {}, "unlike": {}}
    by_call: Dict[str, Dict[str, str]] = {}
    for call in found:
        same = known["same"].get(call)
        by = dict.fromkeys(known["versions"], same) if same else known["unlike"].get(call, {})
        by_call[call] = {**by, version: found[call]}
    versions = sorted({*known["versions"], version}, key=_numbers)
    same = {call: by[version] for call, by in by_call.items() if len(set(by.values())) == 1}
    rest = {call: by for call, by in by_call.items() if call not in same}
    with open(RESULTS, "w", encoding="utf-8") as f:
        json.dump({"versions": versions, "same": same, "unlike": rest}, f, indent=1)
        f.write("\n")


def _numbers(version: str) -> List[int]:
    return [int(number) for number in version.split(".")]


def main() -> int:
    parser = argparse.ArgumentParser(description="Build calls of TensorFlow.")
    parser.add_argument("--write", action="store_true", help="add the digests to library.json")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    tensorflow = compat.import_tensorflow()
    version = ".".join(tensorflow.__version__.split(".")[:2])
    found = dict(digests(tensorflow))
    if args.write:
        _write(found, version)
    different = unlike(found, version)
    for call in different:
        print(f"not as in library.json: {call}")
    known = recorded()
    same, versions = len(known["same"]), ", ".join(known["versions"])
    print(f"{same} of {same + len(known['unlike'])} calls have the same graph in {versions}")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
