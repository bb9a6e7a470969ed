"""Runs edited code with the real Estimator, to prove the claim of every entry.

    python -m tests.drift.prover MODEL FOLDER               train, then judge all edits of the model
    python -m tests.drift.prover MODEL FOLDER --only ID     judge these edits alone
    python -m tests.drift.prover MODEL FOLDER --train       train, and do nothing else

The model is trained for a few steps, once. The unedited code and each edit then predict, evaluate
and train one more step from a copy of that checkpoint: all with the same inputs, the same seed of
the graph and one thread. The models set seeds for their random ops, so that another number of ops
does not change the random numbers. If an edit changes the seeds, the prover compares the means over
many seeds of the graph.

FOLDER/model_dir is the checkpoint, FOLDER/code/ID has the edited model.py and params.json, and
FOLDER/proof.json is the answer.
"""

import argparse
import importlib.util
import json
import os
import shutil
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

import numpy as np
import tensorflow as tf

from .catalogue import MODELS
from .entries import MODES, Edit, Model, edited

if TYPE_CHECKING:
    Arrays = Dict[str, np.ndarray[Any, Any]]
else:
    Arrays = Dict[str, np.ndarray]

v1 = tf.compat.v1
FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "fixtures")
BASE = "base"
"""The folder of the unedited code."""

SEED = 1
STEPS = 8
BATCH = 16
ROUNDING = 1e-5
"""The largest difference, relative to the largest value of an array, that counts as equal."""

DRAWS = 24
"""The number of runs whose means are compared if an edit draws other random numbers."""

MOST_ERRORS = 5.0
"""How many standard errors two means may differ if both are of the same distribution."""


class ProofError(Exception):
    """The model does not run reproducibly, so it proves nothing."""


def write_code(model: Model, folder: str, edit: Optional[Edit] = None) -> str:
    """Writes the edited code and its params.

    Returns:
        The folder that holds them.
    """
    source, params = edited(model, edit)
    code = os.path.join(folder, "code", edit.id if edit else BASE)
    os.makedirs(code)
    with open(os.path.join(code, "model.py"), "w") as f:
        f.write(source)
    with open(os.path.join(code, "params.json"), "w") as f:
        json.dump(params, f, indent=1)
    return code


def _module(path: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _session_config() -> Any:
    """Returns a config with one thread and no graph optimization, so that sums are reproducible."""
    config = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


Hook: Any = v1.train.SessionRunHook


class Variables(Hook):  # type: ignore[misc]
    """Reads all variables at the end of the training."""

    def __init__(self) -> None:
        self.values: Arrays = {}

    def end(self, session: Any) -> None:
        """Called by the Estimator after the last step."""
        self.values = session.run({v.op.name: v for v in v1.global_variables()})


class Prover:
    """Runs the Estimator of one model with each edit."""

    def __init__(self, model: Model, folder: str) -> None:
        self.model = model
        self.folder = folder
        self.model_dir = os.path.join(folder, "model_dir")
        self._shared = _module(os.path.join(FIXTURES, "_train.py"), "_train")
        sys.modules["_train"] = self._shared  # the fixtures' scripts import it

    def _load(self, code: str) -> ModuleType:
        """The edited module."""
        path = os.path.join(code, "model.py")
        if not self.model.fixture:
            return _module(path, "model")
        with self._shared.tf1_names():
            return _module(path, "model")

    def _input_fn(self, module: Any) -> Any:
        fixture = self.model.fixture
        return self._shared.load_train(fixture).input_fn if fixture else module.input_fn

    def _estimator(self, module: Any, params: Dict[str, Any], model_dir: str, seed: int) -> Any:
        """The real Estimator, on this model_dir. It saves only the common checkpoint."""
        saves = model_dir == self.model_dir
        options = {
            "model_dir": model_dir,
            "tf_random_seed": seed,
            "save_summary_steps": None,
            "save_checkpoints_steps": STEPS if saves else None,
            "save_checkpoints_secs": None,
            "log_step_count_steps": None,
            "session_config": _session_config(),
        }
        if not self.model.tpu:
            config = v1.estimator.RunConfig(**options)
            return v1.estimator.Estimator(module.model_fn, config=config, params=params)
        return v1.estimator.tpu.TPUEstimator(
            module.model_fn,
            config=v1.estimator.tpu.RunConfig(**options),
            params=params,
            use_tpu=False,
            train_batch_size=BATCH,
            eval_batch_size=BATCH,
            predict_batch_size=BATCH,
        )

    def _calls(self, code: str, model_dir: str, seed: int) -> Any:
        """The Estimator, and a function that makes the input_fn of a mode."""
        with open(os.path.join(code, "params.json")) as f:
            params = json.load(f)
        if int(tf.__version__.partition(".")[0]) > 1:
            tf.keras.utils.set_random_seed(seed)
        module = self._load(code)
        given = self._input_fn(module)
        if self.model.tpu:
            return self._estimator(
                module, params, model_dir, seed
            ), lambda mode: lambda params: given(mode)
        return self._estimator(module, params, model_dir, seed), lambda mode: lambda: given(mode)

    def train(self) -> str:
        """Trains the checkpoint that all edits of the model are restored from.

        Returns:
            The folder of the unedited code.
        """
        code = write_code(self.model, self.folder)
        estimator, input_of = self._calls(code, self.model_dir, SEED)
        estimator.train(input_of("train"), steps=STEPS)
        return code

    def run(self, code: str, seed: int = SEED, modes: Sequence[str] = MODES) -> Dict[str, Arrays]:
        """What each mode computes, from a copy of the checkpoint."""
        model_dir = os.path.join(self.folder, "copy")
        shutil.copytree(self.model_dir, model_dir)
        try:
            estimator, input_of = self._calls(code, model_dir, seed)
            seen: Dict[str, Arrays] = {}
            if "predict" in modes:
                seen["predict"] = _stacked(list(estimator.predict(input_of("predict"))))
            if "eval" in modes:
                loss = estimator.evaluate(input_of("eval"), steps=2)["loss"]
                seen["eval"] = {"loss": np.asarray(loss)}
            if "train" in modes:
                variables = Variables()
                estimator.train(input_of("train"), steps=1, hooks=[variables])
                seen["train"] = variables.values
            return seen
        finally:
            shutil.rmtree(model_dir)

    def draws(self, code: str) -> Arrays:
        """The variables after one step of training, for many seeds of the graph."""
        runs = [self.run(code, seed, ["train"])["train"] for seed in range(1, DRAWS + 1)]
        return {name: np.stack([run[name] for run in runs]) for name in runs[0]}


def _stacked(rows: List[Any]) -> Arrays:
    """The predictions of all rows, a key an array."""
    if not isinstance(rows[0], dict):
        rows = [{"": row} for row in rows]
    return {key: np.stack([np.asarray(row[key]) for row in rows]) for key in rows[0]}


def distance(left: Arrays, right: Arrays) -> float:
    """The largest difference, relative to the largest value of its array."""
    if set(left) != set(right):
        return float("inf")
    return max(_distance(left[name], right[name]) for name in left)


def _distance(left: Any, right: Any) -> float:
    if left.shape != right.shape or left.dtype != right.dtype:
        return float("inf")
    if left.dtype.kind not in "fc":
        return 0.0 if np.array_equal(left, right) else float("inf")
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ProofError("a value is not finite")
    scale = np.max(np.abs(left), initial=0.0)
    return float(np.max(np.abs(left - right), initial=0.0) / max(scale, 1e-6))


def standard_errors(left: Arrays, right: Arrays) -> float:
    """How many standard errors the means of two sets of runs differ, at most."""
    if set(left) != set(right):
        return float("inf")
    most = 0.0
    for name in left:
        a, b = np.asarray(left[name], float), np.asarray(right[name], float)
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / len(a))
        error = np.maximum(error, ROUNDING * np.max(np.abs(a), initial=1e-6))
        gap = np.abs(a.mean(axis=0) - b.mean(axis=0)) / error
        most = max(most, float(np.max(gap, initial=0.0)))
    return most


