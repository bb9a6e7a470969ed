"""Finds the features and labels: guesses, traces, and learns from what the model_fn did.

The saved graph gives the tensors (see :mod:`.input_pools`); their keys and nesting come from
watching the model_fn. Each round traces the modes with the best guess so far, until a round shows
nothing new. The order in which Estimator flattens features (keys sorted, labels last) shows which
key each tensor belongs to. If this leaves a choice, the consumers of the tensors decide.
"""

import dataclasses
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..graph.graph import Graph
from ..protocol import TRAIN, UNNAMED
from ..records.value import Record
from . import input_pools
from .answers import Answer, reference_first, uses_in_train
from .attempt import ALIKE, Ask, Found, attempt, fits, score_of, with_own_inputs
from .blurred import has_added, with_hints, with_regardless
from .certainty import (
    keys_are_missed,
    lacks_labels,
    lacks_optional_keys,
    missed_fields,
    raises_for_certain,
)
from .guess import Guess, first_guess
from .input_pools import Head, Pool, head_of
from .learning import all_finished
from .matching import similarity
from .other_guesses import (
    with_dict_of_labels,
    with_other_dtype,
    with_other_leaves,
    with_other_structures,
)
from .structure import NOTHING, TENSOR, UNKNOWN

_MOST_ATTEMPTS = 10
_EXACT = 1.0
"""The score if the model uses all tensors exactly as the saved model did."""


def find(graph: Graph, modes: Sequence[str], ask: Ask, known: Optional[Guess] = None) -> Found:
    """Finds the features that fit a saved graph.

    Args:
        graph: what the saved graph tells.
        modes: the modes to trace.
        ask: traces modes.
        known: a guess that fitted the same model_fn with other params. If it no longer fits, it
            is ignored.
    """
    if known is not None:
        found = attempt(known, modes, ask, {})
        if score_of(found) >= ALIKE:
            return _judged(dataclasses.replace(found, alike=True))
    head = head_of(graph)
    found = _in_any_order(_best_attempt(head, modes, ask), modes, ask)
    return _judged(with_other_dtype(found, ask) if head.of_dataset else found)


def _judged(found: Found) -> Found:
    """Marks a result as incomplete if labels or the keys of features are missing."""
    lacks = lacks_labels(found)
    keys = found.of_dtype is None and (keys_are_missed(found) or lacks_optional_keys(found))
    complete = found.complete and not (lacks or keys or missed_fields(found))
    return dataclasses.replace(found, complete=complete, lacks_labels=lacks)


def _best_attempt(head: Head, modes: Sequence[str], ask: Ask) -> Found:
    """Makes an attempt with each candidate that the saved graph or the traces show.

    If the outputs of the input_fn's own iterator fit almost, only the tensors at the border where
    the model's ops begin are tried, too.
    """
    candidates = [first_guess(pool) for pool in input_pools.pools(head)]
    best = Found({}, None, False)
    best_score = -1.0
    tried: List[Tuple[object, ...]] = []
    said: List[Tuple[Pool, Dict[str, object]]] = []
    fitting: List[Found] = []
    ended: Dict[str, Answer] = {}
    while candidates and len(tried) < _MOST_ATTEMPTS:
        guess = candidates.pop(0)
        if _identity(guess) in tried:
            continue
        tried.append(_identity(guess))
        found = _with_others(guess, modes, ask, ended)
        if len(found.traces) < len(modes):  # the search has used up its time
            return found if best.guess is None else best
        ended.update((mode, t) for mode, t in found.traces.items() if t.ended)
        score = score_of(found)
        if score > best_score or has_added(found):
            best, best_score = dataclasses.replace(found, alike=score >= ALIKE), score
        if has_added(found) or raises_for_certain(found):
            break
        if len(ended) == len(modes) or _is_found(head, found):
            break
        if score >= ALIKE and fits(found):
            fitting.append(found)
            candidates = [it for it in _aligned(head, found) if _has_more(it.pool, found)]
            continue
        if (guess.pool, found.problems) in said:  # with and without labels
            same = best.guess is not None and best.guess.pool == guess.pool
            best = dataclasses.replace(best, same_unlabeled=same)
            if raises_for_certain(best):
                break
        if _is_the_codes(guess.pool, found.problems, said):
            break
        said.append((guess.pool, found.problems))
        candidates = [*_aligned(head, found), *candidates]
        if found.complete and all_finished(found.traces):
            fitting.append(found)
        candidates = [it for it in candidates if all(_has_more(it.pool, f) for f in fitting)]
        candidates.sort(key=lambda guess: -_fit(guess.pool, found))
        candidates[:0] = _without_labels(found)
    return dataclasses.replace(best, of_pipeline=_of_pipeline(head, best, fitting))


