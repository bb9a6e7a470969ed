"""What the files of a model_dir are, without TensorFlow and without the code that made them."""

import dataclasses
import os
import re
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from .checkpoint.bundle import Bundle
from .checkpoint.deep import scan
from .checkpoint.examine import Examined, examine
from .checkpoint.graph import read_graph_summary
from .checkpoint.locate import locate, step_of
from .checkpoint.remote import AtHand, ReadRange, at_hand
from .checkpoint.snapshot import list_model_dir, write_snapshot
from .config import SEVERITIES
from .errors import UsageError
from .groups import group
from .rules import Facts, run_rules
from .rules.roles import roles
from .rules.unreadable_checkpoint import OWN_READER
from .spec import (
    CheckpointSummary,
    Failure,
    Finding,
    Inspection,
    Located,
    TensorScan,
    VariableRow,
    Verification,
    Verified,
)

Progress = Callable[[int, int], None]
"""Is called with the bytes that have been read and with those that will be."""


def inspect(model_dir: str, fail_on: str = "error") -> Inspection:
    """Says what is in a model_dir.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        fail_on: the severity from which on the inspection is not ok.

    Raises:
        UsageError: there is nothing of that name.
    """
    with at_hand(model_dir) as place:
        return _shown(_inspected(place.path, fail_on), place)


def _shown(found: Inspection, place: AtHand) -> Inspection:
    """An inspection with the paths that the user knows."""
    if place.read is not None:  # it has data, though not here
        found = dataclasses.replace(found, snapshot=False, not_judged=())
    return place.shown(found)


def _inspected(model_dir: str, fail_on: str) -> Inspection:
    located = locate(model_dir)
    examined = examine(located.prefix) if located.exists else Examined()
    findings = run_rules(_facts(located, examined))
    bundle = examined.bundle
    return Inspection(
        ok=bool(located.prefix or located.candidates) and not _failing(findings, fail_on),
        checked=bool(located.prefix or located.candidates),
        model_dir=located.model_dir,
        why=_why(located),
        checkpoints=_summaries(located),
        prefix=located.prefix if bundle else "",
        variables=_rows(bundle) if bundle else (),
        shards=bundle.num_shards if bundle else 0,
        object_based=bool(bundle and bundle.object_based),
        snapshot=bool(examined.files and examined.files.snapshot),
        graph=read_graph_summary(located.prefix) if located.exists else None,
        groups=group(findings),
        not_judged=_not_judged(examined),
    )


def verify(
    model_dir: str,
    all_checkpoints: bool = False,
    fail_on: str = "warning",
    progress: Optional[Progress] = None,
) -> Verification:
    """Reads all data of a checkpoint: checksums, values that are not finite, constant ones.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        all_checkpoints: reads every checkpoint of the directory.
        fail_on: the severity from which on a checkpoint is not good.
        progress: see :data:`Progress`.

    Raises:
        UsageError: there is nothing of that name, or a package for this is missing.
    """
    with at_hand(model_dir) as place:
        return place.shown(_verify(place, all_checkpoints, fail_on, progress))


def _verify(
    place: AtHand, all_checkpoints: bool, fail_on: str, progress: Optional[Progress]
) -> Verification:
    model_dir = place.path
    located = locate(model_dir)
    prefixes = list(located.candidates) if all_checkpoints else []
    if not prefixes and located.prefix:
        prefixes = [located.prefix]
    if not prefixes and located.candidates:
        raise UsageError(
            f"Estimator loads no checkpoint from {model_dir}: name one of {_names(located)}, or "
            "verify --all-checkpoints"
        )
    examined = {prefix: examine(prefix) for prefix in prefixes}
    whole = sum(_bytes(item.bundle) for item in examined.values() if item.bundle)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, whole)

    seen = {
        prefix: _verified(_named(located, prefix), item, fail_on, report, place.read)
        for prefix, item in examined.items()
    }
    gone = [] if place.read else [name for name, item in examined.items() if _is_gone(name, item)]
    results = tuple(item for prefix, item in seen.items() if prefix not in gone)
    if gone and not results:
        raise UsageError(f"{gone[0]} was removed while it was read (by a training run?): try again")
    return Verification(
        ok=bool(results) and all(item.ok for item in results),
        checked=bool(results),
        model_dir=located.model_dir,
        checkpoints=results,
    )


def _is_gone(prefix: str, examined: Examined) -> bool:
    """Whether a checkpoint was there, and no longer is: a training run keeps the last few."""
    return examined.bundle is not None and not os.path.isfile(prefix + ".index")


def snapshot(model_dir: str, out: str) -> List[str]:
    """Writes a small copy of a model_dir without its data, which serves as MODEL_DIR in checks.

    Returns:
        The names of the files in it.

    Raises:
        UsageError: there is no checkpoint that can be copied, or ``out`` is there already.
    """
    with at_hand(model_dir) as place:
        return _snapshot(place.path, out)


