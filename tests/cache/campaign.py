"""Compares checks with the cache with checks without it, after each of many random edits."""

import collections
import random
import time
from pathlib import Path
from typing import Any, Counter, Dict, Iterator, List, NamedTuple, Optional, Sequence

from ckptcheck.cache.kept import Cache
from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.errors import UsageError
from ckptcheck.reporters import render

from .edits import EDITS
from .project import EditedProject

_HIT = "taken from the cache"
_MOST_TRIES = 6
_PAUSE = 0.1
"""Seconds to wait after an edit. Traces are not kept if a file changes just before the check."""


class Outcome(NamedTuple):
    """The result of one edit.

    Attributes:
        edit: its name.
        problem: what is wrong; "" if nothing is.
        hit: whether the trace was taken from the cache after the edit.
        said: what the cache said.
    """

    edit: str
    problem: str
    hit: bool
    said: Sequence[str]


class Campaign:
    """Makes edits, and checks after each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._rng = random.Random(seed)
        self._project = EditedProject(folder)
        self._project.use_paths()
        self._cache = str(folder / "cache")
        self._tracer: Optional[Tracer] = None
        self.unlike = ("", "")
        """The last two reports that should have been the same."""

    def run(self, edits: Sequence[str]) -> Iterator[Outcome]:
        """Makes the edits, and yields the result of each."""
        try:
            time.sleep(_PAUSE)  # the same for a directory that changes before the start
            self._check(True)
            for name in edits:
                yield self._outcome(name)
        finally:
            self._restart()

    def _outcome(self, name: str) -> Outcome:
        edit = EDITS[name]
        if not edit.matters:  # the cache must have the traces before the edit
            self._check(True)
        edit.apply(self._project, self._rng)
        if edit.restarts:
            self._restart()
        time.sleep(_PAUSE)
        said: List[str] = []
        with_cache = self._check(True, said)
        hit = _HIT in said
        expected = self._check(False)
        problem = ""
        for _ in range(_MOST_TRIES):
            if with_cache != expected:  # ops run in any order, so the first error may differ
                expected = self._check(False)
        if with_cache != expected:
            self.unlike = (with_cache["report"], expected["report"])
            problem = f"another report {'from the cache' if hit else 'without a hit'}"
        elif not edit.matters and not hit and with_cache["kept"]:
            problem = f"no hit: {said}"
        return Outcome(name, problem, hit, said)

    def _restart(self) -> None:
        if self._tracer is not None:
            self._tracer.close()
        self._tracer = None

    def _started(self) -> Tracer:
        if self._tracer is None:
            self._tracer = Tracer(None, 300, quiet=True)
        return self._tracer

    def _check(self, cached: bool, said: Optional[List[str]] = None) -> Dict[str, Any]:
        heard: List[str] = [] if said is None else said
        cache = Cache(self._cache, heard.append) if cached else None
        try:
            report = run_check(self._project.spec(), self._started, cache=cache)
        except UsageError as error:  # such as for wrong features; the traces are not kept
            return {"report": str(error), "kept": False}
        return {"report": render(report, "json"), "kept": True}


def chosen(count: int, seed: int) -> List[str]:
    """Draws edits: each kind once, then at random."""
    rng = random.Random(seed)
    names = list(EDITS)
    rng.shuffle(names)
    more = [rng.choice(names) for _ in range(count - len(names))]
    return [*names, *more][:count]


def summary(outcomes: Sequence[Outcome]) -> str:
    """Counts the edits and hits by kind."""
    kinds: Counter[str] = collections.Counter(item.edit for item in outcomes)
    hits: Counter[str] = collections.Counter(item.edit for item in outcomes if item.hit)
    lines = (f"{name:30} {count:4} edits {hits[name]:4} hits\n" for name, count in kinds.items())
    return "".join(lines)
