"""The cases of check.py that compare two runs on one small model, in turn.

Each case prints the seconds of both, and the ratio of the second to the first.
"""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

from measuring import measure

HERE = Path(__file__).resolve().parent
HIDDEN, OTHER_HIDDEN = 32, 48
HEADS = 8


class Times(NamedTuple):
    """The seconds of two commands, for each run."""

    first: List[float]
    second: List[float]

    @property
    def ratio(self) -> float:
        """Returns the ratio of the second time to the first: the median of the runs."""
        pairs = zip(self.first, self.second)
        return statistics.median(second / first for first, second in pairs)

    def line(self, title: str, first: str, second: str) -> str:
        """The medians as text."""
        medians = (statistics.median(self.first), statistics.median(self.second))
        text = "{}: {} {:.1f} s, {} {:.1f} s, ratio {:.2f}"
        return text.format(title, first, medians[0], second, medians[1], self.ratio)


def in_turn(runs: int, first: Callable[[], float], second: Callable[[], float]) -> Times:
    """Measures two commands in turn, so that other load affects both."""
    found = Times([], [])
    for _ in range(runs):
        found.first.append(first())
        found.second.append(second())
    return found


class Project:
    """A model_dir, trained for one step, and its code."""

    def __init__(
        self, folder: Path, model: str, params: Mapping[str, Any], prefix: str = ""
    ) -> None:
        """Trains.

        Args:
            folder: where the files go.
            model: the directory of the code.
            params: the params of the checkpoint.
            prefix: the beginning of the names of the code's files.
        """
        self._folder = folder
        self._prefix = prefix
        self._code = folder / "code"
        shutil.copytree(str(HERE / model), str(self._code))
        self._params = dict(params)
        self.write("params.json")
        self._trained = folder / "trained"
        script = str(self._code / f"{prefix}estimator.py")
        measure([sys.executable, script, "train", str(self._trained)], folder)

    def write(self, name: str, **changed: Any) -> None:
        """Writes a file of params."""
        (self._code / name).write_text(json.dumps({**self._params, **changed}), "utf-8")

    def forget_the_loss(self) -> None:
        """Copies the model_dir. The saved graph of the copy does not name the loss."""
        self._without_loss = self._folder / "without-loss"
        shutil.copytree(str(self._trained), str(self._without_loss))
        measure([sys.executable, "-c", _FORGET, str(self._without_loss)], self._folder)

    def check(
        self,
        params: str,
        verdicts: Sequence[str],
        advice: Sequence[Any] = (),
        drift: str = "",
        loss: bool = True,
    ) -> float:
        """Checks all modes; returns the seconds.

        Args:
            params: the file of the params.
            verdicts: the expected verdicts.
            advice: the expected fixes.
            drift: the expected drift of all modes; "" if any is right.
            loss: whether to check the model_dir whose graph says which tensor is the loss.

        Raises:
            SystemExit: the report is not the expected one.
        """
        model_dir = self._trained if loss else self._without_loss
        target = str(self._code / f"{self._prefix}model.py") + ":model_fn"
        words = [sys.executable, "-m", "ckptcheck", "--no-cache", str(model_dir), target]
        words += [str(self._code / params), "--quiet", "--format", "json"]
        run = measure(words, self._folder, codes=(0, 1))
        report = json.loads(run.output)
        found = {item["verdict"] for item in report["modes"].values()}
        fixes = [item["set"] for group in report["groups"] for item in group["advice"]]
        drifts = {item["drift"] for item in report["modes"].values()}
        unlike = drift and drifts != {drift}
        if found != set(verdicts) or fixes != list(advice) or unlike:
            sys.exit("this is not the expected report:\n" + run.output)
        return run.seconds

    def bare(self) -> float:
        """Builds the model in the three modes without ckptcheck; returns the seconds."""
        return measure(
            [sys.executable, str(self._code / f"{self._prefix}bare.py")], self._folder
        ).seconds


def _transformer(folder: Path, layers: int) -> Project:
    params: Dict[str, Any] = json.loads((HERE / "transformer/params.json").read_text("utf-8"))
    params.update(num_layers=layers, num_heads=HEADS, hidden_size=HIDDEN)
    return Project(folder, "transformer", params)


def mismatch(runs: int) -> str:
    """Measures the time that a mismatch adds to a check with advice, for 12 and 48 layers."""
    few, many = _mismatch(12, runs), _mismatch(48, runs)
    lines = [few.line("12 layers", *_SIDES), many.line("48 layers", *_SIDES)]
    a_layer = [statistics.median(m) * 12 / (statistics.median(f) * 48) for f, m in zip(few, many)]
    lines.append("seconds per layer, 48 layers / 12 layers: {:.2f}, {:.2f}".format(*a_layer))
    return "\n".join(lines)


_SIDES = ("matching", "mismatch")


def _mismatch(layers: int, runs: int) -> Times:
    with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-") as name:
        project = _transformer(Path(name), layers)
        project.write("wrong.json", hidden_size=OTHER_HIDDEN)
        return in_turn(
            runs,
            lambda: project.check("params.json", ["restores"]),
            lambda: project.check("wrong.json", ["fails"], [{"hidden_size": HIDDEN}]),
        )


def raises(runs: int) -> str:
    """Measures the time that an error in the model_fn adds to a check, for 12 layers."""
    with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-") as name:
        project = _transformer(Path(name), 12)
        project.write("wrong.json", num_labels=None)
        found = in_turn(
            runs,
            lambda: project.check("params.json", ["restores"]),
            lambda: project.check("wrong.json", ["untraceable"]),
        )
    return found.line("12 layers", "restores", "raises")


def columns(runs: int) -> str:
    """Measures a check of a model with 40 feature columns, and a script that builds its modes."""
    with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-") as name:
        project = Project(Path(name), "columns", {"columns": 40}, "columns_")
        found = in_turn(runs, project.bare, lambda: project.check("params.json", ["restores"]))
    return found.line("40 feature columns", "bare script", "check")


_FORGET = """
import glob, os, sys
import tensorflow.compat.v1 as tf

for path in glob.glob(os.path.join(sys.argv[1], "*.meta")):
    saved = tf.MetaGraphDef()
    with open(path, "rb") as file:
        saved.ParseFromString(file.read())
    del saved.collection_def["losses"]
    with open(path, "wb") as file:
        file.write(saved.SerializeToString())
"""


def drift(runs: int) -> str:
    """Measures the time that the comparison of the graphs adds to a check, for 12 layers."""
    with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-") as name:
        project = _transformer(Path(name), 12)
        project.forget_the_loss()
        found = in_turn(
            runs,
            lambda: project.check("params.json", ["restores"], drift="unknown", loss=False),
            lambda: project.check("params.json", ["restores"], drift="none"),
        )
    return found.line("12 layers", "not compared", "compared")


CASES: Dict[str, Callable[[int], str]] = {
    "mismatch": mismatch,
    "raises": raises,
    "columns": columns,
    "drift": drift,
}
