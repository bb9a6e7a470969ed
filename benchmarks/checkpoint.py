"""Measures the reading of checkpoints against TensorFlow's own reader, side by side in one run.

Run ``python benchmarks/checkpoint.py [--runs 5] [--gib 4] [--folder DIR]`` with a Python that has
TensorFlow and the extra ``ckptcheck[deep]``. Four comparisons:

(a) the index of 100,000 variables with all checksums of its blocks, in one process, against
    ``tf.train.list_variables``;
(b) the index of 600 variables from the start of the process to the printed table
    (``ckptcheck inspect``) against ``python -c "import tensorflow; tf.train.list_variables(...)"``;
(c) all data of a checkpoint of several GiB in 4 shards: checksums, NaN, infinite and constant
    values (the reader of ``ckptcheck verify``) against a loop of ``get_tensor`` and
    ``np.isfinite``, each in a process of its own, with its peak of memory; once from the page
    cache, once from the disk;
(d) the saved graph of a transformer with 17 layers (20,000 nodes): all nodes and their consumers,
    in one process, against the same with TensorFlow's ``MetaGraphDef``.

(a), (c) and (d) do not include the time of imports.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

ROOT = Path(__file__).resolve().parent.parent
MANY, FEW, SHARDS, PER_SHARD, LAYERS = 100000, 600, 4, 16, 17

SAVE = """
import sys
import tensorflow as tf
v1 = tf.compat.v1
prefix, count, mebibytes, shards = sys.argv[1], *map(int, sys.argv[2:5])
names = [f"model/layer_{i // 16}/block_{i % 16}/dense/kernel" for i in range(count)]
shape = [2, 3] if not mebibytes else [mebibytes, 1 << 18]
with tf.Graph().as_default(), v1.Session() as session:
    parts = [f"{prefix}_part{n}" for n in range(shards)] if shards > 1 else [prefix]
    for n, part in enumerate(parts):
        mine = names[n::shards]
        tensor = tf.random.uniform(shape)
        session.run(tf.raw_ops.SaveV2(prefix=part, tensor_names=mine,
            shape_and_slices=[""] * len(mine), tensors=[tensor] * len(mine)))
    if shards > 1:
        session.run(tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=parts, destination_prefix=prefix))
"""

GRAPH = """
import json, pathlib, sys
folder, path, layers = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sys.path.insert(0, str(folder))
import tensorflow as tf
from model import model_fn
v1 = tf.compat.v1
params = json.loads((folder / "params.json").read_text("utf-8"))
params.update(num_layers=layers, hidden_size=24, vocab_size=100)
with tf.Graph().as_default():
    v1.train.create_global_step()
    names = ("input_ids", "input_mask", "segment_ids")
    features = {name: v1.placeholder(tf.int32, [None, 16], name) for name in names}
    model_fn(features, v1.placeholder(tf.int32, [None]), "train", params)
    v1.train.Saver().export_meta_graph(path)
