"""Completes what a check was given from the record of its checkpoint."""

import dataclasses
import os
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .errors import HiddenParamError, MissingTargetError, UsageError
from .json_files import with_overrides
from .options import CheckSpec, RecordSpec
from .records.flags import undefined_ok
from .records.params import unknown_keys
from .records.reader import Recorded
from .records.value import Record
from .results import RecordUse
from .rules.base import some_names
from .uses import ParamRead, ParamsUse


class Completed(NamedTuple):
    """What a check works with.

    Attributes:
        spec: the specification of the check, with TARGET and params.
        use: the record that was used; None if there is none.
        unused: why the record is not used; () if it is, or there is none.
    """

    spec: CheckSpec
    use: Optional[RecordUse] = None
    unused: Sequence[str] = ()


def completed(spec: CheckSpec, recorded: Recorded, prefix: str) -> Completed:
    """Takes TARGET and params from a record if they are left out, and applies ``--set``.

    Args:
        spec: what the user gave.
        recorded: the record of the checkpoint.
        prefix: the checkpoint.

    Raises:
        UsageError: TARGET is left out, and the record cannot give it; or the record does not hold
            the values of all params.
    """
    record = recorded.record
    used: List[str] = []
    changes: Dict[str, Any] = {}
    if spec.target is None:
        changes["target"] = _recorded_target(spec, recorded, prefix)
        used.append("target")
    of_record = record is not None and changes.get("target", spec.target) == record.target
    if spec.params is None and record is not None and record.params is not None and of_record:
        changes["params"] = record.params.values
        used.append("params")
    if record is not None and record.flags and of_record and not spec.flags:
        changes["flags"] = (*record.flags, undefined_ok(record.flags))
        used.append("flags")
    if record is not None and of_record and spec.params_type == "dict":
        changes["params_type"] = _own_params_type(spec, record, prefix)
    if spec.set:
        changes["params"] = with_overrides(changes.get("params", spec.params or {}), spec.set)
    if "params" in used:
        _verify_known(record, changes["params"])
    use = RecordUse(recorded.file, record.writer, tuple(used)) if record is not None else None
    unused = (f"the record {recorded.file}: {recorded.problem}",) if recorded.problem else ()
    return Completed(dataclasses.replace(spec, **changes), use, unused)


def with_params_of(record: Record, target: str) -> Record:
    """Returns a record, without its params if they belong to another function than TARGET.

    If TARGET makes a model_fn or an Estimator, its params are the arguments for that. The
    Estimator that trained had other params.
    """
    if _function(record.target) == _function(target):
        return record
    return dataclasses.replace(record, params=None)


def _function(target: str) -> Tuple[str, str]:
    """Returns the module and name in TARGET: of ``net.py:model_fn`` and ``models.net:model_fn``."""
    place, _, name = target.rpartition(":")
    module = os.path.basename(place)[:-3] if place.endswith(".py") else place.rpartition(".")[2]
    return module, name


def _recorded_target(spec: CheckSpec, recorded: Recorded, prefix: str) -> str:
    record = recorded.record
    if record is not None and record.target:
        _verify_own(spec, record.target, prefix, "TARGET")
        return record.target
    place = spec.model_dir
    command = "ckptcheck record" if isinstance(spec, RecordSpec) else "ckptcheck"
    why = f", and the record {recorded.file} cannot be used ({recorded.problem})"
    raise MissingTargetError(
        f"TARGET is missing{why if recorded.problem else ''}: expected MODEL_DIR TARGET PARAMS, "
        f"such as {command} {place} models.net:model_fn params.json. To look only at the files, "
        f"use ckptcheck inspect {place}"
    )


def _own_params_type(spec: CheckSpec, record: Record, prefix: str) -> str:
    if record.params_type not in ("dict", "attr"):
        _verify_own(spec, record.params_type, prefix, "--params-type")
    return record.params_type


def _verify_own(spec: CheckSpec, name: str, prefix: str, wanted: str) -> None:
    """Verifies that code that a record names belongs to the user's project.

    A record may come from anyone, and a check calls what it names.

    Raises:
        UsageError: it is elsewhere, or beside the checkpoint.
    """
    place = name.rpartition(":")[0]
    root = os.getcwd() if place.endswith(".py") else spec.app_dir
    base = os.path.join(root, *place.split(".")) if not place.endswith(".py") else place
    paths = [base] if place.endswith(".py") else [base + ".py", os.path.join(base, "__init__.py")]
    real = [os.path.realpath(os.path.join(root, path)) for path in paths]
    found = next((path for path in real if os.path.isfile(path)), "")
    folder = os.path.realpath(os.path.dirname(prefix))
    if not found or not _is_below(found, os.path.realpath(root)) or _is_below(found, folder):
        raise UsageError(
            f"the record names {name} as {wanted}, but ckptcheck does not find this code in {root} "
            "(it runs no code in MODEL_DIR): run ckptcheck in the directory of your "
            f"project, or give {wanted}"
        )


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


def _verify_known(record: Optional[Record], params: Any) -> None:
    """Verifies that no param is missing. JSON cannot hold the values of some params.

    Raises:
        UsageError: one is missing.
    """
    unknown = unknown_keys(record.params, params) if record and record.params else []
    if unknown:
        raise UsageError(_MISSES.format("value", some_names(unknown), unknown[0]))


def verify_reads(record: Optional[Record], params: Any, uses: Iterable[ParamsUse]) -> None:
    """Verifies that the code reads no param that the record had to redact.

    Args:
        record: the record that gave the params.
        params: the params of the check.
        uses: what the code read in each mode.

    Raises:
        HiddenParamError: the code reads one, or it reads the params as a whole.
    """
    unknown = unknown_keys(record.params, params, True) if record and record.params else []
    for use in uses if unknown else ():
        reads = [key for key in unknown if use.bulk or any(_reads(r, key) for r in use.reads)]
        if reads:
            named = f"{some_names(reads)}, which the code may use"
            raise HiddenParamError(_MISSES.format("redacted value", named, reads[0]))


def _reads(read: ParamRead, key: str) -> bool:
    """Whether a read gets the value at a dotted key, a part of it, or a default for the whole."""
    inside = f"{read.key}.".startswith(f"{key}.")
    return inside or (not read.found and f"{key}.".startswith(f"{read.key}."))


_MISSES = "the record does not hold the {} of {}: give PARAMS, or --set {}=VALUE"
