"""One search: traces and learns until a round teaches nothing new."""

import dataclasses
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..protocol import UNLABELED
from .answers import Answer, reference_first
from .guess import Guess, Inputs, paths_of
from .learning import better_guess
from .matching import similarity
from .structure import NOTHING, Path

_MOST_ROUNDS = 12
_COMPLETE, _TRACED, ALIKE = 0.1, 0.2, 0.6
"""Scores: a tensor for everything, a trace that did not raise, and one whose features are consumed
as the saved graph's are."""

Ask = Callable[[Mapping[str, Inputs]], Dict[str, Answer]]
"""Traces modes with the given features and labels."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The end of a search.

    Attributes:
        traces: of the last round.
        guess: that they were made with.
        complete: whether there is a tensor for everything that the model_fn asks for.
        alike: whether the traced model consumes the tensors as the saved one did.
        lacks_labels: whether the features took all tensors, and then labels were missing.
    """

    traces: Mapping[str, Answer]
    guess: Optional[Guess]
    complete: bool
    alike: bool = False
    lacks_labels: bool = False

    @property
    def problems(self) -> Dict[str, object]:
        """What kept each mode from being traced to its end; None where nothing did."""
        return {mode: trace.problem for mode, trace in self.traces.items()}


def search(guess: Guess, modes: Sequence[str], ask: Ask, ended: Mapping[str, Answer]) -> Found:
    """Traces and learns until a round teaches nothing new, or what an earlier one did.

    Two leaves that fit a tensor equally ill take turns for ever: each one's trace shows other
    consumers. Such a search ends with one of them, and a swap finds the leaf that fits.

    Args:
        guess: where to begin.
        modes: the modes to trace.
        ask: traces modes.
        ended: modes that are not to be asked again.
    """
    traces: Dict[str, Answer] = dict(ended)
    open_modes = [mode for mode in modes if mode not in ended]
    seen = [guess]
    for _ in range(_MOST_ROUNDS):
        traces.update(ask({mode: guess.inputs(mode) for mode in open_modes}))
        learned = better_guess(guess, traces)
        open_modes = [mode for mode in modes if _outdated(traces[mode], guess, learned, mode)]
        if not open_modes:
            return Found(traces, learned, not learned.wanting)
        if learned == guess:
            break
        if learned in seen:
            return Found(traces, guess, not guess.wanting)
        guess = learned
        seen.append(guess)
    return Found(traces, guess, False)


def _outdated(trace: Answer, before: Guess, after: Guess, mode: str) -> bool:
    """Whether a trace was made with other inputs than the guess now gives."""
    if trace.ended:
        return False
    if trace.misfit:
        return True
    if after.labels != before.labels and mode not in UNLABELED:
        return True
    if not trace.finished and before != after:
        return True
    given = _leaves(trace.seen.features, ("features",)) + _leaves(trace.seen.labels, ("labels",))
    for path, spec in given:
        place = after.places.get(path)
        if place is not None and after.pool.leaves[place].spec != spec:
            return True
    return False


def _leaves(structure: Any, path: Path) -> List[Tuple[Path, Any]]:
    """The leaves of a structure in JSON, with their paths."""
    if structure is None:
        return []
    if isinstance(structure, list):
        pairs: Any = enumerate(structure)
    elif isinstance(structure.get("dtype"), str) and "shape" in structure:
        return [(path, structure)]
    elif set(structure) == {"tuple"} and isinstance(structure["tuple"], list):
        pairs = enumerate(structure["tuple"])
    else:
        pairs = structure.items()
    return [leaf for key, item in pairs for leaf in _leaves(item, path + (key,))]


def wants_labels(found: Found) -> bool:
    """Whether a mode raised for want of labels, all tensors being features.

    Then the model_fn has come to ask for a feature that the saved graph has no tensor for.
    """
    guess = found.guess
    if guess is None or guess.labels != NOTHING or not found.complete:
        return False
    if len(paths_of(guess.features, guess.labels)) < len(guess.pool.used):
        return False
    failed = {mode: trace for mode, trace in found.traces.items() if not trace.finished}
    if any(mode in UNLABELED for mode in failed):
        return False
    return any(_SAYS_NONE.search(trace.said) for trace in failed.values())


_SAYS_NONE = re.compile(r"\bNone\b|NoneType|\blabels\b")


def score_of(found: Found) -> float:
    """How far the leaves are consumed in the traced graph as they are in the saved one."""
    traces = reference_first(found.traces)
    if found.guess is None or not traces:
        return 0.0
    reference = traces[0]
    if not found.complete or wants_labels(found):
        return 0.0
    uses = reference.uses
    leaves = found.guess.pool.leaves
    worths = [
        similarity(uses.get(path, ()), leaves[place].consumers)
        for path, place in found.guess.places.items()
    ]
    alike = sum(worths) / len(worths) if worths else 1.0
    if reference.finished:
        return _TRACED + (1 - _TRACED) * alike
    traced = sum(trace.finished for trace in traces) / len(traces)
    return _COMPLETE + (_TRACED - _COMPLETE) * (0.7 * traced + 0.2 * alike)
