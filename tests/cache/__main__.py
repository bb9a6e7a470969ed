"""Runs the campaign: ``python -m tests.cache [--edits 300] [--seed 1]``.

After each random edit of a project, a check with the cache must give the same report as a check
without it. After an edit that cannot matter, the cache must have a hit. Otherwise, the exit code is
1.
"""

import argparse
import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import List

from .campaign import Campaign, Outcome, chosen, summary


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes: List[Outcome] = []
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder).resolve(), given.seed)
        for outcome in campaign.run(chosen(given.edits, given.seed)):
            outcomes.append(outcome)
            if outcome.problem:
                print(f"{len(outcomes)} {outcome.edit}: {outcome.problem}", flush=True)
                with_cache, without = map(str.splitlines, campaign.unlike)
                print(*difflib.unified_diff(with_cache, without), sep="\n")
            print(f"{len(outcomes)} {outcome.edit}: {'; '.join(outcome.said)}", file=sys.stderr)
        os.chdir(here)
    wrong = sum(bool(outcome.problem) for outcome in outcomes)
    print(summary(outcomes), end="")
    print(f"{len(outcomes)} edits, {sum(o.hit for o in outcomes)} hits, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