"""

MINE = """
import resource, sys, time
from ckptcheck.checkpoint.bundle import read_bundle
from ckptcheck.checkpoint.data_scan import scan
import ckptcheck.checkpoint.values, google_crc32c  # not part of the measured time
start = time.perf_counter()
scans = scan(read_bundle(sys.argv[1]))
seconds = time.perf_counter() - start
assert not any(item.problem or item.nan or item.infinite for item in scans)
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(scans))
"""

THEIRS = """
import resource, sys, time
import numpy as np
import tensorflow as tf
start = time.perf_counter()
reader = tf.train.load_checkpoint(sys.argv[1])
names = [name for name, _ in tf.train.list_variables(sys.argv[1])]
assert all(np.isfinite(reader.get_tensor(name)).all() for name in names)
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(names))
"""


def _environment() -> Dict[str, str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    found = dict(os.environ, PYTHONPATH=path, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    # pip compiles TensorFlow's modules at the installation, so Python may compile ckptcheck's, too.
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def _python(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=_environment(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode("utf-8", "replace")[-3000:])
    return done.stdout.decode("utf-8")


def _make(folder: Path, name: str, count: int, mebibytes: int, shards: int) -> str:
    prefix = str(folder / f"{name}-1")
    if not os.path.isfile(prefix + ".index"):
        _python("-c", SAVE, prefix, str(count), str(mebibytes), str(shards))
    return prefix


def _alternate(runs: int, tasks: Dict[str, Callable[[], Any]]) -> Dict[str, List[Any]]:
    """Runs the tasks in turn, so that other load on the machine affects all of them."""
    found: Dict[str, List[Any]] = {name: [] for name in tasks}
    for number in range(runs + 1):
        for name, task in tasks.items():
            result = task()
            if number:  # the first round only warms up
                found[name].append(result)
    return found


def _seconds(task: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        task()
        return time.perf_counter() - start

    return run


def _compared(mine: List[float], theirs: List[float]) -> Dict[str, float]:
    ours, others = statistics.median(mine), statistics.median(theirs)
    return {
        "ckptcheck": round(ours, 3),
        "tensorflow": round(others, 3),
        "times as fast": round(others / ours, 2),
    }


def whole_graph(path: str, runs: int) -> Dict[str, float]:
    """Comparison (d)."""
    import tensorflow as tf

    from ckptcheck.graph.reader import parse_graph

    data = Path(path).read_bytes()

    def theirs() -> Dict[str, List[Any]]:
        found: Dict[str, List[Any]] = {}
        for node in tf.compat.v1.MetaGraphDef.FromString(data).graph_def.node:
            for slot, name in enumerate(node.input):
                found.setdefault(name, []).append((node.name, node.op, slot))
        return found

    tasks = {
        "mine": _seconds(lambda: parse_graph(data, path).consumers),
        "theirs": _seconds(theirs),
    }
    found = _alternate(runs, tasks)
    nodes = len(parse_graph(data, path).nodes)
    return {"nodes": nodes, **_compared(found["mine"], found["theirs"])}


def large_index(prefix: str, runs: int) -> Dict[str, float]:
    """Comparison (a)."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    sys.path.insert(0, str(ROOT))
    import tensorflow as tf

    from ckptcheck.checkpoint.bundle import read_bundle

    tasks = {
        "mine": _seconds(lambda: read_bundle(prefix)),
        "theirs": _seconds(lambda: tf.train.list_variables(prefix)),
    }
    found = _alternate(runs, tasks)
    return _compared(found["mine"], found["theirs"])


def from_start(prefix: str, runs: int) -> Dict[str, float]:
    """Comparison (b)."""
    theirs = "import sys, tensorflow as tf; print(tf.train.list_variables(sys.argv[1]))"
    tasks = {
        "mine": _seconds(lambda: _python("-m", "ckptcheck", "inspect", prefix, "--all")),
        "theirs": _seconds(lambda: _python("-c", theirs, prefix)),
    }
    found = _alternate(runs, tasks)
    return _compared(found["mine"], found["theirs"])


def _drop_from_cache(prefix: str) -> None:
    folder = os.path.dirname(prefix)
    for name in os.listdir(folder):
        if name.startswith(os.path.basename(prefix) + ".data-"):
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def all_data(prefix: str, runs: int, cold: bool) -> Dict[str, float]:
    """Comparison (c)."""

    def measure(code: str) -> List[float]:
        if cold:
            _drop_from_cache(prefix)
        return [float(word) for word in _python("-c", code, prefix).split()]

    found = _alternate(runs, {"mine": lambda: measure(MINE), "theirs": lambda: measure(THEIRS)})
    mine, theirs = found["mine"], found["theirs"]
    result = _compared([run[0] for run in mine], [run[0] for run in theirs])
    result["ckptcheck MiB"] = round(max(run[1] for run in mine))
    result["tensorflow MiB"] = round(max(run[1] for run in theirs))
    return result


def main() -> None:
    """Makes the checkpoints and runs all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--gib", type=int, default=4)
    parser.add_argument("--folder", help="keep the checkpoints here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        folder = Path(arguments.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        many = _make(folder, "many", MANY, 0, 1)
        few = _make(folder, "few", FEW, 0, 1)
        mebibytes = arguments.gib * 1024 // (SHARDS * PER_SHARD)
        data = _make(folder, "data", SHARDS * PER_SHARD, mebibytes, SHARDS)
        graph = str(folder / "graph.meta")
        _python("-c", GRAPH, str(ROOT / "benchmarks" / "transformer"), graph, str(LAYERS))
        report = {
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            f"(b) {FEW} variables from the start, seconds": from_start(few, arguments.runs),
            f"(c) {arguments.gib} GiB from the cache, seconds": all_data(
                data, arguments.runs, cold=False
            ),
            f"(c) {arguments.gib} GiB from the disk, seconds": all_data(data, 2, cold=True),
            # This comparison is the last one. It imports TensorFlow into this process, and child
            # processes would inherit its peak of memory.
            f"(a) index of {MANY} variables, seconds": large_index(many, arguments.runs),
            "(d) graph of a transformer, seconds": whole_graph(graph, arguments.runs),
        }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