def _snapshot(model_dir: str, out: str) -> List[str]:
    located = locate(model_dir)
    if not located.exists:
        raise UsageError(
            f"Estimator loads no checkpoint from {model_dir}, so that there is nothing to make a "
            f"snapshot of: name one of {_names(located)}"
        )
    examined = examine(located.prefix)
    if examined.bundle is None:
        raise UsageError(f"no snapshot can be made: {examined.problem}")
    return write_snapshot(examined.bundle, out)


def _names(located: Located) -> str:
    return ", ".join(located.candidates[-3:]) or "the checkpoints (there are none)"


def _named(located: Located, prefix: str) -> Located:
    """One checkpoint as if it had been named: what the state file says is no matter of its data."""
    if os.path.isfile(prefix + ".index"):
        return locate(prefix + ".index")
    exists = located.exists and located.prefix == prefix
    explicit = located.explicit or located.prefix != prefix
    return dataclasses.replace(located, prefix=prefix, exists=exists, explicit=explicit)


def _facts(
    located: Located, examined: Examined, scans: Optional[Tuple[TensorScan, ...]] = None
) -> Facts:
    unreadable = None
    if examined.problem and not examined.first_version:
        unreadable = Failure("raised", OWN_READER, examined.problem)
    return Facts(
        located=located,
        modes=(),
        index=examined.bundle.checkpoint_index() if examined.bundle else None,
        unreadable=unreadable,
        files=examined.files,
        scans=scans,
    )


def _failing(findings: Sequence[Finding], fail_on: str) -> List[Finding]:
    least = SEVERITIES.index(fail_on)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= least]


def _why(located: Located) -> str:
    name = os.path.basename(located.prefix)
    if located.explicit:
        return f"{name} was named"
    if located.exists and located.elsewhere:
        return f"Estimator loads {located.prefix}, which is not in this directory"
    if located.exists:
        return f"Estimator loads {name}: the state file names it"
    if located.prefix:
        return f"the state file names {located.prefix}, which is not there"
    return "Estimator loads none of them"


def _summaries(located: Located) -> Tuple[CheckpointSummary, ...]:
    try:
        listing = list_model_dir(located.model_dir)
    except OSError as error:
        raise UsageError(f"MODEL_DIR {located.model_dir} cannot be read: {error.strerror}")
    loaded = os.path.realpath(located.prefix) if located.prefix and located.exists else ""
    found = []
    for prefix in located.candidates:
        base = os.path.basename(prefix)
        index = listing.get(base + ".index")
        size = sum(f.size for name, f in listing.items() if _is_of(name, base))
        written = (index.modified or None) if index else None
        is_loaded = os.path.realpath(prefix) == loaded
        found.append(CheckpointSummary(prefix, step_of(prefix), written, size, is_loaded))
    return tuple(found)


def _is_of(name: str, base: str) -> bool:
    """Whether a file belongs to a checkpoint."""
    end = name[len(base) :] if name.startswith(base) else ""
    return re.match(r"\.(index|meta|data-\d{5}-of-\d{5})$", end) is not None


def _rows(bundle: Bundle) -> Tuple[VariableRow, ...]:
    parts: Dict[str, Tuple[int, int]] = {}
    for part in bundle.parts:
        size, count = parts.get(part.name, (0, 0))
        parts[part.name] = (size + part.size, count + 1)
    shapes = {item.name: item.shape for item in bundle.tensors}
    role = roles(shapes, shapes)
    index = bundle.checkpoint_index()
    return tuple(
        VariableRow(spec, role[spec.name], *parts.get(spec.name, (item.size, 1)))
        for spec, item in zip(index.variables, bundle.tensors)
    )


def _not_judged(examined: Examined) -> Tuple[str, ...]:
    found = []
    if examined.first_version:
        found.append(examined.problem + ": only TensorFlow can list it")
    if examined.files is not None and examined.files.snapshot:
        found.append("the data: this is a snapshot, which has none")
    return tuple(found)


def _bytes(bundle: Bundle) -> int:
    return sum(item.size for item in bundle.stored())


def _verified(
    located: Located,
    examined: Examined,
    fail_on: str,
    report: Callable[[int], None],
    read: Optional[ReadRange],
) -> Verified:
    bundle = examined.bundle
    if read is None and examined.files is not None and examined.files.snapshot:
        raise UsageError(f"{located.model_dir} is a snapshot, which has no data to verify")
    if examined.first_version:
        raise UsageError(f"{examined.problem}: its data cannot be verified")
    scans = scan(bundle, report, read=read) if bundle else None
    read_rightly = {item.variable.name for item in scans or () if not item.problem}
    findings = run_rules(_facts(located, examined, scans))
    return Verified(
        ok=located.exists and not _failing(findings, fail_on),
        prefix=located.prefix,
        step=step_of(located.prefix),
        tensors=len(read_rightly),
        size=sum(item.size for item in bundle.stored() if item.name in read_rightly)
        if bundle
        else 0,
        groups=group(findings),
    )
