"""Drift between a checkpoint of another version of TensorFlow and the current code."""

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from tests.support import FIXTURES, SAVED_BY, TENSORFLOW, needs_tensorflow, run_cli
from tests.test_drift import ALL, EDITS, INNOCENT, RATE, TRAIN, drift_of
from tests.test_fixtures import ARGUMENTS

pytestmark = needs_tensorflow

OWN = SAVED_BY if TENSORFLOW is not None and TENSORFLOW.startswith(("1.15", "2.15")) else ""
OTHERS = [folder for folder in ("tf115", "tf215") if folder != OWN]
"""The model_dirs of each fixture that another version saved."""
ANOTHER = "another version of TensorFlow made the saved graph"


def cases() -> Iterator[Tuple[str, str]]:
    """Each fixture with a version that saved it."""
    for name in sorted(ARGUMENTS):
        for saved_by in OTHERS:
            # The features of this fixture cannot be found in the graph of TensorFlow 1.
            if (name, saved_by) != ("raw_tensors", "tf115"):
                yield name, saved_by


def check(folder: Path, saved_by: str, old: str = "", new: str = "") -> Dict[str, Any]:
    """Returns the report of a check of hidden_dropout after one replacement in its code."""
    copy = folder / "project"
    shutil.copytree(str(FIXTURES / "hidden_dropout"), str(copy))
    code = (copy / "model.py").read_text("utf-8")
    assert old in code
    (copy / "model.py").write_text(code.replace(old, new) if old else code, "utf-8")
    arguments = (saved_by, "model:model_fn", "params.json")
    return run_cli("--format", "json", "--show-drift", *arguments, cwd=copy, warm=True).json


def states(report: Dict[str, Any]) -> Dict[str, str]:
    return {mode: said["drift"] for mode, said in report["modes"].items()}


@pytest.mark.parametrize(("name", "saved_by"), list(cases()))
def test_unchanged_code_has_no_drift(name: str, saved_by: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    shutil.copytree(str(FIXTURES / name), str(copy))
    run = run_cli("--format", "json", saved_by, *ARGUMENTS[name], cwd=copy, warm=True)
    assert drift_of(run.json) == []
    said = states(run.json)
    assert (said["train"], said["eval"]) == ("none", "none"), run
    assert not any(ANOTHER in line for line in run.json["not_judged"])


NO_STEP = "no global step"


@pytest.mark.parametrize("saved_by", OTHERS)
@pytest.mark.parametrize("name", sorted(set(EDITS) - {NO_STEP}))
def test_an_edit_is_told(name: str, saved_by: str, tmp_path: Path) -> None:
    old, new, what, modes = EDITS[name]
    report = check(tmp_path, saved_by, old, new)
    (finding,) = drift_of(report)
    assert finding["data"]["what"] == what
    assert finding["modes"] == modes
    assert sorted(mode for mode, said in states(report).items() if said == "changed") == modes


@pytest.mark.parametrize("saved_by", OTHERS)
def test_an_update_that_one_version_has_may_come_from_the_version(
    saved_by: str, tmp_path: Path
) -> None:
    report = check(tmp_path, saved_by, *EDITS[NO_STEP][:2])
    assert drift_of(report) == []
    assert states(report) == {"predict": "none", "eval": "none", "train": "unknown"}


@pytest.mark.parametrize("saved_by", OTHERS)
@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_edit_is_not_reported(name: str, saved_by: str, tmp_path: Path) -> None:
    report = check(tmp_path, saved_by, *INNOCENT[name])
    assert drift_of(report) == []
    assert set(states(report).values()) == {"none"}


@pytest.mark.parametrize("saved_by", OTHERS)
def test_what_versions_may_build_differently_is_no_finding(saved_by: str, tmp_path: Path) -> None:
    """In TensorFlow 1, Keras builds selu with other ops, so the ops do not show the change."""
    report = check(tmp_path, saved_by, "tf.nn.relu", "tf.nn.selu")
    assert drift_of(report) == []
    assert set(states(report).values()) == {"unknown"}
    (line,) = [line for line in report["not_judged"] if ANOTHER in line]
    assert line.startswith("whether the computation of PREDICT, EVAL and TRAIN has changed")
    assert "Selu" in line


@pytest.mark.parametrize("saved_by", OTHERS)
def test_the_loss_is_judged_where_an_update_is_not(saved_by: str, tmp_path: Path) -> None:
    """Versions compute the shapes in clip_by_norm in several ways."""
    report = check(tmp_path, saved_by, MINIMIZE, CLIPPED)
    assert drift_of(report) == []
    assert states(report) == {"predict": "none", "eval": "none", "train": "unknown"}
    (line,) = [line for line in report["not_judged"] if ANOTHER in line]
    assert "its loss was compared" in line


MINIMIZE = "optimizer.minimize(loss, global_step=tf.train.get_global_step())"
CLIPPED = (
    "optimizer.apply_gradients("
    "[(tf.clip_by_norm(g, 1.0), v) for g, v in optimizer.compute_gradients(loss)], "
    "tf.train.get_global_step())"
)


@pytest.mark.parametrize("saved_by", OTHERS)
def test_two_edits_are_two_findings(saved_by: str, tmp_path: Path) -> None:
    dropout = "    hidden = tf.layers.dropout(hidden, " + RATE + ", training=training)\n"
    report = check(tmp_path, saved_by, ", activation=tf.nn.relu)\n" + dropout, ")\n")
    found: Dict[str, List[str]] = {f["data"]["what"]: f["modes"] for f in drift_of(report)}
    assert found == {
        "activation after dense: relu -> none": ALL,
        "dropout (0.3) removed after dense (TRAIN only)": TRAIN,
    }
