"""Measures what records cost a training run: a 12-layer transformer with small layers.

Run ``python benchmarks/record.py [--runs 7] [--steps 60]`` with a Python that has TensorFlow 1.15
to 2.15 (Estimator is needed). The graph has the size of a real one; the layers are small, so that
the steps are short and a save costs little. The cost of a record depends on the graph alone.

Runs with and without records take turns, and the medians are compared. The runs without records are
also compared with each other, to show the differences by chance. All figures are CPU time, which
other load on the machine affects little.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Dict, List, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "transformer")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SMALL = {"hidden_size": 96, "intermediate_size": 192, "num_heads": 12}


class Run(NamedTuple):
    """One training run.

    Attributes:
        rate: the steps per second, saves included.
        spent: the seconds that the hook took: at the start, and at each save.
        size: the bytes of a record.
    """

    rate: float
    spent: List[float]
    size: int


def main() -> None:
    """Trains in turn without and with records, and prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    train(True, options.steps)  # not measured: includes the work that the process does only once
    without: List[Run] = []
    recorded: List[Run] = []
    for number in range(options.runs):
        pair = (number % 2 == 1, number % 2 == 0)
        for records in pair:
            (recorded if records else without).append(train(records, options.steps))
    spent = [run.spent for run in recorded]
    later = [one for seconds in spent for one in seconds[2:]]
    print(f"at the start of training     {median(seconds[0] for seconds in spent):.3f} s")
    print(f"the first save               {median(seconds[1] for seconds in spent):.3f} s")
    print(f"each later save              {median(later):.3f} s (at most {max(later):.3f} s)")
    print(f"size of a record             {recorded[0].size / 1024:.0f} KiB")
    for name, runs in (("without records", without), ("with records", recorded)):
        rates = [run.rate for run in runs]
        print(
            f"steps per second, {name:15} {median(rates):.2f} "
            f"({min(rates):.2f} to {max(rates):.2f} in {options.runs} runs)"
        )
    ratios = [one.rate / other.rate for one, other in zip(recorded, without)]
    chance = [one.rate / other.rate for one, other in zip(without[1:], without)]
    print(f"with records, compared with the run beside it     {spread(ratios)}")
    print(f"without records, compared with the run before it  {spread(chance)}")


def spread(ratios: List[float]) -> str:
    """Returns the median of ratios, and their range, as percentages."""
    low, middle, high = (100 * (value - 1) for value in (min(ratios), median(ratios), max(ratios)))
    return f"{middle:+.1f} % ({low:+.1f} % to {high:+.1f} %)"


def train(recorded: bool, steps: int) -> Run:
    """Trains once, with a save after each third of the steps."""
    import model
    import tensorflow.compat.v1 as tf

    import ckptcheck
    from ckptcheck.records.training import Saving

    tf.logging.set_verbosity("ERROR")
    params = {**json.loads((HERE / "transformer" / "params.json").read_text()), **SMALL}
    folder = tempfile.mkdtemp(prefix="record-")
    config = tf.estimator.RunConfig(
        folder, save_checkpoints_steps=steps // 3, save_summary_steps=None, tf_random_seed=1
    )
    estimator = tf.estimator.Estimator(model.model_fn, params=params, config=config)
    spent: List[float] = []
    for name in ("begin", "after_save"):
        function = getattr(Saving, name)
        setattr(Saving, name, timed(getattr(function, "untimed", function), spent))
    times: List[float] = []

    class Clock(tf.train.SessionRunHook):  # type: ignore[misc]
        def after_create_session(self, session: Any, coord: Any) -> None:
            times.append(time.process_time())

        def end(self, session: Any) -> None:
            times.append(time.process_time())

    hooks = [*([ckptcheck.RecordHook()] if recorded else []), Clock()]
    estimator.train(lambda: inputs(tf, params), steps=steps, hooks=hooks)
    size = max((path.stat().st_size for path in Path(folder).glob("*.ckptcheck.json")), default=0)
    shutil.rmtree(folder)
    return Run(steps / (times[1] - times[0]), spent, size)


def timed(function: Any, seconds: List[float]) -> Any:
    """Returns a function that notes how long its calls take."""

    def call(*arguments: Any) -> None:
        begin = time.thread_time()
        function(*arguments)
        seconds.append(time.thread_time() - begin)

    call.untimed = function  # type: ignore[attr-defined]
    return call


def inputs(tf: Any, params: Dict[str, Any]) -> Any:
    """Returns the same batch again and again."""
    names = ("input_ids", "input_mask", "segment_ids")
    features = {name: tf.ones([4, 16], tf.int32) for name in names}
    data = tf.data.Dataset.from_tensors((features, tf.zeros([4], tf.int32)))
    return data.repeat()


if __name__ == "__main__":
    main()
