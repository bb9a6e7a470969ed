"""One trial: a trained model, its edits, and the verdicts of both sides."""

import dataclasses
import json
import os
import shutil
import traceback
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ckptcheck.errors import UnknownFeaturesError, UsageError
from ckptcheck.options import CheckSpec
from ckptcheck.reporters import render
from ckptcheck.results import Report

from ..acceptance.harness import CHECK_TIMEOUT_SECONDS, Checker, Oracle, verdict_text
from ..acceptance.workspace import Workspace, write_json
from .edits import (
    ChangeFiles,
    Edit,
    GiveInputFn,
    NothingToEditError,
    Params,
    Variables,
    apply_code,
    apply_params,
)
from .model import COMPAT_V1, NAMES, Model, params, source
from .source import ATTRIBUTE, BULK
from .templates import filled_in

MODES = ("predict", "eval", "train")


class DiscardedError(Exception):
    """The trial is not valid: TensorFlow cannot run the composed model with any checkpoint."""


@dataclasses.dataclass(frozen=True)
class Composed:
    """A model and the script that trains it: ``behavior`` is ``v1`` or "" for the default."""

    model: Model
    behavior: str = ""


class ComposedWorkspace(Workspace):
    """Code and model_dir in one directory, as a workspace for the edits of the acceptance tests."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.module = "model"
        self.code = os.path.join(root, "code")
        self.model_dir = os.path.join(root, "model_dir")
        self.scratch = os.path.join(root, "scratch")
        self.changes: List[Dict[str, Any]] = []
        os.makedirs(self.code)
        os.makedirs(self.scratch)

    @property
    def prefix(self) -> str:
        """The checkpoint after one step; there may be one of step 0 beside it."""
        return os.path.join(self.model_dir, "model.ckpt-1")

    def write(self, model: Model, given: Params) -> None:
        """Writes the code of a model and its params."""
        for name, text in (("model.py", source(model)), ("train.py", model.inputs.train_source())):
            with open(self.path(name), "w") as file:
                file.write(text)
        write_json(self.path("params.json"), given)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A composed model after one step: where it is, and what its checkpoint holds."""

    composed: Composed
    root: str
    params: Mapping[str, Any]
    variables: Variables


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The verdicts of both sides in one trial.

    Attributes:
        truth: by mode, what the real Estimator did.
        said: by mode, the verdict of ckptcheck; empty if it gave no answer. If it asked for the
            features, its verdict with the features file that it printed, filled in.
        unanswered: why ckptcheck gave no answer with three arguments.
        evidence: all observations of the Estimator.
    """

    truth: Mapping[str, str]
    said: Mapping[str, str]
    unanswered: str = ""
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def disagreements(self) -> Tuple[Tuple[str, str, str], ...]:
        """Mode, what happened, and what ckptcheck said."""
        return tuple(
            (mode, self.truth[mode], said)
            for mode, said in self.said.items()
            if self.truth[mode] != said
        )


class Sides:
    """The two sides: the real Estimator and ckptcheck. Both have imported TensorFlow."""

    def __init__(self, command: Optional[str] = None) -> None:
        self.oracle = Oracle(command)
        self.checker = Checker(command)

    @property
    def major(self) -> int:
        """TensorFlow's major version."""
        return self.oracle.major

    def close(self) -> None:
        """Ends both sides."""
        self.oracle.close()
        self.checker.close()

    def ask(self, do: str, workspace: Workspace, **fields: Any) -> Dict[str, Any]:
        """Asks the oracle.

        Raises:
            DiscardedError: the oracle says that there is no right answer.
        """
        try:
            return self.oracle.ask(workspace, dict(fields, do=do))
        except RuntimeError as error:
            raise DiscardedError(f"{do}: {_last_line(str(error))}") from error


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line and not line.startswith(" ")]
    return lines[-1][:300] if lines else text


