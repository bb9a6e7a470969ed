"""Compares the findings about an entry with the expected ones."""

import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import ckptcheck
from ckptcheck.reporters import render

from .catalogue import MODELS
from .entries import Edit, Told

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
GIVES_ITS_INPUTS = "input pipeline"
"""The kind of edits that a check finds only with ``--input-fn``."""


class TrainingError(Exception):
    """The Estimator could not train the model, or two runs of the same code differ."""


@dataclasses.dataclass(frozen=True)
class Score:
    """The problems of a report about one edit.

    Attributes:
        edit: the edit.
        problems: what is wrong, each with its kind in front: ``missed``, ``untold``, ``modes``,
            ``false alarm``, ``unknown``, ``undecided``, ``verdict`` or ``error``.
    """

    edit: Edit
    problems: Tuple[str, ...]


def _leaves(value: Any) -> Iterator[Any]:
    """All texts and numbers of a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def _number(text: str) -> Optional[float]:
    return float(text) if NUMBER.fullmatch(text) else None


def _plain(text: str) -> str:
    """Normalizes a word: GradientDescent, gradient descent and gradient_descent become the same."""
    return re.sub(r"[\s_-]", "", text).lower() or text


def _holds(leaf: Any, word: str) -> bool:
    """Whether a text or a number in a finding has this word."""
    wanted = _number(word)
    text = str(leaf)
    if wanted is None:
        return _plain(word) in _plain(text)
    numbers = [float(number) for number in NUMBER.findall(text)]
    return any(abs(number - wanted) <= 1e-3 * max(abs(wanted), 1e-9) for number in numbers)


def says(side: Any, words: str) -> bool:
    """Whether one side of a finding has one of these words.

    Args:
        side: ``then`` or ``now`` of a finding.
        words: words with ``|`` between them; the empty word asks for nothing.
    """
    if not words:
        return True
    return any(_holds(leaf, word) for leaf in _leaves(side) for word in words.split("|"))


def _sides(finding: Dict[str, Any]) -> Tuple[Any, Any]:
    """Returns the fields ``then`` and ``now`` of a finding."""
    return finding.get("then"), finding.get("now")


def _tells(finding: Dict[str, Any], told: Told) -> bool:
    then, now = _sides(finding)
    return says(then, told.then) and says(now, told.now)


def problems(edit: Edit, report: Dict[str, Any]) -> Iterator[str]:
    """Yields the problems of a report about an edit.

    Args:
        edit: the edit.
        report: the JSON report of the check of the edited code.

    Yields:
        A kind of problem and, after a colon, the problem.
    """
    modes = report["modes"]
    for mode, answer in modes.items():
        if answer["verdict"] != "restores":
            yield f"verdict: {mode} {answer['verdict']}"
    drift = [finding for finding in report["findings"] if finding.get("category") == "drift"]
    by_mode = {mode: answer.get("drift", "") for mode, answer in modes.items()}
    changed = {mode for mode, said in by_mode.items() if said == "changed"}
    changed |= {mode for finding in drift for mode in finding["modes"]}
    if edit.silent and edit.comparable:
        unknown = {mode for mode, said in by_mode.items() if said == "unknown"}
        yield from _wrong_about_silent(edit, drift, changed, unknown)
    elif drift or changed:
        yield f"false alarm: {[finding['message'] for finding in drift]} {sorted(changed)}"
    for mode in edit.unsure if edit.comparable else edit.modes:
        if by_mode[mode] != "unknown":
            yield f"undecided: {mode} is {by_mode[mode]!r}, not unknown"


def _wrong_about_silent(
    edit: Edit, drift: Sequence[Dict[str, Any]], changed: Set[str], unknown: Set[str]
) -> Iterator[str]:
    wanted = set(edit.modes) - set(edit.unsure)
    if wanted - changed and wanted - changed <= unknown and changed <= wanted:
        yield f"unknown: {sorted(wanted - changed)}"
        return
    if not drift:
        yield "missed: no finding"
        return
    if changed != wanted:
        yield f"modes: {sorted(changed)}, not {sorted(wanted)}"
    for told in edit.told:
        if not any(_tells(finding, told) for finding in drift):
            yield f"untold: {told.then!r} -> {told.now!r} is not in {[_sides(f) for f in drift]}"


def run_prover(model: str, folder: str, command: Sequence[str], *options: str) -> None:
    """Runs the prover of a model in a process of its own.

    Args:
        model: its id, or a JSON file that holds it.
        folder: where it writes.
        command: the Python that runs it.
        options: its options.

    Raises:
        TrainingError: it failed.
    """
    words = [*command, "-m", "tests.drift.prover", model, folder, *options]
    environment = dict(os.environ, PYTHONPATH=PROJECT, TF_CPP_MIN_LOG_LEVEL="2")
    environment["CUDA_VISIBLE_DEVICES"] = ""
    run = subprocess.run(
        words,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if run.returncode != 0:
        raise TrainingError(f"{model}: {run.stdout[-3000:]}")


def check(
    tracer: ckptcheck.Tracer, folder: str, name: str, gives_inputs: bool = False
) -> Dict[str, Any]:
    """Checks edited code, and returns the JSON report.

    Args:
        tracer: runs the code.
        folder: where the model was trained and the edits were written.
        name: the id of one of them, or ``base`` for the unedited code.
        gives_inputs: whether ckptcheck gets the input_fn.
    """
    code = os.path.join(folder, "code", name)
    report = tracer.check(
        os.path.join(folder, "model_dir"),
        "model:model_fn",
        os.path.join(code, "params.json"),
        app_dir=code,
        input_fn="model:input_fn" if gives_inputs else "",
    )
    answer: Dict[str, Any] = json.loads(render(report, "json"))
    return answer


def score(tracer: ckptcheck.Tracer, folder: str, edit: Edit) -> Score:
    """Checks one edit and compares."""
    try:
        report = check(tracer, folder, edit.id, edit.kind == GIVES_ITS_INPUTS)
    except ckptcheck.UsageError as error:
        return Score(edit, (f"error: {error}",))
    return Score(edit, tuple(problems(edit, report)))


def score_all(
    models: Sequence[str],
    python: Optional[str],
    saved_by: Optional[str],
    done: Callable[[Score], None],
) -> List[Score]:
    """Trains, checks and compares.

    Args:
        models: the ids of the models.
        python: the command of the Python that traces, or None for this one.
        saved_by: the command of the Python that trains, or None for this one.
        done: is called with each score.

    Returns:
        The scores of all edits.
    """
    scores = []
    command = shlex.split(saved_by) if saved_by else [sys.executable]
    with tempfile.TemporaryDirectory() as root, ckptcheck.Tracer(python) as tracer:
        for name in models:
            folder = os.path.join(root, name)
            run_prover(name, folder, command, "--train")
            for edit in MODELS[name].edits:
                scores.append(score(tracer, folder, edit))
                done(scores[-1])
    return scores