def judge(prover: Prover, edits: Sequence[Edit]) -> Dict[str, Any]:
    """Which modes of each edit compute something else than the unedited code.

    Returns:
        For each edit's id the modes that ``differ`` and by how much, or what the run ``raised``.
    """
    base = prover.train()
    before = prover.run(base)
    again = {mode: distance(before[mode], seen) for mode, seen in prover.run(base).items()}
    if any(gap > ROUNDING for gap in again.values()):
        raise ProofError(f"two runs of the unedited code differ: {again}")
    drawn = prover.draws(base) if any(edit.random for edit in edits) else {}
    answer = {}
    for edit in edits:
        code = write_code(prover.model, prover.folder, edit)
        try:
            answer[edit.id] = _judge(prover, edit, code, before, drawn)
        except Exception:
            answer[edit.id] = {"raised": traceback.format_exc()}
    return answer


def _judge(
    prover: Prover, edit: Edit, code: str, before: Dict[str, Arrays], drawn: Arrays
) -> Dict[str, Any]:
    """The modes in which one edit computes something else."""
    after = prover.run(code, modes=MODES[:2] if edit.random else MODES)
    gaps = {mode: distance(before[mode], seen) for mode, seen in after.items()}
    differ = [mode for mode, gap in gaps.items() if gap > ROUNDING]
    if edit.random:
        gaps["train"] = standard_errors(drawn, prover.draws(code))
        differ += ["train"] if gaps["train"] > MOST_ERRORS else []
    return {"differ": differ, "by": {mode: min(gap, 1e30) for mode, gap in gaps.items()}}


def model_named(text: str) -> Model:
    """The model with an id, or the one that a JSON file holds."""
    if text in MODELS:
        return MODELS[text]
    with open(text) as f:
        fields = json.load(f)
    edits = tuple(Edit(**dict(edit, changes=tuple(edit["changes"]))) for edit in fields["edits"])
    return Model(**dict(fields, edits=edits))


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Prove the entries of a model.")
    parser.add_argument("model", help="an id in the catalogue, or a JSON file of a model")
    parser.add_argument("folder", help="where to write; must not exist")
    parser.add_argument("--only", action="append", default=[], help="an entry's id")
    parser.add_argument("--train", action="store_true", help="train, and do nothing else")
    args = parser.parse_args(arguments)
    model = model_named(args.model)
    os.makedirs(args.folder)
    prover = Prover(model, os.path.abspath(args.folder))
    if args.train:
        prover.train()
        for edit in model.edits:
            write_code(model, prover.folder, edit)
        return
    edits = [edit for edit in model.edits if not args.only or edit.id in args.only]
    with open(os.path.join(args.folder, "proof.json"), "w") as f:
        json.dump(judge(prover, edits), f, indent=1)


if __name__ == "__main__":
    main()
