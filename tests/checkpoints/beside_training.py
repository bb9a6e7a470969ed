"""Runs every command during a training run that saves all the time. No finding may be wrong.

    python -m tests.checkpoints.beside_training --runs 200 --every 1

A real Estimator trains in a process of its own with ``keep_checkpoint_max=1``: each save removes
the checkpoint before it. Meanwhile checks, inspections, verifications and snapshots look at its
model_dir. A finding or an exit code is wrong if it
differs after the end of the training run. The exit code of this module is 1 if something is wrong.
"""

import argparse
import collections
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import (
    Callable,
    Counter,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.commands.terminal import exit_code
from ckptcheck.errors import UsageError
from ckptcheck.exit_codes import EXIT_OK, EXIT_USAGE
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.results import Group
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..support import FIXTURES, PROJECT, environment, run_cli

_SOURCE = FIXTURES / "hidden_dropout"
_PARAMS = {"num_hidden": 128, "dropout_rate": 0.3}
_FIRST_SAVE_SECONDS = 120.0
_KNOWN = ("defaulted-param", "compat-shim")
"""The findings of this code that do not depend on the training run."""
_TIMES = {"inspect": 10, "verify": 10, "verify --all-checkpoints": 10, "snapshot": 5}
_SELDOM = 10
"""One of this number of rounds runs a check in a new process."""

TRAINING = """
import sys, threading, time

sys.path.insert(0, {project!r})
sys.path.insert(0, {source!r})
from ckptcheck.tracer import compat
tf = compat.import_tensorflow()
sys.modules["tensorflow"] = tf.compat.v1
import model

v1 = tf.compat.v1
v1.logging.set_verbosity(v1.logging.ERROR)


def input_fn():
    x = v1.data.Dataset.from_tensors(({{"x": [[1.0], [2.0]]}}, [[1.0], [2.0]])).repeat()
    return x


class Slow(v1.train.SessionRunHook):
    def after_run(self, context, values):
        time.sleep({pause})


config = v1.estimator.RunConfig(
    {model_dir!r}, save_checkpoints_steps=1, keep_checkpoint_max=1, save_summary_steps=1
)
estimator = v1.estimator.Estimator(model.model_fn, params={params!r}, config=config)
estimator.train(input_fn, hooks=[Slow()], max_steps={steps})
"""


T = TypeVar("T")


class Outcome(NamedTuple):
    """The result of one run."""

    code: int
    rules: Tuple[str, ...]
    message: str = ""


class Beside:
    """A model_dir with a training run, and the commands that read it."""

    def __init__(self, folder: str, every: float) -> None:
        self.model_dir = os.path.join(folder, "model_dir")
        self._folder = folder
        self._every = every
        self._snapshots = 0

    @contextlib.contextmanager
    def training(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Trains until the context ends. The context starts after the first save.

        Raises:
            RuntimeError: the training saves nothing.
        """
        code = TRAINING.format(
            project=str(PROJECT),
            source=str(_SOURCE),
            model_dir=self.model_dir,
            pause=self._every,
            params=_PARAMS,
            steps=10**9,
        )
        log = os.path.join(self._folder, "training.log")
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", code], stdout=out, stderr=out, env=environment()
            )
        try:
            end = time.monotonic() + _FIRST_SAVE_SECONDS
            while not os.path.exists(os.path.join(self.model_dir, "checkpoint")):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(Path(log).read_text("utf-8", "replace")[-2000:])
                time.sleep(0.01)
            yield process
            if process.poll() is not None:
                raise RuntimeError(Path(log).read_text("utf-8", "replace")[-2000:])
        finally:
            process.kill()
            process.wait()

    def check(self, tracer: Tracer, deep: bool = False) -> Outcome:
        """A check of all modes."""
        target = f"{_SOURCE / 'model.py'}:model_fn"
        spec = CheckSpec(model_dir=self.model_dir, target=target, params=_PARAMS, deep=deep)
        report = run_check(spec, tracer)
        rules = _rules(report.groups)
        said = "; ".join(finding.message for finding in report.findings)
        return Outcome(exit_code(report), tuple(rules), said)

    def inspect(self) -> Outcome:
        """Runs an inspection. It must show the time and the graph of the checkpoint."""
        found = inspect(self.model_dir)
        rules = _rules(found.groups)
        loaded = [item for item in found.checkpoints if item.loaded]
        there = loaded and loaded[0].written and loaded[0].size
        if not there or found.contents.graph is None:
            rules.append("(not all that there is of a checkpoint)")
        return Outcome(exit_code(found), tuple(rules), _said(found.groups))

    def verify(self, all_checkpoints: bool = False) -> Outcome:
        """A verification of all data."""
        found = verify(self.model_dir, all_checkpoints)
        groups = [group for item in found.verified for group in item.groups]
        rules = _rules(groups)
        if not any(item.data.tensors for item in found.verified):
            rules.append("(no tensor was read)")
        return Outcome(exit_code(found), tuple(rules), _said(groups))

    def snapshot(self) -> Outcome:
        """Makes a snapshot. An inspection of it must have no finding."""
        self._snapshots += 1
        out = os.path.join(self._folder, f"snapshot-{self._snapshots}")
        try:
            made = snapshot(self.model_dir, out)
            rules = _rules(made.groups)
            if not any(name.endswith(".meta.gz") for name in made.written.names):
                rules.append("(a snapshot without the .meta file)")
            found = inspect(out)  # after another save, the snapshot is older than the model_dir
            groups = [g for g in found.groups if g.findings[0].rule != "stale-snapshot"]
            rules.extend(_rules(groups))
            return Outcome(exit_code(found), tuple(rules), _said((*made.groups, *groups)))
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def process(self) -> Outcome:
        """Runs a check in a new process, as users do. It imports TensorFlow first."""
        params = os.path.join(self._folder, "params.json")
        Path(params).write_text(json.dumps(_PARAMS), "utf-8")
        target = f"{_SOURCE / 'model.py'}:model_fn"
        run = run_cli(self.model_dir, target, params, "--format", "json", cwd=self._folder)
        if run.code == EXIT_USAGE:
            return Outcome(run.code, (), run.err)
        findings = run.json["findings"]
        said = "; ".join(finding["message"] for finding in findings)
        return Outcome(run.code, tuple(finding["rule"] for finding in findings), said)


def _rules(groups: Sequence[Group]) -> List[str]:
    """Returns the rules that find something, except temporary files.

    The message for these says that a save may be running, which is true here. On a busy machine,
    they stay longer than a command waits.
    """
    findings = [finding for group in groups for finding in group.findings]
    return [item.rule for item in findings if item.data.get("reason") != "temporary"]


def _said(groups: Sequence[Group]) -> str:
    return "; ".join(finding.message for group in groups for finding in group.findings)


def _outcome(run: Callable[[], Outcome]) -> Outcome:
    try:
        return run()
    except UsageError as error:
        return Outcome(EXIT_USAGE, (), str(error))


def _wrong(outcome: Outcome) -> List[str]:
    """Returns the wrong findings of an outcome: those that only the training run causes.

    A note about files of a save that is still running is right.
    """
    allowed = (*_KNOWN, "leftover-files") if "or goes on" in outcome.message else _KNOWN
    wrong = [rule for rule in outcome.rules if rule not in allowed]
    return wrong if outcome.code == EXIT_OK else [f"exit code {outcome.code}", *wrong]


def run(runs: int, every: float, say: Callable[[str], None] = print) -> int:
    """Runs each command ``runs`` times; returns the number of wrong runs.

    Args:
        runs: how many times each command runs. Fast commands run more often.
        every: seconds between the end of a save and the next save.
        say: tells what went wrong.
    """
    failed: Counter[str] = collections.Counter()
    seconds: Dict[str, float] = collections.defaultdict(float)
    with tempfile.TemporaryDirectory(prefix="beside-") as folder, Tracer(None, 120, True) as tracer:
        beside = Beside(folder, every)
        commands: Dict[str, Callable[[], Outcome]] = {
            "check": lambda: beside.check(tracer),
            "check --deep": lambda: beside.check(tracer, deep=True),
            "inspect": beside.inspect,
            "verify": beside.verify,
            "verify --all-checkpoints": lambda: beside.verify(all_checkpoints=True),
            "snapshot": beside.snapshot,
            "check in a process of its own": beside.process,
        }
        done: Counter[str] = collections.Counter()
        tracer.hello()
        saves: Set[str] = set()
        with beside.training():
            for name, command in _order(runs, commands):
                for _ in range(_TIMES.get(name, 1)):
                    saves.update(n for n in os.listdir(beside.model_dir) if n.endswith(".index"))
                    start = time.monotonic()
                    outcome = _outcome(command)
                    seconds[name] += time.monotonic() - start
                    done[name] += 1
                    wrong = _wrong(outcome)
                    failed[name] += bool(wrong)
                    if wrong:
                        say(f"{name}: {', '.join(wrong)}: {outcome.message}")
    for name in commands:
        each = seconds[name] / done[name]
        say(f"{name}: {failed[name]} of {done[name]} wrong, {each:.2f} s each")
    say(f"beside a training that was seen to save at least {len(saves)} times")
    return sum(failed.values())


def _order(runs: int, commands: Mapping[str, T]) -> Iterator[Tuple[str, T]]:
    """The commands of each round."""
    for number in range(runs):
        for name, command in commands.items():
            if name != "check in a process of its own" or number % _SELDOM == 0:
                yield name, command


def main() -> None:
    """Reads the command line and runs the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS")
    arguments = parser.parse_args()
    sys.exit(1 if run(arguments.runs, arguments.every) else 0)


if __name__ == "__main__":
    main()
