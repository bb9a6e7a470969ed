"""One attempt to find the features: traces and learns until a round teaches nothing new.

If model_fn still raises, other batch sizes are tried.
"""

import dataclasses
import re
from typing import (
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..protocol import TRAIN, UNLABELED
from .answers import Answer, reference_first, uses_in_train
from .guess import Guess, Inputs, OwnInputs
from .learning import better_guess, optional_keys
from .matching import Uses, placed, similarity
from .structure import NOTHING, Path, specs_of

_MOST_ROUNDS = 12
_COMPLETE, _TRACED, ALIKE = 0.1, 0.2, 0.6
"""What a guess scores if each tensor has a leaf, if a trace does not raise, and if the consumers
are those of the saved graph."""

Ask = Callable[[Mapping[str, Inputs]], Dict[str, Answer]]
"""Traces modes with the given features and labels."""


class OtherDtype(NamedTuple):
    """A tensor whose dtype makes model_fn raise an error in some modes, and one that does not."""

    path: Path
    modes: FrozenSet[str]
    dtype: str
    other: str


@dataclasses.dataclass(frozen=True)
class Found:
    """The end of an attempt.

    Attributes:
        traces: the answers of the last round.
        guess: the guess that these traces were made with.
        complete: whether each tensor that the model_fn asks for has a leaf.
        alike: whether the traced model and the saved model use the tensors in the same way.
        lacks_labels: whether the labels are missing because the features take all tensors.
        regardless: the modes that raise the same error with other tensors.
        same_unlabeled: whether all modes raise the same errors without labels.
        of_any_structure: the modes that raise the same error with other structures of the features.
        of_dtype: the tensor whose dtype alone makes modes raise an error; None if there is none.
        of_any_unused: the modes that raise the same error with other tensors that TRAIN leaves out.
        doubtful: features that may be other tensors, which would change the verdict.
        of_pipeline: an attempt with the outputs of the input pipeline in which all modes finished,
            if the guess has other tensors, and if these outputs may be the features.
    """

    traces: Mapping[str, Answer]
    guess: Optional[Guess]
    complete: bool
    alike: bool = False
    lacks_labels: bool = False
    regardless: FrozenSet[str] = frozenset()
    same_unlabeled: bool = False
    of_any_structure: FrozenSet[str] = frozenset()
    of_any_unused: FrozenSet[str] = frozenset()
    doubtful: FrozenSet[Path] = frozenset()
    of_dtype: Optional[OtherDtype] = None
    of_pipeline: Optional["Found"] = None

    @property
    def problems(self) -> Dict[str, object]:
        """Why each mode was not traced to its end; None if it was."""
        return {mode: trace.problem for mode, trace in self.traces.items()}


def attempt(guess: Guess, modes: Sequence[str], ask: Ask, ended: Mapping[str, Answer]) -> Found:
    """Traces and learns until a round shows nothing new, or repeats an earlier round.

    If two leaves fit a tensor equally badly, the guess may switch between them without end, because
    each trace shows other consumers. The attempt then stops with one of these leaves, and
    :func:`.other_guesses.with_other_leaves` tries the others.

    Args:
        guess: where to begin.
        modes: the modes to trace.
        ask: traces modes.
        ended: modes that are not to be asked again.
    """
    traces: Dict[str, Answer] = dict(ended)
    open_modes = [mode for mode in modes if mode not in ended]
    seen = [guess]
    shown: Uses = {}
    for _ in range(_MOST_ROUNDS):
        answers = ask({mode: guess.inputs(mode) for mode in open_modes})
        if not answers:
            break
        traces.update(answers)
        freed = _freed(guess, traces, shown)
        shown = uses_in_train(traces) if _finishes(traces) else {}
        if freed is not None and freed not in seen:
            guess, open_modes = freed, [mode for mode in modes if mode not in ended]
            seen.append(guess)
            continue
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


def _finishes(traces: Mapping[str, Answer]) -> bool:
    return TRAIN in traces and traces[TRAIN].finished


def _freed(guess: Guess, traces: Mapping[str, Answer], shown: Uses) -> Optional[Guess]:
    """Returns a guess that does not follow Estimator's order, if this order cannot be right.

    This is the case if TRAIN finished in the last round, and raises now because the code asked for
    one more key. An input_fn may make the dict of features from a tuple of tensors.

    Args:
        guess: the guess of this round.
        traces: the answers of this round.
        shown: the consumers in the last round if TRAIN finished.
    """
    train = traces.get(TRAIN)
    if not shown or train is None or train.finished or train.misfit or not guess.pool.sorted_keys:
        return None
    pool = dataclasses.replace(guess.pool, sorted_keys=False)
    return placed(dataclasses.replace(guess, pool=pool, pins={}), shown)


def _outdated(trace: Answer, before: Guess, after: Guess, mode: str) -> bool:
    """Whether the inputs of a trace differ from those of the new guess."""
    if trace.ended:
        return False
    if trace.misfit:
        return True
    if after.labels != before.labels and mode not in UNLABELED:
        return True
    if not trace.finished and before.inputs(mode) != after.inputs(mode):
        return True
    new = set(after.features.keys).difference(before.features.keys)
    if new.intersection(optional_keys({mode: trace})):  # the code did not find them
        return True
    given = specs_of(trace.seen.features, ("features",)) + specs_of(trace.seen.labels, ("labels",))
    for path, spec in given:
        place = after.places.get(path)
        if place is not None and after.leaf(place, mode) != spec:
            return True
        if path[-1] in after.without:  # the code found a key that the features do not have
            return True
    return False


def misses_labels(guess: Guess, trace: Answer) -> bool:
    """Whether a mode raised because it got None for labels that it may get from the input_fn."""
    labeled = guess.labels != NOTHING or trace.mode in UNLABELED
    return not labeled and _SAYS_NONE.search(trace.said) is not None


_SAYS_NONE = re.compile(r"\bNone\b|NoneType|\blabels\b")


def score_of(found: Found) -> float:
    """Scores how similar the consumers of the leaves are in the traced and the saved graph."""
    traces = reference_first(found.traces)
    if found.guess is None or not traces:
        return 0.0
    reference = traces[0]
    if not found.complete or any(misses_labels(found.guess, trace) for trace in traces):
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


def takes_all(guess: Guess) -> bool:
    """Whether a guess has a place for each tensor that the saved model used."""
    used = {place for place, leaf in enumerate(guess.pool.leaves) if leaf.used}
    return used <= set(guess.places.values())


def fits(found: Found) -> bool:
    """Whether TRAIN finished, and uses each tensor that the saved model used, in the same way."""
    trace = found.traces.get(TRAIN)
    if found.guess is None or trace is None or not trace.finished:
        return False
    leaves, uses, pairs = found.guess.pool.leaves, trace.uses, found.guess.places.items()
    return takes_all(found.guess) and all(
        similarity(uses.get(path, ()), leaves[place].consumers) >= ALIKE for path, place in pairs
    )


def without_keys(guess: Guess, keys: FrozenSet[str]) -> Guess:
    """Returns a guess whose features do not have some optional keys."""
    items = tuple(item for item in guess.features.items if item[0] not in keys)
    features = dataclasses.replace(guess.features, items=items)
    return dataclasses.replace(guess, features=features, without=guess.without | keys)


def guessed_optional_keys(found: Found) -> FrozenSet[str]:
    """Returns the keys of the guessed features that the code looks for with ``in`` or ``get``."""
    keys = found.guess.features.keys if found.guess else ()
    return frozenset(optional_keys(found.traces)).intersection(keys)


def indexed_length(traces: Iterable[Answer], root: str) -> int:
    """Returns the least number of values that the features or labels have if they are a list.

    The code indexes them with numbers, or iterates over them. Returns 0 if it does neither.
    """
    events = (event for trace in traces for event in trace.seen.events)
    found = (e.value for e in events if e.event == "maybe-index" and e.path == (root,))
    places = [value for value in found if isinstance(value, int)]
    return max((place + 1 if place >= 0 else -place for place in places), default=0)


def with_own_inputs(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """Traces failed modes again, with inputs that may differ from those of TRAIN.

    The saved graph shows the inputs of TRAIN. Another mode may have another batch size, and TRAIN,
    too, if the params differ. Tensors of integers may be int32 in one mode and int64 in another. An
    exception that depends on such a difference does not count. An exception that TRAIN raises, too,
    does not depend on one: if a mode raises it with its own inputs, the guess keeps these inputs.
    """
    tried: List[Tuple[str, Inputs]] = []
    for change in OwnInputs:
        guess = found.guess
        if guess is None or not found.complete:
            return found
        failed = [mode for mode in modes if mode in found.traces and found.traces[mode].raised]
        if change == OwnInputs.INTEGERS and TRAIN in found.traces:
            same = found.traces[TRAIN].problem
            failed = [mode for mode in failed if found.traces[mode].problem != same]
        own = {**guess.own, **dict.fromkeys(failed, change)}
        changed = dataclasses.replace(guess, own=own)
        inputs = {mode: changed.inputs(mode) for mode in failed}
        asked = {mode: given for mode, given in inputs.items() if given != guess.inputs(mode)}
        asked = {mode: given for mode, given in asked.items() if (mode, given) not in tried}
        tried.extend(asked.items())
        answers = ask(asked) if asked else {}
        better = {
            mode: answer
            for mode, answer in answers.items()
            if answer.finished or _raises_what_train_raises(answer, found)
        }
        own = {**guess.own, **dict.fromkeys(better, change)}
        guess = dataclasses.replace(guess, own=own)
        found = dataclasses.replace(found, traces={**found.traces, **better}, guess=guess)
    return found


def _raises_what_train_raises(answer: Answer, found: Found) -> bool:
    """Whether a mode raises the error of TRAIN, and raised another one with TRAIN's inputs."""
    train = found.traces.get(TRAIN)
    if train is None or not train.raised:
        return False
    return answer.problem == train.problem != found.traces[answer.mode].problem


def progress(found: Found) -> Tuple[int, int]:
    """Returns how many traces finished, and how many ops all traces made."""
    if not found.complete:
        return -1, 0
    traces = found.traces.values()
    return sum(trace.finished for trace in traces), sum(trace.ops for trace in traces)
