"""Builds facts in memory, for the examples of rules and for tests."""

import dataclasses
from typing import Any, Mapping, Optional, Sequence, Tuple

from ..model_dir import Found, Located, Missing, StateFile, TensorScan, Unnamed
from ..origins import Origins
from ..protocol import (
    MODES,
    CheckpointIndex,
    Environment,
    FailedTrace,
    Failure,
    FinishedTrace,
    ModeTrace,
    Observed,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    VariableSpec,
)
from ..records.value import Record, RecordedParams
from ..results import Features, Launch, Trace
from ..uses import ParamRead, ParamsUse
from .base import Facts

Stored = Mapping[str, Tuple[Tuple[int, ...], str]]
"""Name -> (shape, dtype)."""

WEIGHTS: Stored = {"dense/kernel": ((1, 64), "float32"), "global_step": ((), "int64")}
SCALE = VariableSpec("scale", (), "float32")
"""A variable that is not in the checkpoint."""


def read(
    key: str,
    shape: Tuple[int, ...] = (),
    dtype: str = "float32",
    check: str = "none",
    role: str = "weight",
) -> Read:
    """Returns a read of a whole variable with the same name."""
    return Read(key, key, shape, dtype, "", ReadSink.ASSIGN, ReadCheck(check), role)


READS = (read("dense/kernel", (1, 64)), read("global_step", (), "int64", role="global_step"))

NOW = Origins("3.11.7", "2.15.1")
"""The origins of a model."""

_MODEL_DIR = ("runs/base", "runs/base", ("runs/base/model.ckpt-10",))
LOCATED = Found(*_MODEL_DIR, prefix="runs/base/model.ckpt-10", written="model.ckpt-10")
MISSING = Missing(
    *_MODEL_DIR,
    prefix="/old/model.ckpt-10",
    written="/old/model.ckpt-10",
    folder_exists=False,
    elsewhere=True,
)
UNNAMED = Unnamed(*_MODEL_DIR, state=StateFile("", problem="line 1"))


_WHOLE = ParamsUse(bulk=True)
"""A model_fn that reads the params as a whole, so each of them may matter."""


def facts(
    stored: Stored = WEIGHTS,
    reads: Tuple[Read, ...] = READS,
    train_reads: Tuple[Read, ...] = (),
    plan: Optional[RestorePlan] = None,
    object_based: bool = False,
    **others: Any,
) -> Facts:
    """Returns facts about a checkpoint and a model that restores it in three modes.

    Args:
        stored: what the checkpoint holds.
        reads: what every mode reads.
        train_reads: what TRAIN also reads.
        plan: other parts of the plans.
        object_based: see :class:`..protocol.CheckpointIndex`.
        others: other fields of the facts.
    """
    variables = tuple(VariableSpec(name, *stored[name]) for name in sorted(stored))
    base = plan or RestorePlan("", ())
    plans = [
        dataclasses.replace(base, mode=mode, reads=reads + (train_reads if mode == "train" else ()))
        for mode in MODES
    ]
    found = Facts(
        located=LOCATED,
        modes=MODES,
        tensorflow="2.15.1",
        index=CheckpointIndex(LOCATED.prefix, 10, variables, object_based),
        trace=_trace(tuple(FinishedTrace(plan.mode, plan, Observed(_WHOLE)) for plan in plans)),
    )
    return dataclasses.replace(found, **others)


def _trace(modes: Tuple[ModeTrace, ...]) -> Trace:
    return Trace(
        modes,
        Environment("2.15.1", "3.11.7"),
        Launch("v2", "the default of TensorFlow 2.15.1"),
        Features("saved-graph"),
    )


def failed(failure: Failure) -> Facts:
    """Returns facts about a model_fn that cannot be traced in any mode."""
    return facts(trace=_trace(tuple(FailedTrace(mode, failure) for mode in MODES)))


def with_located(**fields: Any) -> Facts:
    """Returns facts about a model_dir whose state file differs in these fields of Found."""
    return facts(located=dataclasses.replace(LOCATED, **fields))


def with_params(
    params: Mapping[str, Any], *reads: ParamRead, taken: bool = True, named: Sequence[str] = ()
) -> Facts:
    """Returns facts about a model_fn that makes these reads of its params."""
    use = ParamsUse(tuple(reads), False, taken, tuple(named))
    modes = tuple(dataclasses.replace(mode, seen=Observed(use)) for mode in facts().traces)
    return facts(params=params, trace=_trace(modes))


def with_scan(**fields: Any) -> Facts:
    """Returns facts about a checkpoint in which the data of one variable was read."""
    return facts(scans=(TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), **fields),))


def nothing_to_restore(located: Located) -> Facts:
    """Returns facts about a model_dir without a checkpoint to restore."""
    return Facts(located=located, modes=MODES, tensorflow="2.15.1")


def with_record(
    then: Origins = NOW,
    now: Origins = NOW,
    values: Optional[Mapping[str, Any]] = None,
    params: Optional[Mapping[str, Any]] = None,
) -> Facts:
    """Returns facts about a checkpoint with a record.

    Args:
        then: what the code came from when the checkpoint was saved.
        now: what it comes from now.
        values: the params in the record.
        params: the params of the check, all of which model_fn reads.
    """
    given = params or {}
    found = with_params(given, *(ParamRead(key, True) for key in given))
    recorded = RecordedParams(values or {})
    record = Record("model.ckpt-10", 10, "", "traced", "0.1.0", then, params=recorded)
    return dataclasses.replace(found, record=record, origins=now)
