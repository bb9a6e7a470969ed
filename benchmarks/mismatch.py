"""Measures what a mismatch adds to a check: a param that is not the checkpoint's, with advice.

Run ``python benchmarks/mismatch.py [--runs 3]`` with the Python that has TensorFlow (1.15 to 2.15)
and ckptcheck's dependencies. The model is benchmarks/transformer with a ``hidden_size`` of 32, so
that its checkpoint is small. The same model_dir is checked with the params of the checkpoint and
with a ``hidden_size`` of 48, in turn; with 12 layers and with 48.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from check import MODEL, measure

LAYERS = (12, 48)
RIGHT, WRONG = 32, 48
"""Values of ``hidden_size``."""


class Times(NamedTuple):
    """The seconds of the checks of one model, a run at a time."""

    matching: List[float]
    mismatched: List[float]

    @property
    def ratio(self) -> float:
        """How many times as long a check takes with the mismatch: the median of the runs."""
        pairs = zip(self.matching, self.mismatched)
        return statistics.median(mismatched / matching for matching, mismatched in pairs)


def main() -> None:
    """Trains the models, measures, prints."""
    parser = argparse.ArgumentParser(description="Measures what a mismatch adds to a check.")
    parser.add_argument("--runs", type=int, default=3, help="checks of each kind (default: 3)")
    asked = parser.parse_args()
    found = {}
    for layers in LAYERS:
        with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-") as name:
            found[layers] = times(Path(name), layers, asked.runs)
            print(_line(layers, found[layers]))
    few, many = (found[layers] for layers in LAYERS)
    a_layer = [
        statistics.median(theirs) * LAYERS[0] / (statistics.median(mine) * LAYERS[1])
        for mine, theirs in zip(few, many)
    ]
    print("seconds per layer, {} layers / {} layers: ".format(*reversed(LAYERS)), end="")
    print("matching {:.2f}, mismatch {:.2f}".format(*a_layer))


def times(folder: Path, layers: int, runs: int) -> Times:
    """Trains a model for one step and checks it in both ways, in turn."""
    code = folder / "code"
    shutil.copytree(str(MODEL), str(code))
    params = json.loads((MODEL / "params.json").read_text("utf-8"))
    params.update(num_layers=layers, num_heads=8)
    _write(code / "params.json", dict(params, hidden_size=RIGHT))
    _write(code / "wrong.json", dict(params, hidden_size=WRONG))
    trained = folder / "trained"
    measure([sys.executable, str(code / "estimator.py"), "train", str(trained)], folder)
    found = Times([], [])
    for _ in range(runs):
        for name, seconds in (("params", found.matching), ("wrong", found.mismatched)):
            seconds.append(_check(folder, code / f"{name}.json", trained))
    return found


def _write(path: Path, params: Dict[str, Any]) -> None:
    path.write_text(json.dumps(params), "utf-8")


def _check(folder: Path, params: Path, trained: Path) -> float:
    """Checks all modes; returns the seconds.

    Raises:
        SystemExit: the report is not the expected one.
    """
    target = str(params.parent / "model.py") + ":model_fn"
    words = [sys.executable, "-m", "ckptcheck", str(trained), target, str(params)]
    run = measure(
        [*words, "--quiet", "--format", "json", "--fail-on", "error"], folder, codes=(0, 1)
    )
    report = json.loads(run.output)
    advice = [item["set"] for group in report["groups"] for item in group["advice"]]
    expected = [] if params.name == "params.json" else [{"hidden_size": RIGHT}]
    if advice != expected or report["ok"] == bool(expected):
        sys.exit("this is not the expected report:\n" + run.output)
    return run.seconds


def _line(layers: int, found: Times) -> str:
    cells = (statistics.median(found.matching), statistics.median(found.mismatched), found.ratio)
    text = "{} layers: matching {:.1f} s, mismatch {:.1f} s, ratio {:.2f}"
    return text.format(layers, *cells)


if __name__ == "__main__":
    main()
