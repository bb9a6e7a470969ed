"""The campaign: runs many trials, counts the results, and keeps the disagreements."""

import collections
import dataclasses
import os
import pprint
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
from typing import Callable, Counter, Dict, Iterator, List, Optional, Tuple

from . import trial as trials
from .compose import compose
from .edits import GIVEN, SELDOM, Drawer, Edit, NothingToEditError
from .model import COMPAT_V1
from .shrink import Case, shrink
from .trial import Composed, DiscardedError, Outcome, Sides, Trained

PER_MODEL = 6
"""The number of trials with one trained model."""

SHRINK_ATTEMPTS = 60
PROGRESS = 50
"""The number of trials between two lines about the progress."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        trials: how many.
        seed: of everything; trial ``i`` of a seed is always the same.
        only: the one trial to run.
        python: the command of an interpreter with TensorFlow; None for this one.
        jobs: how many processes of each side.
        shrinks: whether disagreements are made small.
        time_limit: seconds after which no trial begins; 0 for none.
        keep: where the reproductions are put.
        structures: whether every trial gives an input_fn that returns another structure.
        unaided: whether ckptcheck must find the features, because no trial gives an input_fn.
    """

    trials: int
    seed: int
    only: Optional[int] = None
    python: Optional[str] = None
    jobs: int = 1
    shrinks: bool = True
    time_limit: float = 0.0
    keep: str = ""
    structures: bool = False
    unaided: bool = False


@dataclasses.dataclass
class Tally:
    """The results of the trials."""

    agreements: int = 0
    disagreements: int = 0
    filled_in: int = 0
    discarded: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)
    unanswered: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)
    verdicts: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)
    different: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)

    @property
    def trials(self) -> int:
        """The number of trials that both sides answered, some of them with a filled-in file."""
        return self.agreements + self.disagreements

    def lines(self) -> Iterator[str]:
        """The end of the report."""
        for name, counts in (
            ("verdicts", self.verdicts),
            ("discarded", self.discarded),
            ("unanswered", self.unanswered),
            ("disagreement", self.different),
        ):
            for reason, count in counts.most_common():
                yield f"{name}: {count} x {reason}"
        yield f"discarded {sum(self.discarded.values())}"
        yield f"unanswered {sum(self.unanswered.values())}"
        yield f"checked again with the printed features file, filled in: {self.filled_in}"
        yield (
            f"trials {self.trials} agreements {self.agreements} disagreements {self.disagreements}"
        )