def train(composed: Composed, root: str, sides: Sides) -> Trained:
    """Trains a composed model for one step.

    Raises:
        DiscardedError: it cannot be trained.
    """
    workspace = ComposedWorkspace(root)
    given = params(composed.model)
    workspace.write(composed.model, given)
    answer = sides.ask("train", workspace, **_launch(workspace, composed.model, composed.behavior))
    variables = {name: (found[0], tuple(found[1])) for name, found in answer["variables"].items()}
    return Trained(composed, root, given, variables)


def _launch(workspace: Workspace, model: Model, behavior: str) -> Dict[str, Any]:
    return {
        "code": workspace.code,
        "model_dir": workspace.model_dir,
        "module": workspace.module,
        "tf1_names": model.header == NAMES,
        "params": "params.json",
        "modes": MODES,
        "behavior": behavior or None,
    }


@dataclasses.dataclass(frozen=True)
class Edited:
    """A trial that is ready to be judged."""

    workspace: ComposedWorkspace
    model: Model
    params: Params
    behavior: str
    check: CheckSpec


def edit(trained: Trained, edits: Sequence[Edit], root: str, sides: Sides) -> Edited:
    """A copy of a trained model with the edits made.

    Raises:
        NothingToEditError: an edit has no object.
    """
    model = apply_code(trained.composed.model, edits)
    given = apply_params(_params_after(trained, model), edits)
    behavior = trained.composed.behavior
    for item in edits:
        behavior = item.behavior(behavior)
    workspace = ComposedWorkspace(root)
    shutil.copytree(os.path.join(trained.root, "model_dir"), workspace.model_dir, symlinks=True)
    _repoint(workspace.model_dir, os.path.join(trained.root, "model_dir"))
    workspace.write(model, given)
    for item in edits:
        item.checkpoint(workspace, trained.variables)
    if workspace.changes:
        sides.ask("rewrite", workspace, prefix=workspace.prefix, changes=workspace.changes)
    spec = _check_spec(trained, edits, workspace, model, given, behavior, sides.major)
    return Edited(workspace, model, given, behavior, spec)


def _repoint(model_dir: str, original: str) -> None:
    """Changes the absolute paths in the state file of a copied model_dir to the copy.

    Savers in user code write absolute paths. Without this change, the restore would read the
    original, and TRAIN would delete its files.
    """
    path = os.path.join(model_dir, "checkpoint")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace(original, model_dir))


def _params_after(trained: Trained, model: Model) -> Params:
    """Returns the params for the edited code, with the new params added.

    Params that the code does not read any more stay, unless the code takes each key as an argument.
    """
    after = params(model)
    if model.style == BULK:
        return {key: trained.params.get(key, value) for key, value in after.items()}
    return {**after, **trained.params}


def _check_spec(
    trained: Trained,
    edits: Sequence[Edit],
    workspace: Workspace,
    model: Model,
    given: Params,
    behavior: str,
    major: int,
) -> CheckSpec:
    """Returns the options that a user would give after these edits.

    The options need the behavior if it differs from that of the training run, or if the .meta file,
    which shows the behavior, is missing.
    """
    gives_inputs = any(isinstance(item, GiveInputFn) for item in edits)
    told_inputs = gives_inputs or _is_named_after_inputs(model)
    saw_meta = ChangeFiles("meta-removed") not in edits
    told = major > 1 and model.header != COMPAT_V1
    launches = {behavior, _trained_behavior(trained.composed)}
    return CheckSpec(
        model_dir=workspace.model_dir,
        target="model:model_fn",
        params=given,
        params_type="model:make_params" if model.style == ATTRIBUTE else "dict",
        app_dir=workspace.code,
        input_fn="train:input_fn" if told_inputs else "",
        behavior=("auto" if len(launches) == 1 and saw_meta else behavior or "v2")
        if told
        else "auto",
        timeout=CHECK_TIMEOUT_SECONDS,
        quiet=True,
    )


def _is_named_after_inputs(model: Model) -> bool:
    """Whether a variable's name depends on the input_fn's ops, which differ from mode to mode.

    ``Dataset.repeat`` makes an op ``count`` in TensorFlow 1, and only TRAIN repeats.
    """
    names = {getattr(part, "name", "") for block in model.blocks for part in block.parts}
    return "count" in names or (model.hook is not None and model.hook.name == "count")


