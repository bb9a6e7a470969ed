"""``python -m tests.differential``: see CONTRIBUTING.md."""

import argparse
import os
import sys
import tempfile
import time

from ..acceptance.harness import UnfitError
from . import drift
from .campaign import Campaign, Options, say


def main() -> int:
    """Runs a campaign. Returns 1 if there is a disagreement, 2 if there is no Estimator."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description="Compares ckptcheck with the real Estimator on random models and edits.",
    )
    parser.add_argument("--trials", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="trial I of a seed is always the same")
    parser.add_argument("--only", type=int, metavar="I", help="this one trial")
    parser.add_argument("--python", metavar="COMMAND", help="an interpreter with TensorFlow")
    parser.add_argument("--jobs", type=int, default=1, help="processes of each side (default: 1)")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--shrink", dest="shrink", action="store_true", default=True)
    parser.add_argument("--time-limit", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="for the reproductions")
    parser.add_argument(
        "--structures",
        action="store_true",
        help="every trial gives an input_fn that returns another structure than the model uses",
    )
    parser.add_argument(
        "--unaided",
        action="store_true",
        help="no trial gives an input_fn: ckptcheck has to find the features",
    )
    parser.add_argument(
        "--drift",
        action="store_true",
        help="edits that restore and may compute something else, judged by what Estimator computes",
    )
    words = parser.parse_args()
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")
    if words.drift:
        keep = words.keep or tempfile.mkdtemp(prefix="drift-kept-")
        found = drift.run(words.trials, words.seed, words.python, keep, words.time_limit, say)
        for line in (*found.lines(), f"kept: {keep}"):
            say(line)
        return 1 if found.disagreements else 0
    options = Options(
        words.trials,
        words.seed,
        words.only,
        words.python,
        words.jobs,
        words.shrink,
        words.time_limit,
        words.keep,
        words.structures,
        words.unaided,
    )
    started = time.time()
    try:
        campaign = Campaign(options, say)
        tally = campaign.run()
    except UnfitError as reason:
        say(f"NOT COMPARED WITH TENSORFLOW: {reason}")
        return 2
    seconds = time.time() - started
    say(f"{seconds:.0f} s, {seconds / max(1, tally.trials):.1f} s a trial; kept: {campaign.keep}")
    for line in tally.lines():
        say(line)
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