class Campaign:
    """Runs trials in threads. Each thread has its own pair of both sides."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._lock = threading.Lock()
        self._started = time.time()
        self._failures: List[BaseException] = []
        self._next_progress = PROGRESS
        self.keep = options.keep or tempfile.mkdtemp(prefix="differential-")
        self.tally = Tally()

    def run(self) -> Tally:
        """Runs all trials.

        Raises:
            UnfitError: there is no Estimator to compare with.
        """
        groups: queue.Queue[List[int]] = queue.Queue()
        for group in self._groups():
            groups.put(group)
        workers = [
            threading.Thread(target=self._work_or_fail, args=(groups,))
            for _ in range(self._options.jobs)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self._failures:
            raise self._failures[0]
        return self.tally

    def _groups(self) -> Iterator[List[int]]:
        """The numbers of the trials that share a model."""
        options = self._options
        if options.only is not None:
            yield [options.only]
            return
        for first in range(0, options.trials, PER_MODEL):
            yield list(range(first, min(first + PER_MODEL, options.trials)))

    def _work_or_fail(self, groups: "queue.Queue[List[int]]") -> None:
        try:
            self._work(groups)
        except BaseException as error:  # run() raises it again in the main thread
            self._failures.append(error)

    def _work(self, groups: "queue.Queue[List[int]]") -> None:
        sides = Sides(self._options.python)
        try:
            while not self._late():
                try:
                    group = groups.get_nowait()
                except queue.Empty:
                    return
                with tempfile.TemporaryDirectory(prefix="differential-") as folder:
                    self._run_group(group, folder, sides)
        finally:
            sides.close()

    def _late(self) -> bool:
        limit = self._options.time_limit
        return bool(self._failures) or bool(limit and time.time() - self._started > limit)

    def _run_group(self, group: List[int], folder: str, sides: Sides) -> None:
        composed = draw_model(self._options.seed, group[0] // PER_MODEL, sides.major)
        try:
            trained = trials.train(composed, os.path.join(folder, "trained"), sides)
        except DiscardedError as reason:
            self._discard(group[0], str(reason), len(group))
            return
        for number in group:
            if self._late():
                return
            root = os.path.join(folder, f"trial-{number}")
            self._run_trial(number, trained, root, sides)
            shutil.rmtree(root, ignore_errors=True)
        self._progress()

    def _progress(self) -> None:
        with self._lock:
            done = self.tally.trials + sum(self.tally.discarded.values())
            if done >= self._next_progress:
                self._next_progress = done + PROGRESS
                seconds = time.time() - self._started
                self._say(f"{done} trials, {seconds:.0f} s")

    def _run_trial(self, number: int, trained: Trained, root: str, sides: Sides) -> None:
        edits = draw_edits(self._options, number, trained, sides.major)
        try:
            edited = trials.edit(trained, edits, root, sides)
            outcome = trials.judge(edited, sides)
        except (DiscardedError, NothingToEditError) as reason:  # an edit may remove another's part
            self._discard(number, str(reason), 1)
            return
        with self._lock:
            self._count(number, outcome)
        if outcome.unanswered or outcome.disagreements:
            self._keep(number, trained, edits, outcome, root)
        if outcome.disagreements and self._options.shrinks:
            self._shrink(number, (trained.composed, edits), outcome, sides)

    def _discard(self, number: int, reason: str, count: int) -> None:
        with self._lock:
            self.tally.discarded[reason] += count
            self._say(f"discarded {number}: {reason}")

    def _count(self, number: int, outcome: Outcome) -> None:
        tally = self.tally
        if outcome.unanswered:
            tally.unanswered[outcome.unanswered] += 1
            tally.filled_in += bool(outcome.said)
        if not outcome.said:
            return
        tally.verdicts[" / ".join(outcome.truth[mode] for mode in trials.MODES)] += 1
        if not outcome.disagreements:
            tally.agreements += 1
            return
        tally.disagreements += 1
        for mode, truth, said in outcome.disagreements:
            tally.different[f"{mode}: TensorFlow: {truth}; ckptcheck: {said}"] += 1

    def _keep(
        self, number: int, trained: Trained, edits: Tuple[Edit, ...], outcome: Outcome, root: str
    ) -> None:
        """Keeps a reproduction, and prints its path."""
        place = os.path.join(self.keep, f"seed-{self._options.seed}-trial-{number}")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(root, place, symlinks=True)
        shutil.copytree(os.path.join(trained.root, "code"), os.path.join(place, "code-as-trained"))
        shutil.copytree(
            os.path.join(trained.root, "model_dir"), os.path.join(place, "model_dir-as-trained")
        )
        with open(os.path.join(place, "trial.txt"), "w") as file:
            file.write(describe((trained.composed, edits), outcome))
        with self._lock:
            for line in summary(outcome):
                self._say(f"trial {number}: {line}: {place}")

    def _shrink(self, number: int, case: Case, outcome: Outcome, sides: Sides) -> None:
        wanted = outcome.disagreements[0]

        def still(smaller: Case) -> bool:
            found = attempt(smaller, sides)
            return found is not None and wanted in found.disagreements

        small = shrink(case, still, SHRINK_ATTEMPTS)
        found = attempt(small, sides)
        name = f"seed-{self._options.seed}-trial-{number}.txt"
        text = describe(small, found or outcome)
        with open(os.path.join(self.keep, name), "w") as file:
            file.write(text)
        with self._lock:
            self._say(f"trial {number}, made small:\n{text}")


def attempt(case: Case, sides: Sides) -> Optional[Outcome]:
    """Runs one case in its own directory; returns None if the case is not valid."""
    composed, edits = case
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        try:
            trained = trials.train(composed, os.path.join(folder, "trained"), sides)
            edited = trials.edit(trained, edits, os.path.join(folder, "trial"), sides)
            return trials.judge(edited, sides)
        except (DiscardedError, NothingToEditError):
            return None


def draw_model(seed: int, number: int, major: int) -> Composed:
    """The model of a group of trials, and its launch."""
    rng = random.Random(f"model {seed} {number}")
    model = compose(rng)
    launched_v1 = major > 1 and rng.random() < 0.3 and model.header != COMPAT_V1
    return Composed(model, "v1" if launched_v1 else "")


def draw_edits(options: Options, number: int, trained: Trained, major: int) -> Tuple[Edit, ...]:
    """The edits of one trial."""
    rng = random.Random(f"edits {options.seed} {number}")
    model, given = trained.composed.model, dict(trained.params)
    otherwise = 1.0 if options.structures else SELDOM
    given_often = GIVEN
    if options.unaided:
        otherwise = given_often = 0.0
    return Drawer(rng, model, given, trained.variables, major, otherwise, given_often).edits()


def summary(outcome: Outcome) -> Iterator[str]:
    """A line for each disagreement, or for a question without an answer."""
    if outcome.unanswered:
        yield f"unanswered: {outcome.unanswered}"
    for mode, truth, said in outcome.disagreements:
        yield f"{mode}: TensorFlow: {truth}; ckptcheck: {said}"


def describe(case: Case, outcome: Outcome) -> str:
    """A case in full: what disagrees, the edits, the source, and what TensorFlow said."""
    from .model import source

    composed, edits = case
    errors: Dict[str, str] = {
        mode: str(seen.get("error")) for mode, seen in outcome.evidence.items() if seen.get("error")
    }
    lines = [*summary(outcome), f"launch: {composed.behavior or 'default'}", "edits:"]
    lines += [f"  {item}" for item in edits] or ["  none"]
    lines += ["TensorFlow:", pprint.pformat(errors), "mismatches:"]
    for mode, seen in outcome.evidence.items():
        lines += [f"  {mode}: {item}" for item in seen.get("mismatches", ())]
    lines += ["", source(composed.model), "", composed.model.inputs.train_source(), ""]
    lines.append(f"case = {case!r}")
    return "\n".join([*lines, ""])


def say(line: str) -> None:
    """Prints a line without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
