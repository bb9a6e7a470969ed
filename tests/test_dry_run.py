"""Dry runs that end their process, and models that can only run in part."""

from typing import Any, Dict, List

import pytest

from .support import Project, needs_tensorflow

pytestmark = needs_tensorflow

MODEL = """\
import os
import shutil
import signal
import tempfile
import tensorflow as tf
from model import model_fn as inner

{before}

def model_fn(features, labels, mode, params):
    with tf.variable_scope("", use_resource=True):
        return inner(features, labels, mode, params)
"""
SESSION = "tf.Session = tf.compat.v1.Session = lambda **given: {}\n"
KILLED = SESSION.format("os.kill(os.getpid(), signal.SIGKILL)")
HANGING = SESSION.format("signal.pause()")
WITHOUT_PIPE = "os.closerange(3, 200)\n"


def report(project: Project, before: str, *words: str) -> Dict[str, Any]:
    """Checks a model with fewer units than the checkpoint. No run raises for it."""
    project.write("mine.py", MODEL.format(before=before))
    params = project.params({"num_hidden": 64})
    run = project.check("mine:model_fn", params, "--quiet", "--format", "json", *words)
    found: Dict[str, Any] = run.json
    return found


def verdicts(found: Dict[str, Any]) -> List[str]:
    return [answer["verdict"] for answer in found["modes"].values()]


def test_a_dry_run_says_that_nothing_raises(project: Project) -> None:
    found = report(project, "")
    assert verdicts(found) == ["silent"] * 3
    assert not [note for note in found["not_judged"] if "dry run" in note]


@pytest.mark.parametrize(
    ("before", "words", "said"),
    [
        (KILLED, (), "the signal SIGKILL ended the process"),
        (HANGING, ("--timeout", "15"), "the process was still running after"),
        (
            HANGING + WITHOUT_PIPE,
            ("--timeout", "15"),
            "the process was still running after",
        ),
    ],
    ids=["killed", "hanging", "hanging without a pipe"],
)
def test_a_dry_run_that_does_not_end_is_left_out(
    project: Project, before: str, words: List[str], said: str
) -> None:
    found = report(project, before, *words)
    assert verdicts(found) == ["silent"] * 3
    for mode in ("PREDICT", "EVAL", "TRAIN"):
        (note,) = [
            note for note in found["not_judged"] if note.startswith(f"whether ops of {mode}")
        ]
        assert f"ckptcheck could not do a dry run ({said}" in note


def test_code_that_feigns_a_dry_run_is_traced_twice_at_most(project: Project) -> None:
    ends = "shutil.rmtree(os.path.dirname(tempfile.gettempdir()))\nos.abort()\n"
    found = report(project, ends)
    assert verdicts(found) == ["untraceable"] * 3
    assert {finding["rule"] for finding in found["findings"]} >= {"model-fn-crashed"}
