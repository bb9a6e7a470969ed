"""A param has another value than when the checkpoint was saved.

The record of the checkpoint says which params the training run had. A different value may change
what the model computes, or the shapes of its variables. A param that is missing now counts as
changed, unless the default of the model_fn is the recorded value. The finding is a warning if
PREDICT or EVAL reads the param and may compute something else than before. Otherwise, it is a note.

What to do: give the params of the training run. If you changed the param on purpose, train again
and record the new checkpoint.
"""

import json
from typing import Any, Dict, Iterator, Tuple

from ..changes import NONE
from ..protocol import TRAIN
from ..records.params import ParamChange, changed_params
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import with_record

_LONGEST = 100


def find(facts: Facts) -> Iterator[Finding]:
    """Finds params whose value differs from the record."""
    record = facts.record
    if record is None or record.params is None or not facts.params_known:
        return
    then: Dict[str, Any] = {}
    for mode in record.modes.values():
        then.update(mode.defaults)
    now = {
        read.key: read.default
        for trace in facts.traces
        for read in trace.params.reads
        if not read.found and read.has_default
    }
    for change in changed_params(record.params, then, facts.params, now):
        readers = _readers(facts, change.key)
        yield finding(
            _message(change, change.key in now),
            severity="warning" if set(readers) - {TRAIN} else "note",
            modes=readers,
            subject=change.key,
            data={"param": change.key, "was": change.was, "now": change.now},
        )


def _readers(facts: Facts, key: str) -> Tuple[str, ...]:
    """Returns the modes that read a param, or an object that holds it.

    A mode that computes the same as before is left out.
    """
    return tuple(
        trace.mode
        for trace in facts.traces
        if facts.drift.states.get(trace.mode) != NONE
        and (trace.params.bulk or any(_reads(read.key, key) for read in trace.params.reads))
    )


def _reads(read: str, key: str) -> bool:
    return read == key or read.startswith(key + ".")


def _message(change: ParamChange, has_default: bool) -> str:
    if change.hidden:
        return (
            f"{change.key} has another value than in training; the record has only a digest of the "
            "value"
        )
    was, now = _shown(change.was), _shown(change.now)
    if not change.had:
        return f"{change.key} is {now}; the params of the training run did not have it"
    if not change.has:
        return f"{change.key} was {was} in training; now the params do not have it"
    if has_default:
        return (
            f"{change.key} was {was} in training; now the params do not have it, and model_fn "
            f"uses its default {now}"
        )
    return f"{change.key} was {was} in training, and is {now} now"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


RULE = Rule(
    severity="warning",
    category="params",
    find=find,
    title="1 param has another value than in training",
    titles="{} params have other values than in training",
    good=lambda: with_record(values={"units": 8}, params={"units": 8}),
    bad=lambda: with_record(values={"units": 8}, params={"units": 4}),
)
