"""Two different models have the same model_dir.

Two Estimators with one literal ``model_dir`` have different model_fns, or different literal values
for one param. The second one restores the checkpoint of the first one. This fails, or the second
model trains from the weights of another model. The rule compares Estimators in one file. It
compares Estimators in different files if the files are in one directory, or if the model_dir is an
absolute path. It finds nothing if only one of the two can be made in a run, as in ``if`` and
``else``, or if one of the files, or a file that it imports, changes directories or runs other
programs. If the model_fns differ, it finds something only if the code trains both Estimators: a
serving script may have a model_fn of its own. It ignores params that only one of the two has, and
params that do not change the names or shapes of variables, such as ``learning_rate``,
``batch_size``, ``is_training``, ``beam_width``, ``temperature`` and ``data_dir``.

What to do: give each model a model_dir of its own. If both are the same model, use one model_fn and
the same params.
"""

import itertools
import os
import re
from typing import Any, Iterator, List, Tuple

from ...results import Finding
from ..base import LintRule, finding, line_of, place_text
from ..estimators import (
    Estimator,
    estimators,
    literal_model_dir,
    literal_params,
    model_fn_of,
    model_of,
    uses_of,
)
from ..folders import changes_folders
from ..names import UNKNOWN, Project
from ..paths import may_both_run

_ABOUT_RUNS = {
    *("batch", "batchsize", "clip", "decay", "dropout", "epoch", "epochs", "lr", "momentum"),
    *("prob", "rate", "seed", "steps", "warmup", "l1", "l2", "loss", "patience", "regularization"),
    *("smoothing", "weight", "weights", "epsilon", "eps", "initializer", "init", "shuffle"),
    *("debug", "eval", "export", "infer", "inference", "mode", "predict", "serve", "serving"),
    *("beam", "decode", "decoding", "penalty", "sample", "samples", "sampling", "temperature"),
    *("threshold", "thresholds", "top", "topk", "topp", "metric", "metrics"),
    *("train", "training", "verbose", "log", "logging", "summary", "save", "keep", "interval"),
    *("data", "dataset", "dir", "file", "files", "path", "checkpoint", "ckpt", "device", "url"),
}
"""Words in the names of params that make no other variables."""


def find(project: Project) -> Iterator[Finding]:
    """Finds Estimators that share a model_dir and differ."""
    alike: List[Tuple[Tuple[str, str], Estimator]] = []
    for made in estimators(project):
        folder = literal_model_dir(project, made)
        if folder and made.complete:
            absolute = os.path.isabs(folder) or "://" in folder
            base = "" if absolute else os.path.dirname(made.module.file)
            alike.append(((base, os.path.normpath(folder)), made))
    alike.sort(key=lambda item: item[0])
    for (_, folder), group in itertools.groupby(alike, key=lambda item: item[0]):
        made_here = [made for _, made in group]
        for number, second in enumerate(made_here):
            for first in made_here[:number]:
                difference = _difference(project, first, second)
                if difference:
                    yield _finding(first, second, folder, difference)
                    break


def _difference(project: Project, first: Estimator, second: Estimator) -> str:
    """Returns what differs between two Estimators that can be made in one run, in words."""
    if first.module is second.module and not may_both_run(first.module, first.call, second.call):
        return ""
    if any(changes_folders(project, made.module) for made in (first, second)):
        return ""
    models = [model_of(project, made) for made in (first, second)]
    if models == ["", ""] and _same_argument(first, second):
        models = ["same", "same"]
    if "" in models:
        return ""
    if models[0] != models[1]:
        both = all(project.once(uses_of, made).trains for made in (first, second))
        return _models_text(project, first, second) if both else ""
    return _params_text(project, first, second)


def _params_text(project: Project, first: Estimator, second: Estimator) -> str:
    """Returns the first param that differs and that may make other variables, in words."""
    old, new = literal_params(project, first), literal_params(project, second)
    for key in [key for key in old if key in new and not _is_about_runs(key)]:
        a, b = old[key], new[key]
        if not (_is_unknown(a) or _is_unknown(b)) and a != b:
            return f"the param {key!r}: {a!r} and {b!r}"
    return ""


def _same_argument(first: Estimator, second: Estimator) -> bool:
    """Whether two Estimators of one function get the same variable as model_fn."""
    names = [getattr(made.model_fn, "id", None) for made in (first, second)]
    functions = [made.module.function_of(made.call) for made in (first, second)]
    return names[0] == names[1] is not None and functions[0] is functions[1]


def _models_text(project: Project, first: Estimator, second: Estimator) -> str:
    """Returns the difference of two models in words; "" if it is not certain."""
    functions = model_fn_of(project, first), model_fn_of(project, second)
    known = [item for item in functions if item is not None]
    if len(known) == 2:
        names = [item.node.name for item in known]
        if names[0] == names[1]:
            names = [place_text(second.module, item.module, item.node) for item in known]
            return f"the model_fns at {names[0]} and {names[1]}"
        return f"the model_fns {names[0]} and {names[1]}"
    names = [
        project.qualified(made.module, made.model_fn or made.call.func) for made in (first, second)
    ]
    last = [name.rpartition(".")[2] for name in names]
    if not all("." in name for name in names) or last[0] == last[1]:
        return ""  # one function may have several dotted names
    return f"the models {last[0]} and {last[1]}"


def _is_about_runs(key: Any) -> bool:
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", str(key))
    return not _ABOUT_RUNS.isdisjoint(word.lower() for word in words)


def _is_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_is_unknown, value))
    return value is UNKNOWN


def _finding(first: Estimator, second: Estimator, folder: str, difference: str) -> Finding:
    place = place_text(second.module, first.module, first.call)
    return finding(
        second.module,
        second.call,
        f"this Estimator and the one at {place} have the same model_dir {folder!r}, but differ in "
        f"{difference}",
        folder,
        hint="give each model a model_dir of its own",
        model_dir=folder,
        difference=difference,
        other={"file": first.module.path, "line": line_of(first.call)},
    )


_CODE = """
import tensorflow as tf

from models import model_fn

small = tf.estimator.Estimator(model_fn, "runs/base", params={{"units": 8}})
large = tf.estimator.Estimator(model_fn, "runs/{}", params={{"units": 64}})
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="different models have one model_dir",
    bad={"train.py": _CODE.format("base")},
    good={"train.py": _CODE.format("large")},
    across=True,
)
