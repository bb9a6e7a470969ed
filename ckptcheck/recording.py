"""The command ``record``: writes a record beside the checkpoint that a restore would load."""

import dataclasses
import os
from typing import Callable, Dict, Optional, Sequence

from .checkpoint.addresses import is_remote, without_secrets
from .checks import checked
from .client.process import Tracer
from .client.sources import SOURCES_UNKNOWN
from .errors import UsageError
from .options import CheckSpec, RecordSpec
from .origins import Origins
from .protocol import CheckpointIndex, FinishedTrace
from .records.files import recorded_origins
from .records.modes import recorded_mode
from .records.params import recorded_params
from .records.value import TRACED, TRAINING, Record, RecordedMode
from .records.writer import index_digest, write
from .results import RESTORES, Report, Trace, Written
from .rules.base import DRIFT

_CHANGES = ("params-changed", "source-changed", "data-file-changed")
"""The rules that find a difference between the code and an existing record."""


def record(
    spec: RecordSpec,
    version: str,
    tracer: Optional[Tracer] = None,
    say: Callable[[str], object] = lambda text: None,
) -> Report:
    """Writes a record beside the checkpoint that a restore would load.

    It runs a check first. It writes nothing if the check finds that the code does not fit the
    checkpoint, differs from an existing record, or computes something else than the saved graph,
    unless ``spec.force`` is set. It adds what an existing record of the training process lacks.

    Args:
        spec: what to record.
        version: the version of ckptcheck.
        tracer: a running tracer; by default, this function starts its own.
        say: is told what is done, before it is done.

    Returns:
        The report of the check. ``report.written`` is the record. If none was written,
        ``report.ok`` is False.

    Raises:
        UsageError: something that the check needs is missing or invalid, or the record cannot be
            written.
    """
    named = os.fspath(spec.model_dir)
    if is_remote(named):
        where = without_secrets(named)
        raise UsageError(
            f"MODEL_DIR {where} is remote, and a record can only be written to a local "
            "directory. Give a local copy of the checkpoint"
        )
    found = checked(spec, tracer, None, say, looks=True)
    report, facts = found.report, found.facts
    index = report.checkpoint
    if facts is None or index is None or facts.trace is None:
        return report
    fits = all(verdict.verdict == RESTORES for verdict in report.verdicts) and report.ok
    if not spec.force and (_contradicts(report) or not fits):
        return dataclasses.replace(report, ok=False)
    if facts.origins is None:
        note = next(text for text in report.not_judged if text.startswith(SOURCES_UNKNOWN))
        why = note.partition(": ")[2]
        raise UsageError(
            "no record can be made, because the source code of the project cannot be read: " + why
        )
    made = _record_of(found.spec, spec.redact, index, facts.trace, facts.origins, version)
    if facts.record is not None and facts.record.writer == TRAINING and not spec.force:
        made = _completed(facts.record, made)
    try:
        path = write(index.prefix, made)
    except OSError as error:
        raise UsageError(f"the record cannot be written beside {index.prefix}: {error.strerror}")
    folder, name = os.path.split(path)
    return dataclasses.replace(report, ok=True, written=Written(folder, (name,)))


def _contradicts(report: Report) -> bool:
    """Whether the code is not that of the training run, by a record or by the saved graph."""
    return any(item.rule in _CHANGES or item.category == DRIFT for item in report.findings)


def _completed(known: Record, made: Record) -> Record:
    """Returns the record of a training process, with what it lacks.

    Without params, the arguments of the function that TARGET names now are not known.
    """
    modes: Dict[str, RecordedMode] = dict(made.modes)
    for mode, own in known.modes.items():
        inputs = {name: getattr(own, name) for name in ("features", "labels", "taken_names")}
        modes[mode] = dataclasses.replace(modes.get(mode, own), **inputs)
    if known.params is not None:
        return dataclasses.replace(known, modes=modes)
    return dataclasses.replace(
        known, modes=modes, target=made.target, params=made.params, params_type=made.params_type
    )


def _record_of(
    spec: CheckSpec,
    redacted: Sequence[str],
    index: CheckpointIndex,
    trace: Trace,
    origins: Origins,
    version: str,
) -> Record:
    params = recorded_params(spec.params, redacted)
    return Record(
        checkpoint=os.path.basename(index.prefix),
        step=index.step,
        index_digest=index_digest(index.prefix),
        writer=TRACED,
        ckptcheck=version,
        origins=recorded_origins(origins, spec.params, params),
        target=spec.target or "",
        params_type=spec.params_type,
        params=params,
        flags=spec.flags,
        modes={
            mode.mode: recorded_mode(mode, trace)
            for mode in trace.modes
            if isinstance(mode, FinishedTrace)
        },
    )
