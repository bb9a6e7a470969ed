"""Score ckptcheck against the catalogue.

python -m tests.drift                                      this interpreter's TensorFlow
python -m tests.drift --python /envs/tf1/bin/python        trained and traced by another one
python -m tests.drift --saved-by /envs/tf1/bin/python      trained by another one alone

If different versions of TensorFlow train and trace, the drift of a silent edit may be ``unknown``,
but ckptcheck must find nine of ten silent edits.
"""

import argparse
import collections
import sys
from typing import Dict, List

from .catalogue import MODELS
from .scoring import Score, score_all


def _show(score: Score) -> None:
    """One line for each problem."""
    for problem in score.problems:
        print(f"{score.edit.id} ({score.edit.kind}): {problem}", flush=True)


def summary(scores: List[Score]) -> List[str]:
    """Returns the lines of the summary."""
    silent = [score for score in scores if score.edit.silent and score.edit.comparable]
    hidden = [score for score in scores if score.edit.silent and not score.edit.comparable]
    innocent = [score for score in scores if not score.edit.silent]

    def clean(some: List[Score], *kinds: str) -> int:
        return sum(not _has(score, *kinds, "error", "verdict") for score in some)

    by_kind: Dict[str, List[str]] = collections.defaultdict(list)
    for score in scores:
        if score.problems:
            by_kind[score.edit.kind].append(score.edit.id)
    return [
        f"silent edits      {len(silent)}",
        f"  found           {clean(silent, 'missed', 'unknown')}",
        f"  told            {clean(silent, 'missed', 'unknown', 'untold')}",
        f"  modes right     {clean(silent, 'missed', 'unknown', 'modes')}",
        f"not comparable    {len(hidden)}",
        f"  said so         {clean(hidden, 'undecided', 'false alarm')}",
        f"innocent edits    {len(innocent)}",
        f"  not reported    {clean(innocent, 'false alarm')}",
        "problems by kind:",
        *(f"  {kind}: {', '.join(ids)}" for kind, ids in sorted(by_kind.items())),
    ]


def _has(score: Score, *kinds: str) -> bool:
    return any(problem.partition(":")[0] in kinds for problem in score.problems)


def is_good_across(scores: List[Score]) -> bool:
    """Whether the scores are good enough for different versions of TensorFlow."""
    silent = [score for score in scores if score.edit.silent and score.edit.comparable]
    unknown = sum(_has(score, "unknown") for score in silent)
    wrong = any(
        _has(score, "missed", "modes", "false alarm", "verdict", "error") for score in scores
    )
    return not wrong and unknown <= len(silent) * _MOST_UNKNOWN


_MOST_UNKNOWN = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description="Score ckptcheck against the catalogue.")
    parser.add_argument("--python", help="the command of the Python that traces")
    parser.add_argument(
        "--saved-by", help="the command of the Python that trains; by default that of --python"
    )
    parser.add_argument("--model", action="append", choices=sorted(MODELS), help="only this one")
    args = parser.parse_args()
    across = args.saved_by not in (None, args.python)
    models = args.model or [name for name in sorted(MODELS) if MODELS[name].portable or not across]
    scores = score_all(models, args.python, args.saved_by or args.python, _show)
    print("\n".join(summary(scores)))
    good = is_good_across(scores) if across else not any(score.problems for score in scores)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