def _trained_behavior(composed: Composed) -> str:
    return "v1" if composed.model.header == COMPAT_V1 else composed.behavior


def judge(edited: Edited, sides: Sides) -> Outcome:
    """Returns the verdicts of both sides.

    ckptcheck runs first, because TRAIN may delete a checkpoint that an absolute path names.

    Raises:
        DiscardedError: there is no right answer.
    """
    launch = _launch(edited.workspace, edited.model, edited.behavior)
    said, unanswered = _ask_ckptcheck(edited, sides, launch)
    modes = sides.ask("judge", edited.workspace, **launch)["modes"]
    suspects = [mode for mode in MODES if _needs_control(modes[mode])]
    if suspects:
        answer = sides.ask("control", edited.workspace, **dict(launch, modes=suspects))
        raised = {name: seen["error"] for name, seen in answer["modes"].items() if seen["error"]}
        if raised:
            name, error = sorted(raised.items())[0]
            raise DiscardedError(f"{name}: {error.splitlines()[0][:300]}")
    truth = {mode: verdict_text(modes[mode]) for mode in MODES}
    return Outcome(truth, said, unanswered, modes)


_BLAMES_THE_CHECKPOINT = (
    "not found in checkpoint",
    "Assign requires shapes",
    "shape_and_slice",
    "does not equal original dtype",
)


def _needs_control(seen: Mapping[str, Any]) -> bool:
    """Whether a run raised an error that may not come from the checkpoint."""
    error = seen["error"] or ""
    if seen["stage"] not in ("session", "run") or not error:
        return False
    return not any(words in error for words in _BLAMES_THE_CHECKPOINT)


def _ask_ckptcheck(
    edited: Edited, sides: Sides, launch: Mapping[str, Any]
) -> Tuple[Dict[str, str], str]:
    """Returns the verdicts of ckptcheck, and why it gave none without help."""
    write_json(os.path.join(edited.workspace.root, "check.json"), dataclasses.asdict(edited.check))
    try:
        return _said(edited.workspace, edited.check, sides), ""
    except UnknownFeaturesError as error:
        real = sides.ask("inputs", edited.workspace, **launch)
        path = os.path.join(edited.workspace.root, "features.json")
        write_json(path, filled_in(error, {key: real[key] for key in ("features", "labels")}))
        unanswered = error.problem.splitlines()[0]
    except UsageError as error:
        return {}, str(error).splitlines()[0]
    try:
        check = dataclasses.replace(edited.check, features=path)
        return _said(edited.workspace, check, sides), unanswered
    except UsageError as error:
        return dict.fromkeys(MODES, f"refused ({str(error).splitlines()[0]})"), unanswered


def _said(workspace: Workspace, check: CheckSpec, sides: Sides) -> Dict[str, str]:
    """Returns the verdict of ckptcheck for each mode.

    Raises:
        UsageError: ckptcheck refuses the check.
    """
    try:
        report = sides.checker.check(check)
    except UsageError:
        raise
    except Exception as error:  # ckptcheck must not raise other errors for any input
        write_json(os.path.join(workspace.root, "crash.json"), traceback.format_exc())
        return dict.fromkeys(MODES, f"crashed ({type(error).__name__}: {error})")
    document = json.loads(render(report, "json"))
    write_json(os.path.join(workspace.root, "report.json"), document)
    said = {
        verdict.mode: f"fails at {verdict.at}" if verdict.verdict == "fails" else verdict.verdict
        for verdict in report.verdicts
    }
    return {mode: said.get(mode, _unchecked(report)) for mode in MODES}


def _unchecked(report: Report) -> str:
    """Returns why a report has no verdicts, such as for a missing checkpoint; "" if it has them."""
    return "no checkpoint" if not report.checked else "nothing"


__all__ = [
    "Composed",
    "DiscardedError",
    "Edited",
    "NothingToEditError",
    "Outcome",
    "Sides",
    "Trained",
    "edit",
    "judge",
    "train",
]
