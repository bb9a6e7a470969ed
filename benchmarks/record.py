"""Measures what records cost a training run: a 12-layer transformer with small layers.

Run ``python benchmarks/record.py [--runs 3] [--steps 60]`` with a Python that has TensorFlow 1.15
to 2.15 (Estimator is needed). The graph has the size of a real one; the layers are small, so that
the steps are short and a save costs little. The cost of a record depends on the graph alone. All
figures are CPU time, which other load on the machine affects little.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "transformer")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SMALL = {"hidden_size": 96, "intermediate_size": 192, "num_heads": 12}


def main() -> None:
    """Trains in turn without and with records, and prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    costs: Dict[bool, List[float]] = {False: [], True: []}
    spent: List[List[float]] = []
    size = 0
    train(False, options.steps)
    for number in range(options.runs):
        for recorded in (number % 2 == 1, number % 2 == 0):
            cost, seconds, written = train(recorded, options.steps)
            costs[recorded].append(cost)
            if recorded:
                spent.append(seconds)
                size = written
    begins, firsts = [seconds[0] for seconds in spent], [seconds[1] for seconds in spent]
    later = [one for seconds in spent for one in seconds[2:]]
    print(f"at the start of training     {statistics.median(begins):.3f} s")
    print(f"the first save               {statistics.median(firsts):.3f} s")
    print(f"each later save              {statistics.median(later):.3f} s")
    print(f"size of a record             {size / 1024:.0f} KiB")
    for recorded, name in ((False, "without records"), (True, "with records")):
        rate = options.steps / min(costs[recorded])
        print(f"steps per second {name:15} {rate:.2f} (the best of {options.runs} runs)")


def train(recorded: bool, steps: int) -> Tuple[float, List[float], int]:
    """Trains once, with a save after each third of the steps.

    Returns:
        The seconds of the whole run; the seconds that the listener took: at the start, and at each
        save; the bytes of a record.
    """
    import model
    import tensorflow.compat.v1 as tf

    import ckptcheck

    tf.logging.set_verbosity("ERROR")
    params = {**json.loads((HERE / "transformer" / "params.json").read_text()), **SMALL}
    folder = tempfile.mkdtemp(prefix="record-")
    config = tf.estimator.RunConfig(
        folder, save_checkpoints_steps=steps // 3, save_summary_steps=None, tf_random_seed=1
    )
    estimator = tf.estimator.Estimator(model.model_fn, params=params, config=config)
    listener = ckptcheck.record_listener(model.model_fn, params)
    seconds: List[float] = []
    for name in ("begin", "after_save"):
        setattr(listener, name, timed(getattr(listener, name), seconds))
    begin = time.process_time()
    estimator.train(
        lambda: inputs(tf, params), steps=steps, saving_listeners=[listener] if recorded else []
    )
    cost = time.process_time() - begin
    sizes = [path.stat().st_size for path in Path(folder).glob("*.ckptcheck.json")]
    shutil.rmtree(folder)
    return cost, seconds, max(sizes, default=0)


def timed(function: Any, seconds: List[float]) -> Any:
    """Returns a function that notes how long its calls take."""

    def call(*arguments: Any) -> None:
        begin = time.thread_time()
        function(*arguments)
        seconds.append(time.thread_time() - begin)

    return call


def inputs(tf: Any, params: Dict[str, Any]) -> Any:
    """Returns the same batch again and again."""
    names = ("input_ids", "input_mask", "segment_ids")
    features = {name: tf.ones([4, 16], tf.int32) for name in names}
    data = tf.data.Dataset.from_tensors((features, tf.zeros([4], tf.int32)))
    return data.repeat()


if __name__ == "__main__":
    main()
