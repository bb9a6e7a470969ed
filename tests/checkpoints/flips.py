"""Flips a bit in every byte of a small real checkpoint, and reads it with TensorFlow and ckptcheck.

    python -m tests.checkpoints.flips fixtures/linear/tf215/model.ckpt-10

If TensorFlow refuses to read a checkpoint, ckptcheck must refuse it, too. ckptcheck must also find
every change of a tensor. If not, the exit code is 1. The module prints how often each of the two
refuses.
"""

import os
import shutil
import sys
import tempfile
from typing import Any, Dict, Optional

import numpy as np
import tensorflow as tf

from ckptcheck.verification import verify

DATA = ".data-00000-of-00001"


def _theirs(prefix: str) -> Optional[Dict[str, Any]]:
    """Returns all tensors as TensorFlow reads them; None if it refuses."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError):
        return None


def _accepts(prefix: str) -> bool:
    return verify(prefix, fail_on="error").ok


def _same(left: Dict[str, Any], right: Dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[name], right[name]) for name in left
    )


def run(source: str) -> Dict[str, int]:
    """Flips all bytes of the checkpoint with this prefix.

    Raises:
        AssertionError: ckptcheck accepted what it should refuse.
    """
    counts = dict.fromkeys(("flips", "TensorFlow refused", "ckptcheck refused"), 0)
    folder = tempfile.mkdtemp(prefix="flips-")
    prefix = os.path.join(folder, "model.ckpt-10")
    try:
        for suffix in (".index", DATA):
            shutil.copyfile(source + suffix, prefix + suffix)
        whole = _theirs(prefix)
        assert whole is not None and _accepts(prefix)
        for suffix in (".index", DATA):
            with open(prefix + suffix, "rb") as file:
                content = file.read()
            for at in range(len(content)):
                damaged = bytearray(content)
                damaged[at] ^= 1 << at % 8
                with open(prefix + suffix, "wb") as file:
                    file.write(damaged)
                theirs, accepted = _theirs(prefix), _accepts(prefix)
                counts["flips"] += 1
                counts["TensorFlow refused"] += theirs is None
                counts["ckptcheck refused"] += not accepted
                if theirs is None or not _same(theirs, whole):
                    assert not accepted, (suffix, at)
            with open(prefix + suffix, "wb") as file:
                file.write(content)
    finally:
        shutil.rmtree(folder)
    return counts


if __name__ == "__main__":
    sys.stdout.write(f"TensorFlow {tf.__version__}: {run(sys.argv[1])}\n")