def _is_found(head: Head, found: Found) -> bool:
    """Whether the model uses the tensors as the saved model did.

    If the input_fn made an iterator, it may have computed features from the iterator's outputs.
    Then the model has to use all of the tensors exactly as the saved model did.
    """
    if head.has_own_iterator:
        return score_of(found) == _EXACT and fits(found)
    return score_of(found) >= ALIKE


def _of_pipeline(head: Head, best: Found, fitting: Sequence[Found]) -> Optional[Found]:
    """Returns the attempt with the outputs of the input pipeline, if they may be the features.

    They may be the features if the best attempt has other tensors, unless the input_fn made an
    iterator, and the model uses the tensors exactly as the saved model did.
    """
    if best.guess is None or best.guess.pool.sorted_keys:
        return None
    if head.has_own_iterator and _is_found(head, best):
        return None
    return next((it for it in fitting if it.guess and it.guess.pool.sorted_keys), None)


def _with_others(
    guess: Guess, modes: Sequence[str], ask: Ask, ended: Mapping[str, Answer]
) -> Found:
    """Makes an attempt, and tries other structures and tensors while model_fn raises."""
    found = with_own_inputs(attempt(guess, modes, ask, ended), modes, ask)
    found = with_dict_of_labels(found, modes, ask)
    if len(found.traces) < len(modes) or raises_for_certain(found):
        return found
    found = with_regardless(found, ask)
    if raises_for_certain(found):
        return found
    found = with_hints(found, modes, ask)
    if raises_for_certain(found) or has_added(found):
        return found
    return with_other_leaves(with_other_structures(found, modes, ask), modes, ask)


def _in_any_order(found: Found, modes: Sequence[str], ask: Ask) -> Found:
    """If TRAIN raised, tries the tensors in any order: a renamed key may sort differently."""
    guess, train = found.guess, found.traces.get(TRAIN)
    if guess is None or train is None or train.finished:
        return found
    if has_added(found) or raises_for_certain(found):
        return found
    if guess.features.kind != "dict" or not guess.pool.sorted_keys:
        return found
    pool = dataclasses.replace(guess.pool, sorted_keys=False)
    tried = _with_others(first_guess(pool), modes, ask, {})
    return dataclasses.replace(tried, alike=True) if fits(tried) else found


def _has_more(pool: Pool, found: Found) -> bool:
    """Whether a pool has a tensor that an attempt did not have. Its order may show the keys."""
    others = found.guess.pool.leaves if found.guess else ()
    return not {leaf.name for leaf in pool.leaves} <= {leaf.name for leaf in others}


def _fit(pool: Pool, found: Found) -> float:
    """Scores how well the leaves of a pool fit the tensors that the traces use."""
    uses = (trace.uses.values() for trace in found.traces.values())
    shown = [consumers for some in uses for consumers in some if consumers]
    best = [
        max((similarity(mine, leaf.consumers) for leaf in pool.leaves), default=0.0)
        for mine in shown
    ]
    return round(sum(best) / len(best), 1) if best else 0.0


def _is_the_codes(
    pool: Pool, problems: Dict[str, object], said: Sequence[Tuple[Pool, Dict[str, object]]]
) -> bool:
    """Whether other tensors failed in the same way. If so, the model_fn raises for any input."""
    if not any(problems.values()):
        return False
    return any(other != pool and problems == theirs for other, theirs in said)


def _identity(guess: Guess) -> Tuple[object, ...]:
    return tuple(leaf.name for leaf in guess.pool.leaves), guess.labels


def _without_labels(found: Found) -> List[Guess]:
    """Returns the same tensors without labels, if TRAIN did not use the labels."""
    guess = found.guess
    if guess is None or guess.labels != TENSOR or uses_in_train(found.traces).get(("labels",)):
        return []
    return [Guess(guess.pool, UNKNOWN, NOTHING, {})]


def _aligned(head: Head, found: Found) -> List[Guess]:
    """The pool at the border where the traced model_fn's ops begin in the saved graph."""
    for trace in reference_first(found.traces):
        border = input_pools.aligned_border(head, trace.head)
        if border is not None:
            pool = input_pools.pool_at(head, border)
            return [first_guess(pool)] if pool.leaves else []
    return []


def names_depend_on_keys(traces: Mapping[str, Answer]) -> bool:
    """Whether the name of a variable contains a made-up key."""
    return any(UNNAMED in read.key for trace in traces.values() for read in trace.reads)


def unfit_record(record: Optional[Record], failed: Sequence[str]) -> str:
    """Says that the model_fn does not work with the features in a record.

    Args:
        record: the record.
        failed: the modes in which the features do not fit.
    """
    if record is not None and set(failed) & set(record.modes):
        return (
            "whether the features are those of the training run: model_fn does not work with the "
            "features in the record any more, so ckptcheck took those of the saved graph"
        )
    modes = " and ".join(map(str.upper, failed))
    return (
        f"whether the features of the saved graph are right for {modes}: the record has only the "
        "features of TRAIN, and model_fn does not work with them there (give --input-fn or "
        "--features to be sure)"
    )
