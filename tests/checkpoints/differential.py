"""Compares the reader with TensorFlow, on random checkpoints that TensorFlow saves.

    python -m tests.checkpoints.differential --trials 2000 --seed 1

Each trial saves one checkpoint, with names of any bytes, every dtype that this TensorFlow can save,
scalars, tensors without elements, partitioned variables, and several shards, and compares
TensorFlow's own reader with ckptcheck's reader. The checksums of all data must match, too. At the
first difference, the module ends with exit code 1. The same seed repeats it.

TensorFlow's Python API cannot list names that are not UTF-8. For these, the trial compares the
debug string, which has the bytes of every name, and the keys of parts.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
import tensorflow as tf

from ckptcheck.checkpoint.bundle import Bundle, read_bundle
from ckptcheck.checkpoint.data_scan import scan
from ckptcheck.checkpoint.slices import slice_key

v1 = tf.compat.v1
_BITS = {1: tf.int8, 2: tf.int16, 4: tf.int32}
_MANY = 3000


class Difference(Exception):
    """The two readers differ."""


class Saved(NamedTuple):
    """One tensor to save."""

    name: bytes
    dtype: Any
    shape: Tuple[int, ...]
    slice: str


def _tensor(dtype: Any, shape: Tuple[int, ...]) -> Any:
    """Returns a random tensor of this dtype and shape."""
    count = int(np.prod(shape, dtype=np.int64))
    if dtype == tf.variant:
        one = tf.raw_ops.EmptyTensorList(
            element_shape=[2], max_num_elements=3, element_dtype=tf.float32
        )
        return tf.fill(shape, one) if shape else one
    if dtype == tf.string:
        values = [bytes([i % 256]) * (i % 300) for i in range(count)]
        return tf.reshape(tf.constant(values, tf.string, [count]), shape)
    numbers = tf.constant(np.arange(count).reshape(shape) % 100, tf.int32)
    if dtype == tf.bool:
        return numbers > 3
    if dtype.is_quantized:
        bits = _BITS[dtype.size]
        return tf.bitcast(tf.cast(numbers, bits), dtype)
    if dtype.name.startswith(("float8", "float4")):
        numbers = tf.cast(numbers, tf.float32)
    if dtype.name in ("int4", "uint4", "int2", "uint2"):
        numbers = tf.cast(numbers % 2, tf.int8)
    return tf.cast(numbers, dtype)


def saveable_dtypes(folder: str) -> List[Any]:
    """The dtypes that this TensorFlow can make and save."""
    found = []
    for number in range(1, 100):
        prefix = os.path.join(folder, f"dtype{number}")
        try:
            dtype = tf.dtypes.as_dtype(number)
            _save(prefix, [[Saved(b"x", dtype, (2,), "")]])
            tf.train.load_checkpoint(prefix).get_variable_to_dtype_map()
        except (TypeError, KeyError, ValueError, tf.errors.OpError):
            continue
        found.append(dtype)
    return found


def _save(prefix: str, shards: List[List[Saved]]) -> None:
    """Saves as a saver does, each shard by an op of its own."""
    with tf.Graph().as_default(), v1.Session() as session:
        parts = [f"{prefix}_part{number}" for number in range(len(shards))]
        targets = parts if len(parts) > 1 else [prefix]
        saves = [
            tf.raw_ops.SaveV2(
                prefix=target,
                tensor_names=[item.name for item in shard],
                shape_and_slices=[item.slice for item in shard],
                tensors=[_tensor(item.dtype, item.shape) for item in shard],
            )
            for target, shard in zip(targets, shards)
        ]
        if len(parts) > 1:
            with tf.control_dependencies(saves):
                saves = [
                    tf.raw_ops.MergeV2Checkpoints(
                        checkpoint_prefixes=parts, destination_prefix=prefix
                    )
                ]
        session.run(saves)


# --- Random checkpoints ----------------------------------------------------------------------


class _Maker:
    def __init__(self, chance: random.Random, dtypes: List[Any]) -> None:
        self._chance = chance
        self._dtypes = dtypes
        self._names: Dict[bytes, None] = {}

    def shards(self) -> List[List[Saved]]:
        chance = self._chance
        count = chance.choice([1, 1, 1, 2, 3, 7])
        shards: List[List[Saved]] = [[] for _ in range(count)]
        for _ in range(chance.choice([1, 2, 5, 12, 40])):
            if chance.random() < 0.15:
                for part in self._partitioned():
                    chance.choice(shards).append(part)
            else:
                chance.choice(shards).append(self._whole())
        return [shard for shard in shards if shard]

    def _name(self) -> bytes:
        chance = self._chance
        kind = chance.random()
        if kind < 0.5:
            words = [chance.choice(["dense", "layer_%d", "Adam", "kernel", "b"]) for _ in range(4)]
            name = "/".join(words).replace("%d", str(chance.randrange(100))).encode("utf-8")
        elif kind < 0.7:
            letters = [chr(chance.choice([0, 10, 32, 233, 8364, 128512, 97])) for _ in range(5)]
            name = "".join(letters).encode("utf-8")
        elif kind < 0.72:
            name = b"long" * chance.randrange(1, 5000)
        elif kind < 0.75:
            name = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200)))
        else:
            name = bytes(chance.choice(b"\0\1ab/\x7f") for _ in range(chance.randrange(1, 8)))
        while name in self._names:
            name += b"_%d" % chance.randrange(1000)
        self._names[name] = None
        return name

    def _shape(self) -> Tuple[int, ...]:
        rank = self._chance.choice([0, 0, 1, 1, 2, 2, 3, 4, 8])
        return tuple(self._chance.choice([0, 1, 1, 2, 3, 5]) for _ in range(rank))

    def _whole(self) -> Saved:
        dtype = self._chance.choice(self._dtypes)
        shape = self._shape()
        if self._chance.random() < 0.05:
            shape = (self._chance.choice([127, 128, 300, 16384]),)
        if dtype == tf.variant:
            shape = ()
        return Saved(self._name(), dtype, shape, "")

    def _partitioned(self) -> List[Saved]:
        """Returns a variable in parts along one axis. Only some dtypes can have parts."""
        chance = self._chance
        shape = [chance.choice([1, 3, 70, 200]), chance.choice([1, 2, 64])][: chance.choice([1, 2])]
        axis = chance.randrange(len(shape))
        cuts = sorted(chance.sample(range(shape[axis] + 1), min(3, shape[axis])))
        edges = [0, *cuts, shape[axis]]
        name, dtype = self._name(), chance.choice([tf.float32, tf.int64, tf.bfloat16, tf.bool])
        parts = []
        for start, end in zip(edges, edges[1:]):
            if start == end:
                continue
            sizes = list(shape)
            sizes[axis] = end - start
            extents = ["-"] * len(shape)
            extents[axis] = f"{start},{end - start}"
            text = "{} {}".format(" ".join(map(str, shape)), ":".join(extents))
            parts.append(Saved(name, dtype, tuple(sizes), text))
        return parts


def _large(chance: random.Random) -> List[List[Saved]]:
    """Enough variables for several blocks of the index."""
    names = [b"layer_%d/attention/%d/kernel" % (i // 7, i) for i in range(_MANY)]
    return [[Saved(name, tf.float32, (chance.randrange(3),), "") for name in names]]


# --- The comparison --------------------------------------------------------------------------


def compare(prefix: str) -> Bundle:
    """Compares both readers' view of one checkpoint.

    Raises:
        Difference: they differ.
    """
    mine = read_bundle(prefix)
    reader = tf.train.load_checkpoint(prefix)
    debug = reader.debug_string()
    wanted = debug if isinstance(debug, bytes) else debug.encode("utf-8", "surrogateescape")
    _equal("the debug string", _debug_string(mine), wanted)
    _equal("shards", sorted({item.shard for item in mine.stored()}), _shards(prefix))
    problems = [item for item in scan(mine, workers=1) if item.problem]
    _equal("what cannot be read of what was just saved", problems, [])
    try:
        theirs = tf.train.list_variables(prefix)
        dtypes = reader.get_variable_to_dtype_map()
    except UnicodeDecodeError:
        return mine
    _equal("the list", [(item.name, list(item.shape)) for item in mine.tensors], theirs)
    found = {item.name: item.dtype for item in mine.tensors}
    _equal("dtypes", found, {name: dtype.name for name, dtype in dtypes.items()})
    return mine


def _equal(what: str, mine: Any, theirs: Any) -> None:
    if mine != theirs:
        raise Difference(f"{what}: ckptcheck {mine!r}, TensorFlow {theirs!r}")


def _debug_string(bundle: Bundle) -> bytes:
    lines = []
    for item in bundle.stored():
        name = item.name.encode("utf-8", "surrogateescape")
        key = slice_key(name, item.extents) if item.extents else name
        enum = tf.dtypes.as_dtype(item.dtype).as_datatype_enum
        sizes = ",".join(map(str, item.shape))
        lines.append((key, f" ({_enum_name(enum)}) [{sizes}]\n".encode()))
    return b"".join(key + rest for key, rest in sorted(lines))


def _enum_name(enum: int) -> str:
    from tensorflow.core.framework import types_pb2

    return str(types_pb2.DataType.Name(enum))


def _shards(prefix: str) -> List[int]:
    folder, base = os.path.split(prefix)
    names = [name for name in os.listdir(folder) if name.startswith(base + ".data-")]
    return sorted(int(name[len(base) + 6 :][:5]) for name in names)


def run(trials: int, seed: int, verbose: bool = True) -> Dict[str, int]:
    """Runs the trials and counts what was in them.

    Raises:
        Difference: at the first one.
    """
    folder = tempfile.mkdtemp(prefix="differential-")
    counts = dict.fromkeys(("trials", "tensors", "parts", "shards", "dtypes", "not UTF-8"), 0)
    try:
        dtypes = saveable_dtypes(folder)
        counts["dtypes"] = len(dtypes)
        for number in range(trials):
            chance = random.Random(seed * 1000003 + number)
            large = number % 500 == 499
            shards = _large(chance) if large else _Maker(chance, dtypes).shards()
            place = os.path.join(folder, f"trial{number}")
            os.mkdir(place)
            prefix = os.path.join(place, "model.ckpt-1")
            _save(prefix, shards)
            try:
                bundle = compare(prefix)
            except Exception:
                sys.stderr.write(f"trial {number} of seed {seed}: {shards!r:.3000}\n")
                raise
            counts["trials"] += 1
            counts["tensors"] += len(bundle.tensors)
            counts["parts"] += len(bundle.parts)
            counts["shards"] += bundle.num_shards
            counts["not UTF-8"] += any(
                "\udc80" <= letter <= "\udcff" for item in bundle.tensors for letter in item.name
            )
            shutil.rmtree(place)
            if verbose and number % 200 == 199:
                sys.stderr.write(f"{number + 1} trials\n")
    finally:
        shutil.rmtree(folder)
    return counts


def main() -> None:
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts = run(arguments.trials, arguments.seed)
    sys.stdout.write(f"TensorFlow {tf.__version__}: {counts}: no difference\n")


if __name__ == "__main__":
    main()
