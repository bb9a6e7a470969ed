"""A script that predicts or exports has another model_dir than the script that trains.

Two files make an Estimator of the same model_fn with a literal ``model_dir``. One file trains it.
The other file predicts, evaluates or exports with a model_dir in which no linted file trains.
PREDICT and EVAL then use an old checkpoint or random weights, without an error. An export uses an
old checkpoint, or raises an error if there is none. The rule finds nothing if a model_dir of this
model_fn is not a literal, if the second Estimator has ``warm_start_from``, or if you lint single
files instead of a directory: another file may train in this model_dir. It finds nothing if a script
may copy the checkpoint to the second model_dir. This is possible if a linted file mentions that
model_dir outside of the arguments of Estimators and RunConfigs, or copies or moves directories. It
is also possible if one of the two files changes directories or runs other programs.

What to do: use one constant for the model_dir, and import it in both files.
"""

import os
from typing import Dict, Iterator, List, NamedTuple

from ...results import Finding
from ..base import LintRule, finding, line_of
from ..estimators import (
    Estimator,
    Uses,
    estimators,
    literal_model_dir,
    literal_params,
    model_of,
    uses_of,
)
from ..folders import changes_folders, is_mentioned, moves_folders
from ..names import Project, keyword


class _Used(NamedTuple):
    """An Estimator, its literal model_dir, and what the code does with it."""

    made: Estimator
    folder: str
    uses: Uses


def find(project: Project) -> Iterator[Finding]:
    """Finds model_dirs in which nothing trains."""
    if not project.whole:
        return
    by_model: Dict[str, List[_Used]] = {}
    for made in estimators(project):
        model = model_of(project, made)
        if model:
            model += repr(literal_params(project, made)) if made.model_fn is None else ""
            folder = os.path.normpath(literal_model_dir(project, made) or "")
            by_model.setdefault(model, []).append(_Used(made, folder, uses_of(project, made)))
    for items in by_model.values():
        if all(_is_certain(item) for item in items) and _are_comparable(items):
            for item in _mismatches(items):
                if not _may_arrive(project, items, item):
                    yield _finding(items, item)


def _is_certain(item: _Used) -> bool:
    named = any(keyword(call.node, "checkpoint_path") is not None for call in item.uses.calls)
    known = item.made.complete and item.uses.known
    return item.folder != "." and known and not named


def _are_comparable(items: List[_Used]) -> bool:
    """Whether the same text means the same directory in all files."""
    if all(os.path.isabs(item.folder) or ":/" in item.folder for item in items):
        return True
    folders = {os.path.dirname(item.made.module.file) for item in items}
    relative = not any(os.path.isabs(i.folder) or i.folder.startswith("..") for i in items)
    return relative and len(folders) == 1


def _mismatches(items: List[_Used]) -> Iterator[_Used]:
    """Yields the Estimators that use a model_dir in which nothing trains."""
    training = [item for item in items if item.uses.trains]
    trained = {item.folder for item in training}
    files = {item.made.module.path for item in training}
    for item in items:
        apart = item.made.module.path not in files and item.made.warm_start_from is None
        if training and item.uses.methods and apart and item.folder not in trained:
            yield item


def _may_arrive(project: Project, items: List[_Used], used: _Used) -> bool:
    """Whether a script may bring a checkpoint into a model_dir."""
    return (
        any(changes_folders(project, item.made.module) for item in items)
        or any(project.once(moves_folders, module) for module in project.modules)
        or is_mentioned(project, used.folder)
    )


def _finding(items: List[_Used], used: _Used) -> Finding:
    training = [item for item in items if item.uses.trains]
    first = training[0]
    place = f"{first.made.module.path}:{line_of(first.made.call)}"
    return finding(
        used.made.module,
        used.made.call,
        f"no linted file trains this model in {used.folder!r}: {place} trains it in "
        f"{first.folder!r}",
        "model_dir",
        hint="use one constant for the model_dir in both files",
        model_dir=used.folder,
        trained=sorted({item.folder for item in training}),
    )


_MODEL = """
import tensorflow as tf


def model_fn(features, labels, mode):
    return tf.estimator.EstimatorSpec(mode, predictions=features["x"])
"""
_CODE = """
import tensorflow as tf

from model import model_fn

estimator = tf.estimator.Estimator(model_fn, "{}")
{}
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="training and serving have different model_dirs",
    bad={
        "model.py": _MODEL,
        "train.py": _CODE.format("runs/v2", "estimator.train(input_fn)"),
        "serve.py": _CODE.format("runs/v1", "predictions = estimator.predict(input_fn)"),
    },
    good={
        "model.py": _MODEL,
        "train.py": _CODE.format("runs/v2", "estimator.train(input_fn)"),
        "serve.py": _CODE.format("runs/v2", "predictions = estimator.predict(input_fn)"),
    },
    across=True,
)
