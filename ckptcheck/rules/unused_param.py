"""The params hold a key that the model_fn never reads.

The key is misspelled, or it belongs to an older model_fn. The model_fn works as if the key were not
there, and uses its default if it has one. A key may be needed in one mode only, so this rule finds
nothing unless PREDICT, EVAL and TRAIN are all checked. It also finds nothing if model_fn reads its
params as a whole (``**params``, ``dict(params)``, iteration), because then any key may matter.

An input_fn may read keys, too. So the rule leaves out keys that the imported modules of the project
name in their code, such as ``params["batch_size"]``. A name in a comment or in a docstring does not
count. The rule also leaves out keys that the training run had, if a record says so.

What to do: correct the name of the key, or remove the key.
"""

import difflib
from typing import Any, Iterator, List, Mapping, Set

from ..protocol import MODES
from ..records.params import holds
from ..results import Finding
from ..uses import ParamRead
from .base import Facts, Rule, finding
from .examples import with_params

_INJECTED = ("batch_size", "use_tpu", "context")
"""Keys that TPUEstimator adds. A params file may hold them for a model_fn that reads them."""

_MOST_COMPARED = 1000
"""How many keys are compared with those that model_fn reads; each comparison takes time."""


def find(facts: Facts) -> Iterator[Finding]:
    """Finds keys of the params that no mode reads."""
    if not facts.params or not facts.plans or len(facts.plans) < len(facts.modes):
        return
    uses = [trace.params for trace in facts.traces]
    taken = any(use.taken for use in uses)
    if any(use.bulk for use in uses) or (taken and not set(MODES) <= set(facts.modes)):
        return
    looked = {read.key for use in uses for read in use.reads}
    wanted = [read for use in uses for read in use.reads if not read.found]
    named = {key for use in uses for key in use.named}
    for count, key in enumerate(_unlooked(facts.params, looked, "")):
        if key in _INJECTED or key in named or _is_of_training(facts, key):
            continue
        near = _near(key, wanted) if count < _MOST_COMPARED else []
        yield finding(
            _message(key, near, taken),
            subject=key,
            location=near[0].location if near else None,
            data={"param": key, "meant": near[0].key if near else None},
        )


def _is_of_training(facts: Facts, key: str) -> bool:
    known = facts.record.params if facts.record is not None else None
    return known is not None and holds(known, key)


def _unlooked(params: Mapping[str, Any], looked: Set[str], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        path = prefix + key
        if path not in looked:
            yield path
        elif isinstance(value, dict) and any(read.startswith(path + ".") for read in looked):
            yield from _unlooked(value, looked, path + ".")


def _near(key: str, wanted: List[ParamRead]) -> List[ParamRead]:
    names = difflib.get_close_matches(key, [read.key for read in wanted], 1, 0.6)
    return [read for read in wanted if read.key in names]


def _message(key: str, near: List[ParamRead], taken: bool) -> str:
    if not taken:
        return f"model_fn never reads {key!r}: it has no argument named params"
    if near:
        return f"model_fn never reads {key!r}; did you mean {near[0].key!r}?"
    return f"model_fn never reads {key!r}"


RULE = Rule(
    severity="warning",
    category="params",
    find=find,
    title="the params have a key that model_fn never reads",
    titles="the params have {} keys that model_fn never reads",
    good=lambda: with_params({"units": 8}, ParamRead("units", True)),
    bad=lambda: with_params({"unit": 8}, ParamRead("units", False, 4, True)),
)
