"""A declared shape of any size does not make a check allocate it.

The checkpoint's variables have 128 units. The model has resource variables, so the restore lets
other shapes through on TensorFlow 1 as well, and ckptcheck tries a dry run of each mode.
"""

import json
import os
import resource
import subprocess
import sys
from typing import Any, Dict, List, NamedTuple

import pytest

from .support import Project, needs_tensorflow

pytestmark = [
    needs_tensorflow,
    pytest.mark.skipif(
        not os.path.exists("/proc/self/smaps_rollup"),
        reason="NOT TESTED: the peak memory of processes is measured on Linux",
    ),
]

MODEL = """\
import tensorflow as tf
from model import model_fn as inner


def model_fn(features, labels, mode, params):
    features = {{"x": {x}}}
    with tf.variable_scope("", use_resource=True):
        return inner(features, labels, mode, params)
"""
AS_IT_IS = 'features["x"]'
WIDE = 'features["x"] + tf.reduce_sum(features["x"] * tf.ones([1000000000]), 1, keepdims=True)'
WIDE_AT_RUN = (
    'features["x"] + tf.reduce_sum(tf.zeros(tf.stack([tf.shape(features["x"])[0], '
    'tf.cast(tf.reduce_max(features["x"]) * 1e3 + 1.6e8, tf.int32)])), 1, keepdims=True)'
)
"""A matrix of more than 4 GiB. Its size is not known before the run."""

MOST_DATA = 6 << 30
"""The most that a process of a check can allocate, so that a fault does not freeze the machine."""


class Checked(NamedTuple):
    """One check: its report, and the highest peak of memory of its processes, in bytes."""

    report: Dict[str, Any]
    peak: int

    @property
    def verdicts(self) -> List[str]:
        """The verdicts of PREDICT, EVAL and TRAIN."""
        return [answer["verdict"] for answer in self.report["modes"].values()]


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))


def check(project: Project, x: str, units: int) -> Checked:
    """Checks the model with ``units`` units and feature ``x``. Imports TensorFlow again."""
    project.write("large.py", MODEL.format(x=x))
    params = project.params({"num_hidden": units})
    words = ["-m", "ckptcheck", "model_dir", "large:model_fn", params, "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, *words, "--quiet"],
        cwd=str(project.root),
        env=project.environment(),
        stdout=subprocess.PIPE,
        preexec_fn=_limited,
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        said = stdout.read()
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return Checked(json.loads(said.decode("utf-8")), usage.ru_maxrss * 1024)


@pytest.mark.parametrize(
    ("x", "units", "reason", "most"),
    [
        (AS_IT_IS, 10**9, "its variables are too large", 1 << 30),
        (AS_IT_IS, 2**62, "its variables are too large", 1 << 30),
        (WIDE, 64, "one of its tensors is too large", 1 << 30),
        (WIDE_AT_RUN, 64, "it takes too much memory", 4 << 30),
    ],
)
def test_a_declared_shape_of_any_size_is_not_allocated(
    project: Project, x: str, units: int, reason: str, most: int
) -> None:
    checked = check(project, x, units)
    assert checked.peak < most
    assert checked.verdicts == ["silent"] * 3
    for mode in ("PREDICT", "EVAL", "TRAIN"):
        assert any(mode in note and reason in note for note in checked.report["not_judged"])
