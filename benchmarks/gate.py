"""Measures ckptcheck as a gate that runs before each commit.

Run ``python benchmarks/gate.py [--runs 9] [--case NAME]`` with a Python that has TensorFlow and
ckptcheck's dependencies. The commands of a case run in turn, so that other load on the machine
affects all of them. The exit code is 1 if a limit is exceeded.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from measuring import ROOT, Run, measure

_TYPER = [sys.executable, "-c", "import typer"]
_TENSORFLOW = [sys.executable, "-c", "import tensorflow"]


class Case(NamedTuple):
    """A measured command, and the commands to compare it with.

    Attributes:
        measured: the command.
        others: the commands to compare it with, each with its name and the largest ratio.
        before: runs once before the measurement.
    """

    measured: List[str]
    others: Sequence[Tuple[str, List[str], float]]
    before: Callable[[], object]


def unchanged(folder: Path) -> Case:
    """One check. Nothing has changed since the last check."""
    fixture = ROOT / "fixtures" / "hidden_dropout"
    saved = "tf115" if sys.version_info < (3, 8) else "tf215"
    command = [sys.executable, "-m", "ckptcheck", str(fixture / saved), "model:model_fn"]
    command += [str(fixture / "params.json"), "--app-dir", str(fixture)]
    command += ["--cache-dir", str(folder / "cache"), "--verbose"]

    def before() -> None:
        measure(command, folder)  # runs the code, and keeps the traces
        measure(command, folder)  # remembers the command line, and writes bytecode
        measure(command, folder)
        said = (folder / "err").read_text("utf-8")
        if "taken from the cache" not in said:
            sys.exit(f"nothing has changed, but the cache was not used:\n{said}")

    others = [("import tensorflow", _TENSORFLOW, 0.1), ("import typer", _TYPER, 3.0)]
    return Case(command, others, before)


_TRACES = """
import importlib, json, sys
import tensorflow.compat.v1 as tf
sys.path.insert(0, {folder!r})
sys.modules["tensorflow"] = tf
model = importlib.import_module("model")
params = json.load(open({params!r}))
for _ in range({count}):
    for mode in ("infer", "eval", "train"):
        with tf.Graph().as_default():
            tf.train.get_or_create_global_step()
            features = {{"x": tf.placeholder(tf.float32, [None, 1])}}
            labels = None if mode == "infer" else tf.placeholder(tf.float32, [None, 1])
            spec = model.model_fn(features, labels, mode, dict(params))
            (spec.scaffold or tf.train.Scaffold()).finalize()
"""
"""A script that only traces three modes of a model_fn many times."""
_MANY = 20


def many(folder: Path) -> Case:
    """Twenty configured checks of one Python, without the cache."""
    fixture = ROOT / "fixtures" / "hidden_dropout"
    saved = "tf115" if sys.version_info < (3, 8) else "tf215"
    checks = [
        f'[[check]]\nname = "c{number}"\nmodel-dir = "{fixture / saved}"\n'
        f'target = "model:model_fn"\nparams = "{fixture / "params.json"}"\napp-dir = "{fixture}"\n'
        for number in range(_MANY)
    ]
    (folder / "ckptcheck.toml").write_text("\n".join(checks), "utf-8")
    config = ["--config", str(folder / "ckptcheck.toml"), "--no-cache"]
    script = _TRACES.format(folder=str(fixture), params=str(fixture / "params.json"), count=_MANY)
    traces = [sys.executable, "-c", script]
    command = [sys.executable, "-m", "ckptcheck", "check", *config]
    return Case(command, [("import and 20 traces", traces, 1.5)], lambda: None)


_FILES = 1000


def lint(folder: Path) -> Case:
    """The lint of 1,000 files."""
    sources = sorted((ROOT / "tests" / "acceptance" / "models").rglob("*.py"))
    sources += sorted((ROOT / "fixtures").rglob("*.py"))
    code = folder / "code"
    code.mkdir()
    for number in range(_FILES):
        source = sources[number % len(sources)]
        (code / f"m{number}.py").write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "ckptcheck", "lint", str(code), "--fail-on", "error"]
    compileall = [sys.executable, "-m", "compileall", "-q", "-f", str(code)]
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--isolated",
        "--exit-zero",
        str(code),
    ]
    others = [("compileall", compileall, 8.0), ("ruff check", ruff, 40.0)]
    return Case(command, others, lambda: None)


CASES: Dict[str, Callable[[Path], Case]] = {"lint": lint, "many": many, "unchanged": unchanged}
"""The cases by name. To add one, write a function that returns a :class:`Case`."""


def run(name: str, runs: int) -> bool:
    """Measures a case and prints the result; returns whether it keeps all limits."""
    with tempfile.TemporaryDirectory() as folder:
        case = CASES[name](Path(folder))
        case.before()
        commands = [case.measured, *(command for _, command, _ in case.others)]
        rounds = [[measure(command, Path(folder)) for command in commands] for _ in range(runs)]
    print(f"{name}: {CASES[name].__doc__}")
    print(f"  {'':24} {_times([row[0] for row in rounds])}")
    kept = True
    for place, (other, _, most) in enumerate(case.others, 1):
        ratios = list(_ratios(rounds, place))
        ratio = statistics.median(ratios)
        within = ratio <= most
        kept = kept and within
        print(
            f"  {other:24} {_times([row[place] for row in rounds])}  ratio {ratio:.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}), at most {most:g}: "
            f"{'kept' if within else 'EXCEEDED'}"
        )
    return kept


def _ratios(rounds: Sequence[Sequence[Run]], place: int) -> Iterator[float]:
    for row in rounds:
        yield row[0].seconds / row[place].seconds


def _times(found: Sequence[Run]) -> str:
    seconds = statistics.median(item.seconds for item in found)
    cpu = statistics.median(item.cpu_seconds for item in found)
    return f"{seconds:7.3f} s {cpu:7.3f} s CPU"


def main() -> int:
    """Measures the chosen cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    given = parser.parse_args()
    results = [run(name, given.runs) for name in given.case or sorted(CASES)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
