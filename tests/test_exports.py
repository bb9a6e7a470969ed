"""Checks of SavedModels that the real Estimator exported."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.support import PROJECT, Run, environment, needs_estimator, run_cli, said

pytestmark = needs_estimator

KINDS = ("raw", "parsing")
SCRIPT = PROJECT / "tests" / "exporting.py"


@pytest.fixture(scope="module")
def exports() -> Iterator[Dict[str, Path]]:
    """The directories of the SavedModels, by the kind of their serving function."""
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), root],
            env=environment(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=300,
        )
        yield dict(zip(KINDS, map(Path, json.loads(done.stdout.decode("utf-8")))))


def checked(export: Path, tmp_path: Path, *words: str, rows: int = 10) -> Run:
    params = tmp_path / "params.json"
    params.write_text(json.dumps({"rows": rows, "units": 1}))
    target = f"{SCRIPT}:model_fn"
    variables = export / "variables" / "variables"
    return run_cli(variables, target, params, "-q", *words, cwd=tmp_path, warm=True)


def copied(export: Path, tmp_path: Path, graph: bytes) -> Path:
    """A copy of a SavedModel with another graph."""
    (tmp_path / "copy" / "variables").mkdir(parents=True)
    for path in (export / "variables").iterdir():
        (tmp_path / "copy" / "variables" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "copy" / "saved_model.pb").write_bytes(graph)
    return tmp_path / "copy"


@pytest.mark.parametrize("kind", KINDS)
def test_predict_gets_the_features_of_the_saved_model(
    exports: Dict[str, Path], kind: str, tmp_path: Path
) -> None:
    run = checked(exports[kind], tmp_path, "--mode", "predict", "--format", "json")
    assert run.code == 0, run
    assert run.json["modes"]["predict"]["verdict"] == "restores"
    assert run.json["features"]["spec"] == {
        "area": {"dtype": "int64", "shape": [None]},
        "zoom": {"dtype": "float32", "shape": [None, 2]},
    }
    notes = "\n".join(run.json["not_judged"])
    assert str(exports[kind] / "saved_model.pb") in notes
    assert "by their order" not in notes, "the keys are in the signature or the parsing spec"


@pytest.mark.parametrize("kind", KINDS)
def test_another_shape_is_found(exports: Dict[str, Path], kind: str, tmp_path: Path) -> None:
    run = checked(exports[kind], tmp_path, "--mode", "predict", "--format", "json", rows=20)
    assert run.code == 1, run
    answer: Dict[str, Any] = run.json["modes"]["predict"]
    if answer["verdict"] == "fails":  # reference variables
        assert answer["at"] == "restore"
        return
    (limit,) = answer["fails_where"]
    assert (limit["least"], limit["inputs"]) == (10, ["features.area"])


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_asked_for(exports: Dict[str, Path], kind: str, tmp_path: Path) -> None:
    run = checked(exports[kind], tmp_path)
    assert run.code == 2, run
    text = said(run)
    assert "has the features of PREDICT, but no labels, which EVAL and TRAIN may need" in text
    assert "To check PREDICT alone, add --mode predict." in text
    features = json.loads(run.err[run.err.index("{\n") :])
    assert sorted(features["features"]) == ["area", "zoom"]
    features["labels"] = {"dtype": "float32", "shape": [None, 1]}
    (tmp_path / "features.json").write_text(json.dumps(features))
    found = checked(exports[kind], tmp_path, "--features", "features.json", "--format", "json").json
    verdicts = {mode: answer["verdict"] for mode, answer in found["modes"].items()}
    assert verdicts == {"predict": "restores", "eval": "fails", "train": "fails"}, (
        "an export has no slots of the optimizer"
    )


def test_graphs_that_are_damaged_help_nobody(exports: Dict[str, Path], tmp_path: Path) -> None:
    whole = (exports["raw"] / "saved_model.pb").read_bytes()
    for number, graph in enumerate([b"", b"x", whole[: len(whole) // 2], b"\x12\x02\xff\xff"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = checked(copied(exports["raw"], folder, graph), folder, "--mode", "predict")
        assert run.code == 2, run
        assert "there is no saved graph beside the checkpoint" in said(run)


def test_directories_of_exports_are_said_to_be_that(exports: Dict[str, Path]) -> None:
    export = exports["raw"]
    variables = str(export / "variables" / "variables")
    cases: List[Any] = [
        (export, "it is a SavedModel"),
        (export.parent, "it holds a SavedModel"),
        (export.parent.parent, "it holds 2 SavedModels"),
    ]
    for folder, what in cases:
        run = run_cli("inspect", folder, "--format", "json", cwd=PROJECT)
        (finding,) = [item for item in run.json["findings"] if item["rule"] == "no-checkpoint"]
        assert finding["message"] == f"{folder} holds no checkpoint: {what}"
        if "2" not in what:
            assert variables in finding["hint"]
        assert run_cli("inspect", finding["hint"].split()[-3], cwd=PROJECT).code == 0
    for file in (export / "saved_model.pb", Path(variables + ".index")):
        run = run_cli("inspect", file, cwd=PROJECT)
        assert variables in run.out + run.err, run
