"""``--timeout`` limits the whole check, for all slow parts."""

import json
import time
from typing import Any, Dict

import pytest

from .support import Project, Run, needs_tensorflow, said

pytestmark = needs_tensorflow

TIMEOUT = 10
MOST = 40
"""The most seconds that a check with this timeout may take on a busy machine, with the import."""

MODEL = """\
import time
import tensorflow as tf
from model import model_fn as inner

{module}

def input_fn():
    {input_fn}
    return {{"x": tf.zeros([4, 1])}}, tf.zeros([4, 1])

def model_fn(features, labels, mode, params):
    {model_fn}
    return inner(features, labels, mode, params)
"""
HANG = "time.sleep(1000)"


def checked(project: Project, *words: str, **places: str) -> Run:
    """Checks a model with additional code, and verifies that the check ends in time."""
    code = {**dict.fromkeys(("module", "input_fn", "model_fn"), "pass"), **places}
    project.write("mine.py", MODEL.format(**code))
    start = time.monotonic()
    run = project.check(
        "mine:model_fn", "params.json", "-q", "--timeout", str(TIMEOUT), "--format", "json", *words
    )
    assert time.monotonic() - start < MOST
    return run


def messages(run: Run) -> Dict[str, Any]:
    """The message of the failure of each mode."""
    found = [finding for finding in run.json["findings"] if finding["rule"] == "model-fn-timeout"]
    return {mode: finding["message"] for finding in found for mode in finding["modes"]}


@pytest.mark.parametrize("place", ["module", "model_fn"])
def test_code_that_does_not_end(project: Project, place: str) -> None:
    run = checked(project, **{place: HANG})
    assert run.code == 1, run
    found = messages(run)
    assert sorted(found) == ["eval", "predict", "train"]
    for message in found.values():
        assert message.endswith(f"(--timeout {TIMEOUT})")
        assert message.startswith(("the process was still running", "other modes took"))


def test_an_input_fn_that_does_not_end(project: Project) -> None:
    run = checked(project, "--input-fn", "mine:input_fn", input_fn=HANG)
    assert run.code == 1, run
    assert sorted(messages(run)) == ["eval", "predict", "train"]


def test_one_mode_that_does_not_end_leaves_time_for_the_others(project: Project) -> None:
    hangs = f'if mode == "eval":\n        {HANG}'
    run = checked(project, model_fn=hangs)
    assert run.code == 1, run
    modes = run.json["modes"]
    verdicts = {mode: answer["verdict"] for mode, answer in modes.items()}
    assert verdicts == {"predict": "restores", "eval": "untraceable", "train": "restores"}
    assert list(messages(run)) == ["eval"]


def test_a_long_search_says_that_it_was_cut(project: Project) -> None:
    """Each round takes a second, and no features help."""
    raises = 'time.sleep(1)\n    tf.matmul(features["nothing"], features["else"])'
    run = checked(project, model_fn=raises)
    assert run.code == 2, run
    assert "stopped the search because it took too long" in said(run)


def test_fixes_that_were_not_tried_are_named(project: Project) -> None:
    """Each trace takes more than a third of the time."""
    params = project.params({"num_hidden": 64})
    assert json.loads((project.root / params).read_text()) == {"num_hidden": 64}
    slow = f'if params["num_hidden"] != 64:\n        {HANG}\n    time.sleep(1)'
    run = checked(project, model_fn=slow)
    assert run.code == 1, run
    assert not any(group["advice"] for group in run.json["groups"])
    note = (
        "whether other params are a fix: there was not enough time to try all of them (--timeout)"
    )
    assert note in run.json["not_judged"]
    for mode, answer in run.json["modes"].items():
        assert answer["verdict"] in ("silent", "fails"), mode
