"""Compares ckptcheck with the commands that a user would run instead, on a 12-layer transformer.

Run ``python benchmarks/check.py [--runs 5] [--model-dir DIR] [--case CASE]`` with the Python that
has TensorFlow (1.15 to 2.15: Estimator is needed) and ckptcheck's dependencies. README.md beside
this file says what is compared and how to read the numbers.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import pairs
from measuring import Poller, Run, measure

HERE = Path(__file__).resolve().parent
MODEL = HERE / "transformer"
MODES = ("predict", "eval", "train")
TITLES = {
    "check": "(a) ckptcheck",
    "bare": "(b) bare script",
    "restore": "(c) Estimator",
}
_MIB = 1024.0 * 1024.0


class Benchmark:
    """The runs of three commands on one model_dir."""

    def __init__(self, model_dir: Path, folder: Path) -> None:
        """Prepares.

        Args:
            model_dir: the directory of the checkpoint. If it is empty, the checkpoint is trained
                there.
            folder: for temporary files, on the file system of model_dir if possible.
        """
        self._model_dir = model_dir
        self.folder = folder
        self.runs: Dict[str, List[Run]] = {kind: [] for kind in TITLES}
        self.shared: Dict[str, int] = {}
        self.report: Dict[str, Any] = {}

    def make_checkpoint(self) -> None:
        """Trains the checkpoint if it is not there yet."""
        if not (self._model_dir / "checkpoint").is_file():
            _say("training one step for the checkpoint (1.3 GB)")
            measure(_estimator("train", self._model_dir), self.folder)

    def run(self, count: int) -> None:
        """Runs one round to warm up, then runs all three in turn, ``count`` times."""
        for kind in TITLES:
            _say(f"warming up: {TITLES[kind]}")
            self.shared[kind] = self._once(kind, shared=True).peaks.shared
        for number in range(count):
            for kind in TITLES:
                run = self._once(kind)
                self.runs[kind].append(run)
                _say(f"{number + 1}/{count} {TITLES[kind]}: {run.seconds:.1f} s")

    def _once(self, kind: str, shared: bool = False) -> Run:
        watch = partial(Poller, shared=shared)
        if kind == "check":
            run = measure(self._check(), self.folder, watch=watch)
            self.report = _restoring(run.output)
            return run
        if kind == "bare":
            bare = [sys.executable, str(MODEL / "bare.py")]
            return measure(bare, self.folder, watch=watch)
        copy = self.folder / "model_dir"
        link_files(self._model_dir, copy)
        try:
            return measure(_estimator("restore", copy), self.folder, watch=watch)
        finally:
            shutil.rmtree(str(copy))

    def _check(self) -> List[str]:
        command = [sys.executable, "-m", "ckptcheck", "--no-cache", str(self._model_dir)]
        command += [str(MODEL / "model.py") + ":model_fn", str(MODEL / "params.json")]
        return command + ["--quiet", "--format", "json"]


def _estimator(doing: str, model_dir: Path) -> List[str]:
    return [sys.executable, str(MODEL / "estimator.py"), doing, str(model_dir)]


def _restoring(output: str) -> Dict[str, Any]:
    """Returns the report of ckptcheck, if all modes restore.

    Raises:
        SystemExit: a mode is missing, or does not restore.
    """
    report: Dict[str, Any] = json.loads(output)
    verdicts = {mode: item["verdict"] for mode, item in report["modes"].items()}
    if verdicts != dict.fromkeys(MODES, "restores"):
        sys.exit("ckptcheck does not say that all modes restore:\n" + output)
    return report


def link_files(source: Path, target: Path) -> None:
    """Copies a directory. The data of checkpoints becomes hard links, because no run changes it."""
    target.mkdir()
    for path in source.iterdir():
        if not path.is_file():
            continue
        try:
            if ".data-" in path.name:
                os.link(str(path), str(target / path.name))
                continue
        except OSError:  # another file system
            pass
        shutil.copyfile(str(path), str(target / path.name))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def tables(benchmark: Benchmark) -> str:
    """Returns the results as text."""
    parts = [_versions(benchmark), _times(benchmark), _memory(benchmark), _ratios(benchmark)]
    return "\n\n".join(parts)


def _versions(benchmark: Benchmark) -> str:
    environment = benchmark.report["environment"]
    counts = ["{} {}".format(mode, benchmark.report["modes"][mode]["reads"]) for mode in MODES]
    ckptcheck = measure([sys.executable, "-m", "ckptcheck", "--version"], benchmark.folder)
    return "TensorFlow {}, Python {}, {}, {} cores\ntensors restored: {} of {}".format(
        environment["tensorflow"],
        platform.python_version(),
        ckptcheck.output.strip(),
        os.cpu_count(),
        ", ".join(counts),
        benchmark.report["checkpoint"]["variables"],
    )


def _times(benchmark: Benchmark) -> str:
    head = ("wall time, s", "median", "min", "max", "CPU time, s")
    lines = ["{:16} {:>9} {:>9} {:>9} {:>12}".format(*head)]
    for kind, runs in benchmark.runs.items():
        seconds = [run.seconds for run in runs]
        cpu = statistics.median(run.cpu_seconds for run in runs)
        cells = (statistics.median(seconds), min(seconds), max(seconds), cpu)
        lines.append("{:16} {:>9.2f} {:>9.2f} {:>9.2f} {:>12.2f}".format(TITLES[kind], *cells))
    return "\n".join(lines)


def _memory(benchmark: Benchmark) -> str:
    head = ("memory, MiB", "largest process", "sum of peaks", "peak of PSS sum")
    lines = ["{:16} {:>16} {:>16} {:>16}".format(*head)]
    for kind in benchmark.runs:
        sizes = (_largest(benchmark, kind), _total(benchmark, kind), benchmark.shared[kind])
        cells = [size / _MIB for size in sizes]
        lines.append("{:16} {:>16.0f} {:>16.0f} {:>16.0f}".format(TITLES[kind], *cells))
    return "\n".join(lines)


def _largest(benchmark: Benchmark, kind: str) -> float:
    return statistics.median(run.peaks.largest for run in benchmark.runs[kind])


def _total(benchmark: Benchmark, kind: str) -> float:
    return statistics.median(run.peaks.total for run in benchmark.runs[kind])


def _ratios(benchmark: Benchmark) -> str:
    times = [
        ("wall time (a)/(b)", _time_ratios(benchmark, "check", "bare")),
        ("wall time (c)/(a)", _time_ratios(benchmark, "restore", "check")),
    ]
    lines = []
    for title, ratios in times:
        cells = (title, statistics.median(ratios), min(ratios), max(ratios))
        lines.append("{:26} {:.2f} (of neighbours: {:.2f} to {:.2f})".format(*cells))
    memory = _largest(benchmark, "check") / _largest(benchmark, "bare")
    lines.append("{:26} {:.2f}".format("largest process (a)/(b)", memory))
    return "\n".join(lines)


def _time_ratios(benchmark: Benchmark, kind: str, other: str) -> List[float]:
    """Returns the ratio of the wall times in each round, so that other load affects both sides."""
    pairs = zip(benchmark.runs[kind], benchmark.runs[other])
    return [mine.seconds / theirs.seconds for mine, theirs in pairs]


def main() -> None:
    """Makes the checkpoint, measures, prints."""
    parser = argparse.ArgumentParser(description="Measures ckptcheck on a 12-layer transformer.")
    parser.add_argument("--runs", type=int, default=5, help="rounds to measure (default: 5)")
    parser.add_argument(
        "--model-dir", type=Path, help="keep the model_dir here, and use it if it is there already"
    )
    parser.add_argument(
        "--case", choices=pairs.CASES, help="measure pairs of checks of small models instead"
    )
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("--runs must be at least 1")
    if asked.case:
        print(pairs.CASES[asked.case](asked.runs))
        return
    if asked.model_dir:
        asked.model_dir.mkdir(parents=True, exist_ok=True)
    beside = str(asked.model_dir.resolve().parent) if asked.model_dir else None
    with tempfile.TemporaryDirectory(prefix="ckptcheck-benchmark-", dir=beside) as name:
        folder = Path(name)
        model_dir = asked.model_dir.resolve() if asked.model_dir else folder / "trained"
        benchmark = Benchmark(model_dir, folder)
        benchmark.make_checkpoint()
        benchmark.run(asked.runs)
        print(tables(benchmark))


if __name__ == "__main__":
    main()
