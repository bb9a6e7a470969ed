"""Features that the order of the keys does not show are asked for; the code is not blamed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

import ckptcheck
from ckptcheck.errors import UnknownFeaturesError
from ckptcheck.reporters import render

from .support import needs_estimator, needs_tensorflow, once

pytestmark = [needs_tensorflow, needs_estimator]

ASKED = {
    "tuple": "better if extra and image exchange their tensors",
    "tuple-named": "better if extra and image exchange their tensors",
    "renamed": "exchange their tensors",
    "dropped": "nothing shows which tensor b is",
    "optional": "optional keys (age, height, income, zip)",
    "optional-beside": "optional keys (height, income, zip)",
    "encoded": "wrong features may be the cause",
    "more-in-predict": "wrong features may be the cause",
}
"""What is said of the features that nothing shows."""
JUDGED = (
    "tuple-alike",
    "dropped-named",
    "caught",
    "asserted",
    "unused-in-train",
    "reshaped",
    "joined",
    "scaled",
    "scaled-alone",
    "mixed-dtypes",
)


DOUBTED = {
    "optional-in-predict": "whether the features of PREDICT have scale",
    "fixed-batch-in-shape": "whether PREDICT and EVAL have the batch size of TRAIN (4)",
    "batch-in-shape": "whether PREDICT and EVAL have the batch size of TRAIN (4)",
}
"""What is said if only the features of PREDICT decide."""


def train(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "tests.rival_models", str(folder)], check=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Dict[str, Any]]:
    folder = once(tmp_path_factory, "rivals", train)
    return folder, json.loads((folder / "real.json").read_text())


@pytest.fixture(scope="module")
def tracer() -> Iterator[ckptcheck.Tracer]:
    with ckptcheck.Tracer() as started:
        yield started


def report(tracer: ckptcheck.Tracer, folder: Path, name: str) -> Any:
    model = json.loads((folder / "real.json").read_text())[name]
    checked = tracer.check(str(folder / name), model["target"], model["params"])
    return json.loads(render(checked, "json"))


@pytest.mark.parametrize("name", ASKED)
def test_features_in_doubt_are_asked_for(name: str, trained: Any, tracer: Any) -> None:
    folder, real = trained
    errors = [error for error in real[name]["errors"].values() if error]
    assert bool(errors) == (name == "dropped"), errors  # b restores the kernel of a
    with pytest.raises(UnknownFeaturesError, match="cannot find the features") as raised:
        report(tracer, folder, name)
    assert ASKED[name] in str(raised.value)


@pytest.mark.parametrize("name", JUDGED)
def test_features_that_consumers_or_errors_show(name: str, trained: Any, tracer: Any) -> None:
    folder, real = trained
    assert set(real[name]["errors"].values()) == {""}
    found = report(tracer, folder, name)
    assert {mode["verdict"] for mode in found["modes"].values()} == {"restores"}
    drifts = {mode["drift"] for mode in found["modes"].values()}
    assert drifts == ({"changed"} if name == "dropped-named" else drifts - {"changed"})


@pytest.mark.parametrize("name", DOUBTED)
def test_what_depends_on_the_features_of_predict_is_said(
    name: str, trained: Any, tracer: Any
) -> None:
    folder, real = trained
    assert real[name]["errors"]["predict"] and not real[name]["errors"]["eval"]
    found = report(tracer, folder, name)
    assert found["modes"]["predict"]["verdict"] == "restores"
    assert [text for text in found["not_judged"] if text.startswith(DOUBTED[name])]


@pytest.mark.parametrize(
    ("name", "drift", "change"),
    [("exchanged", "unknown", []), ("exchanged-and-tanh", "changed", ["relu -> tanh"])],
)
def test_a_change_that_does_not_depend_on_the_pairing_is_found(
    name: str, drift: str, change: List[str], trained: Any, tracer: Any
) -> None:
    """Either the code has exchanged two features, or the order of the keys is wrong."""
    found = report(tracer, trained[0], name)
    assert {mode["drift"] for mode in found["modes"].values()} == {drift}
    assert [group["title"].rpartition(": ")[2] for group in found["groups"]] == change


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("labels-of-another-dtype", "of the labels in EVAL, TRAIN is still float32"),
        ("feature-of-another-dtype", "of the feature class in EVAL, TRAIN is still int64"),
    ],
)
def test_tensors_that_may_have_another_dtype_now(
    name: str, note: str, trained: Any, tracer: Any
) -> None:
    """The input_fn has changed with the params; the saved graph has the tensors of then."""
    folder, real = trained
    assert set(real[name]["errors"].values()) == {""}
    found = report(tracer, folder, name)
    assert found["modes"]["predict"]["verdict"] == "restores"
    assert found["modes"]["eval"]["verdict"] == "untraceable"
    assert [text for text in found["not_judged"] if text.startswith(f"whether the dtype {note}")]


def test_an_error_that_does_not_depend_on_an_unused_feature(trained: Any, tracer: Any) -> None:
    """Other tensors could be the feature, and all of them raise the same error."""
    folder, real = trained
    errors = real["raises-in-predict"]["errors"]
    assert "ValueError" in errors["predict"] and not errors["eval"]
    modes = report(tracer, folder, "raises-in-predict")["modes"]
    assert {mode: item["verdict"] for mode, item in modes.items()} == {
        "predict": "untraceable",
        "eval": "restores",
        "train": "restores",
    }
