"""A project whose model depends on everything that an edit of the campaign changes."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Dict

from ..support import FIXTURES, SAVED_BY

MODEL = """
import glob
import json
import os

import numpy as np
import tensorflow as tf
from absl import flags

import fakedist
import helper
import shadowed
from spaces import one

flags.DEFINE_integer("more", 0, "more units")
exec(open("settings.py").read())


def read_number(path):
    with open(path) as file:
        return int(file.read())


def model_fn(features, labels, mode, params):
    from lazy import parts

    units = 1 + helper.MORE + parts.MORE + shadowed.MORE + fakedist.MORE + one.MORE + MORE
    units += len(open("vocabulary.txt").read().split()) - 3
    here = os.path.dirname(os.path.realpath(__file__))
    units += 0 if os.path.isdir(os.path.join(here, "lazy")) else 1
    if os.path.exists("absent.json"):
        units += json.load(open("absent.json"))["more"]
    units += int(os.environ.get("CAMPAIGN_MORE", "0"))
    units += read_number("link.txt")
    units += len(glob.glob("parts/*.txt")) - 1
    units += int(np.load("numbers.npy").sum())
    with tf.io.gfile.GFile("labels.txt") as file:
        units += len(file.readlines()) - 2
    units += flags.FLAGS.more + params.get("more", 0)
    units = max(1, units)
    predictions = tf.layers.dense(features["x"], units, name=params.get("name"))
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})
    loss = tf.losses.mean_squared_error(labels, predictions[:, :1])
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""
MORE = "MORE = 0\n"
PARAMS: Dict[str, Any] = {"learning_rate": 0.1, "unused": [1, {"a": 2}], "more": 0}
FEATURES: Dict[str, Any] = {
    "features": {"x": {"dtype": "float32", "shape": [None, 1]}},
    "labels": {"dtype": "float32", "shape": [None, 1]},
}


class EditedProject:
    """The project in a directory.

    Attributes:
        root: its directory, which is the working directory.
        packages: the directory of installed packages.
        libraries: a directory after the project in ``sys.path``.
        arguments: the arguments of a check.
    """

    def __init__(self, folder: Path) -> None:
        import numpy

        self.root = folder / "project"
        self.packages = folder / "env" / "site-packages"
        self.libraries = folder / "libraries"
        for path, text in {
            "model.py": MODEL,
            "helper.py": MORE,
            "settings.py": MORE,
            "lazy/__init__.py": "",
            "lazy/parts.py": MORE,
            "spaces/one.py": MORE,
            "vocabulary.txt": "a\nb\nc\n",
            "labels.txt": "one\ntwo\n",
            "parts/1.txt": "",
            "zero.txt": "0",
            "two.txt": "2",
            "README.md": "A project.\n",
        }.items():
            self.write(path, text)
        os.symlink("zero.txt", str(self.root / "link.txt"))
        numpy.save(str(self.root / "numbers.npy"), numpy.zeros(3))
        self.write("../libraries/shadowed.py", MORE)
        self.write("../env/site-packages/fakedist/__init__.py", MORE)
        self.write("../env/site-packages/fakedist-1.0.dist-info/METADATA", "Version: 1.0\n")
        shutil.copytree(str(FIXTURES / "linear" / SAVED_BY), str(self.root / "base"))
        self.write("params.json", json.dumps(PARAMS))
        self.write("features.json", json.dumps(FEATURES))
        self.arguments: Dict[str, Any] = {"flags": (), "features": None}

    def write(self, name: str, text: str) -> None:
        """Writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def use_paths(self) -> None:
        """Lets Python find the packages: in this process, and in those that it starts."""
        words = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        own = [os.path.abspath(path) for path in words if path]
        os.chdir(str(self.root))
        paths = [str(self.libraries), str(self.packages), *own]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)

    def spec(self) -> Any:
        """Returns what to check."""
        from ckptcheck.options import CachedCheckSpec

        return CachedCheckSpec(
            "base",
            "model:model_fn",
            "params.json",
            modes=("predict", "train"),
            app_dir=str(self.root),
            python=sys.executable,
            **self.arguments,
        )
